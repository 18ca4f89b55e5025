/**
 * The tables of the comments, as numbered migrations. `PRAGMA user_version` says how many of them a file has.
 *
 * A migration that was released is never changed, and only adds: so a node of the version before goes on beside it.
 */
import { TangazaError } from '../../../../cluster/errors/tangaza-error.ts';
import type { CommentDatabase } from './database.sqlite.ts';

const comments = `
  CREATE TABLE state (name TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;
  CREATE TABLE comments (
    id TEXT NOT NULL UNIQUE, streamId TEXT NOT NULL, createdAtMs INTEGER NOT NULL, authorId TEXT NOT NULL,
    body TEXT NOT NULL, arrivedAtMs INTEGER NOT NULL, changedAtUs INTEGER NOT NULL,
    isHeld INTEGER NOT NULL, hiding TEXT, hidingAtMs INTEGER
  ) STRICT;
  CREATE INDEX commentsInOrder ON comments (streamId, createdAtMs, id);
  CREATE INDEX commentsByChange ON comments (streamId, changedAtUs);
  CREATE TABLE hidesAhead (
    id TEXT PRIMARY KEY, hiding TEXT, hidingAtMs INTEGER NOT NULL, keptAtMs INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX hidesAheadByAge ON hidesAhead (keptAtMs);
  CREATE TABLE modes (
    streamId TEXT PRIMARY KEY, mode TEXT NOT NULL, slowSeconds INTEGER NOT NULL, atMs INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE audit (
    streamId TEXT NOT NULL, atMs INTEGER NOT NULL, byId TEXT NOT NULL, act TEXT NOT NULL, onId TEXT NOT NULL, reason TEXT,
    PRIMARY KEY (streamId, atMs, byId, act, onId)
  ) STRICT, WITHOUT ROWID;
`;

const migrations: readonly string[] = [comments];

/** @throws TangazaError `UNAVAILABLE` when a newer version of the program made the file */
export function migrate(database: CommentDatabase, file: string, newId: () => string): void {
  const has = versionOf(database);
  if (has > migrations.length)
    throw new TangazaError(
      'UNAVAILABLE',
      `The database of the comments, ${file}, has schema ${has}, and this node knows ${migrations.length} at most: start a newer version of Tangaza, or put back the file from before the upgrade.`,
    );
  if (has === migrations.length) return;
  for (const migration of migrations.slice(has)) database.execute(migration);
  if (has === 0) database.run(`INSERT INTO state (name, value) VALUES ('databaseId', ?)`, newId());
  database.execute(`PRAGMA user_version = ${migrations.length}`);
}

function versionOf(database: CommentDatabase): number {
  return Number(database.one('PRAGMA user_version')?.['user_version']);
}
