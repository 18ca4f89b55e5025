/** Bans, reports, what waits for a moderator, the audit, and the erasure of a user, in SQLite's tables (A12). */
import { z } from 'zod';
import { CommentId, StreamId, UserId } from '../../../../cluster/model/ids.ts';
import { clockWindow } from '../../ids/client-id.ts';
import type { AuditRow, Place, StoredComment } from '../comment-store.ts';
import type { ActedOn, Ban, Erasure, ListedState, Report } from '../moderation-store.ts';
import type { CommentRows } from './comment-rows.sqlite.ts';
import type { CommentDatabase, Row } from './database.sqlite.ts';

const mostRows = 1000;
/** How many comments are emptied in one transaction. */
const erasedAtOnce = 200;
/** Of all streams. */
const everywhere = '';

const By = z.union([z.literal('operator'), UserId]);
const BanRow = z.object({
  streamId: z.union([StreamId, z.literal(everywhere)]),
  userId: UserId,
  by: By,
  atMs: z.number(),
  untilMs: z.number().nullable(),
  reason: z.string().nullable(),
});
const AuditCells = z.object({
  streamId: StreamId,
  atMs: z.number(),
  by: By,
  act: z.string(),
  on: z.string(),
  reason: z.string().nullable(),
});

/** As the indexes have them. */
const conditions: Readonly<Record<ListedState, string>> = {
  held: 'isHeld = 1',
  reported: 'reports > 0',
  hidden: '(hiding IS NOT NULL OR withdrawal IS NOT NULL)',
};

/** Of all acts on a comment, here or not. */
const commentActs = `
  SELECT hidingAtMs AS atMs FROM comments WHERE id = ?1 UNION ALL SELECT withdrawalAtMs FROM comments WHERE id = ?1
  UNION ALL SELECT releasedAtMs FROM comments WHERE id = ?1 UNION ALL SELECT hidingAtMs FROM hidesAhead WHERE id = ?1
  UNION ALL SELECT atMs FROM reports WHERE commentId = ?1`;

export class ModerationTables {
  readonly #database: CommentDatabase;
  readonly #rows: CommentRows;

  constructor(database: CommentDatabase, rows: CommentRows) {
    this.#database = database;
    this.#rows = rows;
  }

  lastActMs(on: ActedOn): number {
    return Number(this.#lastAct(on)?.['atMs'] ?? -1);
  }

  ban({ streamId, userId, by, atMs, untilMs, reason }: Ban): void {
    this.#database.run(
      `INSERT INTO bans (streamId, userId, isOn, byId, atMs, untilMs, reason) VALUES (?, ?, 1, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET isOn = 1, byId = excluded.byId, atMs = excluded.atMs, untilMs = excluded.untilMs,
       reason = excluded.reason WHERE atMs <= excluded.atMs`,
      ...[streamId ?? everywhere, userId, by, atMs, untilMs ?? null, reason ?? null],
    );
  }

  unban(user: UserId, stream: StreamId | undefined, atMs: number): void {
    this.#database.run(
      `INSERT INTO bans (streamId, userId, isOn, atMs) VALUES (?, ?, 0, ?)
       ON CONFLICT DO UPDATE SET isOn = 0, atMs = excluded.atMs WHERE atMs < excluded.atMs`,
      ...[stream ?? everywhere, user, atMs],
    );
  }

  banOf(user: UserId, stream: StreamId, nowMs: number): Ban | undefined {
    const condition = `userId = ? AND streamId IN (?, '${everywhere}')`;
    return this.#bans(condition, [user, stream, nowMs, 1], 'streamId DESC')[0];
  }

  bans(stream: StreamId | undefined, nowMs: number, limit: number, after?: UserId): readonly Ban[] {
    const values = [stream ?? everywhere, after ?? '', nowMs, Math.min(limit, mostRows)];
    return this.#bans('streamId = ? AND userId > ?', values, 'userId');
  }

  report(
    { commentId, by, voice, atMs, reason }: Report,
    heldFrom: number,
    nowMs: number,
  ): StoredComment | undefined {
    if (this.#rows.get(commentId) === undefined) return undefined;
    this.#database.run(
      `INSERT INTO reports (commentId, userId, voice, atMs, reason) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
       SET voice = excluded.voice, atMs = excluded.atMs, reason = excluded.reason WHERE atMs < excluded.atMs`,
      ...[commentId, by, voice, atMs, reason ?? null],
    );
    return this.recountReports(commentId, heldFrom, nowMs) ?? this.#rows.get(commentId);
  }

  /** Counts the reports of a comment that is there, and holds it where there are enough. @returns the row, if that changed it */
  recountReports(id: CommentId, heldFrom: number, nowMs: number): StoredComment | undefined {
    const row = this.#database.one('SELECT isHeld, reports, releasedAtMs FROM comments WHERE id = ?', id);
    const reports = this.#reportsSince(id, Number(row?.['releasedAtMs'] ?? -1));
    const isHeld = row?.['isHeld'] === 1 || reports >= heldFrom;
    if (reports === row?.['reports'] && isHeld === (row['isHeld'] === 1)) return undefined;
    return this.#rows.change(id, 'reports = ?, isHeld = ?', [reports, Number(isHeld)], nowMs);
  }

  release(id: CommentId, atMs: number, nowMs: number): StoredComment | undefined {
    const row = this.#database.one('SELECT isHeld, reports, releasedAtMs FROM comments WHERE id = ?', id);
    if (row === undefined) return undefined;
    const releasedAtMs = Math.max(atMs, Number(row['releasedAtMs'] ?? 0));
    const values = [this.#reportsSince(id, releasedAtMs), releasedAtMs];
    return this.#rows.change(id, 'isHeld = 0, reports = ?, releasedAtMs = ?', values, nowMs);
  }

  listed(stream: StreamId, state: ListedState, limit: number, before?: Place): readonly StoredComment[] {
    return this.#rows.page(
      `SELECT * FROM comments WHERE streamId = ? AND ${conditions[state]} AND (createdAtMs, id) < (?, ?)
       ORDER BY createdAtMs DESC, id DESC LIMIT ?`,
      [stream, before?.createdAtMs ?? Number.MAX_SAFE_INTEGER, before?.id ?? ''],
      limit,
    );
  }

  audited(stream: StreamId, limit: number, before?: AuditRow): readonly AuditRow[] {
    const { atMs = Number.MAX_SAFE_INTEGER, by = '', act = '', on = '' } = before ?? {};
    return this.#database
      .all(
        `SELECT streamId, atMs, byId AS "by", act, onId AS "on", reason FROM audit
         WHERE streamId = ? AND (atMs, byId, act, onId) < (?, ?, ?, ?)
         ORDER BY atMs DESC, byId DESC, act DESC, onId DESC LIMIT ?`,
        ...[stream, atMs, by, act, on, Math.min(limit, mostRows)],
      )
      .map((row) => {
        const { reason, ...cells } = AuditCells.parse({ ...row });
        return { ...cells, reason: reason ?? undefined };
      });
  }

  latestOf(author: UserId, stream: StreamId, sinceMs: number, limit: number): readonly StoredComment[] {
    return this.#rows.page(
      `SELECT * FROM comments INDEXED BY commentsByAuthor WHERE authorId = ? AND streamId = ? AND createdAtMs >= ? AND isErased = 0
       ORDER BY createdAtMs DESC, id DESC LIMIT ?`,
      [author, stream, sinceMs],
      limit,
    );
  }

  eraseSome(user: UserId, atMs: number, nowMs: number): Erasure {
    const toMs = atMs + clockWindow.afterMs;
    this.#database.run(
      `INSERT INTO erasedUsers (userId, atMs) VALUES (?, ?) ON CONFLICT DO UPDATE SET atMs = max(atMs, excluded.atMs)`,
      ...[user, toMs],
    );
    this.#database.run('UPDATE reports SET reason = NULL WHERE userId = ? AND reason IS NOT NULL', user);
    const rows = this.#database.all(
      'SELECT id, streamId FROM comments WHERE authorId = ? AND isErased = 0 AND createdAtMs <= ? LIMIT ?',
      ...[user, toMs, erasedAtOnce],
    );
    for (const row of rows) this.#rows.erase(CommentId.parse(row['id']), nowMs);
    return {
      comments: rows.length,
      streams: [...new Set(rows.map((row) => StreamId.parse(row['streamId'])))],
    };
  }

  #lastAct(on: ActedOn): Row | undefined {
    switch (on.kind) {
      case 'comment':
        return this.#database.one(`SELECT max(atMs) AS atMs FROM (${commentActs})`, on.id);
      case 'ban': {
        const sql = 'SELECT atMs FROM bans WHERE streamId = ? AND userId = ?';
        return this.#database.one(sql, on.streamId ?? everywhere, on.userId);
      }
      case 'mode':
        return this.#database.one('SELECT atMs FROM modes WHERE streamId = ?', on.streamId);
      default:
        return on satisfies never;
    }
  }

  #reportsSince(id: CommentId, sinceMs: number): number {
    const row = this.#database.one(
      'SELECT count(DISTINCT coalesce(voice, userId)) AS count FROM reports WHERE commentId = ? AND atMs > ?',
      ...[id, sinceMs],
    );
    return Number(row?.['count']);
  }

  /** Those in force. @param values of the condition, then the time and the limit */
  #bans(condition: string, values: readonly (string | number)[], order: string): readonly Ban[] {
    const rows = this.#database.all(
      `SELECT streamId, userId, byId AS "by", atMs, untilMs, reason FROM bans
       WHERE ${condition} AND isOn = 1 AND (untilMs IS NULL OR untilMs > ?) ORDER BY ${order} LIMIT ?`,
      ...values,
    );
    return rows.map((row) => banOf(row));
  }
}

function banOf(row: Row): Ban {
  const { streamId, untilMs, reason, ...ban } = BanRow.parse({ ...row });
  return {
    ...ban,
    streamId: streamId === everywhere ? undefined : streamId,
    untilMs: untilMs ?? undefined,
    reason: reason ?? undefined,
  };
}
