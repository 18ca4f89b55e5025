/** Comments for tests of the comments' database. */
import type { CommentBody } from '../../../../actors/comments/store/comment-store.ts';
import { ClientId, CommentId, RegionId, StreamId, UserId } from '../../../../cluster/model/ids.ts';

/** In base32 as the product writes it: 48 bits of time, then a number. */
export function commentId(stream: string, createdAtMs: number, number: number): CommentId {
  return CommentId.parse(
    `${stream}~${(createdAtMs * 4).toString(32).padStart(10, '0')}${number.toString(32).padStart(16, '0')}`,
  );
}

export interface BodyShape {
  readonly stream?: StreamId;
  readonly atMs?: number;
  readonly number?: number;
  readonly text?: string;
  readonly name?: string;
  readonly author?: string;
  readonly mediaTime?: number;
  /** It answers this one. */
  readonly to?: CommentBody;
}

/** A comment of a stream. Two of one time and one number have one id. */
export function commentBody(shape: BodyShape = {}): CommentBody {
  const { stream = StreamId.parse('one'), atMs = 1000, number = 0, text, mediaTime, to } = shape;
  const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
  const time = hex(atMs, 12);
  return {
    id: commentId(stream, atMs, number),
    streamId: stream,
    author: { id: UserId.parse(shape.author ?? 'g-ada'), name: shape.name ?? 'Ada' },
    clientId: ClientId.parse(`${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${hex(number, 12)}`),
    text: text ?? `text ${number} of ${atMs}`,
    createdAtMs: atMs,
    region: RegionId.parse('local'),
    ...(mediaTime === undefined ? {} : { mediaTime }),
    ...(to === undefined
      ? { path: [] }
      : { parentId: to.id, rootId: to.rootId ?? to.id, path: [...to.path, to.id].slice(0, 8) }),
  };
}
