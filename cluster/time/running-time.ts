/**
 * How long this process has run: a monotonic time that leaves standstills out (SIGSTOP, a suspended machine, a blocked loop).
 *
 * A process that stood still has heard nobody, so it must hold nobody's silence against him. Every time-out that ends somebody else's
 * connection, session, task or turn is measured by this time. The clock is looked at often, by a timer and by everybody who asks; of
 * what lies between two looks at most `longestStepMs` counts. So a standstill of any length counts as one step, and there is a turn
 * of the event loop, in which sockets are read, before the next one counts.
 *
 * Rejected: to tell each time-out of the standstill afterwards. Whichever timer fires first in a thawed process would judge before
 * it is told.
 */

/** Between two looks by the timer. */
export const lookEveryMs = 50;
/** Of what lies between two looks so much counts at most: a loop that is somewhat late still counts in full. */
export const longestStepMs = 250;

export class RunningTime {
  #seenAtMs: number;
  #ranMs = 0;

  /** @param nowMs of a monotonic clock, standstills included */
  constructor(nowMs: number) {
    this.#seenAtMs = nowMs;
  }

  /** Looks. @returns for how long the process has run since the first look, ms */
  at(nowMs: number): number {
    this.#ranMs += Math.min(Math.max(0, nowMs - this.#seenAtMs), longestStepMs);
    this.#seenAtMs = nowMs;
    return this.#ranMs;
  }
}
