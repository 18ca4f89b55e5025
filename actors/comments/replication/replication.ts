/** Which comments another region has as well (A6), as the comments of a node see it. */
import type { CommentId } from '../../../cluster/model/ids.ts';
import type { Change } from '../feed/change.ts';
import type { StoredComment } from '../store/comment-store.ts';

export type ReplicatedChange = Extract<Change, { kind: 'replicated' }>;

export interface Replication {
  /** False where there is one data centre: *accepted* is final then. */
  readonly isOn: boolean;
  /**
   * This node has acknowledged a comment, and looks for it elsewhere from now on.
   *
   * @param keptIn the data centre that has it; undefined where it was there already
   */
  watch(comment: StoredComment, keptIn: string | undefined): void;
  /** True where this node, or another one of the region, has seen it in a second data centre, and remembers it. */
  has(id: CommentId): boolean;
  /** Another node of the region has seen these. */
  heard(change: ReplicatedChange): void;
  /** Looks for what is due. To be called every half second. It never rejects. @param tell is called for what was found */
  look(tell: (change: ReplicatedChange) => void): Promise<void>;
}

/** Of one data centre, or of a file (A14). */
export const noReplication: Replication = {
  isOn: false,
  watch: () => {},
  has: () => false,
  heard: () => {},
  look: async () => {},
};
