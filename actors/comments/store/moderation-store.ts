/** The port of moderation: bans, reports, lists of what waits for a moderator, the audit, the erasure of a user (A12). */
import type { CommentId, StreamId, UserId } from '../../../cluster/model/ids.ts';
import type { AuditRow, Place, StoredComment } from './comment-store.ts';

export interface Ban {
  /** Absent: of all streams. */
  readonly streamId?: StreamId | undefined;
  readonly userId: UserId;
  readonly by: UserId | 'operator';
  readonly atMs: number;
  /** Exclusive, by the clock that acts go by. Absent: for good. */
  readonly untilMs?: number | undefined;
  readonly reason?: string | undefined;
}

export interface Report {
  readonly commentId: CommentId;
  readonly by: UserId;
  /** Whom it speaks for: reports of one comment with one voice count once. */
  readonly voice: string;
  readonly atMs: number;
  readonly reason?: string | undefined;
}

/** A comment that so many different voices have reported is held. */
export const reportsThatHold = 3;

/** What a moderator looks through: what waits for them, what users reported since it was released, what is not shown. */
export type ListedState = 'held' | 'reported' | 'hidden';

/** What is acted on: of two acts on the same, the later one stays (A12). */
export type ActedOn =
  | { readonly kind: 'comment'; readonly id: CommentId }
  /** Of all streams where none is named. */
  | { readonly kind: 'ban'; readonly userId: UserId; readonly streamId: StreamId | undefined }
  | { readonly kind: 'mode'; readonly streamId: StreamId };

export interface Erasure {
  readonly comments: number;
  readonly streams: readonly StreamId[];
}
export const mostErasedStreams = 1000;

export interface ModerationStore {
  /** The latest time that an act on it bears; of a comment a report is one as well. -1 where there was none. */
  lastActMs(on: ActedOn): Promise<number>;
  /** Bans a user, or changes their ban. The later of two acts on a user and a stream wins. */
  ban(ban: Ban): Promise<void>;
  /** Ends a ban: of one stream, or where none is named, of all. */
  unban(user: UserId, stream: StreamId | undefined, atMs: number): Promise<void>;
  /** The ban of a user that counts on a stream now: its own, or that of all streams. */
  banOf(user: UserId, stream: StreamId, nowMs: number): Promise<Ban | undefined>;
  /** The bans in force of one stream, or where none is named, those of all streams: in order of the user's id. @param after exclusive */
  bans(stream: StreamId | undefined, nowMs: number, limit: number, after?: UserId): Promise<readonly Ban[]>;
  /**
   * Keeps a report, one for each user. As soon as that many different voices have reported a comment since it was released, it is held.
   *
   * @returns the row as it is then; undefined where there is none, and then nothing is kept
   */
  report(report: Report, heldFrom: number): Promise<StoredComment | undefined>;
  /** Shows a held comment, and has looked at its reports: those of before count no more. @returns the row as it is then */
  release(id: CommentId, atMs: number): Promise<StoredComment | undefined>;
  /** The comments of a stream in a state, newest first. @param before exclusive */
  listed(
    stream: StreamId,
    state: ListedState,
    limit: number,
    before?: Place,
  ): Promise<readonly StoredComment[]>;
  /** What moderators did on a stream, newest first; rows of one millisecond in falling order of who, what and on whom. @param before exclusive */
  audited(stream: StreamId, limit: number, before?: AuditRow): Promise<readonly AuditRow[]>;
  /** What an author wrote on a stream at or after a time and was not erased, newest first: for a purge (A12). */
  latestOf(
    author: UserId,
    stream: StreamId,
    sinceMs: number,
    limit: number,
  ): Promise<readonly StoredComment[]>;
  /**
   * Empties name and text of all that a user wrote until then, by a clock that may be a second ahead, also of what arrives here later. For
   * good: nothing undoes it, and a retry of a comment brings nothing back. Ids, times, likes and the audit stay.
   *
   * @returns how many comments it emptied, and on which streams: 1,000 of them at most
   */
  eraseUser(user: UserId, atMs: number): Promise<Erasure>;
}
