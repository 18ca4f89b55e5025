/**
 * The region's file of comments, as one thread has it open: transactions, prepared statements, and the time of changes.
 */
import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';

export type Row = Record<string, SQLOutputValue>;

const usInMs = 1000;
/** Who has read no further than the oldest mark reads anew. */
const keptMarks = 1000;

export class CommentDatabase {
  readonly #database: DatabaseSync;
  readonly #newId: () => string;
  readonly #statements = new Map<string, StatementSync>();
  /** Of the last change in the file, while a transaction goes on. */
  #changedAtUs = 0;
  #isMarked = false;

  /** @param newId for the numbers of changes that come from here (A14) */
  constructor(database: DatabaseSync, newId: () => string) {
    this.#database = database;
    this.#newId = newId;
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
      if (!this.#isMarked) this.#mark();
      const before = this.#readChangedAt();
      this.#changedAtUs = before;
      const result = work();
      if (this.#changedAtUs !== before) this.#keepChangedAt();
      this.execute('COMMIT');
      this.#isMarked = true;
      return result;
    } catch (error) {
      if (this.#database.isTransaction) this.execute('ROLLBACK');
      throw error;
    }
  }

  /** Within a transaction: all of `work`, or nothing of it, whatever else the transaction does. */
  part<T>(work: () => T): T {
    this.run('SAVEPOINT part');
    try {
      return work();
    } catch (error) {
      if (this.#database.isTransaction) this.execute('ROLLBACK TO part');
      throw error;
    } finally {
      if (this.#database.isTransaction) this.run('RELEASE part');
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

  /** What was overwritten still lies in the log beside the file, until that is emptied. @returns whether it was: nobody read in it */
  emptyLog(): boolean {
    try {
      return this.one('PRAGMA wal_checkpoint(TRUNCATE)')?.['busy'] === 0;
    } catch {
      return false; // the next one, or SQLite by itself, empties it
    }
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  /** Not when it is opened: a full disk stops no node that starts. */
  #mark(): void {
    this.run(
      `INSERT OR REPLACE INTO marks (afterSeq, mark)
         VALUES (coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'changes'), 0), ?)`,
      this.#newId(),
    );
    this.run(
      'DELETE FROM marks WHERE afterSeq NOT IN (SELECT afterSeq FROM marks ORDER BY afterSeq DESC LIMIT ?)',
      keptMarks,
    );
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
