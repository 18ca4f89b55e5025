/** What moderators have beside the comments: the form of a ban, and lists of what waits, what was reported and what is hidden. */
import type { AudienceApi } from './conversation/audience-api.browser.ts';
import { make, makeButton, setText } from './elements.browser.ts';
import { compareComments, type Author, type Person } from './state/comment.ts';
import type { Row } from './state/comment-list.ts';
import { banChoices, queueTexts, type QueueKind } from './state/moderation-texts.ts';
import { may } from './state/panel-view.ts';
import { problemWords } from './state/problem.ts';

const pageSize = '100';

export interface ModerationOptions {
  readonly api: AudienceApi;
  readonly onChange: () => void;
  /** The form was closed. */
  readonly onClosed: () => void;
  /** The comments are shown again instead of a list. */
  readonly onBack: () => void;
  readonly onToast: (text: string, action?: { readonly text: string; readonly run: () => void }) => void;
}

export class Moderation {
  readonly form = make('form', { class: 'sheet ban', attributes: { 'aria-label': 'Ban' } });
  /** Says which list is shown instead of the comments, and leads back. */
  readonly bar = make('div', { class: 'queue-bar' });
  readonly #options: ModerationOptions;
  readonly #who = make('p', { attributes: { dir: 'auto' } });
  readonly #seconds = make('select', { attributes: { 'aria-label': 'For how long' } });
  readonly #purge = make('input', { attributes: { type: 'checkbox' } });
  readonly #words = make('span');
  readonly #back = makeButton('Back', () => this.#close(), { class: 'link' });
  /** Whom the form is about: of each opening its own. */
  #asked: { readonly author: Author } | undefined;
  /** Which list was asked for last; leaving them asks for none. */
  #turn = 0;
  #queue: { readonly kind: QueueKind; readonly rows: readonly Row[] } | undefined;

  constructor(options: ModerationOptions) {
    this.#options = options;
    for (const { text, seconds } of banChoices) this.#seconds.append(new Option(text, String(seconds ?? '')));
    const purge = make('label', { class: 'check' }, [
      this.#purge,
      make('span', { text: 'Hide what they wrote in the last 10 minutes' }),
    ]);
    const ban = make('button', { class: 'button', text: 'Ban', attributes: { type: 'submit' } });
    const cancel = makeButton('Cancel', () => this.ask(undefined), { class: 'link' });
    this.form.append(this.#who, this.#seconds, purge, make('div', { class: 'line' }, [ban, cancel]));
    this.form.hidden = true;
    // Not the form's `submit`, which a frame without `allow-forms` does not have.
    ban.addEventListener('click', (event) => {
      event.preventDefault();
      void this.#ban();
    });
    this.form.addEventListener('keydown', ({ key }) => {
      if (key === 'Escape') this.ask(undefined);
    });
    this.bar.append(this.#words, this.#back);
    this.bar.hidden = true;
  }

  /** What is shown instead of the comments; undefined while they are shown. */
  get queue(): { readonly rows: readonly Row[]; readonly emptyWords: string } | undefined {
    return this.#queue === undefined
      ? undefined
      : { rows: this.#queue.rows, emptyWords: queueTexts[this.#queue.kind].empty };
  }

  /** Who signs out, or is no moderator any more, leaves nothing of it to who comes next. */
  keepTo(me: Person | undefined): void {
    if (!may(me, 'comment.hide')) this.#leaveQueue();
    if (may(me, 'user.ban')) return;
    this.#asked = undefined;
    this.form.hidden = true;
  }

  /** Opens the form of a ban. @param author undefined closes it */
  ask(author: Author | undefined): void {
    this.#asked = author === undefined ? undefined : { author };
    this.form.hidden = author === undefined;
    if (author === undefined) return this.#options.onClosed();
    setText(this.#who, `Ban ${author.name} from the comments of this broadcast?`);
    this.#purge.checked = false;
    this.#seconds.focus();
  }

  async open(kind: QueueKind): Promise<void> {
    const { api, onChange, onToast } = this.#options;
    const { activeElement } = document;
    const turn = (this.#turn += 1);
    const answer = await api.page({ state: kind, limit: pageSize });
    if (turn !== this.#turn) return;
    if (!answer.ok) return onToast(problemWords(answer.problem));
    const rows = answer.value.items.toSorted(compareComments).map((comment) => ({
      key: `${kind} ${comment.id}`,
      comment,
      own: undefined,
      replies: 0,
      isUnfolded: false,
      depth: 0,
    }));
    const isOpened = this.#queue === undefined;
    this.#queue = { kind, rows };
    setText(this.#words, queueTexts[kind].title);
    this.bar.hidden = false;
    // Who has gone elsewhere meanwhile is left there.
    if (isOpened && document.activeElement === activeElement) this.#back.focus();
    onChange();
  }

  /** Something of the list was dealt with. */
  refresh(): void {
    if (this.#queue !== undefined) void this.open(this.#queue.kind);
  }

  async report(id: string): Promise<void> {
    const answer = await this.#options.api.report(id);
    this.#options.onToast(answer.ok ? 'Thank you: moderators will see it.' : problemWords(answer.problem));
  }

  async release(id: string): Promise<void> {
    const answer = await this.#options.api.release(id);
    this.#options.onToast(answer.ok ? 'The comment is shown to everybody.' : problemWords(answer.problem));
    this.refresh();
  }

  async #ban(): Promise<void> {
    const asked = this.#asked;
    if (asked === undefined) return;
    const { author } = asked;
    const { api, onToast } = this.#options;
    const seconds = this.#seconds.value === '' ? undefined : Number(this.#seconds.value);
    const answer = await api.ban(author.id, { seconds, purge: this.#purge.checked });
    if (!answer.ok) return onToast(problemWords(answer.problem));
    // Closed meanwhile, and perhaps opened for somebody else: that one stays, and whoever writes elsewhere is left there.
    if (this.#asked === asked) this.ask(undefined);
    const undo = async (): Promise<void> => {
      const undone = await api.unban(author.id);
      onToast(undone.ok ? `${author.name} may comment again.` : problemWords(undone.problem));
    };
    onToast(`${author.name} is banned.`, { text: 'Undo', run: () => void undo() });
    this.refresh();
  }

  #close(): void {
    this.#leaveQueue();
    this.#options.onChange();
    this.#options.onBack();
  }

  #leaveQueue(): void {
    this.#turn += 1;
    this.#queue = undefined;
    this.bar.hidden = true;
  }
}
