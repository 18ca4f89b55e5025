/** Threads and likes in Cassandra's tables (A3, A4). */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Database } from '../../../../cluster/cassandra/database.cassandra.ts';
import { CommentId, type StreamId, type UserId } from '../../../../cluster/model/ids.ts';
import { placeOfComment } from '../../ids/comment-id.ts';
import type { StoredComment } from '../comment-store.ts';
import type { ThreadQuery } from '../thread-store.ts';
import { actAt, columns, CommentRow, commentOf, localOf, threadPathOf } from './comment-row.ts';

/** Behind every digit of an id. */
const behindDigits = 'w';
const levels = 8;
/** A comment that many like would else be one large partition. */
const shards = 16;

const Count = z.object({ count: z.coerce.number() });
const Liked = z.object({ comment: CommentId });

export class ThreadTables {
  readonly #database: Pick<Database, 'run' | 'runTogether'>;
  readonly #stamp: () => number;

  /** @param stamp the time of a change: different, and later, each time */
  constructor(database: Pick<Database, 'run' | 'runTogether'>, stamp: () => number) {
    this.#database = database;
    this.#stamp = stamp;
  }

  async thread({ root, parent, after, limit }: ThreadQuery): Promise<readonly StoredComment[]> {
    if (parent !== undefined) {
      const prefix = threadPathOf(parent);
      const from = after === undefined ? prefix : threadPathOf(after);
      return this.#level(root, { depth: parent.path.length + 1, from, to: prefix + behindDigits, limit });
    }
    const found: StoredComment[] = [];
    for (let depth = after?.path.length ?? 1; depth <= levels && found.length < limit; depth += 1) {
      const from = after?.path.length === depth ? threadPathOf(after) : '';
      const left = limit - found.length;
      found.push(...(await this.#level(root, { depth, from, to: behindDigits, limit: left })));
    }
    return found;
  }

  async replies(ids: readonly CommentId[]): Promise<ReadonlyMap<CommentId, number>> {
    const query = 'SELECT count(*) AS count FROM shown_answers WHERE comment = ?';
    return counted(ids, async (id) => countIn(await this.#database.run(query, [id])));
  }

  async like(comment: CommentId, user: UserId, on: boolean, atMs: number): Promise<void> {
    // Of a row and its deletion at one time, the deletion wins.
    const timestampUs = actAt(atMs, false);
    const { streamId } = placeOfComment(comment);
    const [truth, byUser] = [
      [comment, shardOf(user), user],
      [user, streamId, comment],
    ];
    await this.#database.runTogether(
      on
        ? [
            {
              query: 'INSERT INTO likes (comment, shard, user) VALUES (?, ?, ?) USING TIMESTAMP ?',
              values: [...truth, timestampUs],
            },
            {
              query: 'INSERT INTO likes_by_user (user, stream, comment) VALUES (?, ?, ?) USING TIMESTAMP ?',
              values: [...byUser, timestampUs],
            },
          ]
        : [
            {
              query: 'DELETE FROM likes USING TIMESTAMP ? WHERE comment = ? AND shard = ? AND user = ?',
              values: [timestampUs, ...truth],
            },
            {
              query:
                'DELETE FROM likes_by_user USING TIMESTAMP ? WHERE user = ? AND stream = ? AND comment = ?',
              values: [timestampUs, ...byUser],
            },
          ],
    );
    await this.#count(comment, shardOf(user));
  }

  async likes(ids: readonly CommentId[]): Promise<ReadonlyMap<CommentId, number>> {
    const query = 'SELECT count FROM like_counts WHERE comment = ?';
    return counted(ids, async (id) => countIn(await this.#database.run(query, [id])));
  }

  async likedBy(user: UserId, stream: StreamId, ids: readonly CommentId[]): Promise<ReadonlySet<CommentId>> {
    if (ids.length === 0) return new Set();
    const query = 'SELECT comment FROM likes_by_user WHERE user = ? AND stream = ? AND comment IN ?';
    const rows = await this.#database.run(query, [user, stream, ids]);
    return new Set(rows.map((row) => Liked.parse(row).comment));
  }

  /** Counts one shard after a change. Of two counts that overlap, the one that began later has seen what the other wrote, and stays. */
  async #count(comment: CommentId, shard: number): Promise<void> {
    const beganUs = Math.round(this.#stamp() * 1000);
    const query = 'SELECT count(*) AS count FROM likes WHERE comment = ? AND shard = ?';
    const count = countIn(await this.#database.run(query, [comment, shard]));
    await this.#database.run(
      'UPDATE like_counts USING TIMESTAMP ? SET count = ? WHERE comment = ? AND shard = ?',
      [beganUs, count, comment, shard],
    );
  }

  async #level(
    root: CommentId,
    {
      depth,
      from,
      to,
      limit,
    }: { readonly depth: number; readonly from: string; readonly to: string; readonly limit: number },
  ): Promise<readonly StoredComment[]> {
    const { streamId } = placeOfComment(root);
    const rows = await this.#database.run(
      `SELECT ${columns} FROM comments_by_thread WHERE stream = ? AND root = ? AND depth = ? AND path > ? AND path < ? LIMIT ?`,
      [streamId, localOf(root), depth, from, to, limit],
    );
    return rows.flatMap((row) => commentOf(streamId, CommentRow.parse(row)) ?? []);
  }
}

const shardOf = (user: UserId): number => (createHash('sha256').update(user).digest()[0] ?? 0) % shards;

/** Of several rows, all together. */
const countIn = (rows: readonly unknown[]): number =>
  rows.reduce<number>((sum, row) => sum + Count.parse(row).count, 0);

/** Without those that have none. */
async function counted(
  ids: readonly CommentId[],
  count: (id: CommentId) => Promise<number>,
): Promise<ReadonlyMap<CommentId, number>> {
  const counts = await Promise.all(ids.map(async (id) => [id, await count(id)] as const));
  return new Map(counts.filter(([, number]) => number > 0));
}
