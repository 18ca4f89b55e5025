/** Keys of accounts that lie elsewhere, and tokens that were found good: what is kept, and for how long. */
import { expect, test } from 'vitest';
import { accountKeysOf } from '../../../../../actors/comments/identity/account-keys.ts';
import { KeptKeys } from '../../../../../actors/comments/identity/kept-keys.ts';
import { TokenCache } from '../../../../../actors/comments/identity/token-cache.ts';
import type { Identity } from '../../../../../cluster/contract/api/audience-views.ts';
import { UserId } from '../../../../../cluster/model/ids.ts';
import { silentLogger } from '../../../../../cluster/observe/logger.ts';
import { codeOf } from '../../../../support/ingest/stream-feed.ts';

const x = 'A'.repeat(43);
const ed = { kty: 'OKP', crv: 'Ed25519', x };
const setOf = (...keys: readonly object[]): string => JSON.stringify({ keys });

test('of a key set the public halves of keys for signatures are taken', () => {
  const rsa = { kty: 'RSA', n: 'AQ', e: 'AQAB', kid: 'r', alg: 'RS256', use: 'sig' };
  const others = [
    { kty: 'oct', k: 'c2VjcmV0' },
    { kty: 'OKP', crv: 'X25519', x },
    { ...rsa, use: 'enc' },
    { ...rsa, alg: 'PS512' },
    { kty: 'EC', crv: 'P-521', x, y: x },
    'x',
    null,
  ];
  const content = JSON.stringify({ keys: [{ ...ed, d: 'private', kid: 'e' }, rsa, ...others] });
  expect(accountKeysOf(content)).toEqual({ keys: [{ ...ed, kid: 'e' }, rsa] });
});

test.each([
  ['nothing', ''],
  ['no JSON', '<html>'],
  ['no list', '{"keys":{}}'],
  ['no key', '{"keys":[]}'],
  ['a shared secret alone', setOf({ kty: 'oct', k: 'c2VjcmV0' })],
  ['too many', JSON.stringify({ keys: Array.from({ length: 101 }, () => ed) })],
  ['too much', setOf({ ...ed, more: 'x'.repeat(300_000) })],
])('a key set of %s is refused in words', (_, content) => {
  expect(accountKeysOf(content)).toEqual({ fault: expect.any(String) });
});

/** A place of keys whose answer, or failure, the test sets. */
function place() {
  const state = { nowMs: 0, reads: 0, content: setOf({ ...ed, kid: 'k0' }), isDown: false };
  const read = async (): Promise<string> => {
    state.reads += 1;
    if (state.isDown) throw new Error('it is down');
    return state.content;
  };
  const clock = { monotonicMs: () => state.nowMs };
  const keys = new KeptKeys({ read, place: 'https://id.example', clock, logger: silentLogger });
  return Object.assign(state, { keys, kids: async () => (await keys.current()).map(({ kid }) => kid) });
}

test('keys are read once for all who wait for them, and kept', async () => {
  const there = place();
  await Promise.all([there.kids(), there.kids(), there.kids()]);
  there.nowMs = 9 * 60_000;
  expect(await there.kids()).toEqual(['k0']);
  expect({ reads: there.reads }).toEqual({ reads: 1 });
});

test('keys that are 10 minutes old are renewed, and nobody waits for that', async () => {
  const there = place();
  await there.kids();
  there.content = setOf({ ...ed, kid: 'k1' });
  there.nowMs = 11 * 60_000;
  expect(await there.kids()).toEqual(['k0']);
  await expect.poll(there.kids).toEqual(['k1']);
});

test('a key that is not known makes the set be read again, but at most once in 30 s', async () => {
  const there = place();
  await there.kids();
  there.nowMs = 31_000;
  there.content = setOf({ ...ed, kid: 'k1' });
  expect((await there.keys.renewed()).map(({ kid }) => kid)).toEqual(['k1']);
  for (let made = 0; made < 1000; made += 1) await there.keys.renewed();
  expect({ reads: there.reads }).toEqual({ reads: 2 });
  there.nowMs = 62_000;
  await there.keys.renewed();
  expect({ reads: there.reads }).toEqual({ reads: 3 });
});

test('while their place is down the last keys count on for a day', async () => {
  const there = place();
  await there.kids();
  there.isDown = true;
  there.nowMs = 23 * 3_600_000;
  expect(await there.kids()).toEqual(['k0']);
  await there.keys.renewed();
  there.nowMs = 25 * 3_600_000;
  expect(await codeOf(there.kids())).toBe('UNAVAILABLE');
});

test('without any keys accounts are unavailable, and a place that comes back is asked within seconds', async () => {
  const there = place();
  there.isDown = true;
  expect(await codeOf(there.kids())).toBe('UNAVAILABLE');
  expect(await codeOf(there.kids())).toBe('UNAVAILABLE');
  expect({ reads: there.reads }).toEqual({ reads: 1 });
  there.isDown = false;
  there.nowMs = 2000;
  expect(await there.kids()).toEqual(['k0']);
});

test('a set that cannot be used changes nothing', async () => {
  const there = place();
  await there.kids();
  there.content = '{"keys":[]}';
  there.nowMs = 31_000;
  await there.keys.renewed();
  expect(await there.kids()).toEqual(['k0']);
});

const ann = (expiresAt?: string): Identity => ({
  user: { id: UserId.parse('g-1'), name: 'Ann', kind: 'guest' },
  permissions: [],
  ...(expiresAt === undefined ? {} : { expiresAt }),
});

test('a remembered token ends with its own expiry, or after 10 minutes', () => {
  const cache = new TokenCache();
  cache.keep('short', ann('1970-01-01T00:01:00Z'), 0);
  cache.keep('long', ann('1970-02-01T00:00:00Z'), 0);
  const known = (nowMs: number) => ({
    short: cache.find('short', nowMs) !== undefined,
    long: cache.find('long', nowMs) !== undefined,
  });
  expect(known(59_999)).toEqual({ short: true, long: true });
  expect(known(60_000)).toEqual({ short: false, long: true });
  expect(known(600_000)).toEqual({ short: false, long: false });
});

test('of too many remembered tokens the one used least lately goes', () => {
  const cache = new TokenCache(2);
  cache.keep('a', ann(), 0);
  cache.keep('b', ann(), 0);
  cache.find('a', 1);
  cache.keep('c', ann(), 2);
  expect(['a', 'b', 'c'].filter((token) => cache.find(token, 3) !== undefined)).toEqual(['a', 'c']);
  expect(cache.size).toBe(2);
});
