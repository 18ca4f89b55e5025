/**
 * Keeps a flood readable: above 20 comments a second the page shows a sample. Always in it: the viewer's own, answers to one, and staff (A8).
 * The first ones of a second are taken: who reads sees whole bursts rather than a flicker.
 */

export const mostPerSecond = 20;
/** For so long the page says that it shows a sample. */
const saidForMs = 5_000;

export class Flood {
  /** When the shown ones of the last second came. */
  readonly #shownAtMs: number[] = [];
  #leftOut = 0;
  #lastMs = Number.NEGATIVE_INFINITY;

  /** @param isDue whether it must be shown, whatever else comes */
  shows(isDue: boolean, nowMs: number): boolean {
    while (this.#shownAtMs[0] !== undefined && nowMs - this.#shownAtMs[0] >= 1000) this.#shownAtMs.shift();
    if (!isDue && this.#shownAtMs.length >= mostPerSecond) {
      if (!this.isOn(nowMs)) this.#leftOut = 0;
      this.#leftOut += 1;
      this.#lastMs = nowMs;
      return false;
    }
    this.#shownAtMs.push(nowMs);
    return true;
  }

  isOn(nowMs: number): boolean {
    return nowMs - this.#lastMs < saidForMs;
  }

  /** How many were left out since the flood began. */
  get leftOut(): number {
    return this.#leftOut;
  }
}
