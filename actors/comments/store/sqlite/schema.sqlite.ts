/**
 * The tables of the comments, as numbered migrations. `PRAGMA user_version` says how many of them a file has.
 *
 * A migration that was released is never changed, and only adds: so a node of the version before goes on beside it. `voices` is an exception:
 * who knows no `withdrawal` shows what authors have taken back and counts it wrongly, so all nodes of the file stop first.
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

/** `thread` is the ids of the path and its own, without the stream: so siblings stand together, and level by level is one slice (A3). */
const threads = `
  ALTER TABLE comments ADD COLUMN rootId TEXT;
  ALTER TABLE comments ADD COLUMN depth INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE comments ADD COLUMN thread TEXT;
  UPDATE comments SET rootId = body ->> 'rootId', depth = json_array_length(body, '$.path'), thread = (
    SELECT group_concat(substr(value, instr(value, '~') + 1), '') FROM json_each(body, '$.path')
  ) || substr(id, instr(id, '~') + 1) WHERE body ->> 'rootId' IS NOT NULL;
  CREATE INDEX commentsByThread ON comments (rootId, depth, thread) WHERE rootId IS NOT NULL;
  CREATE TABLE replyCounts (id TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  INSERT INTO replyCounts SELECT value, count(*) FROM comments, json_each(body, '$.path')
    WHERE isHeld = 0 AND hiding IS NULL GROUP BY value;
`;

/** Stream '' is all of them. */
const moderation = `
  CREATE TABLE likes (
    commentId TEXT NOT NULL, userId TEXT NOT NULL, isOn INTEGER NOT NULL, atMs INTEGER NOT NULL, PRIMARY KEY (commentId, userId)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE likeCounts (id TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  ALTER TABLE comments ADD COLUMN reports INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE comments ADD COLUMN releasedAtMs INTEGER;
  ALTER TABLE comments ADD COLUMN isErased INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX commentsHeld ON comments (streamId, createdAtMs, id) WHERE isHeld = 1;
  CREATE INDEX commentsReported ON comments (streamId, createdAtMs, id) WHERE reports > 0;
  CREATE INDEX commentsHidden ON comments (streamId, createdAtMs, id) WHERE hiding IS NOT NULL;
  CREATE INDEX commentsByAuthor ON comments (authorId, streamId, createdAtMs) WHERE isErased = 0;
  CREATE TABLE bans (
    streamId TEXT NOT NULL, userId TEXT NOT NULL, isOn INTEGER NOT NULL, byId TEXT, atMs INTEGER NOT NULL, untilMs INTEGER, reason TEXT,
    PRIMARY KEY (streamId, userId)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE reports (
    commentId TEXT NOT NULL, userId TEXT NOT NULL, atMs INTEGER NOT NULL, reason TEXT, PRIMARY KEY (commentId, userId)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX reportsByUser ON reports (userId);
  CREATE TABLE erasedUsers (userId TEXT PRIMARY KEY, atMs INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE reactionCounts (
    streamId TEXT NOT NULL, minuteMs INTEGER NOT NULL, kind TEXT NOT NULL, source TEXT NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (streamId, minuteMs, kind, source)
  ) STRICT, WITHOUT ROWID;
`;

/** The time of arrival is exactly that of the first change. */
const arrivals = `
  ALTER TABLE comments ADD COLUMN arrivedAtUs INTEGER NOT NULL DEFAULT 0;
  UPDATE comments SET arrivedAtUs = iif(changedAtUs - 1000 * arrivedAtMs BETWEEN 0 AND 999, changedAtUs, 1000 * arrivedAtMs);
`;

/** Reports of one voice count once; NULL: the user's own. What its author took back is kept apart from what moderators say. */
const voices = `
  ALTER TABLE reports ADD COLUMN voice TEXT;
  ALTER TABLE comments ADD COLUMN withdrawal TEXT;
  ALTER TABLE comments ADD COLUMN withdrawalAtMs INTEGER;
  CREATE INDEX commentsUnseen ON comments (streamId, createdAtMs, id) WHERE hiding IS NOT NULL OR withdrawal IS NOT NULL;
`;

/**
 * What changed, in the order of its commits, by the names of rows; up to where the databases of other regions were read, and theirs have read
 * this one (A14). Triggers fill `changes` once there are other regions.
 */
const regions = `
  CREATE TABLE changes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, key TEXT NOT NULL, UNIQUE (kind, key)
  ) STRICT;
  CREATE TABLE pulls (region TEXT PRIMARY KEY, databaseId TEXT NOT NULL, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE pulledBy (region TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`;

/** Whoever opens the file marks the numbers that it gives from then on: where they come again after a backup was put back, the marks differ (A14). */
const marks = `
  CREATE TABLE marks (afterSeq INTEGER PRIMARY KEY, mark TEXT NOT NULL) STRICT;
  ALTER TABLE pulls ADD COLUMN mark TEXT;
`;

/** When the question was asked whose answer brought all that another region had; NULL: none has yet (A14). */
const wholePulls = `ALTER TABLE pulls ADD COLUMN wholeAtMs INTEGER;`;

const migrations: readonly string[] = [
  ...[comments, threads, moderation, arrivals, voices, regions, marks, wholePulls],
];

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
