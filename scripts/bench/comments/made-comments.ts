/** Comments as rows of the database, as the API would have made them. */
import { randomBytes } from 'node:crypto';
import { commentIdOf } from '../../../actors/comments/ids/comment-id.ts';
import type { CommentBody } from '../../../actors/comments/store/comment-store.ts';
import { ClientId, RegionId, StreamId, UserId } from '../../../cluster/model/ids.ts';

/** A UUID of version 7 (RFC 9562). */
export function clientIdAt(ms: number): ClientId {
  const time = ms.toString(16).padStart(12, '0');
  const random = randomBytes(10).toString('hex');
  return ClientId.parse(
    `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-8${random.slice(3, 6)}-${random.slice(6, 18)}`,
  );
}

export interface MadeComment {
  readonly stream: string;
  readonly number: number;
  readonly createdAtMs: number;
  /** It answers this one. */
  readonly parent?: CommentBody;
}

export function madeComment({ stream, number, createdAtMs, parent }: MadeComment): CommentBody {
  const streamId = StreamId.parse(stream);
  const authorId = UserId.parse(`g-author${number % 1000}`);
  const clientId = clientIdAt(createdAtMs);
  const below =
    parent === undefined
      ? { path: [] }
      : { parentId: parent.id, rootId: parent.rootId ?? parent.id, path: [...parent.path, parent.id] };
  return {
    id: commentIdOf({ streamId, authorId, clientId }),
    streamId,
    author: { id: authorId, name: `Author ${number % 1000}` },
    clientId,
    text: textOf(number),
    createdAtMs,
    ...below,
    region: RegionId.parse('region-1'),
  };
}

/** Of usual length. */
export const textOf = (number: number): string =>
  `Comment ${number}: what a goal, nobody saw that one coming!`;
