/**
 * Decides who may use a data folder. `up` needs the whole folder for itself; nodes share one, each under its own id.
 *
 * A lock is a transaction that stays open on an empty SQLite file. `up` locks the folder's file exclusively. A node locks it shared, and
 * exclusively a second file with its id. The kernel holds the lock, so it ends with its process, however that dies. A pid that is used
 * again does not deceive it, nor does a link to the folder. `NAME.json` beside it only tells people who holds the lock. Nothing else in
 * this process may open these files: closing any descriptor of a file ends all locks that the process has on it (fcntl(2)).
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { isRunning, ownIdentity } from './process-identity.system.ts';
import { UnusableError } from './unusable.ts';

/** Two processes that start at once may block each other for a moment. After this time one of them has the lock. */
const waitMs = 1000;
/** SQLite's result code SQLITE_BUSY. */
const busy = 5;

const Holder = z.object({
  pid: z.number().int(),
  started: z.string(),
  command: z.string(),
  since: z.string(),
});
type Holder = z.infer<typeof Holder>;

export type FolderUse =
  | { readonly kind: 'whole'; readonly command: string }
  | { readonly kind: 'node'; readonly command: string; readonly id: string };

export interface FolderLock {
  release(): void;
}

/**
 * @throws UnusableError that names who uses the folder and says what to do. Where the folder cannot be written, `up` gets an UnusableError,
 * and a node an Error, as a disk that is full or away may come back
 */
export function lockFolder(folder: string, use: FolderUse): FolderLock {
  const locks = join(resolve(folder), 'locks');
  const record = join(locks, `${use.kind === 'whole' ? 'up' : `node-${use.id}`}.json`);
  const held: DatabaseSync[] = [];
  try {
    mkdirSync(locks, { recursive: true });
    if (use.kind === 'node') held.push(hold(join(locks, `node-${use.id}.lock`), 'exclusive'));
    held.push(hold(join(locks, 'folder.lock'), use.kind === 'whole' ? 'exclusive' : 'shared'));
  } catch (error) {
    for (const lock of held) lock.close();
    throw refusal(error, resolve(folder), use);
  }
  writeRecord(record, use.command);
  return {
    release: () => {
      rmSync(record, { force: true });
      for (const lock of held.splice(0)) lock.close();
    },
  };
}

/** On a full disk the lock works without this record. */
function writeRecord(file: string, command: string): void {
  const holder: Holder = { ...ownIdentity(), command, since: new Date().toISOString() };
  try {
    writeFileSync(file, JSON.stringify(holder), { mode: 0o600 });
  } catch {
    rmSync(file, { force: true });
  }
}

function hold(file: string, how: 'exclusive' | 'shared'): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: waitMs });
  try {
    database.exec('PRAGMA journal_mode = MEMORY'); // nothing is written, so a full disk does not matter
    database.exec(how === 'exclusive' ? 'BEGIN EXCLUSIVE' : 'BEGIN; SELECT count(*) FROM sqlite_schema');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function refusal(error: unknown, folder: string, use: FolderUse): Error {
  const other =
    use.kind === 'whole' ? 'choose another folder with --data DIR' : 'set another TANGAZA_DATA_DIR';
  if (!isBusy(error)) {
    const why = error instanceof Error ? error.message : String(error);
    const words = `the data folder ${folder} cannot be used (${why}): make it writable and see that its disk has room, or ${other}`;
    return use.kind === 'whole'
      ? new UnusableError(words, { cause: error })
      : new Error(words, { cause: error });
  }
  const holders = holdersIn(join(folder, 'locks'));
  const namesake = use.kind === 'node' ? holders.find(({ name }) => name === `node-${use.id}`) : undefined;
  if (use.kind === 'node' && namesake !== undefined)
    return new UnusableError(
      `a node ${use.id} runs already in the data folder ${folder}, as ${describe(namesake)}: stop it, or set another TANGAZA_NODE_ID`,
    );
  const who = holders.map(describe).join(', ') || 'another process';
  return new UnusableError(`the data folder ${folder} is in use by ${who}: stop it, or ${other}`);
}

const describe = ({ pid, command, since }: Holder): string =>
  `process ${pid} (${command}), since ${since.slice(0, 19)}Z`;

/** The holders that are alive. A record may be outdated; the lock itself is what counts. */
function holdersIn(locks: string): readonly (Holder & { readonly name: string })[] {
  return readdirSync(locks)
    .filter((file) => file.endsWith('.json'))
    .flatMap((file) => {
      const holder = readHolder(join(locks, file));
      return holder === undefined || !isRunning(holder) ? [] : [{ ...holder, name: file.slice(0, -5) }];
    });
}

function readHolder(file: string): Holder | undefined {
  try {
    return Holder.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === busy;
}
