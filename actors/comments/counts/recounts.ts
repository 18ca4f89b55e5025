/**
 * When the likes of which comments are counted anew, although nobody says that they have changed (A4). Pure: time goes in.
 *
 * Cassandra keeps a count beside each set. It is behind where another data centre was cut off and took likes of its own, where two nodes
 * counted at once, or where a node died in between. So what was read or liked in the last 10 minutes is counted in turn: a comment that up
 * to 5,000 like each 10 s, one that more like the less often, as counting it costs more, and each within 10 minutes. Those that nobody is
 * known to like get a part of each turn, and what the others leave: few of them change. One that cannot be counted is put off for 10 s, and then
 * for twice as long each time: counting it may be what is too much for the database.
 *
 * Bounds: 6,000 comments, of which those that were used least lately go; 20 in a turn, of which a second has two. So up to 400 have their turn each
 * 10 s, and 6,000 each two and a half minutes.
 */
import type { CommentId } from '../../../cluster/model/ids.ts';

const everyMs = 10_000;
const mostMs = 600_000;
const firstAfterMs = 2000;
/** So many are counted each 10 s. */
const smallLikes = 5000;
const most = 6000;
export const recountedAtOnce = 20;
/** Of these, for comments that nobody is known to like. */
const keptForOthers = 5;

interface Entry {
  readonly usedMs: number;
  readonly dueMs: number;
  /** How often it could not be counted, one time after the other. */
  readonly failures: number;
}

type IsLiked = (id: CommentId) => boolean;

export class Recounts {
  /** In order of use. */
  readonly #entries = new Map<CommentId, Entry>();

  get size(): number {
    return this.#entries.size;
  }

  /** They were read, or somebody liked them. */
  used(ids: readonly CommentId[], nowMs: number): void {
    for (const id of ids) {
      const before = this.#entries.get(id) ?? { dueMs: nowMs + firstAfterMs, failures: 0 };
      this.#entries.delete(id);
      this.#entries.set(id, { ...before, usedMs: nowMs });
    }
    for (const id of this.#entries.keys()) {
      if (this.#entries.size <= most) break;
      this.#entries.delete(id);
    }
  }

  /** To be called each half second. @returns those to count now: the liked ones first, of both the most overdue */
  due(nowMs: number, isLiked: IsLiked): readonly CommentId[] {
    for (const [id, { usedMs }] of this.#entries) {
      if (usedMs > nowMs - mostMs) break;
      this.#entries.delete(id);
    }
    const due = [...this.#entries]
      .filter(([, { dueMs }]) => dueMs <= nowMs)
      .toSorted(([, a], [, b]) => a.dueMs - b.dueMs)
      .map(([id]) => id);
    const others = due.filter((id) => !isLiked(id));
    const kept = Math.min(others.length, keptForOthers);
    const liked = due.filter(isLiked).slice(0, recountedAtOnce - kept);
    return [...liked, ...others.slice(0, recountedAtOnce - liked.length)];
  }

  counted(id: CommentId, likes: number, nowMs: number): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    const waitMs = Math.min(Math.max(1, likes / smallLikes) * everyMs, mostMs);
    this.#entries.set(id, { ...entry, dueMs: nowMs + waitMs, failures: 0 });
  }

  failed(id: CommentId, nowMs: number): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    const { failures } = entry;
    const waitMs = Math.min(everyMs * 2 ** failures, mostMs);
    this.#entries.set(id, { ...entry, dueMs: nowMs + waitMs, failures: failures + 1 });
  }
}
