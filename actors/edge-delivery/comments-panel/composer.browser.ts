/** Where the viewer writes: the text, their name while nobody knows it, and the button that says how long they wait. */
import { make, makeButton, setText } from './elements.browser.ts';
import type { PanelView } from './state/panel-view.ts';
import { writtenOf } from './state/writing.ts';

export interface ComposerOptions {
  readonly onSend: (text: string) => void;
  /** Gives the viewer a name. @returns what is wrong with it */
  readonly onName: (name: string) => Promise<string | undefined>;
  readonly onSignIn: () => void;
  /** The viewer no longer answers anybody. */
  readonly onNoAnswer: () => void;
}

export class Composer {
  readonly element = make('form', { class: 'composer' });
  readonly #options: ComposerOptions;
  readonly #text = make('textarea', {
    attributes: {
      rows: '1',
      dir: 'auto',
      'aria-label': 'Your comment',
      placeholder: 'Say something…',
      enterkeyhint: 'send',
    },
  });
  readonly #name = make('input', {
    attributes: {
      type: 'text',
      maxlength: '40',
      autocomplete: 'nickname',
      dir: 'auto',
      'aria-label': 'Your name',
      placeholder: 'Your name',
    },
  });
  readonly #who: HTMLElement;
  readonly #answers = make('span', { attributes: { dir: 'auto' } });
  readonly #answering: HTMLElement;
  readonly #closed = make('p', { class: 'closed' });
  readonly #line: HTMLElement;
  readonly #send = make('button', { class: 'send', text: 'Send' });
  readonly #counter = make('span', { class: 'counter', attributes: { id: 'comment-counter' } });
  readonly #notice = make('p', { class: 'notice', attributes: { role: 'alert' } });
  #hasName = false;
  #maySend = false;
  #isBusy = false;

  constructor(options: ComposerOptions) {
    this.#options = options;
    this.#text.setAttribute('aria-describedby', 'comment-counter');
    const signIn = makeButton('Sign in', () => options.onSignIn(), { class: 'link' });
    this.#who = make('div', { class: 'who' }, [this.#name, signIn]);
    this.#line = make('div', { class: 'line' }, [this.#text, this.#send]);
    const noAnswer = makeButton('✕', () => this.#endAnswer(), {
      class: 'link',
      attributes: { 'aria-label': 'Do not answer' },
    });
    this.#answering = make('div', { class: 'answering' }, [this.#answers, noAnswer]);
    this.#answering.hidden = true;
    this.element.append(this.#notice, this.#answering, this.#who, this.#line, this.#counter, this.#closed);
    // Not the form's `submit`, which a frame without `allow-forms` does not have. Enter in the name presses it, too.
    this.#send.addEventListener('click', (event) => {
      event.preventDefault();
      void this.#submit();
    });
    this.#text.addEventListener('input', () => this.#typed());
    this.#text.addEventListener('focus', () => this.element.toggleAttribute('data-open', true));
    this.element.addEventListener('keydown', (event) => this.#pressed(event));
  }

  show(view: PanelView, { hasName }: { readonly hasName: boolean }): void {
    const isOpen = view.writing === 'open';
    this.#hasName = hasName;
    this.#maySend = view.maySend;
    this.#who.hidden = hasName || !isOpen;
    this.#line.hidden = !isOpen;
    this.#counter.hidden = !isOpen;
    this.#closed.hidden = isOpen;
    this.#showClosed(view.writing);
    setText(this.#send, view.send);
    this.#send.setAttribute('aria-disabled', String(!view.maySend || this.#isBusy));
  }

  focus(): void {
    this.#text.focus();
  }

  /** Shows whom the next comment answers; undefined: nobody. */
  answer(name: string | undefined): void {
    this.#answering.hidden = name === undefined;
    setText(this.#answers, name === undefined ? '' : `Answering ${name}`);
    if (name !== undefined) this.focus();
  }

  /** Asks for the name that something needs. */
  askName(): void {
    this.element.toggleAttribute('data-open', true);
    this.#ask('Write the name that others see, then try again.');
    this.#name.focus();
  }

  notice(text: string): void {
    this.#notice.classList.remove('asks');
    setText(this.#notice, text);
  }

  /** Nothing is wrong: something is wanted. */
  #ask(text: string): void {
    this.notice(text);
    this.#notice.classList.add('asks');
  }

  #showClosed(writing: PanelView['writing']): void {
    if (this.#closed.dataset['writing'] === writing) return;
    this.#closed.dataset['writing'] = writing;
    if (writing === 'signIn')
      this.#closed.replaceChildren(
        makeButton('Sign in to comment', () => this.#options.onSignIn(), { class: 'button' }),
      );
    else setText(this.#closed, writing === 'closed' ? 'The comments are switched off.' : '');
  }

  #pressed(event: KeyboardEvent): void {
    // While a word is put together from several keys, Enter belongs to that.
    const isEnter = event.key === 'Enter' && !isComposing(event);
    if (isEnter && !event.shiftKey && event.target === this.#text) {
      event.preventDefault();
      void this.#submit();
    }
    // The name alone makes one a guest, with nothing to send.
    if (isEnter && event.target === this.#name && writtenOf(this.#text.value).isEmpty) {
      event.preventDefault();
      void this.#takeName();
    }
    if (event.key === 'Escape') {
      this.notice('');
      if (!this.#answering.hidden) return this.#endAnswer();
      if (event.target instanceof HTMLElement) event.target.blur();
    }
  }

  #typed(): void {
    this.notice('');
    this.#count();
  }

  #count(): void {
    const { counter, isTooLong } = writtenOf(this.#text.value);
    setText(this.#counter, counter);
    this.element.toggleAttribute('data-too-long', isTooLong);
    this.#text.setAttribute('aria-invalid', String(isTooLong));
  }

  async #submit(): Promise<void> {
    const { value } = this.#text;
    const written = writtenOf(value);
    if (written.isEmpty || this.#isBusy) return this.focus();
    if (written.isTooLong) return this.notice(`It is too long: shorten it by ${-written.left}.`);
    if (!this.#maySend) return;
    if (!this.#hasName && !(await this.#takeName())) return;
    // What was typed while the name was taken is another comment.
    if (this.#text.value === value) this.#text.value = '';
    this.notice('');
    this.#count();
    this.#options.onSend(written.text);
    this.focus();
  }

  async #takeName(): Promise<boolean> {
    this.element.toggleAttribute('data-open', true);
    const name = this.#name.value.trim();
    const why = name === '' ? undefined : await this.#busy(this.#options.onName(name));
    if (name === '') this.#ask('Write the name that others see.');
    else this.notice(why ?? '');
    if (name !== '' && why === undefined) return true;
    this.#name.focus();
    return false;
  }

  #endAnswer(): void {
    this.answer(undefined);
    this.#options.onNoAnswer();
    this.focus();
  }

  async #busy<T>(work: Promise<T>): Promise<T> {
    this.#isBusy = true;
    try {
      return await work;
    } finally {
      this.#isBusy = false;
    }
  }
}

/** Safari says that a composition has ended before it tells of the Enter that ended it, and marks that one by the code 229 alone. */
const isComposing = ({ isComposing: isUnderWay, keyCode }: KeyboardEvent): boolean =>
  isUnderWay || keyCode === 229;
