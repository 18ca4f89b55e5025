/**
 * Holds requests that wait for the log: for a manifest before the first commit, or for a segment before its own commit.
 *
 * All requests for the same thing share one promise, so ten thousand waiting players cost ten thousand entries of one promise, and one
 * predicate. Bounds: how many requests are held, and for how many things. Beyond either it throws `OVERLOADED`.
 */
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { Timeline } from '../../media/timeline/timeline.ts';
import type { HttpRequest } from '../http/http.ts';

export interface HoldLimits {
  readonly requests: number;
  readonly things: number;
}

/** Ten thousand players of one stream may wait at its live edge. The next one is sent away for a second. */
export const defaultHoldLimits: HoldLimits = { requests: 10_000, things: 256 };

export type Outcome = 'settled' | 'timeOut' | 'closed';

interface Hold {
  readonly isSettled: (timeline: Timeline) => boolean;
  readonly untilMs: number;
  readonly outcome: Promise<Outcome>;
  readonly resolve: (outcome: Outcome) => void;
}

export class Holds {
  readonly #limits: HoldLimits;
  readonly #holds = new Map<string, Hold>();
  #requests = 0;

  constructor(limits: HoldLimits) {
    this.#limits = limits;
  }

  get requests(): number {
    return this.#requests;
  }

  /**
   * Waits until the timeline satisfies `isSettled`, or until `untilMs` (monotonic) has passed. Requests that wait for the same `key` share
   * the predicate and deadline of the first. It never settles for a request whose client has gone.
   *
   * @throws TangazaError `OVERLOADED`
   */
  async wait(
    request: HttpRequest,
    key: string,
    isSettled: (timeline: Timeline) => boolean,
    untilMs: number,
  ): Promise<Outcome> {
    const isNew = !this.#holds.has(key);
    if (this.#requests >= this.#limits.requests || (isNew && this.#holds.size >= this.#limits.things)) {
      throw new TangazaError('OVERLOADED', 'Too many requests wait for this stream.');
    }
    const hold = this.#holds.get(key) ?? this.#open(key, isSettled, untilMs);
    this.#requests++;
    let isCounted = true;
    const release = (): void => {
      if (isCounted) this.#requests--;
      isCounted = false;
    };
    request.onAbort(release);
    try {
      return await hold.outcome;
    } finally {
      release();
    }
  }

  /** The timeline has grown. */
  advance(timeline: Timeline): void {
    for (const [key, hold] of this.#holds) if (hold.isSettled(timeline)) this.#end(key, hold, 'settled');
  }

  /** Time has passed. */
  expire(nowMs: number): void {
    for (const [key, hold] of this.#holds) if (hold.untilMs <= nowMs) this.#end(key, hold, 'timeOut');
  }

  close(): void {
    for (const [key, hold] of this.#holds) this.#end(key, hold, 'closed');
  }

  #open(key: string, isSettled: (timeline: Timeline) => boolean, untilMs: number): Hold {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const hold = { isSettled, untilMs, outcome: promise, resolve };
    this.#holds.set(key, hold);
    return hold;
  }

  #end(key: string, hold: Hold, outcome: Outcome): void {
    this.#holds.delete(key);
    hold.resolve(outcome);
  }
}
