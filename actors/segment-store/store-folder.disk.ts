/**
 * Tells a missing object from a missing store: the folder may be renamed, replaced by a file, or unmounted at any time.
 *
 * Every store that was opened has a folder of temporary files, so where that folder is, the store is. When it is
 * missing, it is made again only on the file system that was there at the start. (What is written into the empty mount
 * point of an unmounted disk would be out of sight once the disk is back.)
 */
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';
import { errnoOf } from './atomic-file.disk.ts';

/** Names no path, because viewers may read this. */
const theFolder = 'The segment folder (`segments` in TANGAZA_DATA_DIR)';

export class StoreFolder {
  readonly temporaries: string;
  readonly #folder: string;
  readonly #device: number;

  private constructor(folder: string, temporaries: string, device: number) {
    this.#folder = folder;
    this.temporaries = temporaries;
    this.#device = device;
  }

  /** Makes the folder when it is missing. @throws NodeJS.ErrnoException */
  static async open(folder: string): Promise<StoreFolder> {
    const temporaries = join(folder, '.tmp');
    await mkdir(temporaries, { recursive: true });
    return new StoreFolder(folder, temporaries, (await stat(folder)).dev);
  }

  /** @throws TangazaError `STORE_UNAVAILABLE` when the store is not there; NodeJS.ErrnoException for what passes */
  async check(): Promise<void> {
    if (await isFolder(this.temporaries)) return;
    const found = await stat(this.#folder).catch((error: unknown) => {
      throw unavailable(`is gone (${errnoOf(error)}): bring it back`, error);
    });
    if (!found.isDirectory()) throw unavailable('is a file: put the folder back');
    if (found.dev !== this.#device)
      throw unavailable('is empty and on another file system than at the start: mount the disk again');
    await mkdir(this.temporaries, { recursive: true });
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Whether something on the way to a file is missing or is no folder. */
export function isMissing(error: unknown): boolean {
  const code = errnoOf(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function unavailable(what: string, cause?: unknown): TangazaError {
  return new TangazaError('STORE_UNAVAILABLE', `${theFolder} ${what}.`, { cause });
}
