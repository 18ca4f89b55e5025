/** Where an answer hangs in its thread (A3). */
import type { CommentId } from '../../cluster/model/ids.ts';
import type { CommentBody } from './store/comment-store.ts';

/** Answers hang at most so many levels below the root of their thread. */
export const deepestLevel = 8;

export interface ThreadPlace {
  readonly parentId?: CommentId;
  readonly rootId?: CommentId;
  readonly path: readonly CommentId[];
}

/** Deeper answers hang beside the one that they answer, and keep it as their true parent. */
export function placeBelow(parent: CommentBody | undefined): ThreadPlace {
  if (parent === undefined) return { path: [] };
  const { id, rootId = id, path } = parent;
  return { parentId: id, rootId, path: path.length < deepestLevel ? [...path, id] : path };
}
