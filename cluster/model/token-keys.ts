/**
 * The keys with which regions sign tokens and receipts: a JWK set (RFC 7517) of Ed25519 keys. A key says in `region` which region signs with
 * it; every region knows the public half of all of them (A13). Beside them may lie a secret that all regions share, of the kind `oct` (A12).
 */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { z } from 'zod';
import { RegionId } from './ids.ts';
import { regionNamed } from './region-words.ts';

/** 32 bytes in base64url. */
const half = z.string().regex(/^[A-Za-z0-9_-]{43}$/);

export const TokenKey = z.object({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  kid: z.string().min(1).max(100),
  x: half,
  /** The private half: who has it signs. */
  d: half.optional(),
  /** Absent: any region may sign with it. */
  region: RegionId.optional(),
});
export type TokenKey = z.infer<typeof TokenKey>;
export type SigningKey = TokenKey & { readonly d: string };

const SharedSecret = z.object({ kty: z.literal('oct'), kid: TokenKey.shape.kid, k: half });
export type SharedSecret = z.infer<typeof SharedSecret>;

const mostKeys = 200;
const TokenKeySet = z.object({
  keys: z
    .array(z.discriminatedUnion('kty', [TokenKey, SharedSecret]))
    .min(1)
    .max(mostKeys),
});

export interface TokenKeys {
  /** With which this region signs. */
  readonly signing: SigningKey;
  /** All that count here, the own one among them. */
  readonly known: readonly TokenKey[];
  /** What all regions have, and nobody else; undefined where the file holds none. */
  readonly shared?: string | undefined;
}

interface TokenKeyFile {
  /** In their order. */
  readonly keys: readonly TokenKey[];
  /** The first one counts. */
  readonly shared: readonly SharedSecret[];
}

/**
 * The keys of a file, as one region uses them. It signs with the first private key that is its own or nobody's, so a new key comes into use
 * when it is put first.
 *
 * @returns the keys, or what is wrong with the file in words that follow its name
 */
export function tokenKeysOf(text: string, region: RegionId): TokenKeys | { readonly fault: string } {
  const set = readTokenKeys(text);
  if ('fault' in set) return set;
  const signing = set.keys
    .filter(isSigningKey)
    .find((key) => key.region === undefined || key.region === region);
  if (signing === undefined) return { fault: `holds no private key of ${regionNamed(region)}` };
  return { signing, known: set.keys, shared: set.shared[0]?.k };
}

/** @returns what the file holds, or what is wrong in words that follow the file's name */
export function readTokenKeys(text: string): TokenKeyFile | { readonly fault: string } {
  const parsed = TokenKeySet.safeParse(jsonOf(text));
  if (!parsed.success)
    return { fault: 'is no JWK set of Ed25519 keys: {"keys":[{"kty":"OKP","crv":"Ed25519","kid":…,"x":…}]}' };
  const all = parsed.data.keys;
  const twice = all.find(({ kid }, index) => all.findIndex((other) => other.kid === kid) !== index);
  if (twice !== undefined) return { fault: `has two keys with kid ${twice.kid}` };
  const keys = all.filter((key) => key.kty === 'OKP');
  const torn = keys.filter(isSigningKey).find((key) => !isWhole(key));
  return torn === undefined
    ? { keys, shared: all.filter((key) => key.kty === 'oct') }
    : { fault: `has halves that do not belong together in key ${torn.kid}` };
}

export function isSigningKey(key: TokenKey): key is SigningKey {
  return key.d !== undefined;
}

/** The key with its public half alone. */
export function publicHalf({ kty, crv, kid, x, region }: TokenKey): TokenKey {
  return { kty, crv, kid, x, ...(region === undefined ? {} : { region }) };
}

function isWhole({ kty, crv, x, d }: SigningKey): boolean {
  try {
    const key = createPrivateKey({ key: { kty, crv, x, d }, format: 'jwk' });
    return createPublicKey(key).export({ format: 'jwk' }).x === x;
  } catch {
    return false;
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
