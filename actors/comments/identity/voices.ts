/**
 * Whom somebody speaks for who reports a comment: an account for itself, the guests of one network together, as a network gets as many guests as
 * it asks for (A12).
 *
 * A network is kept as a keyed hash that is another one for each comment. So the database tells no address, nor which reports of several
 * comments came from one place.
 */
import { createHmac, hkdfSync } from 'node:crypto';
import type { User } from '../../../cluster/contract/api/audience-views.ts';
import type { CommentId } from '../../../cluster/model/ids.ts';

export interface Voices {
  /** @param network where the user is, as `Caller` names it @returns at most 70 characters; those that are equal count as one */
  voiceOf(user: User, network: string, comment: CommentId): string;
}

/** @param secret all nodes that share a database have the same one; nodes with another one count a network once more */
export function voicesBy(secret: string): Voices {
  const key = new Uint8Array(hkdfSync('sha256', secret, '', 'tangaza voices of reports', 32));
  return {
    voiceOf: ({ kind, id }, network, comment) =>
      kind === 'account'
        ? id
        : `n-${createHmac('sha256', key).update(`${comment}\n${network}`).digest('base64url').slice(0, 22)}`,
  };
}
