/**
 * All live sockets of an edge: who is let in, which stream each is in, how busy the node is, and how they end.
 *
 * The `Origin` of an upgrade means nothing here: no cookie authorises anything, so a foreign page can do no more than any program.
 */
import type { AudiencePorts, ReplicatedComment } from '../../../cluster/contract/audience/audience-feed.ts';
import { socketCloses, type SocketClose } from '../../../cluster/contract/audience/socket-closes.ts';
import { socketProtocol, type ServerMessage } from '../../../cluster/contract/audience/socket-messages.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import { StreamId, type UserId } from '../../../cluster/model/ids.ts';
import type { Metrics } from '../../../cluster/observe/metrics.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import { Buckets } from '../../../cluster/bounds/buckets.ts';
import { callerWith, type Access } from '../http/access.ts';
import { callerAddress, callerOrigin, frontOrigin, networkOf, type IsTrustedProxy } from '../http/caller.ts';
import type { HttpRequest } from '../http/http.ts';
import type { KnownStreams } from '../public/known-streams.ts';
import { mustBeKnown } from '../playback/stream-finder.ts';
import type { SocketPlaces } from '../user-edges.ts';
import { viewersNow, type React } from '../audience-numbers.ts';
import { Admission, defaultSocketLimits, type SocketLimits } from './admission.ts';
import type { CallInTime } from './audience-calls.ts';
import { calmRhythm, nextRhythm } from './frames/frame-rhythm.ts';
import { socketMetrics, type SocketMetrics } from './socket-metrics.ts';
import type { Publish, SocketEvents, SocketHandlers, SocketLink, Ticket } from './socket-port.ts';
import { SocketSession, type SessionPorts } from './socket-session.ts';
import { StreamHub } from './stream-hub.ts';

/** The sockets' part of an edge. */
export interface SocketPart {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly audience: AudiencePorts;
  /** The share of time in which the event loop was busy since the last call. */
  readonly busyShare: () => number;
  readonly newId: () => string;
  readonly limits?: Partial<SocketLimits>;
}

export interface LiveSocketsPorts extends SocketPart {
  readonly knownStreams: KnownStreams;
  readonly call: CallInTime;
  readonly places: SocketPlaces;
  readonly react: React;
  /** Is the broadcast over? */
  readonly isOver: (stream: StreamId) => boolean;
  readonly access: Access;
  readonly publicUrl: string | undefined;
  readonly ownUrl: string;
  readonly isTrustedProxy: IsTrustedProxy;
}

/** A stream whose last socket has gone is followed for this long: a page that is loaded anew comes back. */
const lingerMs = 10_000;
/** What the sockets of one network may ask of the comments actor. A school is one network, and its pupils like things. */
export const turnsOfNetwork = { burst: 1000, perSecond: 200, most: 50_000 } as const;
/** How often each socket is looked at, whether its peer still lives. */
const lifeEveryMs = 1000;

interface Room {
  readonly hub: StreamHub;
  readonly sessions: Set<SocketSession>;
  emptySinceMs: number;
}

export class LiveSockets implements SocketHandlers {
  readonly #ports: LiveSocketsPorts;
  readonly #metrics: SocketMetrics;
  readonly #admission: Admission;
  readonly #session: SessionPorts;
  readonly #sessions = new Set<SocketSession>();
  readonly #welcomed = new Set<SocketSession>();
  readonly #dropped = new Set<SocketSession>();
  readonly #turns = new Buckets(turnsOfNetwork);
  readonly #rooms = new Map<StreamId, Room>();
  #publish: Publish = () => 0;
  #rhythm = calmRhythm;
  #lifeMs = 0;
  #isLeaving = false;

  constructor(ports: LiveSocketsPorts) {
    this.#ports = ports;
    this.#metrics = socketMetrics(ports.metrics);
    this.#admission = new Admission({ ...defaultSocketLimits, ...ports.limits });
    this.#session = this.#sessionPorts();
  }

  publishBy(publish: Publish): void {
    this.#publish = publish;
  }

  admit(request: HttpRequest, id: string): Ticket {
    const { isTrustedProxy, publicUrl, ownUrl, audience, clock } = this.#ports;
    const address = callerAddress(request, isTrustedProxy);
    const network = networkOf(address);
    if (this.#isLeaving) this.#refuse('leaving', 'UNAVAILABLE', 'This node stops: ask another edge.');
    if (audience.feed === undefined) this.#refuse('feed', 'UNAVAILABLE', 'This node has no audience.');
    if (!offers(request.header('sec-websocket-protocol')))
      this.#refuse('protocol', 'BAD_REQUEST', `Offer the subprotocol ${socketProtocol}.`);
    const bound = this.#admission.isOver(network);
    if (bound !== undefined) this.#refuse(bound, 'OVERLOADED', 'Too many sockets are open here.');
    const waitMs = this.#admission.waitMs(network, clock.monotonicMs());
    if (waitMs > 0)
      this.#refuse('joins', 'OVERLOADED', 'Your network opens sockets too fast: wait a moment.', waitMs);
    const origin = publicUrl?.replace(/\/+$/, '') ?? callerOrigin(request, isTrustedProxy, ownUrl);
    const front = frontOrigin(request, ownUrl, isTrustedProxy);
    return { stream: StreamId.safeParse(id).data, address, network, origin, front };
  }

  open(link: SocketLink, ticket: Ticket): SocketEvents {
    const session = new SocketSession(this.#session, link, ticket);
    this.#admission.opened(ticket.network);
    this.#sessions.add(session);
    return session;
  }

  /** To be called every 250 ms. */
  tick(): void {
    const { clock, busyShare } = this.#ports;
    this.#rhythm = nextRhythm(this.#rhythm, busyShare());
    const nowMs = clock.runningMs();
    for (const session of this.#dropped) session.lookAtReader();
    this.#dropped.clear();
    for (const session of this.#welcomed) session.lookAtReader();
    if (nowMs - this.#lifeMs >= lifeEveryMs) {
      this.#lifeMs = nowMs;
      for (const session of this.#sessions) session.advance({ kind: 'time', nowMs });
      this.#closeEmptyRooms(nowMs);
    }
    this.#measure();
  }

  /** How many sockets of this edge are in a stream. */
  viewersOf(stream: StreamId): number {
    return this.#rooms.get(stream)?.sessions.size ?? 0;
  }

  /** How many sockets of this edge each stream has, and of how many users (A10). */
  *counts(): Iterable<readonly [StreamId, { readonly sockets: number; readonly users: number }]> {
    for (const [stream, { sessions }] of this.#rooms) {
      const users = new Set<UserId>();
      for (const { user } of sessions) if (user !== undefined) users.add(user);
      if (sessions.size > 0) yield [stream, { sockets: sessions.size, users: users.size }];
    }
  }

  /** Ends every socket of a stream that was removed. */
  removed(stream: StreamId): void {
    this.#endAll(this.#rooms.get(stream)?.sessions ?? [], socketCloses.removed, 'STREAM_REMOVED');
  }

  /** How many pages have a socket here. */
  get count(): number {
    return this.#welcomed.size;
  }

  /**
   * Asks every page to come to another edge, at a moment of its choice within the bound, and lets no more in (A9). Where there is no other edge, all
   * stay.
   *
   * @returns how many were asked
   */
  move(withinMs: number): number {
    const { places } = this.#ports;
    if (!places.hasElsewhere()) return 0;
    this.#isLeaving = true;
    let asked = 0;
    for (const session of this.#welcomed) {
      const { stream } = session.ticket;
      const url = stream && places.urlElsewhere(session.askedFor(stream));
      if (url === undefined) continue;
      asked += 1;
      session.say({ type: 'move', url, withinMs } satisfies ServerMessage);
    }
    return asked;
  }

  /** No more are let in. */
  leave(): void {
    this.#isLeaving = true;
  }

  /** Ends every socket: this node stops. */
  close(): void {
    this.#isLeaving = true;
    this.#endAll(this.#sessions, socketCloses.leaving);
    for (const { hub } of this.#rooms.values()) hub.close();
    this.#rooms.clear();
    this.#measure();
  }

  #endAll(sessions: Iterable<SocketSession>, close: SocketClose, code?: 'STREAM_REMOVED'): void {
    const error = code === undefined ? {} : { error: new TangazaError(code) };
    for (const session of sessions) session.advance({ kind: 'refused', ...error, close });
  }

  #sessionPorts(): SessionPorts {
    const { clock, call, access, newId, places, audience, knownStreams, react, isOver } = this.#ports;
    return {
      clock,
      metrics: this.#metrics,
      call,
      newId,
      urlFor: (asked) => places.urlFor(asked),
      mustExist: async (stream, address) => {
        const hop = { remoteAddress: address, header: () => '' };
        mustBeKnown(stream, await knownStreams.standingOrLast(hop, stream));
      },
      takeTurn: (network) => this.#turns.take(network, clock.monotonicMs()),
      callerOf: (network, token) => callerWith({ network, token }, access),
      enter: (session, stream) => this.#enter(session, stream),
      hasReplication: () => audience.feed?.hasReplication ?? false,
      viewersOf: (stream) => (isOver(stream) ? 0 : viewersNow(audience, stream, this.viewersOf(stream))),
      react,
      onDropped: (session) => this.#dropped.add(session),
      onWelcomed: (session) => {
        this.#welcomed.add(session);
        this.#admission.welcomed();
      },
      onClosed: (session) => this.#onClosed(session),
    };
  }

  #enter(session: SocketSession, stream: StreamId): StreamHub {
    const known = this.#rooms.get(stream);
    const room = known ?? { hub: this.#follow(stream), sessions: new Set(), emptySinceMs: 0 };
    if (known === undefined) this.#rooms.set(stream, room);
    room.sessions.add(session);
    return room.hub;
  }

  /** @throws TangazaError `UNAVAILABLE` */
  #follow(stream: StreamId): StreamHub {
    const { clock, audience } = this.#ports;
    const { feed } = audience;
    if (feed === undefined) throw new TangazaError('UNAVAILABLE', 'This node has no audience.');
    const publish: Publish = (topic, text) => this.#publish(topic, text);
    return new StreamHub(stream, {
      clock,
      feed,
      reactions: () => audience.reactions,
      publish,
      rhythm: () => this.#rhythm,
      metrics: this.#metrics,
      onReplicated: (comments) => this.#tellAuthors(stream, comments),
    });
  }

  /** The second acknowledgement goes to each socket that its author has in this stream here (A6). */
  #tellAuthors(stream: StreamId, comments: readonly ReplicatedComment[]): void {
    const byAuthor = Map.groupBy(comments, ({ authorId }) => authorId);
    for (const session of this.#rooms.get(stream)?.sessions ?? []) {
      const { user } = session;
      const own = user === undefined || !this.#welcomed.has(session) ? undefined : byAuthor.get(user);
      if (own === undefined) continue;
      session.say(
        ...own.map(({ id, clientId }) => ({ type: 'ack', clientId, state: 'replicated', id }) as const),
      );
    }
  }

  #onClosed(session: SocketSession): void {
    const { network, stream } = session.ticket;
    this.#sessions.delete(session);
    this.#dropped.delete(session);
    this.#admission.closed(network, this.#welcomed.delete(session));
    const room = stream === undefined ? undefined : this.#rooms.get(stream);
    room?.sessions.delete(session);
    if (room?.sessions.size === 0) room.emptySinceMs = this.#ports.clock.runningMs();
  }

  #closeEmptyRooms(nowMs: number): void {
    for (const [stream, { hub, sessions, emptySinceMs }] of this.#rooms) {
      if (sessions.size > 0 || nowMs - emptySinceMs < lingerMs) continue;
      hub.close();
      this.#rooms.delete(stream);
    }
  }

  #refuse(
    bound: string,
    code: 'OVERLOADED' | 'UNAVAILABLE' | 'BAD_REQUEST',
    detail: string,
    waitMs?: number,
  ): never {
    this.#metrics.refused.add(1, { bound });
    const data = waitMs === undefined ? {} : { retryAfterSeconds: Math.ceil(waitMs / 1000) };
    throw new TangazaError(code, detail, { data });
  }

  #measure(): void {
    const { open, waiting } = this.#admission;
    this.#metrics.open.set(open - waiting, { state: 'welcomed' });
    this.#metrics.open.set(waiting, { state: 'waiting' });
    this.#metrics.gatherSeconds.set(this.#rhythm.gatherMs / 1000);
    const slow = { must: 0, nothing: 0 };
    for (const { gets } of this.#welcomed) if (gets !== 'all') slow[gets] += 1;
    this.#metrics.behind.set(slow.must, { gets: 'must' });
    this.#metrics.behind.set(slow.nothing, { gets: 'nothing' });
  }
}

const offers = (protocols: string): boolean =>
  protocols.split(',').some((one) => one.trim() === socketProtocol);
