/** Reads the claims of a token whose signature is good: who it stands for, and what they may do (A13). */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Identity } from '../../../cluster/contract/api/audience-views.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import { StreamId, UserId } from '../../../cluster/model/ids.ts';
import { permissionsOf } from './permissions.ts';
import { cleanName } from './user-name.ts';

/** `iss` of the tokens that regions sign. */
export const ownIssuer = 'tangaza';

/** `typ` in the header of what regions sign. One kind never stands for another. */
export const ownTypes = {
  guest: 'tangaza-guest+jwt',
  account: 'tangaza-account+jwt',
  receipt: 'tangaza-receipt',
  /** One signature for several. */
  receipts: 'tangaza-receipts',
} as const;

const GuestClaims = z.object({
  sub: UserId.refine((id) => id.startsWith('g-')),
  name: z.string().min(1).max(200),
  exp: z.number(),
});

/** @throws TangazaError `UNAUTHENTICATED` */
export function guestOf(claims: unknown): Identity {
  const { sub, name, exp } = read(GuestClaims, claims);
  return { user: { id: sub, name, kind: 'guest' }, permissions: [], expiresAt: timeOf(exp) };
}

const words = z.array(z.string().max(200)).max(200);

/**
 * The claims that count in an account's token. A person's name is `name`, or `preferred_username`; `roles` and `permissions` say what they
 * may do, `stream` to which stream the token is confined.
 */
const AccountClaims = z.object({
  sub: z.string().min(1, 'it has no `sub`').max(500, 'its `sub` is longer than 500 characters'),
  name: z.string().max(500).optional(),
  preferred_username: z.string().max(500).optional(),
  stream: StreamId.optional(),
  roles: words.optional(),
  permissions: words.optional(),
  exp: z.number(),
});

/** @throws TangazaError `UNAUTHENTICATED` that names the claim that is missing or wrong */
export function accountOf(claims: unknown): Identity {
  const account = read(AccountClaims, claims);
  const name = account.name ?? account.preferred_username;
  if (name === undefined) throw unreadable('name');
  return {
    user: { id: accountIdOf(account.sub), name: nameOf(name), kind: 'account' },
    permissions: [...permissionsOf(account.roles ?? [], account.permissions ?? [])],
    expiresAt: timeOf(account.exp),
    ...(account.stream === undefined ? {} : { stream: account.stream }),
  };
}

/** `a-operator` is whoever has the operator's token; 43 characters are the length of the hashes below. */
const plainSubject = /^(?!operator$)(?![A-Za-z0-9_-]{43}$)[A-Za-z0-9_-]{1,64}$/;

/**
 * The id of an account: `a-` and its subject where that can stand in an id, else `a-` and the SHA-256 of it in base64url. Nobody can choose a
 * subject that gives another's id.
 */
export function accountIdOf(subject: string): UserId {
  const name = plainSubject.test(subject)
    ? subject
    : createHash('sha256').update(subject).digest('base64url');
  return UserId.parse(`a-${name}`);
}

function read<S extends z.ZodType>(schema: S, claims: unknown): z.output<S> {
  const parsed = schema.safeParse(claims);
  if (parsed.success) return parsed.data;
  throw unreadable(String(parsed.error.issues[0]?.path[0] ?? 'claims'));
}

/** The issuer vouches for the name, so a name that cannot be shown refuses the token, with the reason. */
function nameOf(given: string): string {
  try {
    return cleanName(given);
  } catch {
    throw unreadable('name');
  }
}

const unreadable = (claim: string): TangazaError =>
  new TangazaError(
    'UNAUTHENTICATED',
    `The claim "${claim}" of the token is missing, or not as it must be: whoever makes these tokens has to mend it.`,
  );

const timeOf = (seconds: number): string => new Date(seconds * 1000).toISOString();
