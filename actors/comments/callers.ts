/** Finds out who asks, and what they may do. */
import type { Identity, Permission } from '../../cluster/contract/api/audience-views.ts';
import type { Caller } from '../../cluster/contract/api/routes.ts';
import { errorCodeOf, TangazaError } from '../../cluster/errors/tangaza-error.ts';
import type { StreamId, UserId } from '../../cluster/model/ids.ts';
import { hasPermission, type Reader } from './comment-view.ts';
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
    if (['UNAUTHENTICATED', 'UNAVAILABLE'].includes(errorCodeOf(error))) return undefined;
    throw error;
  }
}

/** @throws TangazaError `FORBIDDEN` for a token of another stream */
export function mustBeFor(stream: StreamId, { stream: only }: Identity): void {
  if (only !== undefined && only !== stream)
    throw new TangazaError('FORBIDDEN', `Your token is for the stream ${only} alone: sign in for this one.`);
}

/** @throws TangazaError `FORBIDDEN` */
export function mustHave(identity: Identity, permission: Permission, stream: StreamId): void {
  mustBeFor(stream, identity);
  if (!hasPermission(identity, permission, { streamId: stream }))
    throw new TangazaError('FORBIDDEN', `That needs the permission ${permission}.`);
}

/** As the audit and the rows name who did something. */
export function nameInAudit({ user: { id } }: Identity): UserId | 'operator' {
  return id === operatorId ? 'operator' : id;
}
