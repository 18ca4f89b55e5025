/**
 * The segment store in a folder that the nodes of a region on one host share (C12).
 *
 * An object appears whole or not at all, and never changes (atomic-file.disk.ts). A put that would take the last of the
 * disk is refused; a full disk is `STORE_FULL`.
 *
 * D1. A crash leaves temporary files. Those older than a minute are removed when a store opens.
 * D2. A missing folder, or a file in its place, is a fault of the store, which may pass. It never means that an object
 *     is missing or that a key is wrong (store-folder.disk.ts).
 */
import { randomUUID } from 'node:crypto';
import { open, readdir, rm, rmdir, stat, statfs as systemStatfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';
import { errnoOf, putFile, temporaryName } from './atomic-file.disk.ts';
import { DiskSpace, type StatFs } from './disk-space.disk.ts';
import { listFolder } from './list-folder.disk.ts';
import {
  checkBody,
  checkKey,
  checkPrefix,
  checkRange,
  maxObjectBytes,
  notFound,
  rangeError,
} from './object-key.ts';
import type { SegmentStore, StoredObject } from './segment-store.ts';
import { isMissing, StoreFolder } from './store-folder.disk.ts';
import { StoreMeter, type StoreOperation, type StorePorts } from './store-meter.ts';

export interface DiskStoreOptions extends StorePorts {
  /** Made when it is missing. */
  readonly folder: string;
  /** How many free bytes are left alone. */
  readonly reserveBytes: number;
  readonly statfs?: StatFs;
}

const leftoverAgeMs = 60_000;
const deletesAtOnce = 32;
/** After these errors a look at the name tells more: there may be no room, or a file where a folder must be. */
const inTheWay: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'ENOTDIR', 'EEXIST']);

/** @throws TangazaError `STORE_UNAVAILABLE` when the folder cannot be made or read */
export async function openDiskStore(options: DiskStoreOptions): Promise<SegmentStore> {
  const folder = resolve(options.folder);
  try {
    const place = await StoreFolder.open(folder);
    await removeLeftovers(place.temporaries, options.clock.utcMs() - leftoverAgeMs);
    return new DiskStore({ ...options, folder, place });
  } catch (error) {
    throw storeError(error, 'open', folder);
  }
}

class DiskStore implements SegmentStore {
  readonly #folder: string;
  readonly #place: StoreFolder;
  readonly #space: DiskSpace;
  readonly #meter: StoreMeter;
  #isClosed = false;

  constructor(options: DiskStoreOptions & { readonly place: StoreFolder }) {
    this.#folder = options.folder;
    this.#place = options.place;
    this.#space = new DiskSpace({ statfs: systemStatfs, ...options });
    this.#meter = new StoreMeter('disk', options);
  }

  async putIfAbsent(key: string, body: Uint8Array, signal?: AbortSignal): Promise<'stored' | 'present'> {
    checkKey(key);
    checkBody(key, body);
    return this.#run('put', key, signal, async () => {
      const outcome = await this.#put(key, body, signal);
      if (outcome === 'stored') this.#meter.transferred('put', body.length);
      return outcome;
    });
  }

  /** Does not look for the key first: that would cost each put what it saves only for a second put of the same key. */
  async #put(key: string, body: Uint8Array, signal: AbortSignal | undefined): Promise<'stored' | 'present'> {
    const path = join(this.#folder, key);
    try {
      await this.#space.take(body.length);
      const temporary = temporaryName(this.#place.temporaries, randomUUID());
      if ((await putFile(path, body, { temporary, signal })) === 'stored') return 'stored';
    } catch (error) {
      if (isMissing(error)) await this.#place.check();
      // An object that is there is found on a full disk, too; and what is in its way is named.
      const mayBeThere = error instanceof TangazaError || inTheWay.has(errnoOf(error) ?? '');
      if (!mayBeThere || !(await isThere(path, key))) throw error;
    }
    // The name is taken: by an object, or else this throws.
    await isThere(path, key);
    return 'present';
  }

  async get(key: string, signal?: AbortSignal): Promise<Uint8Array> {
    checkKey(key);
    return this.#run('get', key, signal, () => this.#read(key, 'get', 0, maxObjectBytes));
  }

  async range(key: string, start: number, end: number, signal?: AbortSignal): Promise<Uint8Array> {
    checkKey(key);
    checkRange(key, start, end);
    return this.#run('range', key, signal, () => this.#read(key, 'range', start, end));
  }

  async *list(prefix: string, signal?: AbortSignal): AsyncGenerator<StoredObject> {
    checkPrefix(prefix);
    const pages = listFolder(this.#folder, prefix);
    for (;;) {
      const page = await this.#run('list', prefix, signal, async () => {
        await this.#place.check();
        return pages.next();
      });
      if (page.done === true) return;
      yield* page.value;
    }
  }

  async delete(keys: readonly string[], signal?: AbortSignal): Promise<void> {
    for (const key of keys) checkKey(key);
    for (let first = 0; first < keys.length; first += deletesAtOnce) {
      const some = keys.slice(first, first + deletesAtOnce);
      await this.#run('delete', some[0] ?? '', signal, () =>
        Promise.all(some.map((key) => removeFile(join(this.#folder, key)))),
      );
    }
    const folders = new Set(keys.map((key) => dirname(join(this.#folder, key))));
    for (const folder of folders) await removeEmpty(folder, this.#folder);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  async #run<T>(
    operation: StoreOperation,
    key: string,
    signal: AbortSignal | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    if (this.#isClosed) throw new TangazaError('STORE_UNAVAILABLE', 'The segment store is closed.');
    return this.#meter.run(
      operation,
      async () => {
        try {
          return await work();
        } catch (error) {
          if (error instanceof TangazaError || signal?.aborted === true) throw error;
          throw await this.#errorOf(error, operation, key);
        }
      },
      signal,
    );
  }

  /** Tells a fault of the whole store from a fault of one object (D2). */
  async #errorOf(error: unknown, operation: StoreOperation, key: string): Promise<TangazaError> {
    try {
      if (isMissing(error)) await this.#place.check();
    } catch (fault) {
      return fault instanceof TangazaError ? fault : storeError(fault, 'open', key);
    }
    return storeError(error, operation, key);
  }

  async #read(key: string, operation: 'get' | 'range', start: number, end: number): Promise<Uint8Array> {
    await using file = await open(join(this.#folder, key), 'r');
    const { size } = await file.stat();
    if (operation === 'range' && start >= size) throw rangeError(key, start, end);
    const bytes = new Uint8Array(Math.min(end, size) - start);
    for (let done = 0; done < bytes.length;) {
      const { bytesRead } = await file.read(bytes, done, bytes.length - done, start + done);
      if (bytesRead === 0)
        throw new TangazaError('STORE_UNAVAILABLE', `${key} became shorter while it was read.`);
      done += bytesRead;
    }
    this.#meter.transferred(operation, bytes.length);
    return bytes;
  }
}

/**
 * @throws TangazaError `STORE_UNAVAILABLE` when a file is where a folder must be, or the reverse; no key of ours is
 *   wrong (D2)
 */
async function isThere(path: string, key: string): Promise<boolean> {
  try {
    if ((await stat(path)).isFile()) return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    if (errnoOf(error) !== 'ENOTDIR') throw error;
  }
  throw new TangazaError('STORE_UNAVAILABLE', `${key} lies above or below another file: take that away.`);
}

async function removeFile(path: string): Promise<void> {
  try {
    await rm(path);
  } catch (error) {
    const code = errnoOf(error);
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
  }
}

/** Removes the folder and those above it, below `root`, as far as they are empty. */
async function removeEmpty(folder: string, root: string): Promise<void> {
  for (let empty = folder; empty.length > root.length; empty = dirname(empty)) {
    try {
      await rmdir(empty);
    } catch {
      // It is not empty, or gone, or in use: the next deletion tries again.
      return;
    }
  }
}

/**
 * Removes what a crashed process left behind (D1). A slow writer whose file is removed fails, is told so, and tries
 * again.
 */
async function removeLeftovers(temporaries: string, beforeMs: number): Promise<void> {
  for (const name of await readdir(temporaries)) {
    const path = join(temporaries, name);
    const found = await stat(path).catch(() => undefined);
    if (found !== undefined && found.mtimeMs < beforeMs) await rm(path, { force: true });
  }
}

/** Translates an error of the file system into one of the catalogue. */
function storeError(error: unknown, operation: StoreOperation | 'open', key: string): TangazaError {
  const code = errnoOf(error);
  const isReading = operation === 'get' || operation === 'range';
  switch (code) {
    case 'ENOENT':
    case 'EISDIR':
    case 'ENOTDIR':
      if (isReading) return notFound(key, error);
      return new TangazaError('STORE_UNAVAILABLE', `The folder of ${key} cannot be used (${code}).`, {
        cause: error,
      });
    case 'ENOSPC':
    case 'EDQUOT':
      return new TangazaError('STORE_FULL', `The disk is full: ${key} was not stored. Make room.`, {
        cause: error,
      });
    case 'EPERM':
    case 'ENOTSUP':
    case 'EOPNOTSUPP': {
      const detail = `The file system refuses ${key} (${code}): it must have hard links.`;
      return new TangazaError('STORE_UNAVAILABLE', detail, { cause: error });
    }
    default: {
      const detail = `The disk store failed at ${key} (${code ?? 'unknown error'}).`;
      return new TangazaError('STORE_UNAVAILABLE', detail, { cause: error });
    }
  }
}
