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

/** A folder may be removed, because it is empty, while it is made or before the link. It is made again so often. */
const maxLinkAttempts = 32;

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

/** Folders that are missing are made just before the link, and made durable after it: the longer they are empty, the sooner somebody removes them. */
async function linkInto(temporary: string, path: string): Promise<'stored' | 'present'> {
  const folder = dirname(path);
  let made: string | undefined;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await link(temporary, path);
      break;
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') return 'present';
      if (errnoOf(error) !== 'ENOENT' || attempt === maxLinkAttempts) throw error;
    }
    const first = await makeFolder(folder);
    if (first !== undefined && first.length < (made?.length ?? Infinity)) made = first;
  }
  await syncFolder(folder);
  const shortest = made?.length ?? Infinity;
  for (let one = folder; one.length >= shortest; one = dirname(one)) await syncFolder(dirname(one));
  return 'stored';
}

/** @returns the first folder that it made; undefined where all were there, or one was removed meanwhile */
async function makeFolder(folder: string): Promise<string | undefined> {
  try {
    return await mkdir(folder, { recursive: true });
  } catch (error) {
    ignoreMissing(error);
    return undefined;
  }
}

/** Where it is gone, what was put into it has been deleted already. */
async function syncFolder(folder: string): Promise<void> {
  try {
    await using handle = await open(folder, 'r');
    await handle.sync();
  } catch (error) {
    ignoreMissing(error);
  }
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
