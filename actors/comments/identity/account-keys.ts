/** Reads the JWK set with which an operator's service signs accounts' tokens (RFC 7517). What is no public key of ours to use is left out. */
import { z } from 'zod';

/** Never `none`, and no shared secrets: a public key taken for a secret would let anybody sign (RFC 8725, 3.1). */
export const accountAlgorithms = ['EdDSA', 'Ed25519', 'ES256', 'RS256'] as const;

export const mostKeySetBytes = 256 * 1024;
const mostKeys = 100;

const text = z.string().min(1).max(2000);
const common = {
  kid: text.exactOptional(),
  alg: z.enum(accountAlgorithms).exactOptional(),
  use: z.literal('sig').exactOptional(),
};
/** The public members alone: a private half in the file is not even read. */
const AccountKey = z.discriminatedUnion('kty', [
  z.object({ ...common, kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: text }),
  z.object({ ...common, kty: z.literal('EC'), crv: z.literal('P-256'), x: text, y: text }),
  z.object({ ...common, kty: z.literal('RSA'), n: text, e: text }),
]);
export type AccountKey = z.infer<typeof AccountKey>;

const KeySet = z.object({ keys: z.array(z.unknown()).max(mostKeys) });

/** @returns the keys, or what is wrong in words that follow the name of their place */
export function accountKeysOf(
  content: string,
): { readonly keys: readonly AccountKey[] } | { readonly fault: string } {
  if (Buffer.byteLength(content) > mostKeySetBytes)
    return { fault: `is larger than ${mostKeySetBytes} bytes` };
  const set = KeySet.safeParse(jsonOf(content));
  if (!set.success) return { fault: `is no JWK set ({"keys":[…]}) of at most ${mostKeys} keys` };
  const keys = set.data.keys.flatMap((one) => {
    const key = AccountKey.safeParse(one);
    return key.success ? [key.data] : [];
  });
  return keys.length > 0
    ? { keys }
    : { fault: 'has no key of Ed25519, P-256 or RSA for signatures, with alg EdDSA, ES256 or RS256' };
}

function jsonOf(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}
