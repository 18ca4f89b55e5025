/**
 * Makes the messages by which sockets are told of comments. As long as a comment and its numbers stay what they are it is the same object,
 * so that thousands of pages that come cost one text of it.
 */
import type { Comment } from '../../../cluster/contract/api/audience-views.ts';
import type { ServerMessage } from '../../../cluster/contract/audience/socket-messages.ts';
import type { StoredComment } from '../store/comment-store.ts';
import type { ToldComment } from './told-comment.ts';

type CommentMessage = Extract<ServerMessage, { comment: Comment }>;

export class ToldMessages {
  readonly #show: (comment: StoredComment) => Comment;
  readonly #made = new WeakMap<StoredComment, CommentMessage>();

  constructor(show: (comment: StoredComment) => Comment) {
    this.#show = show;
  }

  of({ kind, comment }: ToldComment): ServerMessage {
    const type = kind === 'added' ? 'comment' : 'commentUpdated';
    const shown = this.#show(comment);
    const made = this.#made.get(comment);
    const isSame =
      made?.type === type &&
      made.comment.likes === shown.likes &&
      made.comment.replies === shown.replies &&
      made.comment.acknowledged === shown.acknowledged;
    if (isSame) return made;
    const message: CommentMessage = { type, comment: shown };
    this.#made.set(comment, message);
    return message;
  }
}
