/** Shows a view: what covers the picture, the badges, and at most one button. */
import { icons } from '../viewing/icons.ts';
import type { Action, PageView, ViewKind } from '../viewing/page-view.ts';
import type { Stage } from './stage.browser.ts';

const pictures: Partial<Record<ViewKind, string>> = {
  notBegun: icons.tower,
  interrupted: icons.interrupted,
  unheard: icons.offline,
  ended: icons.ended,
  recording: icons.ended,
  removed: icons.gone,
  unknown: icons.unknown,
  offline: icons.offline,
  reconnecting: icons.offline,
  cannotPlay: icons.gone,
};

const actionTexts: Readonly<Record<Action, string>> = {
  play: 'Play',
  recording: 'Watch from the start',
  retry: 'Try again',
};

export class Show {
  readonly #ui: Stage;
  #shown = '';

  constructor(ui: Stage) {
    this.#ui = ui;
  }

  /** Costs nothing while nothing changes. */
  view(view: PageView, poster: string | undefined): void {
    const text = JSON.stringify([view, poster]);
    if (text === this.#shown) return;
    this.#shown = text;
    this.#cover(view);
    this.#hints(view);
    this.#poster(poster);
    this.#badges(view);
  }

  #cover({ kind, picture, headline, detail, isBusy, isAudioOnly, action }: PageView): void {
    const ui = this.#ui;
    const { dataset } = ui.stage;
    dataset['view'] = kind;
    dataset['picture'] = picture;
    dataset['words'] = headline === '' ? 'none' : 'some';
    ui.stage.toggleAttribute('data-sound', isAudioOnly);
    const icon = headline === '' ? '' : (pictures[kind] ?? '');
    if (ui.icon.innerHTML !== icon) ui.icon.innerHTML = icon;
    // Screen readers read the status out whenever it is written, so an unchanged text is not written again.
    if (ui.headline.textContent !== headline) ui.headline.textContent = headline;
    if (ui.detail.textContent !== detail) ui.detail.textContent = detail;
    ui.spinner.hidden = !isBusy;
    ui.action.hidden = action === undefined;
    if (action === undefined) return;
    ui.action.dataset['action'] = action;
    const isBig = action === 'play';
    ui.action.classList.toggle('big', isBig);
    ui.action.innerHTML = isBig ? icons.play : '';
    if (isBig) ui.action.setAttribute('aria-label', actionTexts[action]);
    else {
      ui.action.removeAttribute('aria-label');
      ui.action.textContent = actionTexts[action];
    }
  }

  #hints({ hint, hintText }: PageView): void {
    this.#ui.unmute.hidden = hint !== 'unmute';
    this.#ui.onAir.hidden = hint !== 'live';
    this.#ui.away.hidden = hint !== 'away';
    this.#ui.oldest.hidden = hint !== 'oldest';
    this.#ui.unheard.hidden = hint !== 'unheard';
    if (this.#ui.unheard.textContent !== hintText) this.#ui.unheard.textContent = hintText;
  }

  #poster(poster: string | undefined): void {
    const { poster: image } = this.#ui;
    if (poster === undefined) {
      image.hidden = true;
      image.removeAttribute('src');
    } else if (image.getAttribute('src') !== poster) {
      image.src = poster;
    }
  }

  #badges({ kind, badge }: PageView): void {
    for (const element of document.querySelectorAll('.state')) {
      element.className = `badge state ${badge.tone}`;
      element.textContent = badge.text;
    }
    const { live } = this.#ui;
    const isLive = badge.tone === 'live';
    live.hidden =
      !['live', 'behind', 'paused', 'interrupted', 'unheard', 'loading'].includes(kind) ||
      badge.text === 'ENDED';
    live.classList.toggle('is-live', isLive);
    live.setAttribute('aria-label', isLive ? 'LIVE: playing live' : 'LIVE: go to live');
  }
}
