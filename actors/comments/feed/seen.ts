/**
 * Which versions of a stream's comments this node has told its sockets, so that a comment that comes by an event and by reads of the store
 * is told once (A7).
 *
 * Bounds: 10,000 comments, and 5 minutes. What is forgotten was told: the time up to which something was forgotten is kept, and a read
 * that reaches back beyond it tells nothing of that time again.
 */
import type { CommentId } from '../../../cluster/model/ids.ts';
import type { Version } from './ring.ts';

export const seenSize = 10_000;
export const seenMs = 300_000;

interface Entry extends Version {
  /** Whether the sockets have heard of it. They have not of a comment that is held. */
  readonly isTold: boolean;
}

export class Seen {
  readonly #entries = new Map<CommentId, Entry>();
  #forgottenToMs = -1;

  /** What was not noted and is not later than this counts as told before. */
  forgetTo(ms: number): void {
    this.#forgottenToMs = Math.max(this.#forgottenToMs, ms);
  }

  /** May this version have been told and forgotten? */
  isForgotten(id: CommentId, { changedAtMs }: Version): boolean {
    return !this.#entries.has(id) && changedAtMs <= this.#forgottenToMs;
  }

  get(id: CommentId): Entry | undefined {
    return this.#entries.get(id);
  }

  note(id: CommentId, { changedAtMs, hidden, isHeld, isTold }: Entry, nowMs: number): void {
    this.#entries.delete(id);
    this.#entries.set(id, { changedAtMs, hidden, isHeld, isTold });
    for (const [oldest, entry] of this.#entries) {
      if (this.#entries.size <= seenSize && entry.changedAtMs >= nowMs - seenMs) return;
      if (oldest === id) return;
      this.#entries.delete(oldest);
      this.forgetTo(entry.changedAtMs);
    }
  }
}
