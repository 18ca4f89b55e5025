/**
 * The times of changes, in ms with a fraction: those that one opening of the database gives are all different and only grow, also where its
 * clock goes back. It gives none before one that it has read, so who answers a comment comes behind it.
 */
const usInMs = 1000;
/** A clock that is further ahead than this is wrong, and is not followed. */
const mostAheadMs = 5000;

export class Stamps {
  #lastUs = 0;

  next(nowMs: number): number {
    this.#lastUs = Math.max(Math.round(nowMs * usInMs), this.#lastUs + 1);
    return this.#lastUs / usInMs;
  }

  saw(changedAtMs: number, nowMs: number): void {
    if (changedAtMs <= nowMs + mostAheadMs)
      this.#lastUs = Math.max(this.#lastUs, Math.round(changedAtMs * usInMs));
  }
}
