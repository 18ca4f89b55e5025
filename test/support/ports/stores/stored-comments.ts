/** Rows of comments for tests of what is done with them. */
import type { StoredComment } from '../../../../actors/comments/store/comment-store.ts';
import type { Comment } from '../../../../cluster/contract/api/audience-views.ts';
import { ClientId, CommentId, RegionId, StreamId, UserId } from '../../../../cluster/model/ids.ts';

export const commentStream = StreamId.parse('one');

interface RowShape extends Partial<Pick<StoredComment, 'hidden' | 'isHeld'>> {
  readonly stream?: StreamId;
  readonly number?: number;
  readonly atMs?: number;
  readonly arrivedAtMs?: number;
  readonly changedAtMs?: number;
}

/** A comment that was written at `atMs`; its number makes it another one than those of the same time. */
export function storedComment(shape: RowShape = {}): StoredComment {
  const { stream = commentStream, number = 0, atMs = 1000, hidden, isHeld = false } = shape;
  const arrivedAtMs = shape.arrivedAtMs ?? atMs;
  const tail = number.toString(32).padStart(16, '0');
  const hex = atMs.toString(16).padStart(12, '0');
  return {
    id: CommentId.parse(`${stream}~${atMs.toString(32).padStart(10, '0')}${tail}`),
    streamId: stream,
    author: { id: UserId.parse('g-ada'), name: 'Ada' },
    clientId: ClientId.parse(
      `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${number.toString(16).padStart(12, '0')}`,
    ),
    text: `text ${number}`,
    createdAtMs: atMs,
    path: [],
    region: RegionId.parse('eu'),
    arrivedAtMs,
    changedAtMs: shape.changedAtMs ?? arrivedAtMs,
    isHeld,
    ...(hidden === undefined ? {} : { hidden }),
  };
}

/** Hidden by an operator at that time. */
export const hiddenAt = (comment: StoredComment, atMs: number): StoredComment => ({
  ...comment,
  hidden: { by: 'operator', atMs },
  moderatedAtMs: atMs,
  changedAtMs: atMs,
});

/** Shown again at that time. */
export const shownAt = (comment: StoredComment, atMs: number): StoredComment => ({
  ...comment,
  hidden: undefined,
  moderatedAtMs: atMs,
  changedAtMs: atMs,
});

/** The row as everybody may see it. */
export function shownComment({ id, streamId, author, text, createdAtMs, ...row }: StoredComment): Comment {
  const isHidden = row.hidden !== undefined;
  return {
    id,
    streamId,
    author,
    text: isHidden || row.isHeld ? '' : text,
    createdAt: new Date(createdAtMs).toISOString(),
    likes: 0,
    hidden: isHidden,
    ...(row.isHeld ? { isHeld: true } : {}),
    region: row.region,
    acknowledged: 'accepted',
  };
}
