/** Finds out who asks, and what they may do. */
import type { Identity } from '../../cluster/contract/api/audience-views.ts';
import type { Caller } from '../../cluster/contract/api/routes.ts';
import { errorCodeOf, TangazaError } from '../../cluster/errors/tangaza-error.ts';
import type { UserId } from '../../cluster/model/ids.ts';
import type { Reader } from './comment-view.ts';
import { operatorId, type Identities } from './identity/identity.ts';

/** What the edge knows of who sent a request. Only calls that come by another way lack it. */
export function mustHaveCaller(caller: Caller | undefined): Caller {
  if (caller === undefined) throw new TangazaError('UNAUTHENTICATED');
  return caller;
}

/** Who reads, where anybody may: a token that is not good is as none. */
export async function readerOf(identities: Identities, caller: Caller | undefined): Promise<Reader> {
  if (caller === undefined || (caller.bearer === undefined && !caller.isOperator)) return undefined;
  try {
    return await identities.identify(caller);
  } catch (error) {
    if (['UNAUTHENTICATED', 'UNAVAILABLE', 'OVERLOADED'].includes(errorCodeOf(error))) return undefined;
    throw error;
  }
}

/** As the audit and the rows name who did something. */
export function nameInAudit({ user: { id } }: Identity): UserId | 'operator' {
  return id === operatorId ? 'operator' : id;
}
