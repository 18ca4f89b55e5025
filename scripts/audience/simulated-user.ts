/**
 * A user of the audience without a screen: watches over a live socket, comments, reads back, and does after a failure what the page does.
 *
 * - It sends a comment again, under the same clientId and wherever it is connected by then, until it is acknowledged or refused for good.
 *   One that is too old to be taken is looked up first (A2); if it is not there it is written anew.
 * - A lost socket is opened again after a pause that grows, first where `welcome` said and then at the other edges, and goes on from the
 *   newest comment and the newest server time that it has since its last welcome. A gap is read by HTTP, from 2 minutes earlier on: comments come late (A2).
 * - A like, or its taking back, is asked again until it is answered: late or twice, the same one has the same result.
 * - Unlike the page it gives up on a silent server after seconds, as its load does not last for long.
 *
 * All that is asked, answered and told goes to the recorder.
 */
import type { ClientMessage, ServerMessage } from '../../cluster/contract/audience/socket-messages.ts';
import { CommentId } from '../../cluster/model/ids.ts';
import { clientIdAt, createdAtOf } from './client-id.ts';
import type { Read } from './history.ts';
import { afterRefusal, Outbox, outboxLimits, type Waiting } from './outbox.ts';
import { isBefore, type Place } from './place.ts';
import { seenOf } from './recorder.ts';
import { UserLikes } from './user-likes.ts';
import type { CommentPageRead, OpenSocket, PageQuery, UserPorts } from './user-ports.ts';

const times = { pauseMs: 300, mostPauseMs: 5000, pingMs: 3000, goneMs: 12_000, lateMs: 125_000 } as const;
const pageLimit = 200;
/** How many pages one gap may have. */
const mostPages = 500;
const afterAll = '\uffff';

type Connection =
  | { readonly kind: 'waiting'; readonly dueAtMs: number }
  | { readonly kind: 'opening' }
  | { readonly kind: 'open'; readonly socket: OpenSocket; readonly isWelcome: boolean };

export interface UserOptions {
  readonly name: string;
  readonly stream: string;
  /** URLs without a path. */
  readonly edges: readonly string[];
  /** Which of them is the first. */
  readonly first: number;
  /** How it comments. */
  readonly way: 'socket' | 'http';
  /** Whether it has a live socket. Who has none comments by HTTP. */
  readonly isWatching: boolean;
}

export class SimulatedUser {
  readonly name: string;
  readonly #options: UserOptions;
  readonly #ports: UserPorts;
  readonly #outbox = new Outbox();
  readonly #known = new Set<string>();
  /** Of its own comments, those that it can hide. */
  readonly #own: string[] = [];
  readonly #likes: UserLikes;
  #connection: Connection = { kind: 'waiting', dueAtMs: 0 };
  #isOver = false;
  /** Counts connections, so that an old one is not heard any more. */
  #number = 0;
  #failures = 0;
  #edge: string;
  #next: string | undefined;
  #heardAtMs = 0;
  #pingedAtMs = 0;
  #newest: Place | undefined;
  #leftOff: Pick<Extract<ClientMessage, { type: 'hello' }>, 'lastAt' | 'inRegion'> | undefined;
  /** What is added to our clock to get the server's. */
  #aheadMs = 0;
  #gaps = 0;
  #said = 0;

  constructor(options: UserOptions, ports: UserPorts) {
    this.#options = options;
    this.#ports = ports;
    this.name = options.name;
    this.#likes = new UserLikes(options.name, ports);
    this.#edge = options.edges[options.first % options.edges.length] ?? '';
  }

  /** Is there nothing that it waits for? */
  get isAtRest(): boolean {
    return this.#isReady && this.#gaps === 0 && this.#outbox.size === 0 && !this.#likes.isOpen;
  }

  get isWatching(): boolean {
    return this.#options.isWatching;
  }

  get #isReady(): boolean {
    if (!this.#options.isWatching) return true;
    return this.#connection.kind === 'open' && this.#connection.isWelcome;
  }

  knows(id: string): boolean {
    return this.#known.has(id);
  }

  /** Says something that nobody has said before. A user who waits for too many answers says nothing. */
  say(): void {
    if (this.#outbox.isFull) return;
    this.#said += 1;
    this.#write(`${this.name} says ${this.#said}`);
  }

  /** Hides one of its own comments, once. */
  async hideOne(): Promise<void> {
    const id = this.#own.shift();
    if (id === undefined) return;
    const { client, recorder } = this.#ports;
    const act = { kind: 'moderation', user: this.name, act: 'hide', id } as const;
    recorder.note({ ...act, step: 'asked' });
    const isDone = await client.hide(this.#edge, id);
    recorder.note({ ...act, step: isDone === true ? 'done' : 'unanswered' });
  }

  /**
   * Likes a comment, or takes its like back where it likes it already. Does nothing while an earlier like is under way.
   *
   * @param hot a comment that all like now and then; else it is one that was seen lately
   */
  async like(hot?: string): Promise<void> {
    const isAnswered = await this.#likes.like(this.#edge, this.#ports.clock.utcMs() + this.#aheadMs, hot);
    if (!isAnswered && !this.#options.isWatching) this.#nextEdge();
  }

  /** Scrolls back from the newest comment that it knows. */
  async lookBack(): Promise<void> {
    const from = this.#newest;
    if (from === undefined) return;
    await this.#page({ before: from.id, limit: 50 }, { from, order: 'newestFirst' }).catch(() => {});
  }

  /** What is due by now: to be called several times a second. */
  tick(): void {
    if (this.#isOver) return;
    const { nowMs } = this.#ports.recorder;
    if (this.#options.isWatching) this.#tickConnection(nowMs);
    for (const one of this.#outbox.takeUnanswered(nowMs, false)) this.#noteUnanswered(one);
    if (!this.#isReady) return;
    if (this.#likes.isDue(nowMs)) void this.like();
    for (const one of this.#outbox.takeDue(nowMs)) this.#send(one);
  }

  /** It stays no longer. */
  end(): void {
    this.#isOver = true;
    this.#ports.recorder.note({ kind: this.isAtRest ? 'settled' : 'away', user: this.name });
    this.#leave(0);
  }

  #tickConnection(nowMs: number): void {
    const connection = this.#connection;
    if (connection.kind === 'waiting' && nowMs >= connection.dueAtMs) void this.#open();
    if (connection.kind !== 'open') return;
    if (nowMs - this.#heardAtMs > times.goneMs) return this.#lost();
    if (nowMs - Math.max(this.#heardAtMs, this.#pingedAtMs) < times.pingMs) return;
    this.#pingedAtMs = nowMs;
    connection.socket.send({ type: 'ping' });
  }

  async #open(): Promise<void> {
    const { client, recorder } = this.#ports;
    this.#connection = { kind: 'opening' };
    this.#number += 1;
    const number = this.#number;
    const isCurrent = (): boolean => number === this.#number;
    const url = this.#address();
    try {
      const socket = await client.open(url.href, {
        onFrame: (messages) => void (isCurrent() && this.#hear(messages)),
        onClose: () => void (isCurrent() && this.#connection.kind === 'open' && this.#lost()),
      });
      if (!isCurrent() || this.#isOver) return socket.close();
      this.#edge = url.origin.replace(/^ws/, 'http');
      this.#connection = { kind: 'open', socket, isWelcome: false };
      this.#heardAtMs = recorder.nowMs;
      socket.send({
        type: 'hello',
        token: client.token,
        ...(this.#newest === undefined ? {} : { lastId: CommentId.parse(this.#newest.id) }),
        ...this.#leftOff,
      });
    } catch {
      if (isCurrent()) this.#failed();
    }
  }

  #address(): URL {
    const url = new URL(this.#next ?? `/v1/streams/${this.#options.stream}/socket`, this.#edge);
    url.protocol = url.protocol.replace('http', 'ws');
    return url;
  }

  /** The next edge is tried. */
  #failed(): void {
    this.#nextEdge();
    this.#failures += 1;
    this.#leave(Math.min(times.pauseMs * 2 ** this.#failures, times.mostPauseMs));
  }

  #nextEdge(): void {
    const { edges } = this.#options;
    this.#edge = edges[(edges.indexOf(this.#edge) + 1) % edges.length] ?? this.#edge;
    this.#next = undefined;
  }

  #lost(): void {
    const wasWelcome = this.#connection.kind === 'open' && this.#connection.isWelcome;
    if (!wasWelcome) return this.#failed();
    this.#failures = 0;
    this.#leave(times.pauseMs);
  }

  #leave(pauseMs: number): void {
    const { recorder, random } = this.#ports;
    const connection = this.#connection;
    this.#number += 1;
    this.#connection = { kind: 'waiting', dueAtMs: recorder.nowMs + pauseMs * (0.5 + random()) };
    if (connection.kind !== 'open') return;
    connection.socket.close();
    if (connection.isWelcome) recorder.note({ kind: 'left', user: this.name });
    if (this.#options.way === 'socket')
      for (const one of this.#outbox.takeUnanswered(recorder.nowMs, true)) this.#noteUnanswered(one);
  }

  #hear(messages: readonly ServerMessage[]): void {
    this.#heardAtMs = this.#ports.recorder.nowMs;
    const isWelcome = this.#isReady || messages.some(({ type }) => type === 'welcome');
    for (const message of messages) this.#hearOne(message, isWelcome);
  }

  #hearOne(message: ServerMessage, isWelcome: boolean): void {
    switch (message.type) {
      case 'time':
        this.#aheadMs = Date.parse(message.now) - this.#ports.clock.utcMs();
        // What an edge says before `welcome` tells nothing of the stream.
        if (isWelcome) this.#leftOff = { lastAt: message.knownTo ?? message.now, inRegion: message.inRegion };
        return;
      case 'welcome':
        return this.#welcomed(message);
      case 'comment':
      case 'commentUpdated':
        return this.#told(message);
      case 'gap':
        return this.#fill(Date.parse(message.from));
      case 'ack':
        if (message.state === 'replicated' && this.#outbox.get(message.clientId) === undefined) return;
        return this.#acknowledged(message.clientId, message.id);
      case 'move':
        this.#next = message.url;
        return this.#leave(message.withinMs / 2);
      case 'error':
        if (message.clientId !== undefined)
          this.#refused(message.clientId, message.problem.code, message.problem.status, undefined);
        return;
      default:
    }
  }

  #welcomed({ resume, url }: Extract<ServerMessage, { type: 'welcome' }>): void {
    const { recorder } = this.#ports;
    if (this.#connection.kind !== 'open') return;
    this.#connection = { ...this.#connection, isWelcome: true };
    this.#next = url;
    this.#failures = 0;
    const kind = resume === 'complete' ? 'complete' : 'behind' in resume ? 'behind' : 'gap';
    recorder.note({ kind: 'joined', user: this.name, edge: this.#edge, resume: kind });
    if (resume === 'complete') return;
    const fromMs = resume.gap === undefined ? (this.#newest?.createdAtMs ?? 0) : Date.parse(resume.gap.from);
    this.#fill(fromMs);
  }

  #told({ type, comment }: Extract<ServerMessage, { type: 'comment' | 'commentUpdated' }>): void {
    const seen = this.#ports.recorder.shared(seenOf(comment));
    this.#ports.recorder.note({ kind: 'told', user: this.name, message: type, comment: seen });
    this.#know(seen);
  }

  #know({ id, createdAtMs }: Place): void {
    if (!this.#known.has(id)) this.#likes.saw(id);
    this.#known.add(id);
    const place = { id, createdAtMs };
    if (this.#newest === undefined || isBefore(this.#newest, place)) this.#newest = place;
  }

  /** Reads what came while it was not told. It goes on until it has read to the end. */
  #fill(fromMs: number): void {
    this.#gaps += 1;
    void this.#readOn(fromMs - times.lateMs).finally(() => (this.#gaps -= 1));
  }

  async #readOn(fromMs: number): Promise<void> {
    let from: Place = { createdAtMs: fromMs, id: afterAll };
    let after = new Date(fromMs).toISOString();
    for (let pages = 0, failures = 0; pages < mostPages && failures < 20 && !this.#isOver;) {
      try {
        const { items, nextCursor } = await this.#page(
          { after, limit: pageLimit },
          { from, order: 'oldestFirst' },
        );
        pages += 1;
        const last = items.at(-1);
        if (nextCursor === undefined || last === undefined) return;
        after = nextCursor;
        from = seenOf(last);
      } catch {
        failures += 1;
        await this.#ports.clock.sleep(times.pauseMs * failures);
      }
    }
  }

  async #page(query: PageQuery, { from, order }: Pick<Read, 'from' | 'order'>): Promise<CommentPageRead> {
    const { client, recorder } = this.#ports;
    const asked = { user: this.name, edge: this.#edge, askedAtMs: recorder.nowMs, order, from };
    const page = await client.list(asked.edge, query);
    const items = page.items.map((item) => recorder.shared(seenOf(item)));
    const hasMore = page.nextCursor !== undefined;
    recorder.note({ kind: 'read', ...asked, hasMore, items, isLast: false });
    for (const item of items) this.#know(item);
    return page;
  }

  #write(text: string): void {
    const { clock, randomBytes, recorder } = this.#ports;
    const clientId = clientIdAt(clock.utcMs() + this.#aheadMs, randomBytes(10));
    this.#outbox.add(clientId, text, recorder.nowMs);
  }

  #send({ clientId, text }: Waiting): void {
    this.#ports.recorder.note({ kind: 'sent', user: this.name, clientId, text });
    if (this.#options.way === 'socket' && this.#connection.kind === 'open')
      this.#connection.socket.send({ type: 'comment', clientId, text });
    else void this.#post({ clientId, text });
  }

  async #post(body: Pick<Waiting, 'clientId' | 'text'>): Promise<void> {
    const { clientId } = body;
    const answer = await this.#ports.client.post(this.#edge, body);
    switch (answer.kind) {
      case 'taken':
        return this.#acknowledged(clientId, answer.comment.id);
      case 'refused':
        return this.#refused(clientId, answer.code, answer.status, answer.retryAfterSeconds);
      default:
        this.#noteUnanswered({ clientId });
        if (!this.#options.isWatching) this.#nextEdge();
        return this.#outbox.again(clientId, this.#ports.recorder.nowMs + outboxLimits.againAfterMs);
    }
  }

  #noteUnanswered({ clientId }: Pick<Waiting, 'clientId'>): void {
    this.#ports.recorder.note({ kind: 'unanswered', user: this.name, clientId });
  }

  #acknowledged(clientId: string, id: string): void {
    const createdAtMs = createdAtOf(clientId);
    this.#ports.recorder.note({ kind: 'acknowledged', user: this.name, clientId, id, createdAtMs });
    this.#know({ id, createdAtMs });
    if (this.#outbox.remove(clientId)) this.#own.push(id);
  }

  #refused(clientId: string, code: string, status: number, retryAfterSeconds: number | undefined): void {
    const { recorder } = this.#ports;
    switch (afterRefusal(code, status)) {
      case 'again':
        return this.#outbox.again(
          clientId,
          recorder.nowMs +
            (retryAfterSeconds === undefined ? outboxLimits.againAfterMs : 1000 * retryAfterSeconds),
        );
      case 'lookUp':
        return void this.#lookUp(clientId);
      default:
        recorder.note({ kind: 'refused', user: this.name, clientId, code });
        this.#outbox.remove(clientId);
    }
  }

  /** It is too old to be taken. It may have been taken long ago; if it was not, it is written anew. */
  async #lookUp(clientId: string): Promise<void> {
    const waiting = this.#outbox.get(clientId);
    if (waiting === undefined) return;
    const createdAtMs = createdAtOf(clientId);
    const from = { createdAtMs: createdAtMs - 1, id: afterAll };
    const after = new Date(createdAtMs - 1).toISOString();
    try {
      const { items } = await this.#page({ after, limit: pageLimit }, { from, order: 'oldestFirst' });
      const there = items.find(({ text }) => text === waiting.text);
      if (there !== undefined) return this.#acknowledged(clientId, there.id);
      this.#ports.recorder.note({ kind: 'refused', user: this.name, clientId, code: 'COMMENT_EXPIRED' });
      this.#outbox.remove(clientId);
      this.#write(waiting.text);
    } catch {
      this.#outbox.again(clientId, this.#ports.recorder.nowMs + outboxLimits.againAfterMs);
    }
  }
}
