/**
 * Opens the region's file of comments.
 *
 * Several processes write one file. What is acknowledged survives `kill -9` of the process, and a power cut too: in WAL mode with
 * `synchronous = FULL` each commit is on the disk before it returns, as far as the disk keeps its word. The group commit pays for it: one
 * `fsync` for all writes that wait (A14). What is overwritten is gone from the file, too (`secure_delete`): an erased text is erased (A12).
 */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { TangazaError } from '../../../../cluster/errors/tangaza-error.ts';
import { CommentDatabase } from './database.sqlite.ts';
import { migrate } from './schema.sqlite.ts';

/** Another process may be making the tables. */
const openPatienceMs = 2000;
/** How long a call waits for another process. After that, what only reads has its turn. */
const patienceMs = 50;
/** The log beside the file shrinks to that after a flood. */
const journalBytes = 67_108_864;
const cacheKib = 16_384;

/**
 * Opens the file, and makes it or its new tables where they are missing.
 *
 * @param newId names a new file for ever, and the numbers that this process gives to changes
 * @throws an error of SQLite's, or TangazaError `UNAVAILABLE` with what is wrong with the file
 */
export function openCommentDatabase(file: string, newId: () => string): CommentDatabase {
  mkdirSync(dirname(file), { recursive: true });
  const bare = new DatabaseSync(file, { timeout: openPatienceMs });
  const database = new CommentDatabase(bare, newId);
  try {
    mustBeWal(database, file);
    database.execute(
      `PRAGMA synchronous = FULL; PRAGMA journal_size_limit = ${journalBytes}; PRAGMA cache_size = -${cacheKib}; PRAGMA temp_store = MEMORY; PRAGMA secure_delete = ON`,
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
