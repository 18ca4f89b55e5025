/** What each reader sees of a comment: hidden and held ones are not for everybody (A12). */
import type { Comment, Identity, Permission } from '../../cluster/contract/api/audience-views.ts';
import type { StoredComment } from './store/comment-store.ts';

/** Undefined: somebody of whom nothing is known. */
export type Reader = Identity | undefined;

/** Says whether somebody may do that on a stream: the token may be for another one alone. */
export function hasPermission(
  reader: Reader,
  permission: Permission,
  { streamId }: Pick<StoredComment, 'streamId'>,
): boolean {
  if (reader === undefined || !reader.permissions.includes(permission)) return false;
  return reader.stream === undefined || reader.stream === streamId;
}

/**
 * Says whether a comment stands in a reader's pages. Moderators see all. Held ones are for their authors as well, hidden ones for nobody
 * else.
 */
export function isShownTo(reader: Reader, comment: StoredComment): boolean {
  if (hasPermission(reader, 'comment.hide', comment)) return true;
  if (comment.hidden !== undefined) return false;
  return !comment.isHeld || comment.author.id === reader?.user.id;
}

/** The comment as the API shows it. Of a hidden one only moderators see the text. */
export function viewOf(comment: StoredComment, reader: Reader): Comment {
  const { id, streamId, author, createdAtMs, mediaTime, parentId, rootId, path, region, hidden } = comment;
  const hasText = hidden === undefined || hasPermission(reader, 'comment.hide', comment);
  return {
    id,
    streamId,
    author: { id: author.id, name: author.name, ...(author.isStaff === true && { isStaff: true }) },
    text: hasText ? comment.text : '',
    createdAt: new Date(createdAtMs).toISOString(),
    ...(mediaTime !== undefined && { mediaTime }),
    ...(parentId !== undefined && { parentId, depth: path.length }),
    ...(rootId !== undefined && { rootId }),
    likes: 0,
    hidden: hidden !== undefined,
    ...(comment.isHeld && { isHeld: true }),
    region,
    acknowledged: 'accepted',
  };
}
