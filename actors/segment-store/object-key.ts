/**
 * Checks keys, prefixes, sizes and ranges for every store, before it touches anything.
 *
 * Keys are lower case, because some file systems take `A` and `a` for one name. No part begins with a dot, so a key
 * cannot say `..`, an absolute path or one of the store's own files.
 */
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';

const part = /^[a-z0-9_][a-z0-9._=-]{0,127}$/;
const partialPart = /^([a-z0-9_][a-z0-9._=-]{0,127})?$/;
const maxParts = 8;
const maxKeyLength = 512;

/** No object is larger. 12 s of the highest bit rate that is taken are far below this. */
export const maxObjectBytes = 268_435_456;

/** @throws TangazaError `BAD_REQUEST` for what is not a key */
export function checkKey(key: string): void {
  if (!isPath(key, part))
    throw new TangazaError('BAD_REQUEST', `${JSON.stringify(key.slice(0, 80))} is not a store key.`);
}

/**
 * The empty prefix means the whole store. The last part of a prefix may be incomplete.
 *
 * @throws TangazaError `BAD_REQUEST`
 */
export function checkPrefix(prefix: string): void {
  if (!isPath(prefix, partialPart)) {
    throw new TangazaError(
      'BAD_REQUEST',
      `${JSON.stringify(prefix.slice(0, 80))} is not a prefix of store keys.`,
    );
  }
}

/** @throws TangazaError `BAD_REQUEST` for a body over 256 MiB */
export function checkBody(key: string, body: Uint8Array): void {
  if (body.length <= maxObjectBytes) return;
  throw new TangazaError(
    'BAD_REQUEST',
    `${key} has ${body.length} bytes; an object has ${maxObjectBytes} at most.`,
  );
}

/** @throws TangazaError `RANGE_NOT_SATISFIABLE` unless `0 <= start < end` */
export function checkRange(key: string, start: number, end: number): void {
  if (Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start < end) return;
  throw rangeError(key, start, end);
}

export function rangeError(key: string, start: number, end: number): TangazaError {
  return new TangazaError('RANGE_NOT_SATISFIABLE', `Bytes ${start} to ${end} lie outside of ${key}.`);
}

export function notFound(key: string, cause?: unknown): TangazaError {
  return new TangazaError('SEGMENT_NOT_FOUND', `There is no object ${key}.`, { cause });
}

function isPath(path: string, lastPart: RegExp): boolean {
  if (path.length > maxKeyLength) return false;
  const parts = path.split('/');
  const last = parts.pop() ?? '';
  return parts.length < maxParts && parts.every((one) => part.test(one)) && lastPart.test(last);
}
