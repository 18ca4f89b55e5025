/**
 * The region's file of comments, as one thread has it open: transactions, prepared statements, and the time of changes.
 *
 * Several processes write one file. What is acknowledged survives `kill -9` of the process, and a power cut too: in WAL mode with
 * `synchronous = FULL` each commit is on the disk before it returns, as far as the disk keeps its word. The group commit pays for it: one
 * `fsync` for all writes that wait (A14).
 */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import { TangazaError } from '../../../../cluster/errors/tangaza-error.ts';
import { migrate } from './schema.sqlite.ts';

export type Row = Record<string, SQLOutputValue>;

/** Another process may be making the tables. */
const openPatienceMs = 2000;
/** How long a call waits for another process. After that, what only reads has its turn. */
const patienceMs = 50;
/** The log beside the file shrinks to that after a flood. */
const journalBytes = 67_108_864;
const cacheKib = 16_384;
const usInMs = 1000;

export class CommentDatabase {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  /** Of the last change in the file, while a transaction goes on. */
  #changedAtUs = 0;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  execute(sql: string): void {
    this.#database.exec(sql);
  }

  /** @returns how many rows it changed */
  run(sql: string, ...values: readonly SQLInputValue[]): number {
    return Number(this.#statement(sql).run(...values).changes);
  }

  all(sql: string, ...values: readonly SQLInputValue[]): readonly Row[] {
    return this.#statement(sql).all(...values);
  }

  one(sql: string, ...values: readonly SQLInputValue[]): Row | undefined {
    return this.#statement(sql).get(...values);
  }

  /** All of `work`, on the disk when this returns; or nothing of it. */
  transaction<T>(work: () => T): T {
    this.execute('BEGIN IMMEDIATE');
    try {
      const before = this.#readChangedAt();
      this.#changedAtUs = before;
      const result = work();
      if (this.#changedAtUs !== before) this.#keepChangedAt();
      this.execute('COMMIT');
      return result;
    } catch (error) {
      if (this.#database.isTransaction) this.execute('ROLLBACK');
      throw error;
    }
  }

  /** Within a transaction: all of `work`, or nothing of it, whatever else the transaction does. */
  part<T>(work: () => T): T {
    this.execute('SAVEPOINT part');
    try {
      return work();
    } catch (error) {
      if (this.#database.isTransaction) this.execute('ROLLBACK TO part');
      throw error;
    } finally {
      if (this.#database.isTransaction) this.execute('RELEASE part');
    }
  }

  /**
   * The time of a change, in microseconds. Only within a transaction, of which a file has one at a time: so times grow in the order in
   * which processes commit, whatever their clocks say, and who reads on from the last one that it saw misses none.
   */
  nextChangeUs(nowMs: number): number {
    this.#changedAtUs = Math.max(Math.floor(nowMs) * usInMs, this.#changedAtUs + 1);
    return this.#changedAtUs;
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  #readChangedAt(): number {
    return Number(this.one(`SELECT value FROM state WHERE name = 'changedAtUs'`)?.['value'] ?? 0);
  }

  #keepChangedAt(): void {
    this.run(`INSERT OR REPLACE INTO state (name, value) VALUES ('changedAtUs', ?)`, this.#changedAtUs);
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}

/**
 * Opens the file, and makes it or its new tables where they are missing.
 *
 * @param newId names a new file for ever
 * @throws an error of SQLite's, or TangazaError `UNAVAILABLE` with what is wrong with the file
 */
export function openCommentDatabase(file: string, newId: () => string): CommentDatabase {
  mkdirSync(dirname(file), { recursive: true });
  const bare = new DatabaseSync(file, { timeout: openPatienceMs });
  const database = new CommentDatabase(bare);
  try {
    mustBeWal(database, file);
    database.execute(
      `PRAGMA synchronous = FULL; PRAGMA journal_size_limit = ${journalBytes}; PRAGMA cache_size = -${cacheKib}; PRAGMA temp_store = MEMORY`,
    );
    database.execute('BEGIN IMMEDIATE');
    migrate(database, file, newId);
    database.execute('COMMIT');
    // Tables that cannot be read are told now, and not to the first viewer.
    database.one('SELECT * FROM comments LIMIT 1');
    database.execute(`PRAGMA busy_timeout = ${patienceMs}`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function mustBeWal(database: CommentDatabase, file: string): void {
  const mode = database.one('PRAGMA journal_mode = WAL')?.['journal_mode'];
  if (mode === 'wal') return;
  throw new TangazaError(
    'UNAVAILABLE',
    `The database of the comments, ${file}, lies on a disk that several processes cannot share (journal mode ${String(mode)}): put the data folder on a local disk.`,
  );
}
