/**
 * Which edges are sound for long enough that a viewer who left their region comes back to it: for one TTL of steering (R11). A viewer would
 * else be sent back and forth with an edge that starts again and again. An edge that was always sound since it was first seen is steady.
 *
 * Bound: how many edges are remembered.
 */
import type { EdgeAddress } from '../media/timeline/manifest-options.ts';

const steadyAfterMs = 10_000;
const mostKept = 5000;

export class SteadyEdges {
  /** Since when each edge is sound, in monotonic ms; `undefined` while it is not. Those that are gone are kept until they come back. */
  readonly #since = new Map<string, number | undefined>();

  /** To be called a few times a second. */
  note(edges: readonly EdgeAddress[], isSound: (edge: string) => boolean, nowMs: number): void {
    const all = edges.map(({ id }): string => id);
    const sound = new Set(all.filter(isSound));
    for (const id of [...this.#since.keys(), ...all]) if (!sound.has(id)) this.#since.set(id, undefined);
    for (const id of sound) {
      if (!this.#since.has(id)) this.#since.set(id, -Infinity);
      else if (this.#since.get(id) === undefined) this.#since.set(id, nowMs);
    }
    this.#forget(sound);
  }

  isSteady(edge: string, nowMs: number): boolean {
    if (!this.#since.has(edge)) return true;
    const sinceMs = this.#since.get(edge);
    return sinceMs !== undefined && nowMs - sinceMs >= steadyAfterMs;
  }

  /** Edges that went for good: the ones that were first seen longest ago. */
  #forget(sound: ReadonlySet<string>): void {
    for (const id of this.#since.keys()) {
      if (this.#since.size <= mostKept) return;
      if (!sound.has(id)) this.#since.delete(id);
    }
  }
}
