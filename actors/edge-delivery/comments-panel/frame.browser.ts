/** The panel's own elements: heading, banner, list, pill, composer, and the places for what is said for a moment. */
import { make, makeButton, setText } from './elements.browser.ts';

export interface FrameParts {
  readonly account: { readonly button: HTMLElement; readonly sheet: HTMLElement };
  readonly moderation: { readonly form: HTMLElement; readonly bar: HTMLElement };
  readonly scroller: HTMLElement;
  readonly reactions: HTMLElement;
  readonly composer: HTMLElement;
  /** @param byFocus does the button have the focus, which it loses as it goes? */
  readonly onNewest: (byFocus: boolean) => void;
}

export class Frame {
  readonly #viewers = make('span', { class: 'viewers' });
  readonly #banner = make('p', { class: 'banner', attributes: { role: 'status' } });
  readonly #empty = make('p', { class: 'empty-words' });
  readonly #older = make('p', { class: 'older', text: 'Loading older comments…' });
  readonly #pill: HTMLButtonElement;
  readonly #toast = make('div', { class: 'toast', attributes: { role: 'status' } });
  readonly #spoken = make('p', { class: 'heard', attributes: { 'aria-live': 'polite' } });

  constructor(
    root: HTMLElement,
    { account, moderation, scroller, reactions, composer, onNewest }: FrameParts,
  ) {
    this.#pill = makeButton('', () => onNewest(document.activeElement === this.#pill), { class: 'pill' });
    this.#pill.hidden = true;
    this.#toast.hidden = true;
    const heading = make('h2', { text: 'Comments', attributes: { id: 'comments-heading' } });
    const header = make('header', { class: 'heading' }, [heading, this.#viewers, account.button]);
    const room = make('div', { class: 'room' }, [this.#empty, scroller, this.#older, this.#pill]);
    root.replaceChildren(
      header,
      account.sheet,
      moderation.form,
      moderation.bar,
      this.#banner,
      room,
      this.#toast,
      reactions,
      composer,
      this.#spoken,
    );
    root.setAttribute('aria-labelledby', 'comments-heading');
    root.removeAttribute('aria-label');
  }

  show(words: { readonly banner: string; readonly empty: string; readonly isReadingOlder: boolean }): void {
    setText(this.#banner, words.banner);
    setText(this.#empty, words.empty);
    this.#empty.hidden = words.empty === '';
    this.#older.hidden = !words.isReadingOlder;
  }

  viewers(count: number | undefined): void {
    setText(this.#viewers, count === undefined || count === 0 ? '' : `${count.toLocaleString('en')} here`);
  }

  /** @param unseen how many came below what is seen; undefined at the end */
  newer(unseen: number | undefined): void {
    this.#pill.hidden = unseen === undefined;
    setText(
      this.#pill,
      unseen === undefined ? '' : unseen === 0 ? 'Newest' : `${unseen.toLocaleString('en')} new`,
    );
  }

  toast(text: string, action?: { readonly text: string; readonly run: () => void }): void {
    this.#toast.hidden = text === '';
    const button = action === undefined ? [] : [makeButton(action.text, action.run, { class: 'link' })];
    this.#toast.replaceChildren(make('span', { text }), ...button);
  }

  /** The same sentence is spoken again: it says something new. */
  speak(sentence: string): void {
    this.#spoken.textContent = sentence;
  }
}
