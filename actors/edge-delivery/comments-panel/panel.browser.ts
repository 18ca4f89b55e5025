/** The comments beside the player. They are loaded after it, and it does not wait for them. */
import type { ViewKind } from '../viewing/page-view.ts';
import { Account } from './account.browser.ts';
import rowStyles from './styles/comment-row.css';
import styles from './styles/comments.css';
import { Composer } from './composer.browser.ts';
import { Conversation } from './conversation/conversation.browser.ts';
import { Frame } from './frame.browser.ts';
import { ListView } from './list.browser.ts';
import { Moderation } from './moderation.browser.ts';
import { Reactions } from './reactions.browser.ts';
import reactionStyles from './styles/reactions.css';
import type { RowFacts } from './row.browser.ts';
import { Announcer } from './state/announcer.ts';
import type { PageComment } from './state/comment.ts';
import type { Row } from './state/comment-list.ts';
import { actionsFor, makeTimeText, panelViewOf, type RowAction } from './state/panel-view.ts';

const tickMs = 500;
/** How long what was hidden can be shown again with one press. */
const toastMs = 8_000;

export interface CommentsOptions {
  readonly root: HTMLElement;
  readonly streamId: string;
  readonly page: ViewKind;
  /** Where the viewer is in the stream. */
  readonly mediaSeconds: () => number | undefined;
}

export class CommentsPanel {
  readonly #options: CommentsOptions;
  readonly #talk: Conversation;
  readonly #announcer = new Announcer();
  readonly #timeText = makeTimeText();
  readonly #view: ListView;
  readonly #composer: Composer;
  readonly #account: Account;
  readonly #frame: Frame;
  readonly #reactions: Reactions;
  readonly #moderation: Moderation;
  #answered: PageComment | undefined;
  #page: ViewKind;
  #mayWrite = false;
  #unseen = 0;
  #rows: readonly Row[] = [];
  #isStale = true;
  #isDrawing = false;
  #toastUntilMs = 0;

  constructor(options: CommentsOptions) {
    this.#options = options;
    this.#page = options.page;
    this.#talk = new Conversation({
      streamId: options.streamId,
      onChange: () => this.#changed(),
      onNew: (comment) => this.#came(comment),
      isAtEnd: () => this.#view.isAtEnd,
      onReactions: (given) => this.#reactions.give(given, options.mediaSeconds(), Date.now()),
      onNotice: (text) => this.#composer.notice(text),
    });
    const { session } = this.#talk;
    this.#view = new ListView({
      onAction: (action, row) => void this.#act(action, row),
      onFold: ({ comment, isUnfolded }) => this.#fold(comment.id, !isUnfolded),
      onOlder: () => this.#moderation.queue ?? void this.#talk.reader.older(),
      onPlace: () => this.#placed(),
    });
    this.#composer = new Composer({
      onSend: (text) => this.#write(text),
      onName: (name) => session.becomeGuest(name),
      onSignIn: () => this.#account.open(true),
      onNoAnswer: () => (this.#answered = undefined),
    });
    this.#account = new Account({
      onSignIn: (token) => session.signIn(token),
      onSignOut: () => session.signOut(),
      onMode: (mode) => this.#talk.setMode(mode),
      onQueue: (kind) => void this.#moderation.open(kind),
    });
    this.#moderation = new Moderation({
      api: this.#talk.api,
      onChange: () => this.#changed(),
      onClosed: () => this.#view.enter(),
      onBack: () => this.#account.button.focus(),
      onToast: (text, action) => this.#toast(text, action),
    });
    this.#reactions = new Reactions(document.querySelector('#stage'), (kind) =>
      this.#talk.react(kind, this.#mediaTime()),
    );
    this.#frame = new Frame(options.root, {
      account: this.#account,
      moderation: this.#moderation,
      scroller: this.#view.scroller,
      reactions: this.#reactions.element,
      composer: this.#composer.element,
      onNewest: (byFocus) => (byFocus ? this.#view.enterEnd() : this.#view.goToEnd()),
    });
    setInterval(() => this.#tick(), tickMs);
    for (const change of ['online', 'offline']) window.addEventListener(change, () => this.#draw());
    this.#draw();
  }

  /** The state of the page beside the comments. */
  page(page: ViewKind): void {
    if (page === this.#page) return;
    this.#page = page;
    this.#changed();
  }

  #came(comment: PageComment): void {
    const isFolded = comment.rootId !== undefined && this.#talk.list.get(comment.rootId) !== undefined;
    if (!this.#view.isAtEnd && !isFolded) this.#unseen += 1;
    this.#announcer.heard(comment);
  }

  #write(text: string): void {
    const mediaTime = this.#mediaTime();
    const { list, sender } = this.#talk;
    const parentId = this.#answered?.id;
    const rootId = list.rootOf(parentId);
    if (rootId !== undefined) this.#fold(rootId, true);
    else this.#view.goToEnd();
    sender.write(text, { parentId, mediaTime });
    this.#answer(undefined);
  }

  #mediaTime(): number | undefined {
    const seconds = this.#options.mediaSeconds();
    return seconds === undefined ? undefined : Math.max(0, Math.round(seconds * 10) / 10);
  }

  #answer(comment: PageComment | undefined): void {
    this.#answered = comment;
    this.#composer.answer(comment?.author.name);
  }

  #fold(id: string, isUnfolded: boolean): void {
    this.#talk.list.fold(id, isUnfolded);
    if (isUnfolded)
      void this.#talk.readThread(id).then((why) => (why === undefined ? undefined : this.#toast(why)));
    this.#changed();
  }

  async #like(id: string, isLiked: boolean): Promise<void> {
    if (this.#talk.session.me === undefined) return this.#composer.askName();
    const why = await this.#talk.setLiked(id, isLiked);
    if (why !== undefined) this.#toast(why);
  }

  async #act(action: RowAction, { comment, own }: Row): Promise<void> {
    const { sender } = this.#talk;
    switch (action) {
      case 'retry':
        return own === undefined ? undefined : sender.retry(own.draft.clientId);
      case 'discard':
        return own === undefined ? undefined : sender.discard(own.draft.clientId);
      case 'reply':
        return this.#answer(comment);
      case 'like':
      case 'unlike':
        return this.#like(comment.id, action === 'like');
      case 'report':
        return this.#moderation.report(comment.id);
      case 'release':
        return this.#moderation.release(comment.id);
      case 'ban':
        return this.#moderation.ask(comment.author);
      case 'hide': {
        const why = await this.#talk.setHidden(comment.id, true);
        this.#moderation.refresh();
        const undo = { text: 'Undo', run: () => void this.#restore(comment.id) };
        return why === undefined ? this.#toast('The comment is hidden.', undo) : this.#toast(why);
      }
      case 'restore':
        return this.#restore(comment.id);
    }
  }

  async #restore(id: string): Promise<void> {
    this.#toast((await this.#talk.setHidden(id, false)) ?? 'The comment is shown again.');
    this.#moderation.refresh();
  }

  #toast(text: string, action?: { readonly text: string; readonly run: () => void }): void {
    this.#toastUntilMs = Date.now() + toastMs;
    this.#frame.toast(text, action);
  }

  #tick(): void {
    const nowMs = Date.now();
    this.#talk.tick();
    const sentence = this.#announcer.refusal(this.#talk.list.owns, nowMs) ?? this.#announcer.sentence(nowMs);
    if (sentence !== undefined) this.#frame.speak(sentence);
    if (this.#toastUntilMs !== 0 && nowMs > this.#toastUntilMs) {
      this.#toastUntilMs = 0;
      this.#frame.toast('');
    }
    this.#draw();
  }

  #placed(): void {
    if (this.#view.isAtEnd) this.#unseen = 0;
    this.#frame.newer(this.#view.isAtEnd ? undefined : this.#unseen);
  }

  #changed(): void {
    this.#isStale = true;
    this.#draw();
  }

  /** Once in a frame, whatever changes. */
  #draw(): void {
    if (this.#isDrawing) return;
    this.#isDrawing = true;
    requestAnimationFrame(() => {
      this.#isDrawing = false;
      this.#render();
    });
  }

  #render(): void {
    const { list, reader, session, mayModerate, mode, viewers, isAbsent } = this.#talk;
    const nowMs = Date.now();
    const view = panelViewOf({ ...this.#talk.facts(nowMs), page: this.#page });
    const { root } = this.#options;
    root.hidden = !view.isShown || isAbsent;
    if (root.hidden) return;
    this.#moderation.keepTo(session.me);
    const { queue } = this.#moderation;
    if (this.#isStale) this.#rows = queue?.rows ?? list.rows({ me: session.me, seesHidden: mayModerate });
    this.#isStale = false;
    this.#mayWrite = view.writing === 'open';
    this.#frame.show({
      banner: view.banner,
      empty: this.#rows.length === 0 ? (queue?.emptyWords ?? view.emptyWords) : '',
      isReadingOlder: reader.isReadingOlder,
    });
    this.#frame.viewers(viewers);
    this.#reactions.show(this.#options.mediaSeconds(), nowMs);
    this.#composer.show(view, { hasName: session.me !== undefined });
    this.#account.show(session.me, mode);
    this.#view.show(this.#rows, (row) => this.#rowFacts(row, nowMs));
  }

  #rowFacts({ comment, own, depth }: Row, nowMs: number): RowFacts {
    const { list, session, sender } = this.#talk;
    const isTold = depth > 0 && comment.parentId === comment.rootId;
    const parent = comment.parentId === undefined || isTold ? undefined : list.get(comment.parentId);
    return {
      me: session.me,
      hasReplication: sender.hasReplication === true,
      nowMs,
      time: this.#timeText(comment.createdAtMs, nowMs),
      actions: actionsFor(comment, own, { me: session.me, mayWrite: this.#mayWrite }),
      answers: parent?.author.name,
    };
  }
}

export function openComments(options: CommentsOptions): CommentsPanel {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(styles + rowStyles + reactionStyles);
  document.adoptedStyleSheets.push(sheet);
  return new CommentsPanel(options);
}
