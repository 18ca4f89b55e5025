/**
 * Regions that share a database tell each other by it whose likes or answers they have counted anew (A4, A7): which comments, and no
 * numbers. Each region counts by its own data centre.
 */
import type { CommentId, StreamId } from '../../../cluster/model/ids.ts';

export interface ChangedCount {
  readonly id: CommentId;
  readonly atMs: number;
}

/** The port. */
export interface ChangedCounts {
  /** This region has counted them. @throws TangazaError as the database throws it */
  note(stream: StreamId, ids: readonly CommentId[], atMs: number): Promise<void>;
  /** What other regions have counted since the minute of that time. @throws TangazaError as the database throws it */
  elsewhereSince(stream: StreamId, sinceMs: number): Promise<readonly ChangedCount[]>;
}

/** How far back a look reaches: what another data centre has may come late. */
export const lookBackMs = 60_000;
/** A like may come from another data centre later than the note of it. */
const againMs = 15_000;
/** A look begins with a minute, and a clock may be ahead. */
const foundForMs = lookBackMs + 120_000;
const mostKnown = 20_000;

/**
 * Chooses which comments of a stream are to be counted here: each change once when it is seen, and once more after 15 s.
 *
 * Bound: 20,000 changes of the last three minutes. Above it the oldest are forgotten, and nothing that is as old is chosen any more: who reads
 * such a comment counts it. So each look chooses what is new, however much it finds.
 */
export class CountsElsewhere {
  #forgottenToMs = -Infinity;
  readonly #known = new Map<CommentId, { readonly atMs: number; readonly againAtMs: number | undefined }>();

  get size(): number {
    return this.#known.size;
  }

  /** @param found what other regions have counted lately */
  choose(found: readonly ChangedCount[], nowMs: number): readonly CommentId[] {
    const chosen = new Set<CommentId>();
    const isNews = ({ id, atMs }: ChangedCount) => atMs > (this.#known.get(id)?.atMs ?? this.#forgottenToMs);
    for (const { id, atMs } of found.filter(isNews).toSorted((a, b) => a.atMs - b.atMs)) {
      this.#known.delete(id);
      this.#known.set(id, { atMs, againAtMs: nowMs + againMs });
      chosen.add(id);
    }
    for (const [id, { atMs, againAtMs }] of this.#known) {
      if (againAtMs === undefined || againAtMs > nowMs) continue;
      this.#known.set(id, { atMs, againAtMs: undefined });
      chosen.add(id);
    }
    this.#forget(nowMs);
    return [...chosen];
  }

  /** What no look can find any more, and what is over the bound. */
  #forget(nowMs: number): void {
    for (const [oldest, { atMs }] of this.#known) {
      const isTooMany = this.#known.size > mostKnown;
      if (!isTooMany && atMs > nowMs - foundForMs) return;
      this.#known.delete(oldest);
      if (isTooMany) this.#forgottenToMs = Math.max(this.#forgottenToMs, atMs);
    }
  }
}
