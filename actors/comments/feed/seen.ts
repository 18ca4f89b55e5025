/**
 * Which versions of a stream's comments this node has told its sockets, so that a comment that comes by an event and by reads of the store
 * is told once (A7).
 *
 * Bounds: 10,000 comments, and 5 minutes. What is forgotten was told: the time up to which something was forgotten is kept, and a read
 * that reaches back beyond it tells nothing of that time again. Where so much is said that younger ones than 5 minutes are forgotten, it is
 * counted how many of each second were. A read that gives more of a second has some that nobody told, and nobody knows which.
 */
import type { CommentId } from '../../../cluster/model/ids.ts';
import type { Version } from './ring.ts';

export const seenSize = 10_000;
export const seenMs = 300_000;
/** Then those that are too old to count go. */
const mostSeconds = 400;

interface Entry extends Version {
  /** Whether the sockets have heard of it. They have not of a comment that is held. */
  readonly isTold: boolean;
}

export class Seen {
  readonly #entries = new Map<CommentId, Entry>();
  /** How many of each second, by their change, had to leave early. */
  readonly #leftEarly = new Map<number, number>();
  #forgottenToMs = -1;
  #oldToMs = -1;

  /** What was not noted and is not later than this was there before anybody listened. */
  begin(oldToMs: number): void {
    this.#oldToMs = Math.max(this.#oldToMs, oldToMs);
    this.#forgetTo(oldToMs);
  }

  /** May this version have been told and forgotten? */
  isForgotten(id: CommentId, { changedAtMs }: Version): boolean {
    return !this.#entries.has(id) && changedAtMs <= this.#forgottenToMs;
  }

  /** Those of forgotten versions that stand in a second of which more are given than were told. Each second is answered once. */
  untold<Row extends Version>(forgotten: readonly Row[], nowMs: number): readonly Row[] {
    const inDoubt = forgotten.filter(
      ({ changedAtMs }) => changedAtMs > this.#oldToMs && changedAtMs >= nowMs - seenMs,
    );
    return [...Map.groupBy(inDoubt, secondOf)].flatMap(([second, rows]) => {
      if (rows.length <= (this.#leftEarly.get(second) ?? 0)) return [];
      this.#leftEarly.set(second, rows.length);
      return rows;
    });
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
      this.#forgetTo(entry.changedAtMs);
      if (entry.changedAtMs >= nowMs - seenMs) this.#countEarly(entry, nowMs);
    }
  }

  #forgetTo(ms: number): void {
    this.#forgottenToMs = Math.max(this.#forgottenToMs, ms);
  }

  #countEarly(entry: Entry, nowMs: number): void {
    const second = secondOf(entry);
    this.#leftEarly.set(second, (this.#leftEarly.get(second) ?? 0) + 1);
    if (this.#leftEarly.size <= mostSeconds) return;
    for (const old of this.#leftEarly.keys())
      if (old < (nowMs - seenMs) / 1000 - 1) this.#leftEarly.delete(old);
  }
}

const secondOf = ({ changedAtMs }: Version): number => Math.floor(changedAtMs / 1000);
