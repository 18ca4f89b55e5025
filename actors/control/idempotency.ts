/** What an `Idempotency-Key` stands for: the operation with all its inputs, as one hash. */
import { createHmac, hash } from 'node:crypto';
import type { RouteInput } from '../../cluster/contract/api/routes.ts';

export interface IdempotentRequest {
  /** The key that the caller sent. */
  readonly key: string;
  /** Equal for equal inputs of one operation, after validation; else different. */
  readonly fingerprint: string;
}

/** @returns undefined without a key: every such request is a new one */
export function idempotentRequest(
  operation: string,
  { idempotencyKey: key, params, body }: Pick<RouteInput, 'idempotencyKey' | 'params' | 'body'>,
): IdempotentRequest | undefined {
  if (key === undefined) return undefined;
  return { key, fingerprint: hash('sha256', JSON.stringify([operation, params ?? {}, body ?? {}]), 'hex') };
}

/** The salt of the stream key that a request makes. A repeated request gets the same salt. */
export function saltOf(secret: string, { key, fingerprint }: IdempotentRequest): string {
  return createHmac('sha256', secret).update(`${fingerprint}\n${key}`).digest('base64url').slice(0, 16);
}
