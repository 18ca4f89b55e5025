/**
 * Buckets that fill at a steady rate and hold a bounded number of turns: one for each of many senders (A11).
 *
 * Of each sender one number is kept: when its bucket will be full again (the generic cell rate algorithm, ITU-T I.371). One that lies further
 * ahead than an empty bucket needs is of before the clock went back, and counts no more. Bound: beyond
 * `most` senders the ones that were heard of least lately are forgotten. `forgotten` counts those whose bucket was not full.
 */
export interface BucketRate {
  /** Turns in a row, from a full bucket. */
  readonly burst: number;
  readonly perSecond: number;
  /** Senders remembered. */
  readonly most: number;
}

export class Buckets {
  readonly #fullAtMs = new Map<string, number>();
  readonly #turnMs: number;
  readonly #emptyMs: number;
  readonly #most: number;
  /** How many senders were forgotten though their bucket was not full. */
  forgotten = 0;

  constructor({ burst, perSecond, most }: BucketRate) {
    this.#turnMs = 1000 / perSecond;
    this.#emptyMs = burst * this.#turnMs;
    this.#most = most;
  }

  /** Takes a turn, if there is one. @returns 0, or in how many ms there will be one */
  take(sender: string, nowMs: number): number {
    const waitMs = this.waitMs(sender, nowMs);
    if (waitMs > 0) return waitMs;
    const fullAtMs = this.#fullAfter(sender, nowMs);
    this.#fullAtMs.delete(sender);
    this.#fullAtMs.set(sender, fullAtMs);
    if (this.#fullAtMs.size > this.#most) this.#forget(nowMs);
    return 0;
  }

  /** In how many ms there is a turn: 0 for now. It stays. */
  waitMs(sender: string, nowMs: number): number {
    return Math.max(0, this.#fullAfter(sender, nowMs) - nowMs - this.#emptyMs);
  }

  /** When the bucket is full again once one more turn is taken. What is kept of before the clock went back counts for nothing. */
  #fullAfter(sender: string, nowMs: number): number {
    const wasFullAtMs = this.#fullAtMs.get(sender) ?? nowMs;
    const isOfNow = wasFullAtMs >= nowMs && wasFullAtMs <= nowMs + this.#emptyMs;
    return (isOfNow ? wasFullAtMs : nowMs) + this.#turnMs;
  }

  get size(): number {
    return this.#fullAtMs.size;
  }

  #forget(nowMs: number): void {
    for (const [sender, fullAtMs] of this.#fullAtMs) {
      const isFull = fullAtMs <= nowMs;
      if (!isFull && this.#fullAtMs.size <= this.#most) return;
      this.#fullAtMs.delete(sender);
      if (!isFull) this.forgotten += 1;
    }
  }
}
