/** Sums of reactions by stream. Whoever takes them begins anew. Bound: streams; of more than that nothing is counted, which is measured. */
import type { ReactionCounts, ReactionKind } from '../../cluster/contract/audience/reactions.ts';
import type { StreamId } from '../../cluster/model/ids.ts';

export class WindowSums {
  readonly #most: number;
  #sums = new Map<StreamId, Map<ReactionKind, number>>();

  constructor(mostStreams: number) {
    this.#most = mostStreams;
  }

  /** @returns false over the bound */
  add(stream: StreamId, kind: ReactionKind, count = 1): boolean {
    const known = this.#sums.get(stream);
    if (known === undefined && this.#sums.size >= this.#most) return false;
    const sums = known ?? new Map<ReactionKind, number>();
    if (known === undefined) this.#sums.set(stream, sums);
    sums.set(kind, (sums.get(kind) ?? 0) + count);
    return true;
  }

  /** @returns what was added since the last call */
  take(): readonly (readonly [StreamId, ReactionCounts])[] {
    const taken = this.#sums;
    this.#sums = new Map();
    return [...taken].map(([stream, sums]) => [stream, Object.fromEntries(sums)]);
  }
}
