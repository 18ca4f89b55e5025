/**
 * Judges each step of a feed's clock: runs on, jitters back, or has jumped (M15).
 *
 * - back by up to 500 ms, or not at all: jitter; the time is snapped to 1 ms after the one before;
 * - further back: the clock was restarted, a jump;
 * - ahead by more than 10 s: a jump, whatever the reason, for no segment should bridge that;
 * - ahead by 1 to 10 s: a hole if the feed had fallen behind the wall clock (an encoder that dropped pictures while its
 *   network stood still), a jump if it is now further ahead of the wall clock than it ever was.
 *
 * Media may lag behind the wall clock by any amount of network, but never lead it by more than before: so the lead's
 * maximum is the measure. It leaks 1 % of the time that passes, so that an encoder whose clock is slow is not for ever
 * measured against its first minute.
 */
export const maxJitterMs = 500;
const maxHoleMs = 10_000;
const maxLeadMs = 1000;
const leak = 0.01;

export type Step =
  | { readonly kind: 'run'; readonly ms: number; readonly isSnapped: boolean }
  | { readonly kind: 'jump'; readonly byMs: number };

export class FeedClock {
  #lastMs: number | undefined;
  #firstLeadMs = 0;
  #leadMs = 0;
  #lastMonotonicMs = 0;

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
      return this.#run(ms, monotonicMs, false);
    }
    const byMs = ms - last;
    if (byMs < -maxJitterMs || byMs > maxHoleMs) return { kind: 'jump', byMs };
    if (byMs > maxLeadMs && lead > this.#leadMs + maxLeadMs) return { kind: 'jump', byMs };
    this.#leadMs = Math.max(lead, this.#leadMs - leak * Math.max(0, monotonicMs - this.#lastMonotonicMs));
    return byMs > 0 ? this.#run(ms, monotonicMs, false) : this.#run(last + 1, monotonicMs, true);
  }

  #run(ms: number, monotonicMs: number, isSnapped: boolean): Step {
    this.#lastMs = ms;
    this.#lastMonotonicMs = monotonicMs;
    return { kind: 'run', ms, isSnapped };
  }
}
