/** The stream registry in the region's SQLite file, shared by its nodes on this host (C12). */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import { z } from 'zod';
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';
import { StreamId } from '../../cluster/model/ids.ts';
import type { StreamPlace } from '../../cluster/contract/api/cursor.ts';
import type { IdempotentRequest } from './idempotency.ts';
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
    key TEXT PRIMARY KEY, streamId TEXT NOT NULL, atMs INTEGER NOT NULL, fingerprint TEXT
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
const SaltRow = z.object({ keySalt: z.string() });

/** @param file path of the database, or `:memory:` */
export function openSqliteStreamRegistry(file: string): StreamRegistry {
  if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true });
  const database = new DatabaseSync(file);
  // Two nodes may open a new file at once, so the busy time-out is set before anything that locks (C12).
  database.exec('PRAGMA busy_timeout = 5000');
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
  database.exec(schema);
  addFingerprints(database);
  return new SqliteStreamRegistry(database);
}

/**
 * Adds the column that a file of an earlier version lacks. Its keys stand for any request for the day that they are
 * kept.
 */
function addFingerprints(database: DatabaseSync): void {
  database.exec('BEGIN IMMEDIATE');
  const columns = database.prepare('PRAGMA table_info(idempotency)').all();
  if (columns.every(({ name }) => name !== 'fingerprint'))
    database.exec('ALTER TABLE idempotency ADD COLUMN fingerprint TEXT');
  database.exec('COMMIT');
}

class SqliteStreamRegistry implements StreamRegistry {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  create(stream: NewStream): { entry: StreamEntry; keySalt: string } {
    return this.#transaction(() => {
      const before = this.#madeBefore(stream);
      if (before !== undefined) return before;
      if (this.get(stream.id) !== undefined) {
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

  get(id: StreamId): StreamEntry | undefined {
    return this.#one('SELECT * FROM streams WHERE id = ?', [id]);
  }

  list(limit: number, after?: StreamPlace): readonly StreamEntry[] {
    const where = after === undefined ? '' : 'WHERE (createdAtMs, id) < (?, ?)';
    const place = after === undefined ? [] : [after.createdAtMs, after.id];
    return this.#all(`SELECT * FROM streams ${where} ORDER BY createdAtMs DESC, id DESC LIMIT ?`, [
      ...place,
      limit,
    ]).map((row) => toEntry(row));
  }

  isRepeated(request: IdempotentRequest, nowMs: number): boolean {
    return this.#transaction(() => {
      if (this.#isKnown(request, nowMs)) return true;
      this.#remember(request, '', nowMs);
      return false;
    });
  }

  update(id: StreamId, change: { title?: string; ladder?: string }, nowMs: number): StreamEntry | undefined {
    this.#run(
      'UPDATE streams SET title = coalesce(?, title), ladder = coalesce(?, ladder), updatedAtMs = ? WHERE id = ?',
      [change.title ?? null, change.ladder ?? null, nowMs, id],
    );
    return this.get(id);
  }

  rotateKey(id: StreamId, key: { keyHash: string; keySalt: string }, nowMs: number): StreamEntry | undefined {
    this.#run('UPDATE streams SET keyHash = ?, keySalt = ?, updatedAtMs = ? WHERE id = ?', [
      key.keyHash,
      key.keySalt,
      nowMs,
      id,
    ]);
    return this.get(id);
  }

  remove(id: StreamId, nowMs: number): boolean {
    return this.#transaction(() => {
      this.#run(
        'INSERT OR REPLACE INTO removed (id, keyHash, removedAtMs) SELECT id, keyHash, ? FROM streams WHERE id = ?',
        [nowMs, id],
      );
      this.#forgetRemoved(nowMs);
      return this.#run('DELETE FROM streams WHERE id = ?', [id]) > 0;
    });
  }

  removed(id: StreamId, nowMs: number): RemovedStream | undefined {
    return this.#allRemoved('id = ? AND removedAtMs > ?', [id, nowMs - removedKeptMs])[0];
  }

  removedWithKeyHash(keyHash: string, nowMs: number): RemovedStream | undefined {
    return this.#allRemoved('keyHash = ? AND removedAtMs > ?', [keyHash, nowMs - removedKeptMs])[0];
  }

  removedSince(sinceMs: number): readonly RemovedStream[] {
    return this.#allRemoved('removedAtMs >= ?', [sinceMs]);
  }

  findByKeyHash(keyHash: string): StreamEntry | undefined {
    return this.#one('SELECT * FROM streams WHERE keyHash = ?', [keyHash]);
  }

  close(): void {
    this.#database.close();
  }

  #allRemoved(condition: string, values: (string | number)[]): readonly RemovedStream[] {
    const query = `SELECT id, removedAtMs FROM removed WHERE ${condition} ORDER BY removedAtMs DESC LIMIT ${removedTold}`;
    return this.#all(query, values).map((row) => RemovedRow.parse(row));
  }

  #mustBeFree({ id, nowMs, mayRevive }: NewStream): void {
    const removed = this.removed(id, nowMs);
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
    if (request === undefined || !this.#isKnown(request, nowMs)) return undefined;
    const [row] = this.#all(
      'SELECT s.* FROM idempotency i JOIN streams s ON s.id = i.streamId WHERE i.key = ?',
      [request.key],
    );
    return row === undefined ? undefined : { entry: toEntry(row), keySalt: SaltRow.parse(row).keySalt };
  }

  #isKnown({ key, fingerprint }: IdempotentRequest, nowMs: number): boolean {
    this.#run('DELETE FROM idempotency WHERE atMs < ?', [nowMs - dayMs]);
    const [row] = this.#all('SELECT fingerprint FROM idempotency WHERE key = ?', [key]);
    if (row === undefined) return false;
    if (row['fingerprint'] === null || row['fingerprint'] === fingerprint) return true;
    throw new TangazaError(
      'IDEMPOTENCY_KEY_REUSED',
      'This Idempotency-Key came with another request in the last 24 hours: repeat that one as it was, or take a new key.',
    );
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

function toEntry(row: Record<string, SQLOutputValue>): StreamEntry {
  return Row.parse(row);
}
