/**
 * Who plays a stream, by the sessions that steering hands out (A10).
 *
 * The answer to a player that has no session carries a new one in its RELOAD-URI; nothing is kept of it. A player comes back with it after
 * the TTL of 10 s, wherever that address leads. From then on it counts, at the edge that it asked last: its address also names the
 * edge that has counted it so far, which is told to let go. Whoever has not asked for 25 s, so that one request may be lost, or says that it
 * leaves, has gone. Players that ask for no steering, such as ffmpeg and VLC, are not counted.
 *
 * What does not behave as a player is counted apart, as a suspected robot: it asks far more often than it is told to; it names no pathway
 * that it plays from, as all players do once they play; or it is one of very many of a network. Rejected: to ask whether it has fetched media, as
 * segments carry no session, and it may fetch them from another edge. It is a hint, and nobody is refused for it.
 *
 * Bounds: sessions of this edge, sessions of a network in a stream, and what other edges are told at once. What is over one is not counted.
 */
import type { NodeId, StreamId } from '../../../cluster/model/ids.ts';

export interface PlayerCounts {
  readonly players: number;
  readonly suspectedRobots: number;
}

/** A player that asks for steering. */
export interface Asking {
  readonly session: string;
  readonly stream: StreamId;
  readonly network: string;
  /** Does it say where it plays from? */
  readonly hasPathway: boolean;
}

interface Session {
  readonly stream: StreamId;
  readonly network: string;
  readonly heardMs: number;
  /** When it has asked no more often than a player would have by then. */
  readonly calmAtMs: number;
  readonly isFast: boolean;
  readonly isSuspected: boolean;
}

/** The players of one stream here, by whom they are counted. */
interface Audience {
  suspected: number;
  /** Those of a network that are over what a network has. */
  crowded: number;
  ofAll: number;
  readonly ofNetworks: Map<string, OfNetwork>;
}

interface OfNetwork {
  all: number;
  /** Those that nothing else is said against. */
  plain: number;
}

export interface SessionLimits {
  readonly sessions: number;
  /** Of one network in a stream. */
  readonly ofNetwork: number;
  /** More than that of one network in a stream are suspected. A large school is below it. */
  readonly crowd: number;
  /** What other edges are told at once. */
  readonly moved: number;
}

const defaultLimits: SessionLimits = { sessions: 100_000, ofNetwork: 10_000, crowd: 1000, moved: 20_000 };

export const playerLastsMs = 25_000;
/** Half the TTL, for requests that are repeated after a failure. */
const leastPauseMs = 5000;
const mostAtOnce = 6;

export class PlayerSessions {
  readonly #limits: SessionLimits;
  /** Whoever has not asked for longest comes first. */
  readonly #sessions = new Map<string, Session>();
  readonly #audiences = new Map<StreamId, Audience>();
  #moved = new Map<NodeId, string[]>();
  #movedCount = 0;
  /** How often a session was over a bound. */
  refused = 0;

  constructor(limits: Partial<SessionLimits> = {}) {
    this.#limits = { ...defaultLimits, ...limits };
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** @returns whether it is counted here from now on */
  asked(asking: Asking, nowMs: number): boolean {
    const { session, stream, network, hasPathway } = asking;
    const found = this.#sessions.get(session);
    const before = found?.stream === stream ? found : undefined;
    this.left(session);
    if (!this.#hasRoom(asking)) {
      this.refused += 1;
      return false;
    }
    const calmAtMs = Math.max(before?.calmAtMs ?? nowMs, nowMs) + leastPauseMs;
    const isOver = calmAtMs - nowMs > mostAtOnce * leastPauseMs;
    const isCalm = calmAtMs - nowMs <= leastPauseMs;
    const isFast = isOver || (!isCalm && before?.isFast === true);
    const one = {
      stream,
      network,
      heardMs: nowMs,
      calmAtMs: Math.min(calmAtMs, nowMs + (mostAtOnce + 1) * leastPauseMs),
      isFast,
      isSuspected: isFast || !hasPathway,
    };
    this.#sessions.set(session, one);
    this.#count(one, 1);
    return true;
  }

  /** It stops, or another edge counts it. */
  left(session: string): void {
    const one = this.#sessions.get(session);
    if (one === undefined) return;
    this.#sessions.delete(session);
    this.#count(one, -1);
  }

  /** The stream was removed. */
  removed(stream: StreamId): void {
    for (const [session, one] of this.#sessions) if (one.stream === stream) this.left(session);
  }

  /** Another edge has counted it until now. */
  letGo(edge: NodeId, session: string): void {
    if (this.#movedCount >= this.#limits.moved) {
      this.refused += 1;
      return;
    }
    this.#movedCount += 1;
    const told = this.#moved.get(edge);
    if (told === undefined) this.#moved.set(edge, [session]);
    else told.push(session);
  }

  /** @returns whom other edges are to let go, since the last call */
  takeMoved(): ReadonlyMap<NodeId, readonly string[]> {
    const taken = this.#moved;
    this.#moved = new Map();
    this.#movedCount = 0;
    return taken;
  }

  /** Whoever has not asked for too long has gone. To be called a few times a second. */
  expire(nowMs: number): void {
    for (const [session, { heardMs }] of this.#sessions) {
      if (nowMs - heardMs < playerLastsMs) return;
      this.left(session);
    }
  }

  /** Of each stream that is played. */
  *counts(): Iterable<readonly [StreamId, PlayerCounts]> {
    for (const [stream, { ofAll, suspected, crowded }] of this.#audiences) {
      const suspectedRobots = suspected + crowded;
      yield [stream, { players: ofAll - suspectedRobots, suspectedRobots }];
    }
  }

  #hasRoom({ stream, network }: Asking): boolean {
    const { sessions, ofNetwork } = this.#limits;
    const here = this.#audiences.get(stream)?.ofNetworks.get(network)?.all ?? 0;
    return this.#sessions.size < sessions && here < ofNetwork;
  }

  #count({ stream, network, isSuspected }: Session, by: 1 | -1): void {
    const audience = this.#audiences.get(stream) ?? newAudience();
    const ofNetwork = audience.ofNetworks.get(network) ?? { all: 0, plain: 0 };
    audience.ofAll += by;
    ofNetwork.all += by;
    if (isSuspected) audience.suspected += by;
    else {
      if (Math.max(ofNetwork.plain, ofNetwork.plain + by) > this.#limits.crowd) audience.crowded += by;
      ofNetwork.plain += by;
    }
    if (ofNetwork.all > 0) audience.ofNetworks.set(network, ofNetwork);
    else audience.ofNetworks.delete(network);
    if (audience.ofAll > 0) this.#audiences.set(stream, audience);
    else this.#audiences.delete(stream);
  }
}

const newAudience = (): Audience => ({ suspected: 0, crowded: 0, ofAll: 0, ofNetworks: new Map() });
