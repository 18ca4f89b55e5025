/**
 * What is remembered of those who comment on a stream: when each has last done so, and what they said lately (A11).
 *
 * Bound: at more than 21,000 authors those that were heard of least lately are forgotten, down to 20,000. `forgotten` counts those of the last
 * minute.
 */
import type { CommentId, StreamId, UserId } from '../../../cluster/model/ids.ts';

export interface Said {
  readonly id: CommentId;
  readonly atMs: number;
  /** What it says, without decoration. */
  readonly gist: string;
}

/** Newest last. */
export type Lately = readonly Said[];

export const authorLimits = { most: 20_000, spare: 1 / 20, said: 4, forgottenAfterMs: 60_000 } as const;

export class Authors {
  readonly #lately = new Map<string, Lately>();
  readonly #most: number;
  /** How many were forgotten that had commented within the last minute. */
  forgotten = 0;

  constructor(most: number = authorLimits.most) {
    this.#most = most;
  }

  lately(stream: StreamId, author: UserId): Lately {
    return this.#lately.get(keyOf(stream, author)) ?? [];
  }

  /** Remembers a comment. One that is remembered already changes nothing. */
  note(stream: StreamId, author: UserId, said: Said): void {
    const lately = this.lately(stream, author);
    if (lately.some(({ id }) => id === said.id)) return;
    const inOrder = [...lately, said].toSorted((a, b) => a.atMs - b.atMs);
    this.#set(keyOf(stream, author), inOrder.slice(-authorLimits.said));
    this.#forget(said.atMs);
  }

  /** A comment did not come about. */
  takeBack(stream: StreamId, author: UserId, comment: CommentId): void {
    const rest = this.lately(stream, author).filter(({ id }) => id !== comment);
    const key = keyOf(stream, author);
    if (rest.length === 0) this.#lately.delete(key);
    else this.#set(key, rest);
  }

  get size(): number {
    return this.#lately.size;
  }

  #set(key: string, lately: Lately): void {
    this.#lately.delete(key);
    this.#lately.set(key, lately);
  }

  /**
   * Many at once, as a map from which many were taken is slow to go through from its beginning. An iterator that stays where it was would keep
   * all that was in the map since.
   */
  #forget(nowMs: number): void {
    if (this.#lately.size <= this.#most * (1 + authorLimits.spare)) return;
    for (const [key, lately] of this.#lately) {
      if (this.#lately.size <= this.#most) return;
      this.#lately.delete(key);
      if ((lately.at(-1)?.atMs ?? 0) > nowMs - authorLimits.forgottenAfterMs) this.forgotten += 1;
    }
  }
}

/** Neither id holds a blank. */
const keyOf = (stream: StreamId, author: UserId): string => `${stream} ${author}`;
