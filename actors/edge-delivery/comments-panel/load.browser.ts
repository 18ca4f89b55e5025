/**
 * Fetches the comments' code once the player has what it needs, so that neither the page nor its picture waits for it. In a small frame a
 * button opens them over the picture.
 */
import type { ViewKind } from '../viewing/page-view.ts';
import { make } from './elements.browser.ts';
import type { CommentsPanel } from './panel.browser.ts';

/** While the page shows one of these, the line belongs to the player. */
const busyViews: readonly ViewKind[] = ['connecting', 'loading', 'reconnecting', 'offline'];
const nowhereViews: readonly ViewKind[] = ['unknown', 'removed'];
/** A picture that does not come keeps nobody from the comments. */
const patienceMs = 6_000;
const againMs = 5_000;

export interface LoadOptions {
  readonly root: HTMLElement;
  readonly streamId: string;
  readonly mediaSeconds: () => number | undefined;
  /** The code could not be fetched: the server may be of another version by now. */
  readonly onPartMissing: () => void;
}

export class LazyComments {
  readonly #options: LoadOptions;
  #panel: CommentsPanel | undefined;
  #page: ViewKind = 'connecting';
  #isLoading = false;

  constructor(options: LoadOptions) {
    this.#options = options;
    for (const interest of ['pointerenter', 'focusin', 'touchstart'])
      options.root.addEventListener(interest, () => void this.#load(), { once: true, passive: true });
    setTimeout(() => void this.#load(), patienceMs);
  }

  /** Tells what the page shows. */
  page(page: ViewKind): void {
    this.#page = page;
    this.#panel?.page(page);
    const isNowhere = nowhereViews.includes(page);
    if (this.#panel === undefined) this.#options.root.hidden = isNowhere;
    if (!isNowhere && !busyViews.includes(page)) void this.#load();
  }

  async #load(): Promise<void> {
    if (this.#isLoading || this.#panel !== undefined || nowhereViews.includes(this.#page)) return;
    this.#isLoading = true;
    try {
      const { openComments } = await import('./panel.browser.ts');
      const { root, streamId, mediaSeconds } = this.#options;
      this.#panel = openComments({ root, streamId, mediaSeconds, page: this.#page });
    } catch {
      this.#options.onPartMissing();
      setTimeout(() => (this.#isLoading = false), againMs);
    }
  }
}

/** Gives an embedded page its comments: beside the picture, below it, or behind a button, as there is room. */
export function embedComments(root: HTMLElement): void {
  const { classList } = document.body;
  const toggle = make('button', {
    class: 'comments-toggle',
    text: 'Comments',
    attributes: { type: 'button', 'aria-expanded': 'false', 'aria-controls': root.id },
  });
  const open = (isOpen: boolean): void => {
    classList.toggle('comments-open', isOpen);
    toggle.setAttribute('aria-expanded', String(isOpen));
    toggle.textContent = isOpen ? '✕' : 'Comments';
    toggle.setAttribute('aria-label', isOpen ? 'Close the comments' : 'Comments');
  };
  toggle.addEventListener('click', () => open(!classList.contains('comments-open')));
  root.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || event.defaultPrevented || !classList.contains('comments-open')) return;
    open(false);
    toggle.focus();
  });
  root.before(toggle);
  root.hidden = false;
}
