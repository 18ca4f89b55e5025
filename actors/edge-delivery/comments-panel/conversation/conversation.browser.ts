/** What is said about the stream, as the page knows it: from the live socket, or by HTTP while there is none. It knows no element. */
import { Edges } from '../../player/edges.browser.ts';
import { AudienceApi } from './audience-api.browser.ts';
import { KeptIdentity } from './identity.browser.ts';
import { Live } from './live.browser.ts';
import { Outbox } from './outbox.browser.ts';
import { Reader } from './reader.browser.ts';
import { Sender } from './sender.browser.ts';
import { Session, type Proof } from './session.browser.ts';
import { compareComments, openMode, type Mode, type PageComment } from '../state/comment.ts';
import { CommentList, mostComments, mostWhileReading } from '../state/comment-list.ts';
import { isLive, mustPoll, type Connection } from '../state/connection.ts';
import { Flood } from '../state/flood.ts';
import { Liking } from '../state/liking.ts';
import { gapIn, type LeftOff, type LiveMessage } from '../state/live-message.ts';
import { may, type PanelFacts } from '../state/panel-view.ts';
import { isPassing, problemWords, type Problem } from '../state/problem.ts';
import type { GivenReactions, ReactionKind } from '../state/reaction-tally.ts';
import { ServerTime } from '../state/server-time.ts';

/** A pause this long was a machine that slept, or a page that nobody saw. */
const sleptMs = 20_000;
const modeMs = 15_000;
/** Of 100 answers each. */
const mostThreadPages = 5;

export interface ConversationOptions {
  readonly streamId: string;
  readonly onChange: () => void;
  /** Somebody else said something just now. */
  readonly onNew: (comment: PageComment) => void;
  /** Does the viewer look at the newest comments? */
  readonly isAtEnd: () => boolean;
  readonly onReactions: (given: GivenReactions) => void;
  /** Why something does not work. */
  readonly onNotice: (text: string) => void;
}

export class Conversation {
  readonly list = new CommentList();
  readonly session: Session;
  readonly sender: Sender;
  readonly reader: Reader;
  readonly #options: ConversationOptions;
  readonly api: AudienceApi;
  readonly #live: Live;
  readonly #liking: Liking;
  readonly #flood = new Flood();
  readonly #time = new ServerTime();
  #mode: Mode = openMode;
  #modeAtMs = 0;
  #viewers: number | undefined;
  #isRead = false;
  #isAbsent = false;
  /** Did the last reading by HTTP succeed? */
  #isAnswered = true;
  #leftOff: LeftOff | undefined;
  #slowUntilMs = 0;
  #tickedAtMs = Date.now();

  constructor(options: ConversationOptions) {
    const { streamId, onChange } = options;
    this.#options = options;
    const edges = new Edges(streamId);
    void edges.refresh();
    const identity = new KeptIdentity(() => this.#becameSomebody());
    this.api = new AudienceApi(streamId, edges, () => identity.now?.token);
    this.session = new Session({
      api: this.api,
      identity,
      streamId,
      onChange: () => this.#becameSomebody(),
      onProof: (proof, problem) => this.#proven(proof, problem),
    });
    this.#live = new Live({
      streamId,
      edges,
      hello: () => this.#hello(),
      onFrame: (messages) => this.#heard(messages),
      onChange: (state) => this.#connected(state),
    });
    this.#liking = new Liking({
      send: (message) => this.#live.send(message),
      ask: async (id, isLiked) => {
        const answer = await this.api.like(id, isLiked);
        return answer.ok ? undefined : answer.problem;
      },
      show: (id, isLikedByMe, by) => {
        this.list.change(id, (known) => ({ ...known, likes: Math.max(0, known.likes + by), isLikedByMe }));
        onChange();
      },
    });
    this.sender = new Sender({
      streamId,
      api: this.api,
      live: this.#live,
      list: this.list,
      outbox: new Outbox(),
      me: () => this.session.me,
      serverNowMs: () => this.#time.at(Date.now()),
      learnTime: () => this.#learnTime(),
      // A machine without a network may still reach a server on itself.
      isOffline: () => !navigator.onLine && !['live', 'polling'].includes(this.#connection()),
      onChange,
      onAccepted: () => this.#accepted(),
      onRefused: (problem, clientId) => this.#refused(problem, clientId),
    });
    this.reader = new Reader({
      api: this.api,
      list: this.list,
      onComment: (comment) => this.#read(comment),
      onReplication: () => (this.sender.hasReplication = true),
      onChange,
      onProblem: ({ code }) => (this.#isAbsent ||= code === 'NOT_FOUND'),
      isAtEnd: options.isAtEnd,
    });
    window.addEventListener('online', () => this.sender.reached());
    this.#live.start();
    void this.#learnTime();
  }

  get mode(): Mode {
    return this.#mode;
  }

  get viewers(): number | undefined {
    return this.#viewers;
  }

  /** True on a node that has no audience. */
  get isAbsent(): boolean {
    return this.#isAbsent;
  }

  get mayModerate(): boolean {
    return may(this.session.me, 'comment.hide');
  }

  facts(nowMs: number): Omit<PanelFacts, 'page'> {
    return {
      connection: this.#connection(),
      isOffline: !navigator.onLine,
      isRead: this.#isRead,
      mode: this.#mode,
      me: this.session.me,
      slowUntilMs: this.#slowUntilMs,
      isFlood: this.#flood.isOn(nowMs),
      leftOut: this.#flood.leftOut,
      nowMs,
    };
  }

  tick(): void {
    const nowMs = Date.now();
    if (!document.hidden) this.#seen(nowMs);
    this.#live.tick();
    this.sender.tick();
    this.#liking.tick(nowMs);
    this.session.tick(nowMs);
    if (this.#isAbsent) this.#live.end();
    else if (mustPoll(this.#live.state)) void this.#poll(nowMs);
    else this.reader.tick(nowMs);
  }

  /** @returns what is wrong */
  async setMode(mode: Mode): Promise<string | undefined> {
    const answer = await this.api.setMode(mode);
    if (!answer.ok) return problemWords(answer.problem);
    this.#mode = answer.value;
    this.#options.onChange();
    return undefined;
  }

  /** @returns what is wrong */
  async setHidden(id: string, isHidden: boolean): Promise<string | undefined> {
    const answer = await (isHidden ? this.api.hide(id) : this.api.restore(id));
    if (!answer.ok) return problemWords(answer.problem);
    this.list.change(id, (known) => ({ ...known, isHidden: answer.value.isHidden }));
    this.#options.onChange();
    return undefined;
  }

  /** Shows at once that the viewer likes it, or no longer; the count of all follows. @returns what is wrong */
  async setLiked(id: string, isLiked: boolean): Promise<string | undefined> {
    const problem = await this.#liking.set(id, isLiked, Date.now());
    return problem === undefined ? undefined : problemWords(problem);
  }

  /** Reads the answers below a comment. @returns what is wrong */
  async readThread(id: string): Promise<string | undefined> {
    if (this.list.get(id)?.isHidden === true && !this.mayModerate) return undefined;
    let cursor: string | undefined;
    for (let page = 0; page < mostThreadPages; page += 1) {
      const answer = await this.api.thread(id, cursor);
      if (!answer.ok) return problemWords(answer.problem);
      for (const item of answer.value.items) this.list.add(item);
      this.#options.onChange();
      cursor = answer.value.nextCursor;
      if (cursor === undefined) break;
    }
    return undefined;
  }

  /** One that is lost is nothing to speak of. */
  react(kind: ReactionKind, mediaTime: number | undefined): void {
    const reaction = { kind, ...(mediaTime === undefined ? {} : { mediaTime }) };
    if (!this.#live.send({ type: 'react', ...reaction })) void this.api.react(reaction);
  }

  /** The timers of a page that nobody sees pause as those of a machine that sleeps, so only one that is seen again knows what to doubt. */
  #seen(nowMs: number): void {
    if (nowMs - this.#tickedAtMs > sleptMs) {
      void this.#learnTime();
      this.#live.again();
    }
    this.#tickedAtMs = nowMs;
  }

  #hello(): object {
    const { token } = this.session;
    const lastId = this.list.newest?.id;
    return {
      type: 'hello',
      ...(token === undefined ? {} : { token }),
      ...(lastId === undefined ? {} : { lastId }),
      ...this.#leftOff,
    };
  }

  #heard(messages: readonly LiveMessage[]): void {
    const isHistory = messages.some(({ kind }) => kind === 'welcome');
    const time = messages.find((message) => message.kind === 'time');
    if (time !== undefined) {
      this.#time.learn(time.atMs, Date.now());
      // What an edge says before `welcome` tells nothing of the stream.
      if (isLive(this.#live.state)) this.#leftOff = time.leftOff;
    }
    const { newest } = this.list;
    for (const message of messages) this.#take(message, isHistory);
    if (isHistory) this.#readHistory(messages, newest);
    if (messages.some(({ kind }) => kind === 'gap')) void this.reader.newest(gapIn(messages, newest));
    this.list.trim(this.#options.isAtEnd() ? mostComments : mostWhileReading);
    this.#options.onChange();
  }

  #take(message: LiveMessage, isHistory: boolean): void {
    switch (message.kind) {
      case 'welcome':
        return this.#welcomed(message);
      case 'comment':
        return this.#came(message.comment, isHistory);
      case 'commentUpdated':
        this.sender.noticed(message.comment);
        return this.list.update(message.comment);
      case 'ack':
        return this.sender.acked(message.clientId, message);
      case 'liked':
        return this.#liking.heard(message.id, message.isLiked);
      case 'error':
        return this.#failed(message);
      case 'counts':
        for (const { id, likes, replies } of message.counts)
          this.list.change(id, (known) => ({ ...known, likes, replies }));
        return;
      case 'reactions':
        return this.#options.onReactions(message);
      case 'mode':
        this.#mode = message.mode;
        return;
      case 'viewers':
        this.#viewers = message.count;
        return;
      default:
    }
  }

  #failed({ to, id, clientId, problem }: Extract<LiveMessage, { kind: 'error' }>): void {
    if (to === 'react') return; // one that is lost is nothing to speak of
    if (to === 'like' || to === 'unlike') return this.#liking.heard(id ?? '', to === 'like', problem);
    if (to === undefined && clientId === undefined && isPassing(problem)) return; // nobody asked; the banner tells it
    if (clientId === undefined) this.#refused(problem);
    else this.sender.refused(clientId, problem);
  }

  #welcomed(message: Extract<LiveMessage, { kind: 'welcome' }>): void {
    this.sender.hasReplication = message.hasReplication;
    this.#mode = message.mode ?? this.#mode;
    this.#isRead = true;
    this.#viewers = message.viewers;
    if (message.me !== undefined) this.session.learn(message.me);
    this.sender.reached();
    void this.sender.restore();
  }

  /** The frame of a welcome brings what came since the last one that the page has, or the newest ones. */
  #readHistory(messages: readonly LiveMessage[], newest: PageComment | undefined): void {
    const isComplete = messages.every((message) => message.kind !== 'welcome' || message.isComplete);
    if (isComplete && newest === undefined)
      this.list.reaches(messages.flatMap((message) => (message.kind === 'comment' ? [message.comment] : [])));
    // What is hidden, and what the viewer likes, is told to them alone.
    if (!isComplete || this.session.me !== undefined) void this.reader.newest(gapIn(messages, newest));
  }

  #came(comment: PageComment, isHistory: boolean): void {
    this.sender.noticed(comment);
    const isKnown = this.list.get(comment.id) !== undefined;
    if (isKnown || isHistory) return void this.list.add(comment);
    if (!this.#flood.shows(this.#isDue(comment), Date.now())) return;
    this.list.add(comment);
    if (!comment.isHidden && comment.author.id !== this.session.me?.id) this.#options.onNew(comment);
  }

  /** One's own, answers to one, and staff are shown in any flood (A8). */
  #isDue({ author, parentId }: PageComment): boolean {
    const { me } = this.session;
    if (author.isStaff || author.id === me?.id) return true;
    return me !== undefined && parentId !== undefined && this.list.get(parentId)?.author.id === me.id;
  }

  #accepted(): void {
    this.session.trusted();
    this.#slowUntilMs = Date.now() + this.#mode.slowSeconds * 1000;
  }

  /** Somebody said it just now as well, where no socket is that would have brought it. */
  #read(comment: PageComment): void {
    this.sender.noticed(comment);
    const { newest } = this.list;
    const isNew = this.#isRead && (newest === undefined || compareComments(newest, comment) < 0);
    if (!isNew || !mustPoll(this.#live.state) || comment.isHidden) return;
    if (comment.author.id !== this.session.me?.id) this.#options.onNew(comment);
  }

  #refused(problem: Problem, clientId?: string): void {
    const { code, retryAfterSeconds } = problem;
    if (code === 'SLOW_MODE' && retryAfterSeconds !== undefined)
      this.#slowUntilMs = Date.now() + retryAfterSeconds * 1000;
    if (code === 'COMMENTS_CLOSED' || code === 'ACCOUNT_NEEDED') void this.#readMode();
    this.#options.onChange();
    if (code === 'UNAUTHENTICATED' && this.session.me !== undefined) this.session.doubt(problem, Date.now());
    else if (clientId === undefined) this.#options.onNotice(problemWords(problem));
  }

  /** What was refused for who the viewer is is sent again, once that is clear. */
  #proven(proof: Proof, problem: Problem): void {
    if (proof === 'lost') return this.#options.onNotice(problemWords(problem));
    if (proof === 'taken') this.#live.introduce();
    for (const { draft, state } of this.list.owns)
      if (state.kind === 'failed' && state.problem.code === 'UNAUTHENTICATED')
        this.sender.retry(draft.clientId);
  }

  #becameSomebody(): void {
    this.sender.becameAnother();
    this.#live.introduce();
    void this.sender.restore();
    if (this.session.me !== undefined) void this.reader.newest();
    this.#options.onChange();
  }

  async #readMode(): Promise<void> {
    this.#modeAtMs = Date.now();
    const answer = await this.api.mode();
    if (answer.ok) this.#mode = answer.value;
    this.#options.onChange();
  }

  async #learnTime(): Promise<void> {
    const serverMs = await this.api.time();
    if (serverMs === undefined) return;
    this.#time.forget();
    this.#time.learn(serverMs, Date.now());
  }

  #connected(state: Connection): void {
    if (!isLive(state)) {
      this.sender.disconnected();
      this.#liking.disconnected();
    }
    this.#options.onChange();
  }

  async #poll(nowMs: number): Promise<void> {
    if (nowMs - this.#modeAtMs > modeMs) void this.#readMode();
    const isAnswered = await this.reader.poll(nowMs);
    if (isAnswered === undefined) return;
    if (isAnswered && !this.#isAnswered) this.sender.reached();
    this.#isAnswered = isAnswered;
    this.#isRead ||= isAnswered;
    if (isAnswered) void this.sender.restore();
    this.#options.onChange();
  }

  #connection(): PanelFacts['connection'] {
    const { state } = this.#live;
    if (isLive(state)) return 'live';
    if (mustPoll(state)) return this.#isAnswered && this.#isRead ? 'polling' : 'lost';
    return this.#isRead && state.kind === 'waiting' ? 'lost' : 'connecting';
  }
}
