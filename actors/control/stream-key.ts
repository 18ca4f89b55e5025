/**
 * Makes stream keys: derived from the region's secret and a random salt, and kept as a hash.
 *
 * So the database alone gives no key away, and a repeated POST (Idempotency-Key) can show the same key again.
 */
import { createHash, createHmac } from 'node:crypto';
import type { StreamId } from '../../cluster/model/ids.ts';

const keyBytes = 20;

/**
 * `{streamId}_{27 characters base64url}`: 160 bits, which nobody guesses, and readable enough to tell streams apart.
 */
export function deriveStreamKey(secret: string, streamId: StreamId, salt: string): string {
  const mac = createHmac('sha256', secret).update(`${streamId}\n${salt}`).digest();
  return `${streamId}_${mac.subarray(0, keyBytes).toString('base64url')}`;
}

export function hashStreamKey(streamKey: string): string {
  return createHash('sha256').update(streamKey).digest('hex');
}
