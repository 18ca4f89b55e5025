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

export const bigStream = 'bench-200000';
const filled = { comments: 200_000, answers: 20_000, siblings: 5000 } as const;
const everyMs = 100;
const deepest = 8;
const mostAbove = 1000;

export interface MadeStream {
  readonly comments: readonly CommentBody[];
  readonly root: CommentBody;
  /** It has the siblings below it. */
  readonly parent: CommentBody;
  /** When the first one and the last one were written. */
  readonly beganMs: number;
  readonly endMs: number;
}

/** Ten comments a second up to now; the oldest one has a thread. */
export function madeStream(nowMs: number): MadeStream {
  const beganMs = nowMs - everyMs * filled.comments;
  const made = (number: number, parent?: CommentBody): CommentBody =>
    madeComment({
      stream: bigStream,
      number,
      createdAtMs: beganMs + everyMs * number,
      ...(parent === undefined ? {} : { parent }),
    });
  const root = made(0);
  const parent = made(1, root);
  const comments = [root, parent];
  for (let number = 1; number < filled.comments; number += 1) comments.push(made(number));
  for (let number = 0; number < filled.siblings; number += 1) comments.push(made(number + 2, parent));
  const above = [root];
  for (let number = 0; number < filled.answers - filled.siblings; number += 1) {
    const answer = made(number + 10_000, above[number % above.length]);
    if (answer.path.length < deepest && above.length < mostAbove) above.push(answer);
    comments.push(answer);
  }
  return { comments, root, parent, beganMs, endMs: nowMs };
}
