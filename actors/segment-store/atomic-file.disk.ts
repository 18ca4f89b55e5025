/**
 * Puts a file under a name unless the name is taken, so that no reader ever sees half of it, even after a crash.
 *
 * The bytes go to a temporary file and are made durable. Then the file gets its name by a hard link, which fails when
 * the name is taken: when many processes put at once, the file system picks one. (Rejected: a rename overwrites; `open`
 * with `wx` shows half a file.) Then the folder is made durable, so that what was acknowledged survives a loss of
 * power.
 */
import { link, mkdir, open, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** A folder may be removed, because it is empty, after it was made and before the link. It is made again so often. */
const maxLinkAttempts = 8;

/**
 * @param temporary a path on the same file system that nobody else uses; it is removed at the end, whatever happens
 * @throws NodeJS.ErrnoException
 */
export async function putFile(
  path: string,
  body: Uint8Array,
  { temporary, signal }: { readonly temporary: string; readonly signal?: AbortSignal | undefined },
): Promise<'stored' | 'present'> {
  try {
    await writeDurably(temporary, body);
    signal?.throwIfAborted();
    return await linkInto(temporary, path);
  } finally {
    await unlink(temporary).catch(ignoreMissing);
  }
}

async function writeDurably(path: string, body: Uint8Array): Promise<void> {
  await using file = await open(path, 'wx', 0o644);
  await file.writeFile(body);
  await file.datasync();
}

async function linkInto(temporary: string, path: string): Promise<'stored' | 'present'> {
  const folder = dirname(path);
  for (let attempt = 1; ; attempt += 1) {
    try {
      await link(temporary, path);
      await syncFolder(folder);
      return 'stored';
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') return 'present';
      if (errnoOf(error) !== 'ENOENT' || attempt === maxLinkAttempts) throw error;
      await makeFolder(folder);
    }
  }
}

async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}

async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r');
  await handle.sync();
}

function ignoreMissing(error: unknown): void {
  if (errnoOf(error) !== 'ENOENT') throw error;
}

/** The code of a file system error, e.g. `ENOENT`. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** A name for a temporary file that tells which process made it. */
export const temporaryName = (folder: string, unique: string): string =>
  join(folder, `${process.pid}-${unique}`);
