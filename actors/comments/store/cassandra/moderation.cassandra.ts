/** Bans, lists of what waits for a moderator, the audit, and what an author wrote, in Cassandra's tables (A12). */
import { z } from 'zod';
import type { Database } from '../../../../cluster/cassandra/database.cassandra.ts';
import { StreamId, UserId, type CommentId } from '../../../../cluster/model/ids.ts';
import type { AuditRow, Place, StoredComment } from '../comment-store.ts';
import type { ActedOn, Ban, ListedState, Report } from '../moderation-store.ts';
import { actAt, idOf, localOf } from './comment-row.ts';
import type { CommentTables } from './comment-tables.cassandra.ts';

/** Of all streams: no stream has this id, and no key may be empty. */
const everywhere = '*';
const rowsAtOnce = 500;
/** Of one comment. More users than that hold it as well. */
const mostReports = 5000;
const monthMs = 30 * 86_400_000;
/** The months of a stream's audit are entered as minutes of this day. */
const monthsDay = -3;
const mostMonths = 600;
const lastMs = 8_640_000_000_000_000;

const By = z.union([z.literal('operator'), UserId]);
const BanCell = z.union([
  z.object({ by: By, atMs: z.number(), untilMs: z.number().optional(), reason: z.string().optional() }),
  z.object({ endedAtMs: z.number() }),
]);
const BanRow = z.object({ stream: z.string(), user: UserId, ban: z.string() });
const ReportRow = z.object({ user: z.string(), at: z.number(), voice: z.string().nullable() });
const LastReportRow = z.object({ at: z.number().nullable() });
/** In us. The driver has a class of its own for such numbers. */
const ModeTimeRow = z.object({ us: z.coerce.string().transform(Number) });
const AuditCells = z.object({
  at: z.date(),
  actor: By,
  act: z.string(),
  subject: z.string(),
  reason: z.string().nullable(),
});
const ListedRow = z.object({ id: z.string(), created_at: z.date() });
const WrittenRow = z.object({ stream: StreamId, id: z.string(), created_at: z.date() });
const ErasedRow = z.object({ at: z.number() });
const Month = z.object({ minute: z.number() });

export class ModerationTables {
  readonly #database: Pick<Database, 'run' | 'runTogether'>;
  readonly #tables: CommentTables;

  constructor(database: Pick<Database, 'run' | 'runTogether'>, tables: CommentTables) {
    this.#database = database;
    this.#tables = tables;
  }

  async lastActMs(on: ActedOn): Promise<number> {
    switch (on.kind) {
      case 'comment':
        return Math.max(await this.#tables.lastActMs(on.id), await this.#lastReportMs(on.id));
      case 'ban': {
        const query = 'SELECT stream, user, ban FROM bans_by_user WHERE user = ? AND stream = ?';
        const [row] = await this.#database.run(query, [on.userId, on.streamId ?? everywhere]);
        if (row === undefined) return -1;
        const cell = BanCell.parse(JSON.parse(BanRow.parse(row).ban));
        return 'endedAtMs' in cell ? cell.endedAtMs : cell.atMs;
      }
      case 'mode': {
        const query = 'SELECT WRITETIME(mode) AS us FROM comment_modes WHERE stream = ?';
        const [row] = await this.#database.run(query, [on.streamId]);
        return row === undefined ? -1 : Math.ceil(ModeTimeRow.parse(row).us / 1000);
      }
      default:
        return on satisfies never;
    }
  }

  ban({ streamId, userId, by, atMs, untilMs, reason }: Ban): Promise<void> {
    const cell = { by, atMs, untilMs, reason } satisfies z.input<typeof BanCell>;
    return this.#setBan(userId, streamId, JSON.stringify(cell), actAt(atMs, true));
  }

  unban(user: UserId, stream: StreamId | undefined, nowMs: number): Promise<void> {
    const cell = { endedAtMs: nowMs } satisfies z.input<typeof BanCell>;
    return this.#setBan(user, stream, JSON.stringify(cell), actAt(nowMs, false));
  }

  async banOf(user: UserId, stream: StreamId, nowMs: number): Promise<Ban | undefined> {
    const query = 'SELECT stream, user, ban FROM bans_by_user WHERE user = ? AND stream IN ?';
    const rows = await this.#database.run(query, [user, [stream, everywhere]]);
    const bans = rows.flatMap((row) => banIn(row, nowMs) ?? []);
    return bans.find(({ streamId }) => streamId !== undefined) ?? bans[0];
  }

  async bans(
    stream: StreamId | undefined,
    nowMs: number,
    limit: number,
    after?: UserId,
  ): Promise<readonly Ban[]> {
    const found: Ban[] = [];
    let last: string = after ?? '';
    while (found.length < limit) {
      const rows = await this.#database.run(
        'SELECT stream, user, ban FROM bans_by_stream WHERE stream = ? AND user > ? LIMIT ?',
        [stream ?? everywhere, last, rowsAtOnce],
      );
      found.push(...rows.flatMap((row) => banIn(row, nowMs) ?? []));
      if (rows.length < rowsAtOnce) break;
      last = BanRow.parse(rows.at(-1)).user;
    }
    return found.slice(0, limit);
  }

  /** @returns how many voices have reported it since */
  async report({ commentId, by, voice, atMs }: Report, sinceMs: number): Promise<number> {
    await this.#database.run(
      'UPDATE comment_reports USING TIMESTAMP ? SET at = ?, voice = ? WHERE comment = ? AND user = ?',
      [actAt(atMs, false), atMs, voice, commentId, by],
    );
    return this.reportsSince(commentId, sinceMs);
  }

  async reportsSince(id: CommentId, sinceMs: number): Promise<number> {
    const query = 'SELECT user, at, voice FROM comment_reports WHERE comment = ? LIMIT ?';
    const rows = await this.#database.run(query, [id, mostReports]);
    const reports = rows.map((row) => ReportRow.parse(row)).filter(({ at }) => at > sinceMs);
    return new Set(reports.map(({ user, voice }) => voice ?? user)).size;
  }

  async #lastReportMs(id: CommentId): Promise<number> {
    const query = 'SELECT max(at) AS at FROM comment_reports WHERE comment = ?';
    const [row] = await this.#database.run(query, [id]);
    return row === undefined ? -1 : (LastReportRow.parse(row).at ?? -1);
  }

  async listed(
    stream: StreamId,
    state: ListedState,
    limit: number,
    before?: Place,
  ): Promise<readonly StoredComment[]> {
    const found: StoredComment[] = [];
    let [at, local] = [
      new Date(before?.createdAtMs ?? lastMs),
      before?.id === undefined ? '' : localOf(before.id),
    ];
    while (found.length < limit) {
      const rows = await this.#database.run(
        `SELECT created_at, id FROM comments_listed WHERE stream = ? AND state = ? AND (created_at, id) < (?, ?)
         ORDER BY created_at DESC, id DESC LIMIT ?`,
        [stream, state, at, local, limit],
      );
      const entries = rows.map((row) => ListedRow.parse(row));
      const comments = await this.#tables.findAll(entries.map(({ id }) => idOf(stream, id)));
      found.push(...comments.filter((one) => isIn(one, state)));
      const last = entries.at(-1);
      if (last === undefined || rows.length < limit) break;
      [at, local] = [last.created_at, last.id];
    }
    return found.slice(0, limit);
  }

  async audit({ streamId, atMs, act, on, by, reason }: AuditRow): Promise<void> {
    const month = Math.floor(atMs / monthMs);
    await this.#database.run('INSERT INTO comment_minutes (stream, day, kind, minute) VALUES (?, ?, 0, ?)', [
      streamId,
      monthsDay,
      month,
    ]);
    await this.#database.run(
      'INSERT INTO comment_audit (stream, month, at, actor, act, subject, reason) VALUES (?, ?, ?, ?, ?, ?, ?)',
      [streamId, month, new Date(atMs), by, act, on, reason],
    );
  }

  async audited(stream: StreamId, limit: number, before?: AuditRow): Promise<readonly AuditRow[]> {
    const from = before === undefined ? 2 ** 31 - 1 : Math.floor(before.atMs / monthMs);
    const months = await this.#database.run(
      'SELECT minute FROM comment_minutes WHERE stream = ? AND day = ? AND kind = 0 AND minute <= ? LIMIT ?',
      [stream, monthsDay, from, mostMonths],
    );
    const found: AuditRow[] = [];
    for (const month of months.map((row) => Month.parse(row).minute)) {
      if (found.length >= limit) break;
      const { atMs = lastMs, by = '', act = '', on = '' } = before ?? {};
      const rows = await this.#database.run(
        `SELECT at, actor, act, subject, reason FROM comment_audit
         WHERE stream = ? AND month = ? AND (at, actor, act, subject) < (?, ?, ?, ?) LIMIT ?`,
        [stream, month, new Date(atMs), by, act, on, limit - found.length],
      );
      found.push(...rows.map((row) => auditOf(stream, row)));
    }
    return found;
  }

  /** Newest first. @param fromMs inclusive @param toMs inclusive */
  async *written(author: UserId, fromMs: number, toMs: number): AsyncGenerator<readonly CommentId[]> {
    let to = new Date(toMs);
    const seen = new Set<CommentId>();
    for (;;) {
      const rows = await this.#database.run(
        'SELECT stream, id, created_at FROM comments_by_author WHERE author = ? AND created_at >= ? AND created_at <= ? LIMIT ?',
        [author, new Date(fromMs), to, rowsAtOnce],
      );
      const entries = rows.map((row) => WrittenRow.parse(row));
      const fresh = entries.map(({ stream, id }) => idOf(stream, id)).filter((id) => !seen.has(id));
      for (const id of fresh) seen.add(id);
      yield fresh;
      const last = entries.at(-1);
      if (last === undefined || entries.length < rowsAtOnce || fresh.length === 0) return;
      to = last.created_at;
    }
  }

  async latestOf(
    author: UserId,
    stream: StreamId,
    sinceMs: number,
    limit: number,
  ): Promise<readonly StoredComment[]> {
    const found: StoredComment[] = [];
    for await (const ids of this.written(author, Math.max(0, sinceMs), lastMs)) {
      const own = ids.filter((id) => id.startsWith(`${stream}~`));
      const comments = await this.#tables.findAll(own);
      found.push(...comments.filter(({ isErased }) => isErased !== true));
      if (found.length >= limit) break;
    }
    return found.slice(0, limit);
  }

  /** From now on, what the user wrote until then is emptied when it arrives. */
  async noteErased(user: UserId, nowMs: number): Promise<void> {
    const query = 'UPDATE erased_users USING TIMESTAMP ? SET at = ? WHERE user = ?';
    await this.#database.run(query, [actAt(nowMs, false), nowMs, user]);
  }

  async isErased({ author, createdAtMs }: Pick<StoredComment, 'author' | 'createdAtMs'>): Promise<boolean> {
    const [row] = await this.#database.run('SELECT at FROM erased_users WHERE user = ?', [author.id]);
    return row !== undefined && createdAtMs <= ErasedRow.parse(row).at;
  }

  async #setBan(
    user: UserId,
    stream: StreamId | undefined,
    cell: string,
    timestampUs: number,
  ): Promise<void> {
    const values = [timestampUs, cell, stream ?? everywhere, user];
    await this.#database.runTogether(
      ['bans_by_user', 'bans_by_stream'].map((table) => ({
        query: `UPDATE ${table} USING TIMESTAMP ? SET ban = ? WHERE stream = ? AND user = ?`,
        values,
      })),
    );
  }
}

function isIn({ isHeld, hidden, reports }: StoredComment, state: ListedState): boolean {
  return { held: isHeld, hidden: hidden !== undefined, reported: reports !== undefined }[state];
}

/** @returns undefined for one that is not in force */
function banIn(raw: unknown, nowMs: number): Ban | undefined {
  const { stream, user, ban } = BanRow.parse(raw);
  const cell = BanCell.parse(JSON.parse(ban));
  if ('endedAtMs' in cell || (cell.untilMs ?? Infinity) <= nowMs) return undefined;
  return { ...cell, userId: user, streamId: stream === everywhere ? undefined : StreamId.parse(stream) };
}

function auditOf(streamId: StreamId, raw: unknown): AuditRow {
  const { at, actor, act, subject, reason } = AuditCells.parse(raw);
  return { streamId, atMs: at.getTime(), by: actor, act, on: subject, reason: reason ?? undefined };
}
