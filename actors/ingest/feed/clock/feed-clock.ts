/**
 * Judges each step of a feed's clock: does it run on, jitter back, or has it jumped (M15)?
 *
 * - Back by up to 500 ms, or not at all, is jitter. The time is snapped to 1 ms after the one before.
 * - Further back is a jump: the clock was restarted.
 * - Ahead by more than 10 s is a jump, whatever the reason: no segment should bridge that.
 * - Ahead by 1 to 10 s is a hole where the feed had fallen behind the wall clock: an encoder drops pictures while its
 *   network stands still. It is a jump where the feed is now further ahead of the wall clock than it ever was, unless such
 *   steps are usual (slow video), or the feed has just begun: a relay begins with a burst of what it has kept.
 *
 * Media may lag behind the wall clock by any amount of network, but never lead it by more than before. So the maximum of
 * its lead is the measure. It leaks 1 % of the time that passes, so that an encoder whose clock is slow is not measured
 * against its first minute for ever.
 */
export const maxJitterMs = 500;
const maxHoleMs = 10_000;
const maxLeadMs = 1000;
/** A step is usual up to so many of the one before it. */
const usualSteps = 3;
/** A burst with which a feed begins is over by then. */
const youthMs = 2000;
const leak = 0.01;

export type Step =
  | { readonly kind: 'run'; readonly ms: number; readonly isSnapped: boolean }
  | { readonly kind: 'jump'; readonly byMs: number };

export class FeedClock {
  #lastMs: number | undefined;
  #firstLeadMs = 0;
  #leadMs = 0;
  #lastMonotonicMs = 0;
  #lastStepMs = 0;
  #youngUntilMs = -Infinity;
  readonly #isFirst: boolean;

  /** @param isFirst of its feed: not behind a jump, where nothing comes in a burst */
  constructor({ isFirst } = { isFirst: false }) {
    this.#isFirst = isFirst;
  }

  /** The last time given out, snapped. */
  get lastMs(): number | undefined {
    return this.#lastMs;
  }

  /** How far the feed's clock has moved away from the wall clock since the first step; positive is fast. */
  get driftMs(): number {
    return this.#leadMs - this.#firstLeadMs;
  }

  /** A jump changes nothing: whoever takes it begins a new clock with the same time. */
  step(ms: number, monotonicMs: number): Step {
    const last = this.#lastMs;
    const lead = ms - monotonicMs;
    if (last === undefined) {
      this.#firstLeadMs = lead;
      this.#leadMs = lead;
      if (this.#isFirst) this.#youngUntilMs = monotonicMs + youthMs;
      return this.#run(ms, monotonicMs, false);
    }
    const byMs = ms - last;
    if (byMs < -maxJitterMs || byMs > maxHoleMs) return { kind: 'jump', byMs };
    const isUsual = byMs <= usualSteps * this.#lastStepMs || monotonicMs < this.#youngUntilMs;
    if (byMs > maxLeadMs && lead > this.#leadMs + maxLeadMs && !isUsual) return { kind: 'jump', byMs };
    this.#lastStepMs = Math.max(1, byMs);
    this.#leadMs = Math.max(lead, this.#leadMs - leak * Math.max(0, monotonicMs - this.#lastMonotonicMs));
    return byMs > 0 ? this.#run(ms, monotonicMs, false) : this.#run(last + 1, monotonicMs, true);
  }

  #run(ms: number, monotonicMs: number, isSnapped: boolean): Step {
    this.#lastMs = ms;
    this.#lastMonotonicMs = monotonicMs;
    return { kind: 'run', ms, isSnapped };
  }
}
