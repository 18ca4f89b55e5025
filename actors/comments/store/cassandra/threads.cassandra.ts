/** Threads and likes in Cassandra's tables (A3, A4). */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { SharedRuns } from '../../../../cluster/bounds/shared-runs.ts';
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
const allShards = Array.from({ length: shards }, (_, shard) => shard);
const eachShard = allShards.map((shard) => [shard]);
/** With more users in it a shard is not counted at each like: of a comment that 5,000 like. */
const smallShard = 312;
/** Shards that are known to be large. One that was forgotten is counted once more. */
const mostLarge = 10_000;
/** Comments of one query: a page of 50 would else be a hundred. */
const countedTogether = 10;

const Count = z.object({ count: z.coerce.number() });
const CountOfComment = Count.extend({ comment: CommentId });
const CountOfShard = Count.extend({ shard: z.number() });

interface ShardCount {
  readonly comment: CommentId;
  readonly shard: number;
  readonly count: number;
  readonly beganUs: number;
}
const Liked = z.object({ comment: CommentId });

export class ThreadTables {
  readonly #database: Pick<Database, 'run' | 'runTogether'>;
  readonly #stamp: () => number;
  readonly #counting = new SharedRuns();
  readonly #large = new Set<string>();

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
    return this.#sums(
      'SELECT comment, count(*) AS count FROM shown_answers WHERE comment IN ? GROUP BY comment',
      ids,
    );
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
    return this.#sums('SELECT comment, count FROM like_counts WHERE comment IN ?', ids);
  }

  async likedBy(user: UserId, stream: StreamId, ids: readonly CommentId[]): Promise<ReadonlySet<CommentId>> {
    if (ids.length === 0) return new Set();
    const query = 'SELECT comment FROM likes_by_user WHERE user = ? AND stream = ? AND comment IN ?';
    const rows = await this.#database.run(query, [user, stream, ids]);
    return new Set(rows.map((row) => Liked.parse(row).comment));
  }

  /** Counts all sets anew, and keeps what it finds. A comment that many like is counted shard by shard, so that no query is a long one. */
  recountLikes(ids: readonly CommentId[]): Promise<ReadonlyMap<CommentId, number>> {
    return counted(ids, async (id) => {
      const query = 'SELECT shard, count FROM like_counts WHERE comment = ?';
      const kept = countsIn(await this.#database.run(query, [id]));
      let likes = 0;
      for (const group of kept.values().some((count) => count > smallShard) ? eachShard : [allShards])
        likes += await this.#recount(id, group, kept);
      return likes;
    });
  }

  async #recount(comment: CommentId, group: readonly number[], kept: ReadonlyMap<number, number>) {
    const beganUs = this.#beganUs();
    const query = `SELECT shard, count(*) AS count FROM likes WHERE comment = ? AND shard IN (${group.join(', ')}) GROUP BY comment, shard`;
    const found = countsIn(await this.#database.run(query, [comment]));
    for (const shard of group) {
      const count = found.get(shard) ?? 0;
      if (count !== (kept.get(shard) ?? 0)) await this.#keep({ comment, shard, count, beganUs });
    }
    return found.values().reduce((sum, count) => sum + count, 0);
  }

  /** Counts one shard after a change; one that many are in is counted when its turn comes. */
  async #count(comment: CommentId, shard: number): Promise<void> {
    const key = `${comment} ${shard}`;
    if (this.#large.has(key)) return;
    await this.#counting.run(key, async () => {
      const beganUs = this.#beganUs();
      const query = 'SELECT count(*) AS count FROM likes WHERE comment = ? AND shard = ?';
      const count = countIn(await this.#database.run(query, [comment, shard]));
      await this.#keep({ comment, shard, count, beganUs });
    });
  }

  /** Adds up the rows of each comment. @returns without those that have none */
  async #sums(query: string, ids: readonly CommentId[]): Promise<ReadonlyMap<CommentId, number>> {
    const groups = Array.from({ length: Math.ceil(ids.length / countedTogether) }, (_, index) =>
      ids.slice(index * countedTogether, (index + 1) * countedTogether),
    );
    const rows = await Promise.all(groups.map((group) => this.#database.run(query, [group])));
    const sums = new Map<CommentId, number>();
    for (const row of rows.flat()) {
      const { comment, count } = CountOfComment.parse(row);
      if (count > 0) sums.set(comment, (sums.get(comment) ?? 0) + count);
    }
    return sums;
  }

  readonly #beganUs = (): number => Math.round(this.#stamp() * 1000);

  /** Of two counts that overlap, the one that began later has seen what the other wrote, and stays. */
  async #keep({ comment, shard, count, beganUs }: ShardCount): Promise<void> {
    await this.#database.run(
      'UPDATE like_counts USING TIMESTAMP ? SET count = ? WHERE comment = ? AND shard = ?',
      [beganUs, count, comment, shard],
    );
    const key = `${comment} ${shard}`;
    this.#large.delete(key);
    if (count > smallShard) this.#large.add(key);
    const [oldest] = this.#large;
    if (this.#large.size > mostLarge && oldest !== undefined) this.#large.delete(oldest);
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

const countsIn = (rows: readonly unknown[]): ReadonlyMap<number, number> =>
  new Map(rows.map((row) => CountOfShard.parse(row)).map(({ shard, count }) => [shard, count]));

/** Without those that have none. */
async function counted(
  ids: readonly CommentId[],
  count: (id: CommentId) => Promise<number>,
): Promise<ReadonlyMap<CommentId, number>> {
  const counts = await Promise.all(ids.map(async (id) => [id, await count(id)] as const));
  return new Map(counts.filter(([, number]) => number > 0));
}
