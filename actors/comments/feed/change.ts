/** What the comments actor of a node tells the feed, once the store has it (A7). */
import type { CommentMode } from '../../../cluster/contract/api/audience-views.ts';
import type { ReplicatedComment } from '../../../cluster/contract/audience/audience-feed.ts';
import type { allStreams } from '../../../cluster/contract/api/moderation-views.ts';
import type { CommentId, StreamId, UserId } from '../../../cluster/model/ids.ts';
import type { Counted } from '../counts/counts.ts';
import type { Hiding, StoredComment } from '../store/comment-store.ts';

export type Change =
  /** A comment that was not there before. */
  | { readonly kind: 'added'; readonly comment: StoredComment }
  /** It was hidden, shown again, held or released; liked or answered. */
  | { readonly kind: 'changed'; readonly comment: StoredComment }
  /** Hidden, or shown again, where the comment itself is not here yet (A12). */
  | {
      readonly kind: 'hiding';
      readonly streamId: StreamId;
      readonly id: CommentId;
      /** Undefined: shown again. */
      readonly hiding?: Hiding | undefined;
      /** From before it was written, by this region's clock, as the store's times of change are: no later change has an earlier one. */
      readonly atMs: number;
    }
  | { readonly kind: 'mode'; readonly streamId: StreamId; readonly mode: CommentMode }
  /** How many like these, and how many answers are below them, counted anew. */
  | ({ readonly kind: 'counts' } & Counted)
  /** This node has seen them in a second data centre (A6). */
  | {
      readonly kind: 'replicated';
      readonly streamId: StreamId;
      readonly comments: readonly ReplicatedComment[];
    }
  /** Somebody was banned, or is so no more: on a stream, or on `all-streams`. */
  | { readonly kind: 'ban'; readonly streamId: StreamId }
  /** The store has not said whether it took a write: what it has is to be read. */
  | { readonly kind: 'unsure'; readonly streamId: StreamId }
  /** Name and text of all that a user wrote until then are gone, on all streams: no node shows them from now on (A12). */
  | {
      readonly kind: 'erased';
      readonly streamId: typeof allStreams;
      readonly userId: UserId;
      readonly atMs: number;
    };

export type HidingChange = Extract<Change, { readonly kind: 'hiding' }>;

/** The feed as the comments actor sees it. */
export interface ChangeOutlet {
  /**
   * Tells a change to the sockets of this node and to the other nodes, in the order of the calls. It throws nothing. To be called before
   * its author is answered, so that a page reads its own writes.
   */
  told(change: Change): void;
  /** As `told`, of what came from another region: who follows the stream is told, and nobody begins to. */
  found(change: Change): void;
  /** Calls the listener for each change that another node tells: guards count them as their own. @returns a function that ends it */
  onHeard(listener: (change: Change) => void): () => void;
}

/** The stream that a change is about. */
export const streamOf = (change: Change): StreamId =>
  change.kind === 'added' || change.kind === 'changed' ? change.comment.streamId : change.streamId;
