/** Comments, what is hidden of them, modes and the audit, in SQLite's tables: what `CommentStore` promises, call by call. */
import { CommentMode } from '../../../../cluster/contract/api/audience-views.ts';
import { TangazaError } from '../../../../cluster/errors/tangaza-error.ts';
import type { CommentId, StreamId, UserId } from '../../../../cluster/model/ids.ts';
import type { AuditRow, CommentBody, Hiding, Place, StoredComment } from '../comment-store.ts';
import type { CommentRows } from './comment-rows.sqlite.ts';
import type { CommentDatabase, Row } from './database.sqlite.ts';
import { changeAt, hidingCell } from './rows.sqlite.ts';

/** A hide of a comment that is not here yet is kept that long, and that many of them (A12). */
const keptAheadMs = 600_000;
const mostKeptAhead = 10_000;
/** Before and behind every id. */
const lowest = '';
const highest = '\u007F';

export class CommentTables {
  readonly #database: CommentDatabase;
  readonly #rows: CommentRows;

  constructor(database: CommentDatabase, rows: CommentRows) {
    this.#database = database;
    this.#rows = rows;
  }

  add(
    body: CommentBody,
    { isHeld, nowMs }: { readonly isHeld: boolean; readonly nowMs: number },
  ): { readonly comment: StoredComment; readonly isNew: boolean } {
    const there = this.#rows.get(body.id);
    if (there !== undefined) return { comment: mustBeSame(there, body), isNew: false };
    const isErased = this.#isErased(body.author.id, body.createdAtMs);
    const state = { isHeld, isErased, nowMs, ...this.#takeAhead(body.id, nowMs) };
    return { comment: this.#rows.insert(body, state), isNew: true };
  }

  get(id: CommentId): StoredComment | undefined {
    return this.#rows.get(id);
  }

  newest(stream: StreamId, limit: number, before?: Place): readonly StoredComment[] {
    return this.#rows.page(
      `SELECT * FROM comments WHERE streamId = ? AND (createdAtMs, id) < (?, ?)
       ORDER BY createdAtMs DESC, id DESC LIMIT ?`,
      [stream, before?.createdAtMs ?? Number.MAX_SAFE_INTEGER, before?.id ?? lowest],
      limit,
    );
  }

  following(stream: StreamId, limit: number, after: Place): readonly StoredComment[] {
    return this.#rows.page(
      `SELECT * FROM comments WHERE streamId = ? AND (createdAtMs, id) > (?, ?)
       ORDER BY createdAtMs, id LIMIT ?`,
      [stream, after.createdAtMs, after.id ?? highest],
      limit,
    );
  }

  arrivedSince(stream: StreamId, sinceMs: number, limit: number): readonly StoredComment[] {
    return this.#rows.page(
      'SELECT * FROM comments WHERE streamId = ? AND changedAtUs >= ? ORDER BY changedAtUs LIMIT ?',
      [stream, changeAt(sinceMs)],
      limit,
    );
  }

  setHidden(
    id: CommentId,
    hiding: Hiding | undefined,
    atMs: number,
    nowMs: number,
  ): StoredComment | undefined {
    const there = this.#database.one('SELECT hiding, hidingAtMs FROM comments WHERE id = ?', id);
    if (there === undefined) return void this.#keepAhead(id, hiding, atMs, nowMs);
    if (hiding === undefined) this.withdraw(id, undefined, atMs, nowMs);
    if (!isLater(there, hiding, atMs)) return this.#rows.get(id);
    const values = [hidingCell(hiding), hiding?.atMs ?? atMs];
    return this.#rows.change(id, 'hiding = ?, hidingAtMs = ?', values, nowMs);
  }

  withdraw(
    id: CommentId,
    hiding: Hiding | undefined,
    atMs: number,
    nowMs: number,
  ): StoredComment | undefined {
    const there = this.#database.one(
      'SELECT withdrawal AS hiding, withdrawalAtMs AS hidingAtMs FROM comments WHERE id = ?',
      id,
    );
    if (there === undefined) return undefined;
    if (!isLater(there, hiding, atMs)) return this.#rows.get(id);
    const values = [hidingCell(hiding), hiding?.atMs ?? atMs];
    return this.#rows.change(id, 'withdrawal = ?, withdrawalAtMs = ?', values, nowMs);
  }

  mode(stream: StreamId): CommentMode | undefined {
    const row = this.#database.one('SELECT mode, slowSeconds FROM modes WHERE streamId = ?', stream);
    return row === undefined ? undefined : CommentMode.parse({ ...row });
  }

  setMode(stream: StreamId, { mode, slowSeconds }: CommentMode, atMs: number): void {
    this.#database.run(
      `INSERT INTO modes (streamId, mode, slowSeconds, atMs) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE
       SET mode = excluded.mode, slowSeconds = excluded.slowSeconds, atMs = excluded.atMs WHERE atMs <= excluded.atMs`,
      ...[stream, mode, slowSeconds, atMs],
    );
  }

  audit({ streamId, atMs, by, act, on, reason }: AuditRow): void {
    this.#database.run(
      `INSERT INTO audit (streamId, atMs, byId, act, onId, reason) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
      ...[streamId, atMs, by, act, on, reason ?? null],
    );
  }

  #isErased(author: UserId, createdAtMs: number): boolean {
    const erased = this.#database.one('SELECT atMs FROM erasedUsers WHERE userId = ?', author);
    return erased !== undefined && createdAtMs <= Number(erased['atMs']);
  }

  #keepAhead(id: CommentId, hiding: Hiding | undefined, atMs: number, nowMs: number): void {
    this.#database.run('DELETE FROM hidesAhead WHERE keptAtMs <= ?', nowMs - keptAheadMs);
    const there = this.#database.one('SELECT hiding, hidingAtMs FROM hidesAhead WHERE id = ?', id);
    if (there !== undefined && !isLater(there, hiding, atMs)) return;
    this.#database.run(
      'INSERT OR REPLACE INTO hidesAhead (id, hiding, hidingAtMs, keptAtMs) VALUES (?, ?, ?, ?)',
      ...[id, hidingCell(hiding), hiding?.atMs ?? atMs, nowMs],
    );
    this.#database.run(
      `DELETE FROM hidesAhead WHERE id IN (SELECT id FROM hidesAhead ORDER BY keptAtMs DESC LIMIT -1 OFFSET ${mostKeptAhead})`,
    );
  }

  /** What was said of a comment before it was here. It ends there. */
  #takeAhead(
    id: CommentId,
    nowMs: number,
  ): { readonly hiding: string | null; readonly hidingAtMs: number | null } {
    const ahead = this.#database.one('SELECT * FROM hidesAhead WHERE id = ?', id);
    if (ahead === undefined) return { hiding: null, hidingAtMs: null };
    this.#database.run('DELETE FROM hidesAhead WHERE id = ?', id);
    if (Number(ahead['keptAtMs']) <= nowMs - keptAheadMs) return { hiding: null, hidingAtMs: null };
    const { hiding } = ahead;
    return { hiding: typeof hiding === 'string' ? hiding : null, hidingAtMs: Number(ahead['hidingAtMs']) };
  }
}

/** The later act wins, whatever the order in which they come. Of two at once, the hide does. */
function isLater(row: Row, hiding: Hiding | undefined, atMs: number): boolean {
  if (row['hidingAtMs'] === null) return true;
  const [before, now] = [Number(row['hidingAtMs']), hiding?.atMs ?? atMs];
  return now > before || (now === before && hiding !== undefined && row['hiding'] === null);
}

/** A retry is the same comment. Another text under its id is none (A2). Of an erased one nobody knows the text any more. */
function mustBeSame(there: StoredComment, body: CommentBody): StoredComment {
  const isSame =
    there.text === body.text && there.parentId === body.parentId && there.mediaTime === body.mediaTime;
  if (isSame || there.isErased === true) return there;
  throw new TangazaError(
    'CONFLICT',
    'There is another comment with this clientId: make a new clientId for each comment.',
  );
}
