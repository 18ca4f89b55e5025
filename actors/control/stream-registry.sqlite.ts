/**
 * The stream registry in the region's SQLite file, shared by its nodes on this host (C12).
 *
 * While another process writes, SQLite would make this one stand still: so it is asked once, and again after a pause in
 * which the process runs.
 */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import { z } from 'zod';
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';
import { StreamId } from '../../cluster/model/ids.ts';
import type { Clock } from '../../cluster/time/clock.ts';
import type { StreamPlace } from '../../cluster/contract/api/cursor.ts';
import { answerOf, type Answer, type IdempotentRequest } from './idempotency.ts';
import {
  removedKeptMs,
  type NewStream,
  type RemovedStream,
  type StreamEntry,
  type StreamRegistry,
} from './stream-registry.ts';

const dayMs = 86_400_000;
/** How many removed streams are remembered. With more, those removed first are forgotten. */
const maxRemoved = 100_000;
/** How many are forgotten at once. A transaction stops this process, so it must stay short. */
const forgottenAtOnce = 1000;
const removedTold = 1000;

const schema = `
  CREATE TABLE IF NOT EXISTS streams (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, ladder TEXT NOT NULL,
    keyHash TEXT NOT NULL UNIQUE, keySalt TEXT NOT NULL, createdAtMs INTEGER NOT NULL, updatedAtMs INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS streamsByAge ON streams (createdAtMs DESC, id DESC);
  CREATE TABLE IF NOT EXISTS removed (
    id TEXT PRIMARY KEY, keyHash TEXT NOT NULL, removedAtMs INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS removedByKey ON removed (keyHash);
  CREATE INDEX IF NOT EXISTS removedByAge ON removed (removedAtMs);
  CREATE TABLE IF NOT EXISTS idempotency (
    key TEXT PRIMARY KEY, streamId TEXT NOT NULL, atMs INTEGER NOT NULL, fingerprint TEXT, reply TEXT
  ) STRICT;
`;

const Row = z.object({
  id: StreamId,
  title: z.string(),
  ladder: z.string(),
  createdAtMs: z.number(),
  updatedAtMs: z.number(),
});
const RemovedRow = z.object({ id: StreamId, removedAtMs: z.number() });
const AnswerRow = z.object({
  atMs: z.number(),
  fingerprint: z.string().nullable(),
  reply: z.string().nullable(),
});
const SaltRow = z.object({ keySalt: z.string() });

/** Another node's transaction takes milliseconds. */
const busyPauseMs = 10;
const busyPatienceMs = 2000;

/** @param file path of the database, or `:memory:` */
export function openSqliteStreamRegistry(
  file: string,
  clock: Pick<Clock, 'sleep' | 'runningMs'>,
): StreamRegistry {
  if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true });
  const database = new DatabaseSync(file);
  // Two nodes may open a new file at once, so the busy time-out is set before anything that locks (C12).
  database.exec('PRAGMA busy_timeout = 5000');
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
  database.exec(schema);
  addColumns(database);
  database.exec('PRAGMA busy_timeout = 0');
  return new SqliteStreamRegistry(database, clock);
}

/** Adds the columns that a file of an earlier version lacks. Its keys have no reply: what they stand for is done again. */
function addColumns(database: DatabaseSync): void {
  database.exec('BEGIN IMMEDIATE');
  const columns = database.prepare('PRAGMA table_info(idempotency)').all();
  for (const column of ['fingerprint', 'reply'])
    if (columns.every(({ name }) => name !== column))
      database.exec(`ALTER TABLE idempotency ADD COLUMN ${column} TEXT`);
  database.exec('COMMIT');
}

class SqliteStreamRegistry implements StreamRegistry {
  readonly #database: DatabaseSync;
  readonly #clock: Pick<Clock, 'sleep' | 'runningMs'>;

  constructor(database: DatabaseSync, clock: Pick<Clock, 'sleep' | 'runningMs'>) {
    this.#database = database;
    this.#clock = clock;
  }

  create(stream: NewStream): Promise<{ entry: StreamEntry; keySalt: string }> {
    return this.#inTransaction(() => {
      const before = this.#madeBefore(stream);
      if (before !== undefined) return before;
      if (this.#find(stream.id) !== undefined) {
        throw new TangazaError(
          'CONFLICT',
          `There is a stream ${stream.id} already: choose another id or leave it out.`,
        );
      }
      this.#mustBeFree(stream);
      this.#run(
        'INSERT INTO streams (id, title, ladder, keyHash, keySalt, createdAtMs, updatedAtMs) VALUES (?, ?, ?, ?, ?, ?, ?)',
        [stream.id, stream.title, stream.ladder, stream.keyHash, stream.keySalt, stream.nowMs, stream.nowMs],
      );
      this.#remember(stream.request, stream.id, stream.nowMs);
      const { id, title, ladder, nowMs } = stream;
      return {
        entry: { id, title, ladder, createdAtMs: nowMs, updatedAtMs: nowMs },
        keySalt: stream.keySalt,
      };
    });
  }

  get(id: StreamId): Promise<StreamEntry | undefined> {
    return this.#whenFree(() => this.#find(id));
  }

  list(limit: number, after?: StreamPlace): Promise<readonly StreamEntry[]> {
    const where = after === undefined ? '' : 'WHERE (createdAtMs, id) < (?, ?)';
    const place = after === undefined ? [] : [after.createdAtMs, after.id];
    const query = `SELECT * FROM streams ${where} ORDER BY createdAtMs DESC, id DESC LIMIT ?`;
    return this.#whenFree(() => this.#all(query, [...place, limit]).map((row) => toEntry(row)));
  }

  claim(request: IdempotentRequest, nowMs: number): Promise<Answer> {
    return this.#inTransaction(() => {
      const answer = this.#answerTo(request, nowMs);
      if (answer.kind !== 'new') return answer;
      // The stream that it made before its node died stays with it.
      const claimed = this.#run('UPDATE idempotency SET atMs = ?, fingerprint = ? WHERE key = ?', [
        nowMs,
        request.fingerprint,
        request.key,
      ]);
      if (claimed === 0) this.#remember(request, '', nowMs);
      return answer;
    });
  }

  settle({ key, fingerprint }: IdempotentRequest, nowMs: number, reply: string | undefined): Promise<void> {
    return this.#whenFree(() => {
      if (reply === undefined)
        this.#run('DELETE FROM idempotency WHERE key = ? AND fingerprint = ?', [key, fingerprint]);
      else
        this.#run('UPDATE idempotency SET reply = ?, atMs = ? WHERE key = ? AND fingerprint = ?', [
          reply,
          nowMs,
          key,
          fingerprint,
        ]);
    });
  }

  update(
    id: StreamId,
    change: { title?: string; ladder?: string },
    nowMs: number,
  ): Promise<StreamEntry | undefined> {
    return this.#whenFree(() => {
      this.#run(
        'UPDATE streams SET title = coalesce(?, title), ladder = coalesce(?, ladder), updatedAtMs = ? WHERE id = ?',
        [change.title ?? null, change.ladder ?? null, nowMs, id],
      );
      return this.#find(id);
    });
  }

  rotateKey(
    id: StreamId,
    { keyHash, keySalt }: { keyHash: string; keySalt: string },
    nowMs: number,
  ): Promise<StreamEntry | undefined> {
    return this.#whenFree(() => {
      this.#run('UPDATE streams SET keyHash = ?, keySalt = ?, updatedAtMs = ? WHERE id = ?', [
        keyHash,
        keySalt,
        nowMs,
        id,
      ]);
      return this.#find(id);
    });
  }

  remove(id: StreamId, nowMs: number): Promise<boolean> {
    return this.#inTransaction(() => {
      this.#run(
        'INSERT OR REPLACE INTO removed (id, keyHash, removedAtMs) SELECT id, keyHash, ? FROM streams WHERE id = ?',
        [nowMs, id],
      );
      this.#forgetRemoved(nowMs);
      return this.#run('DELETE FROM streams WHERE id = ?', [id]) > 0;
    });
  }

  removed(id: StreamId, nowMs: number): Promise<RemovedStream | undefined> {
    return this.#whenFree(() => this.#findRemoved(id, nowMs));
  }

  removedWithKeyHash(keyHash: string, nowMs: number): Promise<RemovedStream | undefined> {
    const values = [keyHash, nowMs - removedKeptMs];
    return this.#whenFree(() => this.#allRemoved('keyHash = ? AND removedAtMs > ?', values)[0]);
  }

  removedSince(sinceMs: number): Promise<readonly RemovedStream[]> {
    return this.#whenFree(() => this.#allRemoved('removedAtMs >= ?', [sinceMs]));
  }

  findByKeyHash(keyHash: string): Promise<StreamEntry | undefined> {
    return this.#whenFree(() => this.#one('SELECT * FROM streams WHERE keyHash = ?', [keyHash]));
  }

  async close(): Promise<void> {
    if (this.#database.isOpen) this.#database.close();
  }

  /** As a transaction: all of `work`, or nothing. */
  #inTransaction<T>(work: () => T): Promise<T> {
    return this.#whenFree(() => this.#transaction(work));
  }

  /** Does it, again and again while another process writes. @throws TangazaError `UNAVAILABLE`, and what `work` throws */
  async #whenFree<T>(work: () => T): Promise<T> {
    const untilMs = this.#clock.runningMs() + busyPatienceMs;
    for (;;) {
      try {
        return work();
      } catch (error) {
        if (!isGone(error)) throw error;
        if (!isBusy(error) || this.#clock.runningMs() >= untilMs)
          throw new TangazaError('UNAVAILABLE', 'The registry of streams cannot be asked: try again.', {
            cause: error,
          });
      }
      await this.#clock.sleep(busyPauseMs);
    }
  }

  #find(id: StreamId): StreamEntry | undefined {
    return this.#one('SELECT * FROM streams WHERE id = ?', [id]);
  }

  #findRemoved(id: StreamId, nowMs: number): RemovedStream | undefined {
    return this.#allRemoved('id = ? AND removedAtMs > ?', [id, nowMs - removedKeptMs])[0];
  }

  #allRemoved(condition: string, values: (string | number)[]): readonly RemovedStream[] {
    const query = `SELECT id, removedAtMs FROM removed WHERE ${condition} ORDER BY removedAtMs DESC LIMIT ${removedTold}`;
    return this.#all(query, values).map((row) => RemovedRow.parse(row));
  }

  #mustBeFree({ id, nowMs, mayRevive }: NewStream): void {
    const removed = this.#findRemoved(id, nowMs);
    if (removed !== undefined && mayRevive !== true) {
      const day = (atMs: number): string => new Date(atMs).toISOString().slice(0, 10);
      throw new TangazaError(
        'CONFLICT',
        `There was a stream ${id}, removed on ${day(removed.removedAtMs)}: its id stays taken until ${day(removed.removedAtMs + removedKeptMs)}, because its links are still in use. Choose another id or leave it out.`,
      );
    }
    this.#run('DELETE FROM removed WHERE id = ?', [id]);
  }

  #forgetRemoved(nowMs: number): void {
    const forget = `DELETE FROM removed WHERE id IN (SELECT id FROM removed`;
    const order = `ORDER BY removedAtMs DESC LIMIT ${forgottenAtOnce}`;
    this.#run(`${forget} WHERE removedAtMs <= ? ${order})`, [nowMs - removedKeptMs]);
    this.#run(`${forget} ${order} OFFSET ${maxRemoved})`, []);
  }

  #madeBefore({ request, nowMs }: NewStream): { entry: StreamEntry; keySalt: string } | undefined {
    if (request === undefined) return undefined;
    this.#answerTo(request, nowMs);
    const [row] = this.#all(
      'SELECT s.* FROM idempotency i JOIN streams s ON s.id = i.streamId WHERE i.key = ?',
      [request.key],
    );
    return row === undefined ? undefined : { entry: toEntry(row), keySalt: SaltRow.parse(row).keySalt };
  }

  #answerTo(request: IdempotentRequest, nowMs: number): Answer {
    this.#run('DELETE FROM idempotency WHERE atMs < ?', [nowMs - dayMs]);
    const [row] = this.#all('SELECT atMs, fingerprint, reply FROM idempotency WHERE key = ?', [request.key]);
    return answerOf(request, row === undefined ? undefined : AnswerRow.parse(row), nowMs);
  }

  #remember(request: IdempotentRequest | undefined, streamId: string, nowMs: number): void {
    if (request === undefined) return;
    this.#run('INSERT OR REPLACE INTO idempotency (key, streamId, atMs, fingerprint) VALUES (?, ?, ?, ?)', [
      request.key,
      streamId,
      nowMs,
      request.fingerprint,
    ]);
  }

  #transaction<T>(work: () => T): T {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#database.exec('COMMIT');
      return result;
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  #run(sql: string, values: (string | number | null)[]): number {
    return Number(this.#database.prepare(sql).run(...values).changes);
  }

  #all(sql: string, values: (string | number)[]): Record<string, SQLOutputValue>[] {
    return this.#database.prepare(sql).all(...values);
  }

  #one(sql: string, values: (string | number)[]): StreamEntry | undefined {
    const [row] = this.#all(sql, values);
    return row === undefined ? undefined : toEntry(row);
  }
}

/** SQLite's codes for a file that is locked, or that cannot be read or written now. */
const busy = 5;
const goneCodes: ReadonlySet<number> = new Set([busy, 6, 8, 10, 11, 13, 14, 26]);

/** Without the extended part; undefined for what is no error of SQLite's. */
function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode % 256 : undefined;
}

const isBusy = (error: unknown): boolean => sqliteCode(error) === busy;

/** The fault is the file's, or it is closed; all else is a fault of this code. */
function isGone(error: unknown): boolean {
  if (error instanceof Error && 'code' in error && error.code === 'ERR_INVALID_STATE') return true;
  return goneCodes.has(sqliteCode(error) ?? 0);
}

function toEntry(row: Record<string, SQLOutputValue>): StreamEntry {
  return Row.parse(row);
}
