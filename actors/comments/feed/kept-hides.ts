/**
 * Hides of comments that are not here yet (A12). They are kept for 10 minutes, 10,000 of them, and are applied to the comment when it comes.
 * When there are more, the oldest goes: the store keeps them as well.
 */
import type { CommentId } from '../../../cluster/model/ids.ts';
import type { Hiding, StoredComment } from '../store/comment-store.ts';
import { isChanged } from './ring.ts';

export const keptHides = 10_000;
export const keptHideMs = 600_000;

interface Kept {
  readonly hiding: Hiding | undefined;
  readonly atMs: number;
  readonly untilMs: number;
}

export class KeptHides {
  readonly #kept = new Map<CommentId, Kept>();

  get size(): number {
    return this.#kept.size;
  }

  /** @param hiding undefined: it is shown again. The later one of two stays. */
  keep(
    id: CommentId,
    { hiding, atMs }: { readonly hiding: Hiding | undefined; readonly atMs: number },
    nowMs: number,
  ): void {
    const there = this.#kept.get(id);
    if (there !== undefined && there.atMs > atMs) return;
    this.#kept.delete(id);
    this.#kept.set(id, { hiding, atMs, untilMs: nowMs + keptHideMs });
    for (const [oldest, { untilMs }] of this.#kept) {
      if (this.#kept.size <= keptHides && untilMs > nowMs) return;
      this.#kept.delete(oldest);
    }
  }

  /** The comment as it is with the hide that was kept for it. What was changed after that hide stays as it is. */
  applied(comment: StoredComment): StoredComment {
    const kept = this.#kept.get(comment.id);
    const { changedAtMs } = comment;
    if (kept === undefined || (isChanged(comment) && kept.atMs < changedAtMs)) return comment;
    return { ...comment, hidden: kept.hiding, changedAtMs: Math.max(kept.atMs, changedAtMs) };
  }
}
