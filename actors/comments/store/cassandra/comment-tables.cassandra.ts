/** Reads and writes single comments: all rows that a comment has, and what is changed of them. */
import { z } from 'zod';
import type { Database, Statement, Value } from '../../../../cluster/cassandra/database.cassandra.ts';
import type { CommentId, StreamId } from '../../../../cluster/model/ids.ts';
import type { CommentBody, StoredComment } from '../comment-store.ts';
import type { ListedState } from '../moderation-store.ts';
import {
  actMsOf,
  bodyCell,
  columns,
  CommentRow,
  commentOf,
  keyOf,
  minuteOf,
  sentAt,
  threadKeyOf,
  type CommentKey,
} from './comment-row.ts';
import type { Minutes } from './minutes.cassandra.ts';

/** What arrives later than this after it was written is entered by its arrival as well (A3). */
export const lateAfterMs = 120_000;

/** A row as it is, its comment there or not. */
export interface FoundRow {
  readonly comment: StoredComment | undefined;
  readonly hidden: string | null;
  /** The hide ends by itself, as its comment was not there when it came. */
  readonly endsByItself: boolean;
  readonly releasedAtMs: number;
}

const FoundColumns = CommentRow.extend({ hidden_ttl: z.number().nullable() });
const nothing: FoundRow = { comment: undefined, hidden: null, endsByItself: false, releasedAtMs: -1 };

export interface Arrived {
  /** The time of its first change as well. */
  readonly arrivedAtMs: number;
  readonly isHeld: boolean;
}

interface Act {
  readonly value: string;
  readonly timestampUs: number;
}

/**
 * New values of cells. `hidden` and `withdrawn` have the time of the act, so that of two acts the later one wins; the others that of the change.
 */
export interface Change {
  readonly hidden?: Act & {
    /** After so many seconds it is gone. */
    readonly ttlSeconds?: number | undefined;
  };
  readonly withdrawn?: Act;
  readonly held?: boolean;
  readonly reports?: number;
  readonly released_at?: number;
  readonly body?: string;
}

export class CommentTables {
  readonly #database: Pick<Database, 'run' | 'runTogether'>;
  readonly #minutes: Minutes;

  constructor(database: Pick<Database, 'run' | 'runTogether'>, minutes: Minutes) {
    this.#database = database;
    this.#minutes = minutes;
  }

  async find(id: CommentId): Promise<FoundRow> {
    const { stream, minute, createdAt, local } = keyOf(id);
    const [raw] = await this.#database.run(
      `SELECT ${columns}, TTL(hidden) AS hidden_ttl FROM comments_by_stream
       WHERE stream = ? AND minute = ? AND created_at = ? AND id = ?`,
      [stream, minute, createdAt, local],
    );
    if (raw === undefined) return nothing;
    const row = FoundColumns.parse(raw);
    return {
      comment: commentOf(stream, row),
      hidden: row.hidden,
      endsByItself: row.hidden_ttl !== null,
      releasedAtMs: row.released_at ?? -1,
    };
  }

  /** The latest time that a hide, a restore or a release of it bears, it is here or not; -1 where there was none. */
  async lastActMs(id: CommentId): Promise<number> {
    const { stream, minute, createdAt, local } = keyOf(id);
    const [raw] = await this.#database.run(
      `SELECT ${columns} FROM comments_by_stream WHERE stream = ? AND minute = ? AND created_at = ? AND id = ?`,
      [stream, minute, createdAt, local],
    );
    if (raw === undefined) return -1;
    const { hidden, withdrawn, released_at: releasedAtMs } = CommentRow.parse(raw);
    return Math.max(actMsOf(hidden), actMsOf(withdrawn), releasedAtMs ?? -1);
  }

  /** Those that are there, in this order. */
  async findAll(ids: readonly CommentId[]): Promise<readonly StoredComment[]> {
    const rows = await Promise.all(ids.map((id) => this.find(id)));
    return rows.flatMap(({ comment }) => comment ?? []);
  }

  /**
   * All rows of the comment, or none: it has its place in the stream, in its thread, and among those of its author.
   *
   * @returns the data centre that has them
   */
  async insert(body: CommentBody, { arrivedAtMs, isHeld }: Arrived): Promise<string> {
    const { stream, minute, createdAt, local } = keyOf(body.id);
    const cells = [bodyCell(body), arrivedAtMs, isHeld, arrivedAtMs];
    const timestamp = sentAt(body.createdAtMs);
    const isLate = arrivedAtMs - body.createdAtMs > lateAfterMs;
    const thread = threadKeyOf(body);
    const dataCentre = await this.#database.runTogether([
      {
        query: `INSERT INTO comments_by_stream (stream, minute, created_at, id, body, arrived_at, held, changed_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ?`,
        values: [stream, minute, createdAt, local, ...cells, timestamp],
      },
      {
        query: 'INSERT INTO comments_by_author (author, created_at, stream, id) VALUES (?, ?, ?, ?)',
        values: [body.author.id, createdAt, stream, local],
      },
      ...(thread === undefined
        ? []
        : [
            {
              query: `INSERT INTO comments_by_thread
                      (stream, root, depth, path, created_at, id, body, arrived_at, held, changed_at)
                      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ?`,
              values: [stream, thread.root, thread.depth, thread.path, createdAt, local, ...cells, timestamp],
            },
          ]),
      ...(isHeld ? [listing(body, 'held', true, timestamp)] : answering(body, true, timestamp)),
      ...(isLate ? [lateEntry(stream, local, arrivedAtMs)] : []),
    ]);
    await this.#minutes.enter({ stream, kind: 'written', minute }, dataCentre);
    if (isLate)
      await this.#minutes.enter({ stream, kind: 'late', minute: minuteOf(arrivedAtMs) }, dataCentre);
    return dataCentre;
  }

  /** For who finds a comment there that nobody may have heard of: whoever wrote it may have died before its minute was entered. */
  async enterMinute(id: CommentId): Promise<void> {
    const { stream, minute } = keyOf(id);
    await this.#minutes.enter({ stream, kind: 'written', minute }, undefined);
  }

  /**
   * Changes every row of a comment, and tells of it by the time of the change.
   *
   * @param there the comment, whose thread has a row as well; undefined where it has not come
   */
  async change(
    id: CommentId,
    there: StoredComment | undefined,
    change: Change,
    changedAtMs: number,
  ): Promise<void> {
    const key = keyOf(id);
    const { stream, minute, createdAt, local } = key;
    const at = { changedAtMs, timestampUs: changeTimestamp(key, changedAtMs) };
    const own = {
      table: 'comments_by_stream',
      where: 'stream = ? AND minute = ? AND created_at = ? AND id = ?',
      key: [stream, minute, createdAt, local],
    };
    const thread = there === undefined ? undefined : threadKeyOf(there);
    const inThread = {
      table: 'comments_by_thread',
      where: 'stream = ? AND root = ? AND depth = ? AND path = ?',
      key: thread === undefined ? [] : [stream, thread.root, thread.depth, thread.path],
    };
    const dataCentre = await this.#database.runTogether([
      ...updates(own, change, at),
      ...(thread === undefined ? [] : updates(inThread, change, at)),
      ...(there === undefined ? [] : [lateEntry(stream, local, changedAtMs)]),
    ]);
    if (there === undefined) return;
    await this.#minutes.enter({ stream, kind: 'late', minute: minuteOf(changedAtMs) }, dataCentre);
  }

  /** Enters a changed comment where moderators look for it, and counts it among the answers of those above it, as it is now. */
  async enter(comment: StoredComment): Promise<void> {
    const timestampUs = changeTimestamp(keyOf(comment.id), comment.changedAtMs);
    const { isHeld, hidden, reports } = comment;
    await this.#database.runTogether([
      listing(comment, 'held', isHeld, timestampUs),
      listing(comment, 'hidden', hidden !== undefined, timestampUs),
      listing(comment, 'reported', reports !== undefined, timestampUs),
      ...answering(comment, !isHeld && hidden === undefined, timestampUs),
    ]);
  }
}

/** Behind what its author sent, also where the author's clock is a second ahead. */
const changeTimestamp = ({ createdAt }: CommentKey, changedAtMs: number): number =>
  Math.max(Math.round(changedAtMs * 1000), sentAt(createdAt.getTime()) + 1);

interface RowOf {
  readonly table: string;
  readonly where: string;
  readonly key: readonly Value[];
}

function updates(
  { table, where, key }: RowOf,
  { hidden, withdrawn, ...cells }: Change,
  { changedAtMs, timestampUs }: { readonly changedAtMs: number; readonly timestampUs: number },
): readonly Statement[] {
  const ttl = hidden?.ttlSeconds;
  const [using, told] = ttl === undefined ? ['', []] : ['TTL ? AND ', [ttl]];
  const changed = Object.entries({ ...cells, changed_at: changedAtMs });
  const hide = {
    query: `UPDATE ${table} USING ${using}TIMESTAMP ? SET hidden = ? WHERE ${where}`,
    values: [...told, hidden?.timestampUs, hidden?.value, ...key],
  };
  const takeBack = {
    query: `UPDATE ${table} USING TIMESTAMP ? SET withdrawn = ? WHERE ${where}`,
    values: [withdrawn?.timestampUs, withdrawn?.value, ...key],
  };
  return [
    ...(hidden === undefined ? [] : [hide]),
    ...(withdrawn === undefined ? [] : [takeBack]),
    {
      query: `UPDATE ${table} USING ${using}TIMESTAMP ? SET ${changed.map(([cell]) => `${cell} = ?`).join(', ')} WHERE ${where}`,
      values: [...told, timestampUs, ...changed.map(([, value]) => value), ...key],
    },
  ];
}

const lateEntry = (stream: StreamId, local: string, atMs: number): Statement => ({
  query: 'INSERT INTO comments_late (stream, minute, at, id) VALUES (?, ?, ?, ?)',
  values: [stream, minuteOf(atMs), atMs, local],
});

function listing(
  { id }: Pick<CommentBody, 'id'>,
  state: ListedState,
  isIn: boolean,
  timestampUs: number,
): Statement {
  const { stream, createdAt, local } = keyOf(id);
  const values = [stream, state, createdAt, local];
  return isIn
    ? {
        query:
          'INSERT INTO comments_listed (stream, state, created_at, id) VALUES (?, ?, ?, ?) USING TIMESTAMP ?',
        values: [...values, timestampUs],
      }
    : {
        query:
          'DELETE FROM comments_listed USING TIMESTAMP ? WHERE stream = ? AND state = ? AND created_at = ? AND id = ?',
        values: [timestampUs, ...values],
      };
}

/** One entry below each comment above it. */
function answering(
  { id, path }: Pick<CommentBody, 'id' | 'path'>,
  isShown: boolean,
  timestampUs: number,
): readonly Statement[] {
  return path.map((above) =>
    isShown
      ? {
          query: 'INSERT INTO shown_answers (comment, answer) VALUES (?, ?) USING TIMESTAMP ?',
          values: [above, id, timestampUs],
        }
      : {
          query: 'DELETE FROM shown_answers USING TIMESTAMP ? WHERE comment = ? AND answer = ?',
          values: [timestampUs, above, id],
        },
  );
}
