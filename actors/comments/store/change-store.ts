/** The port of a region's own database of comments, as far as other regions have theirs: what it tells them and takes from them (A14). */
import type { Changes, ChangesQuery } from '../../../cluster/contract/regions/changes.ts';
import type { CommentChange } from '../../../cluster/contract/regions/comments.ts';
import type { CommentId, RegionId, StreamId, UserId } from '../../../cluster/model/ids.ts';
import type { StoredComment } from './comment-store.ts';

/** What came from another region and was another thing here before. */
export interface TakenChanges {
  readonly added: readonly StoredComment[];
  readonly changed: readonly StoredComment[];
  /** Comments whose likes are others. */
  readonly liked: readonly CommentId[];
  /** Whose bans have changed; '' is all of them. */
  readonly banned: readonly (StreamId | '')[];
  readonly modes: readonly StreamId[];
  /** How many changes could not be read: they are left out. */
  readonly refused: number;
}

/** What a user wrote until then is to be empty. */
export interface ErasedUser {
  readonly userId: UserId;
  readonly atMs: number;
}

export interface ChangeStore {
  /** What another region asks for. */
  changes(query: ChangesQuery): Promise<Changes<CommentChange>>;
  /** Another region says up to where it has committed what changed here. */
  noteTaken(region: RegionId, query: ChangesQuery): Promise<void>;
  /** Numbers a part of what was there before changes were numbered. @returns how many rows it came to; 0: all have been numbered */
  numberSome(): Promise<number>;
  /** What to ask another region for. From the first call on, changes are numbered. */
  cursor(region: RegionId): Promise<ChangesQuery>;
  /** Which of these are not done here. */
  unerased(users: readonly ErasedUser[]): Promise<readonly ErasedUser[]>;
  /** Takes an answer and the place of its end in one transaction. @param times UTC of this host: now, and when the answer was asked for */
  takeChanges(
    region: RegionId,
    answer: Changes<CommentChange>,
    times: { readonly nowMs: number; readonly askedAtMs: number },
  ): Promise<TakenChanges>;
  /** Until when all is here that these regions had, by this host's UTC; 0 where one of them was never read to its end. */
  wholeTo(regions: readonly RegionId[]): Promise<number>;
  /** Which of these comments of a stream, that were written within that time, the other region has committed as they are now. */
  takenBy(region: RegionId, stream: StreamId, fromMs: number, toMs: number): Promise<readonly CommentId[]>;
  /** The number of the last change here; 0 for none. */
  lastChange(): Promise<number>;
  /** Which of these regions have not committed yet what has changed here up to that number. */
  behind(regions: readonly RegionId[], seq: number): Promise<readonly RegionId[]>;
}
