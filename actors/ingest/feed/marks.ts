/** The hashes by which media is recognised (M2). */
import { createHash } from 'node:crypto';
import { Sha256 } from '../../../cluster/model/ids.ts';

/** The hash of one audio frame. */
export function frameHash(data: Uint8Array): Sha256 {
  return Sha256.parse(createHash('sha256').update(data).digest('hex'));
}
