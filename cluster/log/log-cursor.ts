/** Where a follower of the index log stands. The cursor belongs to the follower, not to a consumer (index-log.nats.ts L4). */
import type { IndexEntry } from '../contract/index-records.ts';

/** One message that a consumer of the log gave. */
export interface Consumed {
  readonly sequence: number;
  /** Undefined for a record that cannot be read. */
  readonly entry: IndexEntry | undefined;
}

/** Remembers the follower's place, and whether it has reached the tail of the moment when it began. */
export class LogCursor {
  next: number;
  /** The last record that the follower was given. */
  given: IndexEntry | undefined;
  #goal: number | undefined;
  #isCaughtUp = false;

  constructor(fromSequence: number) {
    this.next = Math.max(1, fromSequence);
  }

  rewind(): void {
    this.next = 1;
    this.given = undefined;
    this.#goal = undefined;
  }

  /** Sets the sequence up to which records existed when the follower began. */
  aim(tail: number): void {
    this.#goal ??= tail;
  }

  /** @returns false for a record that the follower has already, whatever a consumer sends */
  pass({ sequence, entry }: Consumed): boolean {
    if (sequence < this.next) return false;
    this.next = sequence + 1;
    this.given = entry;
    return true;
  }

  /** Answers true once, when the follower has caught up. */
  catchesUp(): boolean {
    if (this.#isCaughtUp || this.next <= (this.#goal ?? Infinity)) return false;
    this.#isCaughtUp = true;
    return true;
  }
}
