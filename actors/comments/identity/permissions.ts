/** What each role may do, and who may do what on which stream (A12). */
import { Permission, type Identity } from '../../../cluster/contract/api/audience-views.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { StreamId } from '../../../cluster/model/ids.ts';

export const allPermissions: readonly Permission[] = Permission.options;

/** The roles that an account's token may name. */
export const roles = {
  /** Keeps order on a stream. */
  moderator: ['comment.hide', 'comment.release', 'user.ban', 'stream.mode', 'audit.read'],
  /** That, and erases what a user has said, for good. */
  administrator: allPermissions,
} as const satisfies Readonly<Record<string, readonly Permission[]>>;

/** @param named names of roles; those that are none of ours give nothing, as other services have roles of their own */
export function permissionsOf(named: readonly string[], single: readonly string[]): readonly Permission[] {
  const given = new Set<string>(single);
  for (const role of named) if (isRole(role)) for (const permission of roles[role]) given.add(permission);
  return allPermissions.filter((permission) => given.has(permission));
}

function isRole(name: string): name is keyof typeof roles {
  return Object.hasOwn(roles, name);
}

/** Staff is who may do anything beside writing. Their comments are marked by it. */
export function isStaff({ permissions }: Pick<Identity, 'permissions'>): boolean {
  return permissions.length > 0;
}

/** @param stream undefined for what concerns all streams: a token for one stream does not reach that far */
export function mayDo(identity: Identity, permission: Permission, stream: StreamId | undefined): boolean {
  const isInScope = identity.stream === undefined || identity.stream === stream;
  return isInScope && identity.permissions.includes(permission);
}

/** @throws TangazaError `FORBIDDEN` */
export function mustBeAllowed(
  identity: Identity,
  permission: Permission,
  stream: StreamId | undefined,
): void {
  if (stream !== undefined) mustBeFor(identity, stream);
  if (!mayDo(identity, permission, stream))
    throw new TangazaError(
      'FORBIDDEN',
      `That needs the permission ${permission}, which your token does not give.`,
    );
}

/** Refuses a token that was made for another stream. @throws TangazaError `FORBIDDEN` */
export function mustBeFor(identity: Identity, stream: StreamId): void {
  if (identity.stream !== undefined && identity.stream !== stream)
    throw new TangazaError('FORBIDDEN', `Your token is for the stream ${identity.stream}, and for no other.`);
}
