/** What sockets are told of a comment: that it is there, or that it has changed. */
import type { StoredComment } from '../store/comment-store.ts';

export interface ToldComment {
  readonly kind: 'added' | 'changed';
  readonly comment: StoredComment;
}
