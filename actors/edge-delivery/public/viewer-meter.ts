/**
 * How many watch a stream at this edge: an estimate from the segments that they ask for, since players keep no session here.
 *
 * Whoever watches asks for one video segment (of some rendition) in the time that a segment lasts, or for one of audio where
 * there is no video. Over some seconds, requests times the length of a segment is the number of viewers: one that begins asks
 * for a few at once, one that leaves is seen no more after those seconds. Whom a cache in front serves is not seen.
 */
const stepMs = 1000;
const leastWindowSteps = 10;
const mostWindowSteps = 30;
/** So that a window sees each viewer a few times. */
const segmentsInWindow = 3;

export class ViewerMeter {
  /** Segments that were asked for; counted by who answers. */
  requests = 0;
  /** `requests` at each step, newest last. */
  readonly #steps: number[] = [];
  #nextMs = -Infinity;

  /** Called a few times a second. */
  sample(nowMs: number): void {
    if (nowMs < this.#nextMs) return;
    this.#nextMs = nowMs + stepMs;
    this.#steps.push(this.requests);
    if (this.#steps.length > mostWindowSteps + 1) this.#steps.shift();
  }

  viewers(segmentSeconds: number): number {
    const wanted = Math.ceil(segmentSeconds * segmentsInWindow);
    const steps = Math.min(mostWindowSteps, Math.max(leastWindowSteps, wanted));
    const before = this.#steps.at(-steps - 1) ?? 0;
    return Math.round(((this.requests - before) * segmentSeconds * 1000) / (steps * stepMs));
  }
}
