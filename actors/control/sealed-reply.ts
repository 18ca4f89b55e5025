/**
 * A reply as it is kept for those who repeat their request: sealed by the region's secret (AES-256-GCM).
 *
 * Replies show stream keys, and the database alone must give none away (stream-key.ts).
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';

const algorithm = 'aes-256-gcm';
const [nonceBytes, tagBytes] = [12, 16];
const Kept = z.object({ reply: z.unknown().optional() });

export function sealReply(secret: string, key: string, reply: unknown): string {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(algorithm, sealingKey(secret), nonce).setAAD(Buffer.from(key));
  const sealed = Buffer.concat([cipher.update(JSON.stringify({ reply })), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url');
}

/** @throws TangazaError `CONFLICT` when it was sealed by another secret or for another key */
export function openReply(secret: string, key: string, text: string): unknown {
  const bytes = Buffer.from(text, 'base64url');
  const [tagAt, sealedAt] = [nonceBytes, nonceBytes + tagBytes];
  try {
    const cipher = createDecipheriv(algorithm, sealingKey(secret), bytes.subarray(0, tagAt))
      .setAAD(Buffer.from(key))
      .setAuthTag(bytes.subarray(tagAt, sealedAt));
    const opened = Buffer.concat([cipher.update(bytes.subarray(sealedAt)), cipher.final()]);
    return Kept.parse(JSON.parse(opened.toString())).reply;
  } catch (error) {
    throw new TangazaError(
      'CONFLICT',
      "This request was done, and its reply cannot be read any more, as the region's secret has changed: take a new Idempotency-Key.",
      { cause: error },
    );
  }
}

function sealingKey(secret: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, '', 'tangaza idempotent replies', 32));
}
