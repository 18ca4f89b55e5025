/**
 * Hides of comments that are not here yet (A12). They are kept for 10 minutes, 10,000 of them, and are applied to the comment when it comes.
 * When there are more, the oldest goes: the store keeps them as well.
 */
import type { CommentId } from '../../../cluster/model/ids.ts';
import type { Hiding, StoredComment } from '../store/comment-store.ts';
import type { HidingChange } from './change.ts';

export const keptHides = 10_000;
export const keptHideMs = 600_000;

/** What a moderator said of a comment. */
export interface HidingAct {
  /** Undefined: it is shown again. */
  readonly hiding: Hiding | undefined;
  /** By the clock that acts go by. */
  readonly moderatedAtMs: number;
}

interface Kept extends HidingAct {
  readonly untilMs: number;
}

export class KeptHides {
  readonly #kept = new Map<CommentId, Kept>();

  get size(): number {
    return this.#kept.size;
  }

  /** Of two acts the later one stays. */
  keep(id: CommentId, { hiding, moderatedAtMs }: HidingAct, nowMs: number): void {
    const there = this.#kept.get(id);
    if (there !== undefined && there.moderatedAtMs > moderatedAtMs) return;
    this.#kept.delete(id);
    this.#kept.set(id, { hiding, moderatedAtMs, untilMs: nowMs + keptHideMs });
    for (const [oldest, { untilMs }] of this.#kept) {
      if (this.#kept.size <= keptHides && untilMs > nowMs) return;
      this.#kept.delete(oldest);
    }
  }

  /** The comment as it is with the hide that was kept for it. */
  applied(comment: StoredComment): StoredComment {
    const kept = this.#kept.get(comment.id);
    return kept === undefined ? comment : moderated(comment, kept);
  }
}

export const hidingActOf = ({ hiding, atMs }: HidingChange): HidingAct => ({
  hiding,
  moderatedAtMs: hiding?.atMs ?? atMs,
});

/** The same comment where a moderator has said something later of it already. Its time of change stays: it is one of the store. */
export function moderated(comment: StoredComment, { hiding, moderatedAtMs }: HidingAct): StoredComment {
  if ((comment.moderatedAtMs ?? -1) >= moderatedAtMs) return comment;
  return { ...comment, hidden: hiding, moderatedAtMs };
}
