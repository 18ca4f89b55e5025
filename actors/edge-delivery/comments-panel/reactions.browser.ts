/** Reactions: a row of buttons with what was given in the last seconds, and signs that float up over the picture. */
import { make, makeButton, setText } from './elements.browser.ts';
import { reactions, ReactionsInTime, ReactionTally, shortNumber } from './state/reaction-tally.ts';
import type { Floating, GivenReactions, ReactionKind } from './state/reaction-tally.ts';

/** So many float at once; more would hide the picture. */
const mostFloating = 14;
/** Between two taps that count. */
const tapMs = 150;

const signs = new Map(reactions.map(({ kind, sign }) => [kind, sign]));

export class Reactions {
  readonly element = make('div', {
    class: 'reactions',
    attributes: { role: 'toolbar', 'aria-label': 'React' },
  });
  readonly #sky = make('div', { class: 'sky', attributes: { 'aria-hidden': 'true' } });
  readonly #counts = new Map<ReactionKind, HTMLElement>();
  readonly #tally = new ReactionTally();
  readonly #inTime = new ReactionsInTime();
  readonly #isCalm = matchMedia('(prefers-reduced-motion: reduce)');
  #tappedAtMs = 0;

  constructor(stage: Element | null, onReact: (kind: ReactionKind) => void) {
    for (const { kind, sign, name } of reactions) {
      const count = make('span', { class: 'count', attributes: { 'aria-hidden': 'true' } });
      this.#counts.set(kind, count);
      const attributes = { 'data-kind': kind };
      const button = makeButton('', () => this.#tapped() && onReact(kind), { attributes });
      const shown = make('span', { text: sign, attributes: { 'aria-hidden': 'true' } });
      button.append(shown, make('span', { class: 'heard', text: name }), count);
      this.element.append(button);
    }
    this.#reach(0);
    this.element.addEventListener('keydown', (event) => this.#pressed(event));
    stage?.append(this.#sky);
  }

  /** What was given since the last time. @param playhead where the viewer is in the stream, in seconds */
  give(given: GivenReactions, playhead: number | undefined, nowMs: number): void {
    this.#tally.add(given.sums, nowMs);
    this.#floatAll(this.#inTime.give(given, playhead, nowMs));
    this.show(playhead, nowMs);
  }

  show(playhead: number | undefined, nowMs: number): void {
    this.#floatAll(this.#inTime.due(playhead, nowMs));
    for (const [kind, element] of this.#counts) {
      const count = this.#tally.of(kind, nowMs);
      setText(element, count === 0 ? '' : shortNumber(count));
    }
  }

  /** The Tab key leads to one of them, arrows to the others. */
  #pressed(event: KeyboardEvent): void {
    const step = event.key === 'ArrowLeft' ? -1 : event.key === 'ArrowRight' ? 1 : 0;
    const buttons = [...this.element.children];
    const now = buttons.findIndex((button) => button === document.activeElement);
    if (step === 0 || now < 0 || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault(); // or the player would go back or forward
    this.#reach((now + step + buttons.length) % buttons.length)?.focus();
  }

  #reach(wanted: number): HTMLElement | undefined {
    const buttons = [...this.element.querySelectorAll('button')];
    for (const [index, button] of buttons.entries()) button.tabIndex = index === wanted ? 0 : -1;
    return buttons[wanted];
  }

  #tapped(): boolean {
    const nowMs = Date.now();
    if (nowMs - this.#tappedAtMs < tapMs) return false;
    this.#tappedAtMs = nowMs;
    return true;
  }

  #floatAll(all: readonly Floating[]): void {
    for (const { kind, count } of all) this.#float(signs.get(kind) ?? '', count);
  }

  #float(sign: string, count: number): void {
    if (this.#isCalm.matches || document.hidden || this.#sky.childElementCount >= mostFloating) return;
    const text = count === 1 ? sign : `${sign} ${shortNumber(count)}`;
    const one = make('span', { class: 'float', text });
    one.style.setProperty('--aside', `${Math.round(Math.random() * 90)}px`);
    one.addEventListener('animationend', () => one.remove());
    this.#sky.append(one);
  }
}
