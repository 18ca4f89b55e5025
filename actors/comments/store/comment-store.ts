/**
 * The port of the comments' database. SQLite and Cassandra keep it, and pass one contract test.
 *
 * Every write may be done again with the same result: a retry by any way writes the same rows (A2). Order is everywhere (createdAt, id).
 * Each method rejects with `UNAVAILABLE` when the database does not answer in time, `OVERLOADED` when too much waits for it, and
 * `STORE_FULL` when its disk is full.
 */
import type { CommentMode } from '../../../cluster/contract/api/audience-views.ts';
import type { ClientId, CommentId, RegionId, StreamId, UserId } from '../../../cluster/model/ids.ts';

/** What its author sent, and what follows from that: one cell, never changed (A3). */
export interface CommentBody {
  readonly id: CommentId;
  readonly streamId: StreamId;
  readonly author: { readonly id: UserId; readonly name: string; readonly isStaff?: boolean | undefined };
  readonly clientId: ClientId;
  readonly text: string;
  readonly createdAtMs: number;
  readonly mediaTime?: number | undefined;
  readonly parentId?: CommentId | undefined;
  /** Absent for a comment that answers none. */
  readonly rootId?: CommentId | undefined;
  /** The ids from the root down to the comment under which it hangs; at most 8 levels (A3). Empty for a root. */
  readonly path: readonly CommentId[];
  readonly region: RegionId;
}

export interface Hiding {
  readonly by: UserId | 'operator';
  readonly atMs: number;
  readonly reason?: string | undefined;
}

/** A row as it is now. */
export interface StoredComment extends CommentBody {
  /** When the database of this region had it: its first `changedAtMs`. Where that is later now, it was changed since. */
  readonly arrivedAtMs: number;
  /**
   * When this region's database last learnt something of it: its arrival, or the latest time that it was hidden, restored, held or
   * released. Of two versions of a row, the one with the higher number is the later one (A8).
   *
   * It only grows, also where clocks go back. It may have a fraction: in one SQLite file no two are equal.
   */
  readonly changedAtMs: number;
  readonly hidden?: Hiding | undefined;
  /** When a moderator last hid it or showed it again, by the clock that acts go by. Absent where none did. */
  readonly moderatedAtMs?: number | undefined;
  readonly isHeld: boolean;
  /** How many voices reported it since a moderator released it. Absent for none. */
  readonly reports?: number | undefined;
  /** Its author was erased: name and text are empty for good. */
  readonly isErased?: boolean | undefined;
}

export interface Place {
  readonly createdAtMs: number;
  /** Absent: before, or after, all of that millisecond. */
  readonly id?: CommentId | undefined;
}

export interface Added {
  readonly comment: StoredComment;
  readonly isNew: boolean;
  /** Undefined where it was there already, or there are no data centres. */
  readonly keptIn?: string | undefined;
}

export interface CommentStore {
  /**
   * Adds a comment, or finds that it is there.
   *
   * @returns the row as it is there now, and whether this call made it; where several data centres keep copies, the one that is known to have
   * it
   * @throws TangazaError `CONFLICT` when its id stands for another text, parent or media time
   */
  add(body: CommentBody, state: { readonly isHeld: boolean; readonly nowMs: number }): Promise<Added>;
  get(id: CommentId): Promise<StoredComment | undefined>;
  /** Newest first, at most `limit`, hidden and held ones among them. @param before exclusive */
  newest(stream: StreamId, limit: number, before?: Place): Promise<readonly StoredComment[]>;
  /** Oldest first. @param after exclusive */
  following(stream: StreamId, limit: number, after: Place): Promise<readonly StoredComment[]>;
  /**
   * What arrived here, or was changed here, at or after that time: in order of `changedAtMs`, oldest first (A7, A8). Who asks again from
   * the last `changedAtMs` on misses nothing that was acknowledged in between, whichever process wrote it.
   */
  arrivedSince(stream: StreamId, sinceMs: number, limit: number): Promise<readonly StoredComment[]>;
  /**
   * A moderator hides a comment, or shows it again. The later one of two wins; of two at once, the hide.
   *
   * @param hiding undefined shows it again
   * @param atMs when it was shown again, by the clock that acts go by; a hide has its own `atMs`. The time of the change is this database's own
   * @returns the row as it is then; undefined where there is none: a hide is kept for it all the same, for 10 minutes (A12)
   */
  setHidden(id: CommentId, hiding: Hiding | undefined, atMs: number): Promise<StoredComment | undefined>;
  /**
   * Its author takes a comment back, or shows it again. That changes nothing of what moderators said in `setHidden`: what one of them hid stays
   * hidden, also where both act at once. A moderator who shows a comment again ends what its author said before.
   *
   * @param hiding undefined shows it again
   * @returns the row as it is then; undefined where there is none, and then nothing is kept
   */
  withdraw(id: CommentId, hiding: Hiding | undefined, atMs: number): Promise<StoredComment | undefined>;
  /** How the stream takes comments; undefined where nobody has said. */
  mode(stream: StreamId): Promise<CommentMode | undefined>;
  setMode(stream: StreamId, mode: CommentMode, atMs: number): Promise<void>;
  /** Appends to what moderators did (A12). */
  audit(row: AuditRow): Promise<void>;
  close(): Promise<void>;
}

export interface AuditRow {
  readonly streamId: StreamId;
  readonly atMs: number;
  readonly by: UserId | 'operator';
  readonly act: string;
  /** A comment, a user or a stream. */
  readonly on: string;
  readonly reason?: string | undefined;
}
