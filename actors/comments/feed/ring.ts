/**
 * The newest comments of a stream, in order (createdAt, id), made of events and of the store (A7).
 *
 * Events and reads bring the same comment more than once and in any order; the latest version of it stays. The ring knows from which time
 * on it is complete by arrival: whoever left a page at or after that time is told everything since without the store. A comment that was
 * changed and has no place in the ring is kept beside it, so that a page that shows it hears of it.
 *
 * Bounds: 300 comments, and 1,000 changed ones beside them. What has to leave moves the time from which on the ring is complete. The last 200
 * that left are kept for who reads the store meanwhile.
 */
import type { CommentId, UserId } from '../../../cluster/model/ids.ts';
import type { StoredComment } from '../store/comment-store.ts';

export const ringSize = 300;
export const changedSize = 1000;
export const leftSize = 200;

export class Ring {
  readonly #inOrder: StoredComment[] = [];
  readonly #changed = new Map<CommentId, StoredComment>();
  #completeFromMs = Infinity;
  /** The newest time of what has left. It counts also before the ring begins. */
  #lostToMs = -1;
  /** The last ones that left, in the order in which they did. */
  readonly #left: StoredComment[] = [];
  #leftCount = 0;

  /** Everything that arrived or was changed at or after this time is here. Infinity before the store was read. */
  get completeFromMs(): number {
    return this.#completeFromMs;
  }

  get size(): number {
    return this.#inOrder.length;
  }

  /** How many have left so far. */
  get leftCount(): number {
    return this.#leftCount;
  }

  /** What has left since so many had; undefined where that is more than is kept. */
  leftSince(count: number): readonly StoredComment[] | undefined {
    const since = this.#leftCount - count;
    return since > this.#left.length ? undefined : this.#left.slice(this.#left.length - since);
  }

  /** The store was read from that time on. What it gave, and what was heard since, has been put in. */
  begin(completeFromMs: number): void {
    this.#completeFromMs = Math.max(completeFromMs, Math.floor(this.#lostToMs) + 1);
  }

  get(id: CommentId): StoredComment | undefined {
    return this.#inOrder.findLast((one) => one.id === id) ?? this.#changed.get(id);
  }

  /** Puts a version of a comment in its place. An older version than the one that is there changes nothing. */
  put(comment: StoredComment): void {
    const at = this.#placeOf(comment);
    const there = this.#inOrder[at];
    if (there?.id === comment.id) {
      if (isLater(comment, there)) this.#inOrder[at] = comment;
      return;
    }
    if (at === 0 && this.#inOrder.length >= ringSize) {
      this.#leave(comment);
      return;
    }
    this.#inOrder.splice(at, 0, comment);
    this.#changed.delete(comment.id);
    const oldest = this.#inOrder.length > ringSize ? this.#inOrder.shift() : undefined;
    if (oldest !== undefined) this.#leave(oldest);
  }

  /** The newest comments that everybody may see, in order. */
  newest(limit: number): readonly StoredComment[] {
    return this.#inOrder.filter((one) => !one.isHeld).slice(-limit);
  }

  /** What a user wrote. */
  by(author: UserId): readonly StoredComment[] {
    return [...this.#inOrder, ...this.#changed.values()].filter((one) => one.author.id === author);
  }

  /** What arrived or was changed at or after that time. It is all of that only from `completeFromMs` on. */
  since(ms: number): readonly StoredComment[] {
    return [...this.#inOrder, ...this.#changed.values()].filter((one) => one.changedAtMs >= ms);
  }

  /** Comments that were hidden, shown again, held or released at or after that time, in order of that. */
  changedSince(ms: number): readonly StoredComment[] {
    return this.since(ms).filter(isChanged).toSorted(byChange);
  }

  /** The index of the comment, or of the first one behind it. Most comments are the newest, so it looks from the end. */
  #placeOf(comment: StoredComment): number {
    const before = this.#inOrder.findLastIndex((one) => byPlace(one, comment) < 0);
    return before + 1;
  }

  #leave(comment: StoredComment): void {
    if (isChanged(comment)) this.#keepChanged(comment);
    else this.#lose(comment);
  }

  /** A changed comment without a place: the change is kept, and its arrival is not. */
  #keepChanged(comment: StoredComment): void {
    const there = this.#changed.get(comment.id);
    if (there !== undefined && !isLater(comment, there)) return;
    this.#changed.delete(comment.id);
    this.#changed.set(comment.id, comment);
    const [oldest] = this.#changed.values();
    if (this.#changed.size <= changedSize || oldest === undefined) return;
    this.#changed.delete(oldest.id);
    this.#lose(oldest);
  }

  #lose(comment: StoredComment): void {
    const { changedAtMs } = comment;
    this.#lostToMs = Math.max(this.#lostToMs, changedAtMs);
    this.#completeFromMs = Math.max(this.#completeFromMs, Math.floor(changedAtMs) + 1);
    this.#leftCount += 1;
    this.#left.push(comment);
    if (this.#left.length > leftSize) this.#left.shift();
  }
}

/** The order of comments: (createdAt, id). */
export const byPlace = (a: StoredComment, b: StoredComment): number =>
  a.createdAtMs - b.createdAtMs || (a.id < b.id ? -1 : Number(a.id > b.id));

export const byChange = (a: StoredComment, b: StoredComment): number => a.changedAtMs - b.changedAtMs;

/** A store's times of change only grow, so that of an arrival may be a little later than the arrival itself. */
const arrivalMs = 1000;

/** Was it hidden, shown again, held or released since it arrived? */
export const isChanged = (comment: StoredComment): boolean =>
  !isShown(comment) || comment.changedAtMs - comment.arrivedAtMs >= arrivalMs;

/** What says which of two versions of a comment is the later one. */
export type Version = Pick<StoredComment, 'changedAtMs' | 'hidden' | 'isHeld'>;

/** Is the first of two versions of a comment the later one? Of two changes in one millisecond the one that shows less wins. */
export function isLater(one: Version, other: Version): boolean {
  if (one.changedAtMs !== other.changedAtMs) return one.changedAtMs > other.changedAtMs;
  return isShown(other) && !isShown(one);
}

/** May everybody see it? */
export const isShown = ({ hidden, isHeld }: Pick<Version, 'hidden' | 'isHeld'>): boolean =>
  hidden === undefined && !isHeld;
