/**
 * Measures how long this process has run: a monotonic time without standstills (SIGSTOP, a suspended machine, a blocked loop).
 *
 * A process that stood still has heard nobody, so it must not blame others for their silence. Every time-out that ends somebody else's
 * connection, session, task or turn is measured by this time. The clock is read often, by a timer and by each caller. Of the time between
 * two readings at most `longestStepMs` counts. So a standstill of any length counts as one step, and before the next step counts there is a
 * turn of the event loop, in which sockets are read.
 *
 * Rejected: to tell each time-out about a standstill afterwards. Whichever timer fires first in a thawed process would decide before it is
 * told.
 */

/** The time between two readings by the timer. */
export const lookEveryMs = 50;
/** The most that counts of the time between two readings. A loop that is a little late still counts in full. */
export const longestStepMs = 250;

export class RunningTime {
  #seenAtMs: number;
  #ranMs = 0;

  /** @param nowMs the time of a monotonic clock, standstills included */
  constructor(nowMs: number) {
    this.#seenAtMs = nowMs;
  }

  /** Reads the clock. @returns for how many ms the process has run since the first reading */
  at(nowMs: number): number {
    this.#ranMs += Math.min(Math.max(0, nowMs - this.#seenAtMs), longestStepMs);
    this.#seenAtMs = nowMs;
    return this.#ranMs;
  }
}
