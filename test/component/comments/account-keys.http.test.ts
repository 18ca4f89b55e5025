/** The keys of accounts over real HTTP: a server that is slow, gone, or sends what it should not disturbs nobody else (A13). */
import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { KeptKeys } from '../../../actors/comments/identity/kept-keys.ts';
import { readerOfFile, readerOfUrl } from '../../../actors/comments/identity/key-reader.http.ts';
import { openIdentity } from '../../../actors/comments/identity/identity.jose.ts';
import { RegionId } from '../../../cluster/model/ids.ts';
import { silentLogger as logger } from '../../../cluster/observe/logger.ts';
import { noMetrics as metrics } from '../../../cluster/observe/metrics.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { newKey } from '../../../config/token-keys.disk.ts';
import { mint, serveKeys } from '../../support/audience/key-server.ts';
import { codeOf } from '../../support/ingest/stream-feed.ts';
import { JumpingClock } from '../../support/ports/jumping-clock.ts';

const claims = { iss: 'i', aud: 'a', sub: 'u1', name: 'Ann', exp: Math.floor(Date.now() / 1000) + 3600 };
const from = (bearer: string) => ({ network: '192.0.2.1', isOperator: false, bearer });

/** Identity whose accounts' keys lie at `url`, and that lives by `clock` where keys grow old. */
async function identityAt(url: string, clock: JumpingClock) {
  const signing = newKey(RegionId.parse('r1'));
  const keys = new KeptKeys({ read: readerOfUrl(url, systemClock), place: url, clock, logger });
  const accounts = { keys, issuer: 'i', audience: 'a' };
  return openIdentity({
    keys: { signing, known: [signing] },
    accounts,
    clock: systemClock,
    metrics,
    newId: () => '1',
  });
}

// Goal: a service puts a new key in and takes the old one out, and nobody is locked out or stays in. Method: tokens of both keys, before
// and after, with the clock of the kept keys moved beyond the cool-down.
test('a new key counts at once, and one that is taken out no longer', async () => {
  await using server = await serveKeys();
  const clock = new JumpingClock();
  const identity = await identityAt(server.url, clock);
  const first = server.add('k1', 'EdDSA');
  await identity.identify(from(mint({ alg: 'EdDSA', kid: 'k1' }, claims, first)));
  const second = server.add('k2', 'ES256');
  server.remove('k1');
  clock.nowMs += 31_000;
  const { user } = await identity.identify(from(mint({ alg: 'ES256', kid: 'k2' }, claims, second)));
  expect(user.id).toBe('a-u1');
  const late = mint({ alg: 'EdDSA', kid: 'k1' }, { ...claims, sub: 'u2' }, first);
  expect(await codeOf(identity.identify(from(late)))).toBe('UNAUTHENTICATED');
});

test('a thousand made-up key names ask the server for its keys once more', async () => {
  await using server = await serveKeys();
  const clock = new JumpingClock();
  const identity = await identityAt(server.url, clock);
  const key = server.add('k1', 'EdDSA');
  await identity.identify(from(mint({ alg: 'EdDSA', kid: 'k1' }, claims, key)));
  clock.nowMs += 31_000;
  const forged = Array.from({ length: 1000 }, (_, at) => mint({ alg: 'EdDSA', kid: `x${at}` }, claims, key));
  const codes = await Promise.all(forged.map((token) => codeOf(identity.identify(from(token)))));
  expect(new Set(codes)).toEqual(new Set(['UNAUTHENTICATED']));
  expect({ asked: server.asked() }).toEqual({ asked: 2 });
});

// Goal: an outage at the operator's service locks out neither guests nor accounts whose keys were read. Method: it answers 500, then
// nobody listens.
test('while the server is gone guests, and accounts with keys that were read, go on', async () => {
  const server = await serveKeys();
  const clock = new JumpingClock();
  const key = server.add('k1', 'EdDSA');
  const identity = await identityAt(server.url, clock);
  await identity.identify(from(mint({ alg: 'EdDSA', kid: 'k1' }, claims, key)));
  server.answer((reply) => reply.writeHead(500).end('oops'));
  for (const sub of ['u2', 'u3']) {
    clock.nowMs += 3_600_000;
    const token = mint({ alg: 'EdDSA', kid: 'k1' }, { ...claims, sub }, key);
    expect((await identity.identify(from(token))).user.id).toBe(`a-${sub}`);
    if (sub === 'u2') await server[Symbol.asyncDispose]();
  }
  const { token } = await identity.createGuest('Ann');
  expect((await identity.identify(from(token))).user.kind).toBe('guest');
});

const endless = (reply: ServerResponse): void => {
  const more = (): void => {
    while (!reply.destroyed && reply.write('x'.repeat(65_536)));
  };
  reply.on('drain', more);
  more();
};

test.each<[string, (reply: ServerResponse) => void]>([
  ['10 MB', (reply) => void reply.end(Buffer.alloc(10_000_000, 'x'))],
  ['a body without end', endless],
  ['a page', (reply) => void reply.end('<html>')],
  ['404', (reply) => void reply.writeHead(404).end()],
  [
    'half a body',
    (reply) => void reply.writeHead(200, { 'content-length': '1000' }).write('{"ke', () => reply.destroy()),
  ],
])('a server that sends %s makes accounts unavailable, and guests stay', async (_, how) => {
  await using server = await serveKeys();
  const key = server.add('k1', 'EdDSA');
  server.answer(how);
  const identity = await identityAt(server.url, new JumpingClock());
  const token = mint({ alg: 'EdDSA', kid: 'k1' }, claims, key);
  expect(await codeOf(identity.identify(from(token)))).toBe('UNAVAILABLE');
  const guest = await identity.createGuest('Ann');
  expect((await identity.identify(from(guest.token))).user.kind).toBe('guest');
});

test('a redirect is not followed, even where keys lie behind it', async () => {
  await using server = await serveKeys();
  server.add('k1', 'EdDSA');
  const keys = await (await fetch(server.url)).text();
  server.answer((reply) =>
    reply.req.url === '/other'
      ? void reply.end(keys)
      : void reply.writeHead(302, { location: new URL('/other', server.url).href }).end(),
  );
  await expect(readerOfUrl(server.url, systemClock)()).rejects.toThrow('fetch failed');
});

test('a server that never answers is given up', async () => {
  await using server = await serveKeys();
  server.answer(() => {});
  await expect(readerOfUrl(server.url, new JumpingClock())()).rejects.toThrow('Nothing came within 5000 ms');
});

// Goal: who waits for a slow server stands in nobody's way. Method: the server holds its answer, 2,000 accounts come, then a guest.
test('while the server is slow guests are not held up, and too many accounts are told so', async () => {
  await using server = await serveKeys();
  const key = server.add('k1', 'EdDSA');
  const held: ServerResponse[] = [];
  server.answer((reply) => void held.push(reply));
  const identity = await identityAt(server.url, new JumpingClock());
  const accounts = Array.from({ length: 2000 }, (_, at) =>
    codeOf(identity.identify(from(mint({ alg: 'EdDSA', kid: 'k1' }, { ...claims, sub: `u${at}` }, key)))),
  );
  const guest = await identity.createGuest('Ann');
  expect((await identity.identify(from(guest.token))).user.kind).toBe('guest');
  await expect.poll(() => held.length).toBe(1);
  held[0]?.writeHead(503).end();
  const codes = await Promise.all(accounts);
  const count = (code: string): number => codes.filter((one) => one === code).length;
  expect({ overloaded: count('OVERLOADED'), unavailable: count('UNAVAILABLE') }).toEqual({
    overloaded: 1000,
    unavailable: 1000,
  });
});

test('a file that is too large is not read to its end', async () => {
  await expect(readerOfFile('/dev/zero')()).rejects.toThrow('larger than');
});
