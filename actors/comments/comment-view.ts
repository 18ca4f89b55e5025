/** What each reader sees of a comment: hidden and held ones are not for everybody (A12). */
import type { Comment, Identity } from '../../cluster/contract/api/audience-views.ts';
import { noTally, type Tally } from './counts/counts.ts';
import { mayDo } from './identity/permissions.ts';
import type { StoredComment } from './store/comment-store.ts';

/** Undefined: somebody of whom nothing is known. */
export type Reader = Identity | undefined;

/** Says whether somebody keeps order on the stream of a comment. */
export function isModerator(reader: Reader, { streamId }: Pick<StoredComment, 'streamId'>): boolean {
  return reader !== undefined && mayDo(reader, 'comment.hide', streamId);
}

/**
 * Says whether a comment stands in a reader's pages. Moderators see all but what was erased. Held ones are for their authors as well, hidden ones for nobody
 * else.
 */
export function isShownTo(reader: Reader, comment: StoredComment): boolean {
  if (comment.isErased === true) return false;
  if (isModerator(reader, comment)) return true;
  if (comment.hidden !== undefined) return false;
  return !comment.isHeld || comment.author.id === reader?.user.id;
}

/** What is told beside a comment. */
export interface Told extends Tally {
  readonly likedByMe?: boolean | undefined;
  /** Another region is known to have it (A6). */
  readonly isReplicated?: boolean | undefined;
}

/** A comment that its reader may not see, where answers hang below it. */
export function placeholderOf(comment: StoredComment, tally: Told): Comment {
  const { isHeld: _, ...view } = viewOf(comment, undefined, tally);
  return { ...view, text: '', hidden: true };
}

/** The comment as the API shows it. Of a hidden one only moderators see the text. */
export function viewOf(comment: StoredComment, reader: Reader, told: Told = noTally): Comment {
  const { id, streamId, author, createdAtMs, mediaTime, parentId, rootId, path, region, hidden } = comment;
  const mayAll = isModerator(reader, comment);
  const hasText = hidden === undefined || mayAll;
  return {
    id,
    streamId,
    author: { id: author.id, name: author.name, ...(author.isStaff === true && { isStaff: true }) },
    text: hasText ? comment.text : '',
    createdAt: new Date(createdAtMs).toISOString(),
    ...(mediaTime !== undefined && { mediaTime }),
    ...(parentId !== undefined && { parentId, depth: path.length }),
    ...(rootId !== undefined && { rootId }),
    ...(told.replies > 0 && { replies: told.replies }),
    likes: told.likes,
    ...(told.likedByMe !== undefined && { likedByMe: told.likedByMe }),
    hidden: hidden !== undefined || comment.isErased === true,
    ...(comment.isHeld && { isHeld: true }),
    ...(mayAll && comment.reports !== undefined && { reports: comment.reports }),
    region,
    acknowledged: told.isReplicated === true ? 'replicated' : 'accepted',
  };
}
