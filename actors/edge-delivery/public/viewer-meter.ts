/**
 * Estimates how many people watch a stream at this edge, from the segments that they ask for, as players keep no session here.
 *
 * In the time that a segment lasts, a viewer asks for one video segment (of some rendition), or for one audio segment where there is no
 * video. So the number of viewers is the requests of some seconds, times the length of a segment, divided by those seconds. A viewer who
 * begins asks for a few segments at once. One who leaves is no longer counted after those seconds. Viewers whom a cache in front serves are
 * not counted.
 */
const stepMs = 1000;
const leastWindowSteps = 10;
const mostWindowSteps = 30;
/** So that each viewer is seen a few times in a window. */
const segmentsInWindow = 3;

export class ViewerMeter {
  /** How many segments were asked for. The code that answers them counts. */
  requests = 0;
  /** `requests` at each step, newest last. */
  readonly #steps: number[] = [];
  #nextMs = -Infinity;

  /** To be called a few times a second. */
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
