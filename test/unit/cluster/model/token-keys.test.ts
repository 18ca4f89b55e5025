/** The file of the keys that sign tokens: which key a region signs with, and what is wrong with a file. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { RegionId } from '../../../../cluster/model/ids.ts';
import { tokenKeysOf } from '../../../../cluster/model/token-keys.ts';

const [r1, r2] = [RegionId.parse('r1'), RegionId.parse('r2')];
function keyOf(kid: string, region?: RegionId) {
  const { x, d } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  return { kty: 'OKP', crv: 'Ed25519', kid, x, d, ...(region === undefined ? {} : { region }) };
}
const secretOf = (kid: string) => ({ kty: 'oct', kid, k: randomBytes(32).toString('base64url') });
const textOf = (...keys: readonly object[]): string => JSON.stringify({ keys });
const publicOf = (key: ReturnType<typeof keyOf>) => ({ ...key, d: undefined });
const signsWith = (text: string, region: RegionId): string => {
  const keys = tokenKeysOf(text, region);
  return 'fault' in keys ? keys.fault : keys.signing.kid;
};

test('a region signs with its own key, and knows those of the others', () => {
  const text = textOf(keyOf('a', r1), keyOf('b', r2));
  expect({ r1: signsWith(text, r1), r2: signsWith(text, r2) }).toEqual({ r1: 'a', r2: 'b' });
  expect(tokenKeysOf(text, r1)).toMatchObject({ known: [{ kid: 'a' }, { kid: 'b' }] });
});

test('of several keys a region signs with the first private one', () => {
  const text = textOf(publicOf(keyOf('old', r1)), keyOf('new', r1), keyOf('older', r1));
  expect(signsWith(text, r1)).toBe('new');
});

test('a key that names no region is for any of them', () => {
  expect(signsWith(textOf(keyOf('all')), r2)).toBe('all');
});

test('what regions share is the first secret of the file, and signs nothing', () => {
  const [first, second] = [secretOf('s'), secretOf('t')];
  const text = textOf(first, keyOf('a', r1), second, keyOf('b', r2));
  for (const region of [r1, r2])
    expect(tokenKeysOf(text, region)).toMatchObject({
      known: [{ kid: 'a' }, { kid: 'b' }],
      shared: first.k,
    });
  expect(tokenKeysOf(textOf(keyOf('a')), r1)).toMatchObject({ shared: undefined });
});

test.each([
  ['no JSON', 'x'],
  ['no keys', textOf()],
  ['a key of another kind', textOf({ kty: 'RSA', n: 'x', e: 'AQAB', kid: 'a' })],
  ['public keys alone', textOf(publicOf(keyOf('a', r1)))],
  ["another region's private key", textOf(keyOf('a', r2))],
  ['one name for two keys', textOf(keyOf('a', r1), keyOf('a', r2))],
  ['a shared secret alone', textOf(secretOf('s'))],
  ['one name for a key and a secret', textOf(keyOf('a', r1), secretOf('a'))],
  ['a secret that is too short', textOf(keyOf('a', r1), { ...secretOf('s'), k: 'short' })],
  ['halves of two keys', textOf({ ...keyOf('a', r1), x: keyOf('b').x })],
])('a file with %s is refused in words', (_, text) => {
  expect(tokenKeysOf(text, r1)).toEqual({ fault: expect.any(String) });
});
