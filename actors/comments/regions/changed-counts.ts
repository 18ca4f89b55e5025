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
const mostKnown = 5000;

/** Chooses which comments of a stream are to be counted here: each change once when it is seen, and once more after 15 s. */
export class CountsElsewhere {
  readonly #known = new Map<CommentId, { readonly atMs: number; readonly againAtMs: number | undefined }>();

  /** @param found what other regions have counted lately */
  choose(found: readonly ChangedCount[], nowMs: number): readonly CommentId[] {
    const chosen = new Set<CommentId>();
    for (const { id, atMs } of found) {
      const known = this.#known.get(id);
      if (known !== undefined && known.atMs >= atMs) continue;
      this.#known.delete(id);
      this.#known.set(id, { atMs, againAtMs: nowMs + againMs });
      chosen.add(id);
    }
    for (const [id, { atMs, againAtMs }] of this.#known) {
      if (againAtMs === undefined || againAtMs > nowMs) continue;
      this.#known.set(id, { atMs, againAtMs: undefined });
      chosen.add(id);
    }
    for (const [oldest] of this.#known) {
      if (this.#known.size <= mostKnown) break;
      this.#known.delete(oldest);
    }
    return [...chosen];
  }
}
