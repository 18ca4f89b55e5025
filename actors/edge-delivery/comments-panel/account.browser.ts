/** The sheet behind the viewer's name: who they are, signing in with a token, signing out, and what moderators set for the stream. */
import { make, makeButton, setText } from './elements.browser.ts';
import type { Mode, Person } from './state/comment.ts';
import { queueKinds, queueTexts, type QueueKind } from './state/moderation-texts.ts';
import { may } from './state/panel-view.ts';

export interface AccountOptions {
  /** @returns what is wrong with the token */
  readonly onSignIn: (token: string) => Promise<string | undefined>;
  readonly onSignOut: () => void;
  /** @returns what is wrong */
  readonly onQueue: (kind: QueueKind) => void;
  readonly onMode: (mode: Mode) => Promise<string | undefined>;
}

const modeTexts: readonly (readonly [Mode['mode'], string])[] = [
  ['open', 'Everybody'],
  ['accounts', 'Accounts only'],
  ['closed', 'Nobody'],
];
const firstControl = ':scope > :not([hidden]) :is(input, select), :scope > button:not([hidden])';
const slowChoices = [0, 3, 5, 10, 30, 60, 300] as const;

export class Account {
  readonly button = make('button', {
    class: 'account',
    attributes: { type: 'button', 'aria-expanded': 'false', 'aria-controls': 'comments-account' },
  });
  readonly sheet = make('div', {
    class: 'sheet',
    attributes: { id: 'comments-account', role: 'group', 'aria-label': 'Your account' },
  });
  readonly #options: AccountOptions;
  readonly #who = make('p', { class: 'whoami', attributes: { dir: 'auto' } });
  readonly #token = make('input', {
    attributes: {
      type: 'password',
      autocomplete: 'off',
      'aria-label': 'Token',
      placeholder: 'Token',
      spellcheck: 'false',
    },
  });
  readonly #signIn: HTMLFormElement;
  readonly #signOut: HTMLButtonElement;
  readonly #notice = make('p', { class: 'notice', attributes: { role: 'alert' } });
  readonly #mode = make('select', { attributes: { 'aria-label': 'Who may comment' } });
  readonly #slow = make('select', { attributes: { 'aria-label': 'Slow mode' } });
  readonly #moderation: HTMLElement;
  readonly #queues: HTMLElement;

  constructor(options: AccountOptions) {
    this.#options = options;
    const words = make('p', {
      class: 'quiet',
      text: 'To sign in, paste the token that the operator of this site gave you.',
    });
    const submit = make('button', { class: 'button', text: 'Sign in', attributes: { type: 'submit' } });
    this.#signIn = make('form', { class: 'sign-in' }, [
      words,
      make('div', { class: 'line' }, [this.#token, submit]),
    ]);
    this.#signOut = makeButton('Sign out', () => this.#leave(), { class: 'button' });
    this.#moderation = this.#makeModeration();
    this.#queues = this.#makeQueues();
    this.sheet.append(this.#who, this.#signIn, this.#moderation, this.#queues, this.#signOut, this.#notice);
    this.sheet.hidden = true;
    this.button.addEventListener('click', () => this.open(this.sheet.hidden === true));
    this.sheet.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      this.open(false);
      this.button.focus();
    });
    // Not the form's `submit`, which a frame without `allow-forms` does not have. Enter in the field presses it, too.
    submit.addEventListener('click', (event) => {
      event.preventDefault();
      void this.#enter();
    });
  }

  show(me: Person | undefined, mode: Mode): void {
    setText(this.button, me === undefined ? 'Sign in' : me.name);
    this.button.setAttribute('aria-label', me === undefined ? 'Sign in' : `Your account: ${me.name}`);
    setText(this.#who, me === undefined ? '' : `You comment as ${me.name}${me.isGuest ? ', a guest' : ''}.`);
    this.#who.hidden = me === undefined;
    this.#signIn.hidden = me?.isGuest === false;
    this.#signOut.hidden = me === undefined;
    setText(this.#signOut, me?.isGuest === true ? 'Forget my name' : 'Sign out');
    this.#moderation.hidden = !may(me, 'stream.mode');
    this.#queues.hidden = !may(me, 'comment.hide');
    if (document.activeElement !== this.#mode) this.#mode.value = mode.mode;
    if (document.activeElement !== this.#slow) this.#showSlow(mode.slowSeconds);
  }

  open(isOpen: boolean): void {
    this.sheet.hidden = !isOpen;
    this.button.setAttribute('aria-expanded', String(isOpen));
    setText(this.#notice, '');
    if (isOpen) this.sheet.querySelector<HTMLElement>(firstControl)?.focus();
  }

  notice(text: string): void {
    setText(this.#notice, text);
  }

  async #enter(): Promise<void> {
    const token = this.#token.value.trim();
    if (token === '') return this.notice('Paste the token first.');
    const why = await this.#options.onSignIn(token);
    if (why !== undefined) return this.notice(why);
    this.#token.value = '';
    this.open(false);
    this.button.focus();
  }

  #leave(): void {
    this.#options.onSignOut();
    this.open(false);
    this.button.focus();
  }

  #makeModeration(): HTMLElement {
    for (const [value, text] of modeTexts) this.#mode.append(new Option(text, value));
    this.#showSlow(0);
    for (const select of [this.#mode, this.#slow])
      select.addEventListener('change', () => void this.#change());
    return make('div', { class: 'moderation' }, [
      make('label', {}, [make('span', { text: 'Who may comment' }), this.#mode]),
      make('label', {}, [make('span', { text: 'Slow mode' }), this.#slow]),
    ]);
  }

  #makeQueues(): HTMLElement {
    const buttons = queueKinds.map((kind) => {
      const open = (): void => {
        this.open(false);
        this.button.focus();
        this.#options.onQueue(kind);
      };
      return makeButton(queueTexts[kind].button, open, { class: 'button' });
    });
    return make('div', { class: 'queues', attributes: { role: 'group', 'aria-label': 'Lists' } }, buttons);
  }

  /** A wait that somebody else chose is one of the choices as well. */
  #showSlow(seconds: number): void {
    const choices = [...new Set([...slowChoices, seconds])].toSorted((left, right) => left - right);
    if (this.#slow.options.length !== choices.length)
      this.#slow.replaceChildren(
        ...choices.map((one) => new Option(one === 0 ? 'Off' : `${one} s`, String(one))),
      );
    this.#slow.value = String(seconds);
  }

  async #change(): Promise<void> {
    const mode = modeTexts.find(([value]) => value === this.#mode.value)?.[0] ?? 'open';
    const why = await this.#options.onMode({ mode, slowSeconds: Number(this.#slow.value) });
    this.notice(why ?? '');
  }
}
