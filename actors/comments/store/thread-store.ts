/** The port of threads: answers below answers, in the database of the comments (A3). Its writes are those of `CommentStore.add`. */
import type { CommentId } from '../../../cluster/model/ids.ts';
import type { CommentBody, StoredComment } from './comment-store.ts';

/** Where a comment stands in its thread. */
export type ThreadPlace = Pick<CommentBody, 'id' | 'path'>;

export interface ThreadQuery {
  readonly root: CommentId;
  /** Only what hangs directly below that one: siblings. Absent: the whole thread, level by level. */
  readonly parent?: ThreadPlace | undefined;
  /** Exclusive. */
  readonly after?: ThreadPlace | undefined;
  readonly limit: number;
}

export interface ThreadStore {
  /**
   * The answers of a thread, without its root, hidden and held ones among them. The order is that of their depth, which is the length of
   * `path`; within a level, that of their paths and then their ids. So siblings stand together, the oldest first.
   */
  thread(query: ThreadQuery): Promise<readonly StoredComment[]>;
  /** How many answers hang below each, at any depth, without the hidden and the held. Those with none are left out. */
  replies(ids: readonly CommentId[]): Promise<ReadonlyMap<CommentId, number>>;
}
