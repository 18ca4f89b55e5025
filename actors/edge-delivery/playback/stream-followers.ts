/**
 * Holds the streams that this edge follows: one follower for each stream that is watched. It is dropped when nobody has asked for a minute.
 *
 * Bound: the number of streams. At the bound, the follower that was idle longest goes. If all are in use, it throws `OVERLOADED`.
 */
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { StreamId } from '../../../cluster/model/ids.ts';
import type { Metrics } from '../../../cluster/observe/metrics.ts';
import { defaultHoldLimits, type HoldLimits } from './holds.ts';
import { StreamFollower, type FollowerPorts } from './stream-follower.ts';

export interface FollowersOptions extends Omit<FollowerPorts, 'holdLimits'> {
  readonly metrics: Metrics;
  readonly holdLimits?: HoldLimits;
  /** The most streams that are followed at once. By default 2000. */
  readonly maxStreams?: number;
  /** By default 60 s. */
  readonly idleMs?: number;
  /** For how long the index log has been unreachable; 0 while it answers. */
  readonly logDownSeconds: () => number;
  /** For how long a stream of another region has stood still here, as that region cannot be heard; 0 while it can. */
  readonly cutOffSeconds?: (follower: StreamFollower) => number;
}

const defaultMaxStreams = 2000;
const defaultIdleMs = 60_000;
/** A younger follower counts as in use in any case, as its first request may still be on its way. */
const graceMs = 1000;

export class StreamFollowers {
  readonly #options: FollowersOptions;
  readonly #ofEach: FollowerPorts;
  readonly #maxStreams: number;
  readonly #followers = new Map<string, StreamFollower>();
  readonly #publish: () => void;
  #isClosed = false;
  #sweptMs: number;

  constructor(options: FollowersOptions) {
    this.#options = options;
    this.#ofEach = { ...options, holdLimits: options.holdLimits ?? defaultHoldLimits };
    this.#maxStreams = options.maxStreams ?? defaultMaxStreams;
    this.#sweptMs = options.clock.runningMs();
    const streams = options.metrics.gauge({
      name: 'tangaza_edge_streams_followed',
      help: 'Streams whose log this edge folds.',
    });
    const held = options.metrics.gauge({
      name: 'tangaza_edge_held_requests',
      help: 'Requests that wait for the log to go on.',
    });
    this.#publish = () => {
      streams.set(this.#followers.size);
      held.set(this.all().reduce((sum, follower) => sum + follower.heldRequests, 0));
    };
  }

  get(id: string): StreamFollower | undefined {
    return this.#followers.get(id);
  }

  all(): readonly StreamFollower[] {
    return [...this.#followers.values()];
  }

  /** @throws TangazaError `OVERLOADED`; `UNAVAILABLE` when it closes */
  open(id: StreamId): StreamFollower {
    const known = this.#followers.get(id);
    if (known !== undefined) return known;
    if (this.#isClosed) throw new TangazaError('UNAVAILABLE', 'This edge is closing.');
    if (this.#followers.size >= this.#maxStreams) this.#makeRoom();
    const follower = new StreamFollower(id, this.#ofEach);
    this.#followers.set(id, follower);
    return follower;
  }

  /** Follows a stream for what is only nice to know, and keeps it while half of the room is free. Undefined: there is no room for that. */
  openSpare(id: StreamId): StreamFollower | undefined {
    const hasRoom = !this.#isClosed && this.#followers.size < this.#maxStreams / 2;
    const follower = this.get(id) ?? (hasRoom ? this.open(id) : undefined);
    if (hasRoom) follower?.touch();
    return follower;
  }

  drop(id: string): void {
    this.#followers.get(id)?.close();
    this.#followers.delete(id);
  }

  /** Ends waits that took too long, and drops idle followers. To be called a few times a second. */
  sweep(): void {
    const nowMs = this.#options.clock.runningMs();
    const heardMs = this.#options.logDownSeconds() > 0 ? 0 : nowMs - this.#sweptMs;
    this.#sweptMs = nowMs;
    const beforeMs = nowMs - (this.#options.idleMs ?? defaultIdleMs);
    for (const [id, follower] of this.#followers) {
      const isCutOff = (this.#options.cutOffSeconds?.(follower) ?? 0) > 0;
      follower.sweep(isCutOff ? 0 : heardMs);
      if (follower.usedMs() < beforeMs) this.drop(id);
    }
    this.#publish();
  }

  close(): void {
    this.#isClosed = true;
    for (const id of this.#followers.keys()) this.drop(id);
  }

  #makeRoom(): void {
    const oldest = this.all()
      .filter((follower) => follower.heldRequests === 0)
      .toSorted((left, right) => left.usedMs() - right.usedMs())[0];
    const isIdle = oldest !== undefined && oldest.usedMs() < this.#options.clock.runningMs() - graceMs;
    if (!isIdle)
      throw new TangazaError('OVERLOADED', `This edge follows ${this.#maxStreams} streams, all in use.`);
    this.drop(oldest.id);
  }
}
