/** What an `Idempotency-Key` stands for: the operation with all its inputs, as one hash. */
import { createHmac, hash } from 'node:crypto';
import type { RouteInput } from '../../cluster/contract/api/routes.ts';

export interface IdempotentRequest {
  /** Of the caller. */
  readonly key: string;
  /** Equal for equal inputs of one operation, as they are after validation; else different. */
  readonly fingerprint: string;
}

/** @returns undefined without a key: the request is one of its own */
export function idempotentRequest(
  operation: string,
  { idempotencyKey: key, params, body }: Pick<RouteInput, 'idempotencyKey' | 'params' | 'body'>,
): IdempotentRequest | undefined {
  if (key === undefined) return undefined;
  return { key, fingerprint: hash('sha256', JSON.stringify([operation, params ?? {}, body ?? {}]), 'hex') };
}

/** Salt of the stream key that a request makes: the same one when it is repeated. */
export function saltOf(secret: string, { key, fingerprint }: IdempotentRequest): string {
  return createHmac('sha256', secret).update(`${fingerprint}\n${key}`).digest('base64url').slice(0, 16);
}
