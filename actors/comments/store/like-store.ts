/** The port of likes: for each comment a set of users (A4). The later of two writes wins, so each may be done again. */
import type { CommentId, StreamId, UserId } from '../../../cluster/model/ids.ts';

export interface LikeStore {
  /**
   * Puts a user among those who like a comment, or takes them out. The comment need not be here.
   *
   * @param atMs when they did so: of two writes the later wins; of two at once, the one that takes out
   */
  like(comment: CommentId, user: UserId, on: boolean, atMs: number): Promise<void>;
  /** How many like each. Those that nobody likes are left out. */
  likes(ids: readonly CommentId[]): Promise<ReadonlyMap<CommentId, number>>;
  /** Which of these comments of one stream the user likes. */
  likedBy(user: UserId, stream: StreamId, ids: readonly CommentId[]): Promise<ReadonlySet<CommentId>>;
}
