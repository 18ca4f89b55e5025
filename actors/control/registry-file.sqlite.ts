/**
 * The region's file of streams: its tables, and how processes that share it take turns (C12).
 *
 * While another process writes, SQLite would make this one stand still: so it is asked once, and again after a pause in
 * which the process runs.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';
import type { Clock } from '../../cluster/time/clock.ts';

const tables = `
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

/** How far other regions were read (R12). */
const pulls = `
  CREATE TABLE IF NOT EXISTS pulls (
    region TEXT PRIMARY KEY, databaseId TEXT NOT NULL, seq INTEGER NOT NULL, isWhole INTEGER NOT NULL, atMs INTEGER, mark TEXT
  ) STRICT, WITHOUT ROWID;
`;

/** Keys of streams that lost their id to one that another region had made earlier (R12). */
const lost = `
  CREATE TABLE IF NOT EXISTS lost (keyHash TEXT PRIMARY KEY, id TEXT NOT NULL, atMs INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`;

/** What a file of an earlier version lacks: above all what other regions have to know of a row (R12). */
const added: readonly (readonly [table: string, column: string, type: string])[] = [
  ['idempotency', 'fingerprint', 'TEXT'],
  ['idempotency', 'reply', 'TEXT'],
  ['streams', 'afterRemovalMs', 'INTEGER NOT NULL DEFAULT 0'],
  ['streams', 'createdKeyHash', 'TEXT'],
  ['streams', 'titleAtMs', 'INTEGER'],
  ['streams', 'ladderAtMs', 'INTEGER'],
  ['streams', 'keyAtMs', 'INTEGER'],
  // When this file learnt of it; NULL: it was removed here.
  ['removed', 'heardAtMs', 'INTEGER'],
  ['pulls', 'mark', 'TEXT'],
];

const entered = (id: string): string =>
  `DELETE FROM changes WHERE id = ${id}; INSERT INTO changes (id) VALUES (${id});`;
const trigger = (table: string, act: string): string =>
  `CREATE TRIGGER IF NOT EXISTS ${table}Changed${act} AFTER ${act} ON ${table} BEGIN ${entered('NEW.id')} END;`;

/**
 * Where changes are numbered again after a backup was put back, the marks differ: whoever opens the file marks the numbers that come from its first
 * transaction on. Only the last marks are kept; who has read no further than the oldest of them reads anew.
 */
const marks = `CREATE TABLE IF NOT EXISTS marks (afterSeq INTEGER PRIMARY KEY, mark TEXT NOT NULL) STRICT;`;
const keptMarks = 1000;

/**
 * Each id has one change, the last one. Triggers number it, so that no process that writes here can leave it out, of whatever version it is. What an
 * earlier version left out of the columns above is filled in.
 */
const changes = `
  CREATE TABLE IF NOT EXISTS changes (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  ${trigger('streams', 'INSERT')}
  ${trigger('streams', 'UPDATE')}
  ${trigger('removed', 'INSERT')}
  ${trigger('removed', 'UPDATE')}
  CREATE TRIGGER IF NOT EXISTS removedForgotten AFTER DELETE ON removed
    BEGIN DELETE FROM changes WHERE id = OLD.id AND id NOT IN (SELECT id FROM streams); END;
  CREATE INDEX IF NOT EXISTS removedByHearing ON removed (heardAtMs);
  UPDATE streams SET createdKeyHash = coalesce(createdKeyHash, keyHash), titleAtMs = coalesce(titleAtMs, updatedAtMs),
    ladderAtMs = coalesce(ladderAtMs, updatedAtMs), keyAtMs = coalesce(keyAtMs, updatedAtMs)
    WHERE createdKeyHash IS NULL OR titleAtMs IS NULL OR ladderAtMs IS NULL OR keyAtMs IS NULL;
  INSERT INTO changes (id) SELECT id FROM (SELECT id FROM streams UNION SELECT id FROM removed)
    WHERE id NOT IN (SELECT id FROM changes);
`;

export type Value = string | number | null;
export type Row = Record<string, SQLOutputValue>;

/** Another node's transaction takes milliseconds. */
const busyPauseMs = 10;
const busyPatienceMs = 2000;

export class RegistryFile {
  readonly #database: DatabaseSync;
  readonly #clock: Pick<Clock, 'sleep' | 'runningMs'>;
  #isMarked = false;

  /**
   * @param file path of the database, or `:memory:`
   * @throws TangazaError `UNAVAILABLE` with what to do when the file is damaged; Error that names the file when it cannot be used now
   */
  constructor(file: string, clock: Pick<Clock, 'sleep' | 'runningMs'>) {
    if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true });
    this.#clock = clock;
    this.#database = openedOr(file, () => new DatabaseSync(file));
    openedOr(file, () => this.#prepare());
  }

  #prepare(): void {
    try {
      // Two nodes may open a new file at once, so the busy time-out is set before anything that locks (C12).
      this.#database.exec('PRAGMA busy_timeout = 5000');
      this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
      this.#transaction(() => this.#migrate());
      this.#database.exec('PRAGMA busy_timeout = 0');
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  /** As a transaction: all of `work`, or nothing. @throws TangazaError `UNAVAILABLE`, `STORE_FULL`, and what `work` throws */
  async inTransaction<T>(work: () => T): Promise<T> {
    const result = await this.whenFree(() =>
      this.#transaction(() => {
        if (!this.#isMarked) this.#mark();
        return work();
      }),
    );
    this.#isMarked = true;
    return result;
  }

  /** Does it, again and again while another process writes. @throws TangazaError `UNAVAILABLE`, `STORE_FULL`, and what `work` throws */
  async whenFree<T>(work: () => T): Promise<T> {
    const untilMs = this.#clock.runningMs() + busyPatienceMs;
    for (;;) {
      try {
        return work();
      } catch (error) {
        if (!isGone(error)) throw error;
        if (sqliteCode(error) === codes.full)
          throw new TangazaError('STORE_FULL', fullWords, { cause: error });
        if (!isBusy(error) || this.#clock.runningMs() >= untilMs)
          throw new TangazaError('UNAVAILABLE', 'The registry of streams cannot be asked: try again.', {
            cause: error,
          });
      }
      await this.#clock.sleep(busyPauseMs);
    }
  }

  /** @returns how many rows it changed */
  run(sql: string, values: readonly Value[]): number {
    return Number(this.#database.prepare(sql).run(...values).changes);
  }

  all(sql: string, values: readonly Value[]): readonly Row[] {
    return this.#database.prepare(sql).all(...values);
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  #migrate(): void {
    this.#database.exec(tables + pulls + lost);
    for (const [table, column, type] of added) {
      const columns = this.#database.prepare(`PRAGMA table_info(${table})`).all();
      if (columns.every(({ name }) => name !== column))
        this.#database.exec(`ALTER TABLE ${table} ADD COLUMN ${column} ${type}`);
    }
    this.#database.exec(changes + marks);
    this.run(`INSERT INTO state (name, value) VALUES ('databaseId', ?) ON CONFLICT DO NOTHING`, [
      randomUUID(),
    ]);
  }

  /** Not when it is opened: a full disk stops no node that starts. */
  #mark(): void {
    this.run(
      `INSERT OR REPLACE INTO marks (afterSeq, mark)
         VALUES (coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'changes'), 0), ?)`,
      [randomUUID()],
    );
    this.run(
      'DELETE FROM marks WHERE afterSeq NOT IN (SELECT afterSeq FROM marks ORDER BY afterSeq DESC LIMIT ?)',
      [keptMarks],
    );
  }

  #transaction<T>(work: () => T): T {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#database.exec('COMMIT');
      return result;
    } catch (error) {
      // On a full disk SQLite has rolled back by itself, and would complain of that alone.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }
}

const fullWords = 'The disk of the registry of streams is full: an operator must free space there.';

/** Some of SQLite's result codes, without their extended part. */
const codes = { busy: 5, corrupt: 11, full: 13, notADatabase: 26 } as const;
/** For a file that is locked, or that cannot be read or written now. */
const goneCodes: ReadonlySet<number> = new Set([...Object.values(codes), 6, 8, 10, 14]);

/** Without the extended part; undefined for what is no error of SQLite's. */
function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode % 256 : undefined;
}

const isBusy = (error: unknown): boolean => sqliteCode(error) === codes.busy;

/** SQLite names no file in what it says. */
function openedOr<T>(file: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    const code = sqliteCode(error);
    if (code === undefined) throw error;
    const what = `The registry of streams, ${file},`;
    const told = error instanceof Error ? error.message : String(error);
    if (code !== codes.corrupt && code !== codes.notADatabase)
      throw new Error(`${what} cannot be used (${told}): look at its folder and its disk.`, { cause: error });
    throw new TangazaError(
      'UNAVAILABLE',
      `${what} is damaged (${told}): put back a copy of it, or move it away and start without its streams.`,
      { cause: error },
    );
  }
}

/** The fault is the file's, or it is closed; all else is a fault of this code. */
function isGone(error: unknown): boolean {
  if (error instanceof Error && 'code' in error && error.code === 'ERR_INVALID_STATE') return true;
  return goneCodes.has(sqliteCode(error) ?? 0);
}
