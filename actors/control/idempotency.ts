/** What an `Idempotency-Key` stands for: the operation with all its inputs, as one hash; and what is known of it. */
import { createHmac, hash } from 'node:crypto';
import type { RouteInput } from '../../cluster/contract/api/routes.ts';
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';

export interface IdempotentRequest {
  readonly key: string;
  /** Equal for equal inputs of one operation, after validation; else different. */
  readonly fingerprint: string;
}

/** `new`: never heard of, or its node died over it. */
export type Answer =
  | { readonly kind: 'new' }
  | { readonly kind: 'underWay' }
  | { readonly kind: 'given'; readonly reply: string };

/** What was written down of a key. An earlier version knew no fingerprint. */
export interface AnswerNote {
  readonly atMs: number;
  readonly fingerprint: string | null;
  readonly reply: string | null;
}

/** No action of a route takes longer; a request that has no reply by then is nobody's. */
const longestActionMs = 10_000;

/** @returns undefined without a key: the request is one of its own */
export function idempotentRequest(
  operation: string,
  { idempotencyKey: key, params, body }: Pick<RouteInput, 'idempotencyKey' | 'params' | 'body'>,
): IdempotentRequest | undefined {
  if (key === undefined) return undefined;
  return { key, fingerprint: hash('sha256', JSON.stringify([operation, params ?? {}, body ?? {}]), 'hex') };
}

/** @throws TangazaError `IDEMPOTENCY_KEY_REUSED` when the note is of another request */
export function answerOf(
  { fingerprint }: IdempotentRequest,
  note: AnswerNote | undefined,
  nowMs: number,
): Answer {
  if (note === undefined) return { kind: 'new' };
  if (note.fingerprint !== null && note.fingerprint !== fingerprint)
    throw new TangazaError(
      'IDEMPOTENCY_KEY_REUSED',
      'This Idempotency-Key came with another request in the last 24 hours: repeat that one as it was, or take a new key.',
    );
  if (note.reply !== null) return { kind: 'given', reply: note.reply };
  return nowMs - note.atMs < longestActionMs ? { kind: 'underWay' } : { kind: 'new' };
}

/** The salt of the stream key that a request makes. A repeated request gets the same salt. */
export function saltOf(secret: string, { key, fingerprint }: IdempotentRequest): string {
  return createHmac('sha256', secret).update(`${fingerprint}\n${key}`).digest('base64url').slice(0, 16);
}
