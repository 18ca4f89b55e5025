/** What went wrong in SQLite, in words that help who asked, or who runs the node. */
import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { TangazaError } from '../../../../cluster/errors/tangaza-error.ts';
import type { Fault } from './calls.ts';

/** SQLite's result codes, without their extended part. */
const codes = { busy: 5, locked: 6, ioError: 10, corrupt: 11, full: 13, notADatabase: 26 } as const;
/** SQL that is wrong, or a value that does not fit: a fault of this code. */
const ownCodes: ReadonlySet<number | undefined> = new Set([undefined, 1, 18, 19, 20, 21, 25]);
/** With less than that, what fails to be read or written fails for want of room. */
const hardlyAnyBytes = 65_536;

/** Without the extended part; undefined for what is no error of SQLite's. */
function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode % 256 : undefined;
}

export function isBusy(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === codes.busy || code === codes.locked;
}

/** The fault of one call, which costs its sender alone. All else ends the transaction of all. */
export function isOwnFault(error: unknown): boolean {
  return ownCodes.has(sqliteCode(error));
}

export function faultOf(error: unknown, file: string): Fault {
  if (error instanceof TangazaError) return { code: error.code, message: error.message, isLasting: true };
  const code = sqliteCode(error);
  const told = error instanceof Error ? error.message : String(error);
  if (isOwnFault(error) && !isSystemError(error)) return { code: 'INTERNAL', message: told };
  if (code === codes.full || (code === codes.ioError && isFull(file)))
    return {
      code: 'STORE_FULL',
      message: `The disk of the comments is full: an operator must free space where ${file} lies.`,
    };
  if (code === codes.corrupt || code === codes.notADatabase)
    return {
      code: 'UNAVAILABLE',
      isLasting: true,
      message: `The database of the comments, ${file}, is damaged (${told}): put back a copy of it, or move it away and start without its comments.`,
    };
  return {
    code: 'UNAVAILABLE',
    message: `The database of the comments, ${file}, cannot be used (${told}): look at its folder and its disk.`,
  };
}

/** A folder that cannot be made, for instance. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}

/** On a full disk SQLite cannot always tell why its shared memory does not grow. */
function isFull(file: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(dirname(file));
    return bavail * bsize < hardlyAnyBytes;
  } catch {
    return false;
  }
}
