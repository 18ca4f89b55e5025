/** Reads the comments of a stream page by page, minute after minute. */
import { z } from 'zod';
import type { Database, Value } from '../../../../cluster/cassandra/database.cassandra.ts';
import type { CommentId, StreamId } from '../../../../cluster/model/ids.ts';
import type { Place, StoredComment } from '../comment-store.ts';
import { columns, CommentRow, commentOf, idOf, localOf, minuteOf } from './comment-row.ts';
import type { Minutes } from './minutes.cassandra.ts';

/** Minutes that are read at once grow from one to this, as long as they do not fill the page. */
const mostAtOnce = 16;
const LateRow = z.object({ id: z.string() });

export class CommentPages {
  readonly #database: Pick<Database, 'run'>;
  readonly #minutes: Minutes;

  constructor(database: Pick<Database, 'run'>, minutes: Minutes) {
    this.#database = database;
    this.#minutes = minutes;
  }

  /** Newest first. @param before exclusive */
  async newest(stream: StreamId, limit: number, before?: Place): Promise<readonly StoredComment[]> {
    const fromMs = before?.createdAtMs ?? Number.MAX_SAFE_INTEGER;
    const page = (minute: number, most: number, last?: Place) =>
      this.#minute({ stream, minute, limit: most, isDown: true, beyond: last ?? before });
    return this.#fill(this.#minutes.down(stream, 'written', minuteOf(fromMs)), limit, page);
  }

  /** Oldest first. @param after exclusive */
  async following(stream: StreamId, limit: number, after: Place): Promise<readonly StoredComment[]> {
    const page = (minute: number, most: number, last?: Place) =>
      this.#minute({ stream, minute, limit: most, isDown: false, beyond: last ?? after });
    return this.#fill(
      this.#minutes.up(stream, 'written', Math.max(0, minuteOf(after.createdAtMs))),
      limit,
      page,
    );
  }

  /** All of a minute, in order of writing. */
  async ofMinute(stream: StreamId, minute: number, limit: number): Promise<readonly StoredComment[]> {
    return (await this.#minute({ stream, minute, limit, isDown: false, beyond: undefined })).comments;
  }

  /** What is entered by its time of change in a minute, oldest first. @param sinceMs inclusive */
  async late(
    stream: StreamId,
    minute: number,
    sinceMs: number,
    limit: number,
  ): Promise<readonly CommentId[]> {
    const rows = await this.#database.run(
      'SELECT id, at FROM comments_late WHERE stream = ? AND minute = ? AND at >= ? LIMIT ?',
      [stream, minute, sinceMs, limit],
    );
    return rows.map((row) => idOf(stream, LateRow.parse(row).id));
  }

  async #fill(
    minutes: AsyncGenerator<number>,
    limit: number,
    page: (minute: number, most: number, last?: Place) => Promise<MinutePage>,
  ): Promise<readonly StoredComment[]> {
    const found: StoredComment[] = [];
    let atOnce = 1;
    for await (const group of groupsOf(minutes, () => atOnce)) {
      const pages = await Promise.all(group.map((minute) => page(minute, limit)));
      for (const [index, first] of pages.entries()) {
        let one = first;
        found.push(...one.comments);
        // Rows whose comment has not come count for the limit of a read, but not for the page.
        while (one.last !== undefined && found.length < limit) {
          one = await page(group[index] ?? 0, limit, one.last);
          found.push(...one.comments);
        }
      }
      if (found.length >= limit) break;
      atOnce = Math.min(atOnce * 2, mostAtOnce);
    }
    return found.slice(0, limit);
  }

  async #minute(asked: MinuteQuery): Promise<MinutePage> {
    const { stream, minute, limit, isDown, beyond } = asked;
    const border = borderOf(minute, beyond, isDown);
    const rows = await this.#database.run(
      `SELECT ${columns} FROM comments_by_stream WHERE stream = ? AND minute = ?${border.where}
       ORDER BY created_at ${isDown ? 'DESC' : 'ASC'}, id ${isDown ? 'DESC' : 'ASC'} LIMIT ?`,
      [stream, minute, ...border.values, limit],
    );
    const parsed = rows.map((row) => CommentRow.parse(row));
    const comments = parsed.flatMap((row) => commentOf(stream, row) ?? []);
    const last = parsed.at(-1);
    if (last === undefined || rows.length < limit || comments.length === rows.length)
      return { comments, last: undefined };
    return { comments, last: { createdAtMs: last.created_at.getTime(), id: idOf(stream, last.id) } };
  }
}

interface MinuteQuery {
  readonly stream: StreamId;
  readonly minute: number;
  readonly limit: number;
  readonly isDown: boolean;
  readonly beyond: Place | undefined;
}

interface MinutePage {
  readonly comments: readonly StoredComment[];
  /** Where to read on, as rows were left out; undefined where none was, or nothing is left. */
  readonly last: Place | undefined;
}

/** The part of a minute that lies beyond a place; all of it where the place lies in another minute. */
function borderOf(
  minute: number,
  beyond: Place | undefined,
  isDown: boolean,
): { where: string; values: Value[] } {
  if (beyond === undefined || minuteOf(beyond.createdAtMs) !== minute) return { where: '', values: [] };
  const sign = isDown ? '<' : '>';
  const at = new Date(beyond.createdAtMs);
  return beyond.id === undefined
    ? { where: ` AND created_at ${sign} ?`, values: [at] }
    : { where: ` AND (created_at, id) ${sign} (?, ?)`, values: [at, localOf(beyond.id)] };
}

async function* groupsOf(all: AsyncGenerator<number>, size: () => number): AsyncGenerator<readonly number[]> {
  let group: number[] = [];
  for await (const one of all) {
    group.push(one);
    if (group.length < size()) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}
