/** Where a follower of the index log stands: it is the follower's own, no consumer's (L4 of `index-log.nats.ts`). */
import type { IndexEntry } from '../contract/index-records.ts';

/** What a consumer of the log gave. */
export interface Consumed {
  readonly sequence: number;
  /** Undefined for a record that cannot be read. */
  readonly entry: IndexEntry | undefined;
}

/** Where it stands, and whether it has caught up with what was there when it began. */
export class LogCursor {
  next: number;
  /** What it was given last. */
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

  /** What was there at the call is read when the tail of that moment is. */
  aim(tail: number): void {
    this.#goal ??= tail;
  }

  /** @returns false for what it has already, whatever a consumer sends */
  pass({ sequence, entry }: Consumed): boolean {
    if (sequence < this.next) return false;
    this.next = sequence + 1;
    this.given = entry;
    return true;
  }

  /** True once. */
  catchesUp(): boolean {
    if (this.#isCaughtUp || this.next <= (this.#goal ?? Infinity)) return false;
    this.#isCaughtUp = true;
    return true;
  }
}
