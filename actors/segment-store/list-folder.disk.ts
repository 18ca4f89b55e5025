/**
 * Lists the files of a folder tree in the order of their keys, a page at a time.
 *
 * The order is that of whole keys, where `a-b` comes before `a/b`, so folders sort with their slash. A page holds 256
 * objects at most. The names of one folder are in memory at once; retention bounds them.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from './atomic-file.disk.ts';
import type { StoredObject } from './segment-store.ts';

const pageSize = 256;

/** @throws NodeJS.ErrnoException other than `ENOENT`: what vanishes meanwhile is not listed */
export async function* listFolder(root: string, prefix: string): AsyncGenerator<readonly StoredObject[]> {
  let keys: string[] = [];
  for await (const key of keysBelow(root, prefix.slice(0, prefix.lastIndexOf('/') + 1), prefix)) {
    keys.push(key);
    if (keys.length < pageSize) continue;
    yield await describe(root, keys);
    keys = [];
  }
  yield await describe(root, keys);
}

/** @param folder a key's folder with its slash, or the empty string for the root */
async function* keysBelow(root: string, folder: string, prefix: string): AsyncGenerator<string> {
  for (const name of await namesIn(join(root, folder))) {
    const key = folder + name;
    if (!key.startsWith(prefix) && !prefix.startsWith(key)) continue;
    if (name.endsWith('/')) yield* keysBelow(root, key, prefix);
    else if (key.startsWith(prefix)) yield key;
  }
}

/** Sorted, folders with a slash at the end, without the store's own files. */
async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    const seen = entries.filter(
      (entry) => !entry.name.startsWith('.') && (entry.isFile() || entry.isDirectory()),
    );
    return seen.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name)).toSorted(byCodeUnit);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return [];
    throw error;
  }
}

const byCodeUnit = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

async function describe(root: string, keys: readonly string[]): Promise<readonly StoredObject[]> {
  const found = await Promise.all(keys.map((key) => describeOne(root, key)));
  return found.filter((object) => object !== undefined);
}

async function describeOne(root: string, key: string): Promise<StoredObject | undefined> {
  try {
    const { size, mtimeMs } = await stat(join(root, key));
    return { key, bytes: size, storedAtMs: Math.floor(mtimeMs) };
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
