/**
 * Translates what S3 servers answer into errors of the catalogue, and decides whether asking again may help.
 *
 * Keys, bodies and ranges are checked before anything is sent. So what a server refuses is never the caller's fault: it
 * is a fault of the store, its access keys or its clock, and may be mended while an ingest waits. Only a missing object
 * is an answer.
 */
import { S3ServiceException } from '@aws-sdk/client-s3';
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';
import { notFound } from './object-key.ts';

/** How S3 and servers like it name a store without room. The status 507 means "insufficient storage". */
const fullNames = [
  'QuotaExceeded',
  'InsufficientStorage',
  'XMinioStorageFull',
  'InsufficientCapacity',
  'StorageFull',
];
/** 4xx answers that pass by themselves. */
const passingNames = [
  'RequestTimeout',
  'RequestTimeTooSkewed',
  'OperationAborted',
  'SlowDown',
  'TooManyRequests',
];
const passingStatuses = [408, 425, 429, 500, 502, 503, 504];

/** What an operator can do about an error, by its name. */
const advice: Readonly<Record<string, string>> = {
  RequestTimeTooSkewed: "Set this machine's clock.",
  ExpiredToken: 'Renew the session token.',
  TokenRefreshRequired: 'Renew the session token.',
  ENOTFOUND: 'The name of the S3 server is not known: check TANGAZA_S3_ENDPOINT and the name server.',
  EAI_AGAIN: 'The name server does not answer.',
  PermanentRedirect: 'Check TANGAZA_S3_REGION.',
};

/** The HTTP status of an answer; `undefined` when there was none. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
}

/** The name of an error of S3 or of the network. Never its message, which may quote the request. */
export function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

/**
 * Whether the error may pass: no answer, an overloaded or restarting server, or a clock that the SDK has corrected by
 * now.
 */
export function isPassing(error: unknown): boolean {
  if (error instanceof TangazaError || isFull(error)) return false;
  const status = statusOf(error);
  return status === undefined || passingStatuses.includes(status) || passingNames.includes(nameOf(error));
}

/** @param what the key, prefix or bucket that was asked for */
export function storeErrorOf(error: unknown, what: string): TangazaError {
  if (error instanceof TangazaError) return error;
  const options = { cause: error };
  const name = nameOf(error);
  const status = statusOf(error);
  if (isFull(error))
    return new TangazaError('STORE_FULL', `The S3 store has no room for ${what} (${name}).`, options);
  // Any other 404 is about the bucket, or comes from something in front of the store.
  if (name === 'NoSuchKey') return notFound(what, error);
  return new TangazaError('STORE_UNAVAILABLE', wordsOf(name, status, what), options);
}

function wordsOf(name: string, status: number | undefined, what: string): string {
  if (name === 'NoSuchBucket') return `The S3 bucket is gone: ${what} cannot be reached.`;
  if (status === 501)
    return `The S3 server has no conditional writes (${name}): ${what} was not stored. Use another server.`;
  const answer = status === undefined ? name : `${status} ${name}`;
  const isRefused = status === 401 || status === 403;
  const help = advice[name] ?? (isRefused ? 'Check the keys and what they may do.' : '');
  return `The S3 store failed at ${what} (${answer}). ${help}`.trimEnd();
}

function isFull(error: unknown): boolean {
  return statusOf(error) === 507 || fullNames.includes(nameOf(error));
}

/**
 * Another put of the key was under way and then was not there. That passes, so the put is tried again
 * (segment-store.s3.ts O1).
 */
export class ConflictError extends Error {
  override readonly name = 'ConditionalRequestConflict';
}

/** A multi-delete left some keys. Deleting is idempotent, so all of it is tried again. */
export class PartialDeleteError extends Error {
  override readonly name: string;

  constructor(code: string | undefined, count: number) {
    super(`${count} objects were not deleted`);
    this.name = code ?? 'PartialDelete';
  }
}
