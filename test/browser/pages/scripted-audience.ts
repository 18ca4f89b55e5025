/**
 * An audience that a test scripts, between a page and its node: it answers the page's socket and its requests about comments. What it says and
 * what it takes are of the contract's schemas.
 */
import type { Page, WebSocketRoute } from 'playwright-core';
import {
  Comment,
  CommentMode,
  CommentPage,
  Guest,
  OwnComment,
  openMode,
} from '../../../cluster/contract/api/audience-views.ts';
import { ClientMessage, ServerMessage } from '../../../cluster/contract/audience/socket-messages.ts';
import { catalogue, type ErrorCode } from '../../../cluster/errors/catalogue.ts';

type Said = Extract<ClientMessage, { type: 'comment' }>;
type Hello = Extract<ClientMessage, { type: 'hello' }>;

/** Of the node that the page is at. */
const region = 'r1';

/** What happens to a comment that the page sends. */
export type Verdict =
  | { readonly kind: 'accepted' | 'replicated' | 'unanswered' }
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly retryAfterSeconds?: number };

export interface Script {
  readonly comments?: readonly Comment[];
  readonly hasReplication?: boolean;
  readonly mode?: CommentMode;
  /** False: no socket opens. */
  readonly hasSocket?: boolean;
}

export const someone = { id: 'g-somebody', name: 'Somebody' };
export const guestId = 'g-viewer';

let counted = 0;
/** A comment of somebody else's. */
export function commentOf(
  text: string,
  more: Readonly<Record<string, unknown>> = {},
  atMs = Date.now(),
): Comment {
  counted += 1;
  return Comment.parse({
    id: `demo~${atMs.toString(32).padStart(10, '0')}${counted.toString(32).padStart(16, '0')}`,
    streamId: 'demo',
    author: someone,
    text,
    createdAt: new Date(atMs).toISOString(),
    likes: 0,
    hidden: false,
    region,
    acknowledged: 'accepted',
    ...more,
  });
}

export class ScriptedAudience {
  /** Oldest first. */
  readonly comments: Comment[];
  /** What pages said over sockets and by HTTP. */
  readonly heard: ClientMessage[] = [];
  readonly #sockets = new Set<WebSocketRoute>();
  readonly #script: Script;
  hasSocket: boolean;
  mode: CommentMode;
  /** Since when another region is cut off. */
  cutAtMs: number | undefined;
  verdict: (said: Pick<Said, 'text'>) => Verdict = () => ({ kind: 'accepted' });
  /** How many hellos it answers by saying that it cannot, and goes. */
  unavailable = 0;

  constructor(script: Script = {}) {
    this.#script = script;
    this.comments = [...(script.comments ?? [])];
    this.hasSocket = script.hasSocket ?? true;
    this.mode = script.mode ?? openMode;
  }

  async stand(page: Page): Promise<void> {
    await page.routeWebSocket(/\/v1\/streams\/demo\/socket$/, (socket) => this.#meet(socket));
    await page.route(
      /\/v1\/(?:streams\/demo\/(?:bans|comments|mode)|comments|guests|me)\b/,
      async (route) => {
        const request = route.request();
        const {
          status,
          body,
          headers = {},
        } = this.#answer(request.method(), new URL(request.url()), request.postData());
        await route.fulfill({
          status,
          headers: { 'content-type': 'application/json', 'access-control-allow-origin': '*', ...headers },
          body: JSON.stringify(body),
        });
      },
    );
  }

  /** To every page. */
  say(...messages: readonly unknown[]): void {
    for (const socket of this.#sockets) this.#send(socket, messages);
  }

  publish(...comments: readonly Comment[]): void {
    this.comments.push(...comments.filter(({ id }) => this.comments.every((one) => one.id !== id)));
    this.say(...comments.map((comment) => ({ type: 'comment', comment })));
  }

  change(comment: Comment): void {
    const index = this.comments.findIndex(({ id }) => id === comment.id);
    this.comments[index] = comment;
    this.say({ type: 'commentUpdated', comment });
  }

  /** All sockets end, as when an edge is killed. */
  async drop(): Promise<void> {
    const sockets = [...this.#sockets];
    this.#sockets.clear();
    await Promise.all(sockets.map((socket) => socket.close({ code: 1012 })));
  }

  #meet(socket: WebSocketRoute): void {
    if (!this.hasSocket) return void socket.close({ code: 1013 });
    this.#sockets.add(socket);
    socket.onClose(() => this.#sockets.delete(socket));
    socket.onMessage((data) => {
      const message = ClientMessage.parse(JSON.parse(String(data)));
      this.heard.push(message);
      if (message.type === 'hello') void this.#greet(socket, message);
      if (message.type === 'comment') this.#take(socket, message);
      if (message.type === 'ping') this.#send(socket, [{ type: 'pong' }]);
    });
  }

  async #greet(socket: WebSocketRoute, hello: Hello): Promise<void> {
    if (this.unavailable === 0) return this.#welcome(socket, hello);
    this.unavailable -= 1;
    const { status, title } = catalogue.UNAVAILABLE;
    this.#send(socket, [{ type: 'error', problem: { code: 'UNAVAILABLE', status, title } }]);
    await socket.close({ code: 1013 });
  }

  #send(socket: WebSocketRoute, messages: readonly unknown[]): void {
    const now = new Date().toISOString();
    const inCut =
      this.cutAtMs === undefined ? {} : { knownTo: isoOf(this.cutAtMs), inRegion: { region, knownTo: now } };
    const time = { type: 'time', now, ...inCut };
    socket.send(JSON.stringify([time, ...messages].map((message) => ServerMessage.parse(message))));
  }

  /** As an edge answers: whoever lacks more than ten minutes is told of a gap. */
  #welcome(socket: WebSocketRoute, { lastAt, inRegion }: Hello): void {
    const now = new Date().toISOString();
    const fromAt = inRegion?.region === region ? inRegion.knownTo : lastAt;
    const isLong = fromAt !== undefined && Date.parse(now) - Date.parse(fromAt) > 600_000;
    const welcome = {
      type: 'welcome',
      session: 's',
      viewers: 7,
      replication: this.#script.hasReplication ?? false,
      url: '/v1/streams/demo/socket',
      resume: isLong ? { gap: { from: fromAt, to: now } } : 'complete',
      mode: this.mode,
    };
    this.#send(socket, [
      welcome,
      ...this.comments.slice(-50).map((comment) => ({ type: 'comment', comment })),
    ]);
  }

  #take(socket: WebSocketRoute, said: Said): void {
    const verdict = this.verdict(said);
    const { clientId } = said;
    if (verdict.kind === 'unanswered') return;
    if (verdict.kind === 'refused') {
      const { status, title } = catalogue[verdict.code];
      const { code, retryAfterSeconds } = verdict;
      return this.#send(socket, [
        { type: 'error', clientId, problem: { code, status, title, retryAfterSeconds } },
      ]);
    }
    const comment = this.#written(said, verdict.kind);
    this.publish(comment);
    this.#send(socket, [{ type: 'ack', clientId, state: verdict.kind, id: comment.id, receipt: 'r' }]);
  }

  /** The same client id is the same comment. */
  #written(
    { clientId, text }: Pick<Said, 'clientId' | 'text'>,
    acknowledged: Comment['acknowledged'],
  ): Comment {
    const hex = clientId.replaceAll('-', '');
    const id = `demo~${hex.slice(0, 26)}`;
    const atMs = Number.parseInt(hex.slice(0, 12), 16);
    return commentOf(text, { id, author: { id: guestId, name: 'Viewer' }, acknowledged }, atMs);
  }

  #answer(method: string, url: URL, body: string | null): Answer {
    const { pathname, searchParams } = url;
    if (pathname === '/v1/guests')
      return {
        status: 201,
        body: Guest.parse({
          token: 't',
          user: { id: guestId, name: JSON.parse(body ?? '{}').name, kind: 'guest' },
        }),
      };
    if (pathname === '/v1/me') return moderator;
    if (pathname.endsWith('/mode')) {
      if (method === 'PUT')
        this.say({ type: 'mode', mode: (this.mode = CommentMode.parse(JSON.parse(body ?? '{}'))) });
      return { status: 200, body: this.mode };
    }
    if (pathname.startsWith('/v1/streams/demo/bans/')) return { status: 200, body: {} };
    if (pathname.startsWith('/v1/comments/'))
      return this.#moderate(method, decodeURIComponent(pathname.split('/')[3] ?? ''));
    return method === 'POST' ? this.#post(body) : this.#page(searchParams);
  }

  #post(body: string | null): Answer {
    const said = ClientMessage.parse({ type: 'comment', ...JSON.parse(body ?? '{}') });
    this.heard.push(said);
    if (said.type !== 'comment') throw new Error('it is no comment');
    const verdict = this.verdict(said);
    if (verdict.kind === 'unanswered') return { status: 503, body: { code: 'UNAVAILABLE', status: 503 } };
    if (verdict.kind === 'refused') {
      const { retryAfterSeconds } = verdict;
      const headers = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
      return { status: catalogue[verdict.code].status, body: { code: verdict.code }, headers };
    }
    const comment = this.#written(said, verdict.kind);
    this.publish(comment);
    return { status: 201, body: OwnComment.parse({ ...comment, clientId: said.clientId, receipt: 'r' }) };
  }

  #moderate(method: string, id: string): Answer {
    const comment = this.comments.find((one) => one.id === id);
    if (comment === undefined) return { status: 404, body: { code: 'COMMENT_NOT_FOUND' } };
    const changed = { ...comment, hidden: method === 'DELETE' };
    this.change(changed);
    return { status: 200, body: changed };
  }

  #page(query: URLSearchParams): Answer {
    const limit = Number(query.get('limit') ?? 50);
    const before = query.get('before');
    const older = this.comments.filter(({ id }) => before === null || id < before);
    const items = older.slice(-limit).toReversed();
    const nextCursor = older.length > limit ? items.at(-1)?.id : undefined;
    const replication = this.#script.hasReplication;
    const knownTo = this.cutAtMs === undefined ? undefined : isoOf(this.cutAtMs);
    return { status: 200, body: CommentPage.parse({ items, nextCursor, replication, knownTo }) };
  }
}

const isoOf = (ms: number): string => new Date(ms).toISOString();

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const moderator: Answer = {
  status: 200,
  body: {
    user: { id: 'a-moderator', name: 'Moderator', kind: 'account' },
    permissions: ['comment.hide', 'stream.mode', 'user.ban'],
  },
};
