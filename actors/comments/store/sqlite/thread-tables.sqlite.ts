/** Threads and likes in SQLite's tables. Counts are kept with what they count, in one transaction. */
import { CommentId, type StreamId, type UserId } from '../../../../cluster/model/ids.ts';
import type { StoredComment } from '../comment-store.ts';
import type { ThreadQuery } from '../thread-store.ts';
import type { CommentRows } from './comment-rows.sqlite.ts';
import type { CommentDatabase } from './database.sqlite.ts';
import { threadKey } from './rows.sqlite.ts';

/** Behind every digit of an id. */
const behindDigits = 'w';

export class ThreadTables {
  readonly #database: CommentDatabase;
  readonly #rows: CommentRows;

  constructor(database: CommentDatabase, rows: CommentRows) {
    this.#database = database;
    this.#rows = rows;
  }

  thread({ root, parent, after, limit }: ThreadQuery): readonly StoredComment[] {
    if (parent === undefined)
      return this.#rows.page(
        'SELECT * FROM comments WHERE rootId = ? AND (depth, thread) > (?, ?) ORDER BY depth, thread LIMIT ?',
        after === undefined ? [root, 0, ''] : [root, after.path.length, threadKey(after)],
        limit,
      );
    const prefix = threadKey(parent);
    return this.#rows.page(
      'SELECT * FROM comments WHERE rootId = ? AND depth = ? AND thread > ? AND thread < ? ORDER BY thread LIMIT ?',
      [root, parent.path.length + 1, after === undefined ? prefix : threadKey(after), prefix + behindDigits],
      limit,
    );
  }

  replies(ids: readonly CommentId[]): ReadonlyMap<CommentId, number> {
    return this.#counts('replyCounts', ids);
  }

  like(comment: CommentId, user: UserId, on: boolean, atMs: number): void {
    const before = this.#database.one(
      'SELECT isOn, atMs FROM likes WHERE commentId = ? AND userId = ?',
      ...[comment, user],
    );
    const wasOn = before?.['isOn'] === 1;
    if (before !== undefined && (atMs < Number(before['atMs']) || (atMs === before['atMs'] && on))) return;
    this.#database.run(
      'INSERT OR REPLACE INTO likes (commentId, userId, isOn, atMs) VALUES (?, ?, ?, ?)',
      ...[comment, user, Number(on), atMs],
    );
    if (on === wasOn) return;
    this.#database.run(
      'INSERT INTO likeCounts (id, count) VALUES (?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count',
      ...[comment, on ? 1 : -1],
    );
  }

  likes(ids: readonly CommentId[]): ReadonlyMap<CommentId, number> {
    return this.#counts('likeCounts', ids);
  }

  likedBy(user: UserId, _: StreamId, ids: readonly CommentId[]): ReadonlySet<CommentId> {
    const rows = this.#database.all(
      'SELECT commentId FROM json_each(?) JOIN likes ON commentId = value AND userId = ? WHERE isOn = 1',
      ...[JSON.stringify(ids), user],
    );
    return new Set(rows.map((row) => CommentId.parse(row['commentId'])));
  }

  #counts(table: 'replyCounts' | 'likeCounts', ids: readonly CommentId[]): ReadonlyMap<CommentId, number> {
    const rows = this.#database.all(
      `SELECT counted.id, count FROM json_each(?) JOIN ${table} AS counted ON counted.id = value WHERE count > 0`,
      JSON.stringify(ids),
    );
    return new Map(rows.map((row) => [CommentId.parse(row['id']), Number(row['count'])]));
  }
}
