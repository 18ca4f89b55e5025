/** Tokens and receipts with real keys and real signatures: which count, and which are refused with what to do (A6, A13). */
import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { expect, test } from 'vitest';
import { composeIdentity } from '../../../actors/comments/identity/identity.composition.ts';
import type { Accepted } from '../../../actors/comments/identity/identity.ts';
import { openSigner } from '../../../actors/comments/identity/token-signer.jose.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import { ClientId, CommentId, RegionId, StreamId } from '../../../cluster/model/ids.ts';
import { publicHalf } from '../../../cluster/model/token-keys.ts';
import { silentLogger as logger } from '../../../cluster/observe/logger.ts';
import { noMetrics as metrics } from '../../../cluster/observe/metrics.ts';
import { systemClock as clock } from '../../../cluster/time/clock.system.ts';
import { newKey } from '../../../config/token-keys.disk.ts';
import { mint, serveKeys, type MintHeader } from '../../support/audience/key-server.ts';

const [r1, r2] = ['r1', 'r2'].map((id) => newKey(RegionId.parse(id)));
if (r1 === undefined || r2 === undefined) throw new Error('two keys were made');
const known = [r1, r2].map(publicHalf);
const [issuer, audience] = ['https://id.example', 'tangaza'];
const inAnHour = (): number => Math.floor(Date.now() / 1000) + 3600;
const claims = (more: object = {}) => ({
  iss: issuer,
  aud: audience,
  sub: 'u1',
  name: 'Ann',
  exp: inAnHour(),
  ...more,
});

const identityOf = (signing = r1, keys?: string, shared?: string) =>
  composeIdentity({
    tokenKeys: { signing, known, shared },
    accounts: keys === undefined ? undefined : { keys, issuer, audience },
    clock,
    logger,
    metrics,
  });
const from = (bearer: string) => ({ network: '192.0.2.1', isOperator: false, bearer });

async function refusalOf(work: Promise<unknown>) {
  try {
    await work;
    return { code: 'none' };
  } catch (error) {
    if (!(error instanceof TangazaError)) throw error;
    return { code: error.code, words: error.message };
  }
}

test('a guest of one region is the same guest in the other', async () => {
  const [here, there] = [await identityOf(r1), await identityOf(r2)];
  const { token, user } = await here.createGuest('  Ann\u202E ');
  expect(user).toEqual({ id: expect.stringMatching(/^g-[0-9a-f]{24}$/), name: 'Ann', kind: 'guest' });
  for (const identity of [here, there, there])
    expect(await identity.identify(from(token))).toMatchObject({ user, permissions: [] });
});

test('the guests of one network have one voice in all regions that share a secret, and one in each without', async () => {
  const comment = CommentId.parse(`demo~${'a'.repeat(26)}`);
  const { user } = await (await identityOf()).createGuest('Ann');
  const voicesIn = async (shared: string | undefined) => {
    const regions = await Promise.all([r1, r2].map((key) => identityOf(key, undefined, shared)));
    return new Set(regions.map((region) => region.voiceOf(user, '192.0.2.1', comment))).size;
  };
  expect({ shared: await voicesIn('secret of both'), without: await voicesIn(undefined) }).toEqual({
    shared: 1,
    without: 2,
  });
});

test('a token of a guest is good for 30 days', async () => {
  const identity = await identityOf();
  const { expiresAt } = await identity.identify(from((await identity.createGuest('Ann')).token));
  const days = (Date.parse(expiresAt ?? '') - Date.now()) / 86_400_000;
  expect(days).toBeGreaterThan(29.9);
  expect(days).toBeLessThan(30.1);
});

test('the operator has every permission, and needs no other token', async () => {
  const identity = await identityOf();
  const { user, permissions } = await identity.identify({ network: '192.0.2.1', isOperator: true });
  expect(user.id).toBe('a-operator');
  expect(permissions).toContain('user.erase');
});

test("an account that a region's key signs counts in all regions", async () => {
  const signer = await openSigner(r1);
  const grant = { account: 'mo', name: 'Mo', roles: ['moderator'], permissions: [], stream: 'news' };
  const token = await signer.accountToken(grant, { nowMs: Date.now(), hours: 1 });
  expect(await (await identityOf(r2)).identify(from(token))).toMatchObject({
    user: { id: 'a-mo', name: 'Mo', kind: 'account' },
    permissions: ['comment.hide', 'comment.release', 'user.ban', 'stream.mode', 'audit.read'],
    stream: 'news',
  });
});

test.each(['EdDSA', 'ES256', 'RS256'] as const)(
  "an operator's token signed by %s is an account",
  async (alg) => {
    await using server = await serveKeys();
    const key = server.add('k1', alg);
    const identity = await identityOf(r1, server.url);
    const token = mint({ alg, kid: 'k1' }, claims({ roles: ['moderator'] }), key);
    expect(await identity.identify(from(token))).toMatchObject({
      user: { id: 'a-u1', name: 'Ann', kind: 'account' },
      permissions: expect.arrayContaining(['comment.hide']),
    });
  },
);

const another = generateKeyPairSync('ed25519').privateKey;
const hmac = (input: string, secret: string): string =>
  createHmac('sha256', secret).update(input).digest('base64url');
const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
const unsigned = (header: object, body: object): string => `${encode(header)}.${encode(body)}.`;

/** @param key of the operator's service, and its public half as a text that all may read */
const bad: Readonly<Record<string, (key: KeyObject, shown: string) => string>> = {
  'alg none': () => unsigned({ alg: 'none' }, claims()),
  'alg none, and the kid of a key': () => unsigned({ alg: 'none', kid: 'k1' }, claims()),
  'alg nOnE': () => unsigned({ alg: 'nOnE', kid: 'k1' }, claims()),
  'a public key used as a secret': (_, shown) => {
    const input = `${encode({ alg: 'HS256', kid: 'k1' })}.${encode(claims())}`;
    return `${input}.${hmac(input, shown)}`;
  },
  "a stranger's signature": () => mint({ alg: 'EdDSA', kid: 'k1' }, claims(), another),
  'a wrong kid': (key) => mint({ alg: 'EdDSA', kid: 'other' }, claims(), key),
  'a kid that is a path': (key) => mint({ alg: 'EdDSA', kid: '../../etc/passwd' }, claims(), key),
  'a key that it brings along': () =>
    mint({ alg: 'EdDSA', kid: 'k2', jwk: publicJwk(another) }, claims(), another),
  'a place of keys that it names': () =>
    mint({ alg: 'EdDSA', jku: 'http://127.0.0.1:1/' }, claims(), another),
  'an extension that nobody knows': (key) =>
    mint({ alg: 'EdDSA', kid: 'k1', crit: ['x'], x: 1 }, claims(), key),
  'an expiry in the past': (key) =>
    mint({ alg: 'EdDSA', kid: 'k1' }, claims({ exp: inAnHour() - 3700 }), key),
  'no expiry': (key) => mint({ alg: 'EdDSA', kid: 'k1' }, claims({ exp: undefined }), key),
  'an expiry that is a text': (key) => mint({ alg: 'EdDSA', kid: 'k1' }, claims({ exp: '2099' }), key),
  'a beginning in the future': (key) => mint({ alg: 'EdDSA', kid: 'k1' }, claims({ nbf: inAnHour() }), key),
  'another audience': (key) => mint({ alg: 'EdDSA', kid: 'k1' }, claims({ aud: 'shop' }), key),
  'another issuer': (key) => mint({ alg: 'EdDSA', kid: 'k1' }, claims({ iss: 'https://evil.example' }), key),
  'no name': (key) => mint({ alg: 'EdDSA', kid: 'k1' }, claims({ name: undefined }), key),
  'claims that are a list': (key) => mint({ alg: 'EdDSA', kid: 'k1' }, [], key),
  "a guest's header on an operator's token": (key) =>
    mint({ alg: 'EdDSA', kid: 'k1', typ: 'tangaza-guest+jwt' }, claims({ sub: 'g-1', iss: 'tangaza' }), key),
  'changed claims': (key) => {
    const [head, , signature] = mint({ alg: 'EdDSA', kid: 'k1' }, claims(), key).split('.');
    return `${head}.${encode(claims({ roles: ['administrator'] }))}.${signature}`;
  },
  'a signature that was cut off': (key) => mint({ alg: 'EdDSA', kid: 'k1' }, claims(), key).slice(0, -10),
  'too many characters': (key) => mint({ alg: 'EdDSA', kid: 'k1' }, claims({ more: 'x'.repeat(9000) }), key),
  'one part': () => 'garbage',
  'three empty parts': () => '..',
  'five parts': () => 'a.b.c.d.e',
  'JSON that nests deeply': () => `${Buffer.from('['.repeat(5000)).toString('base64url')}.e30.x`,
  'CQL in its kid': (key) => mint({ alg: 'EdDSA', kid: "'; DROP TABLE likes; --" }, claims(), key),
};

function publicJwk(key: KeyObject): object {
  const { d: _, ...shown } = key.export({ format: 'jwk' });
  return shown;
}

test.each(Object.keys(bad))('a token with %s is refused with what to do', async (name) => {
  await using server = await serveKeys();
  const key = server.add('k1', 'EdDSA');
  const identity = await identityOf(r1, server.url);
  const token = bad[name]?.(key, JSON.stringify(publicJwk(key))) ?? '';
  const { code, words } = await refusalOf(identity.identify(from(token)));
  expect(code).toBe('UNAUTHENTICATED');
  expect(words).toMatch(/POST \/v1\/guests|has to mend it/);
});

test("tokens of regions count by a region's key alone, and each for its own kind", async () => {
  const identity = await identityOf();
  const forged = (header: MintHeader, body: object) =>
    refusalOf(
      identity.identify(
        from(mint(header, { iss: 'tangaza', exp: inAnHour(), name: 'Ann', ...body }, another)),
      ),
    );
  const typ = 'tangaza-guest+jwt';
  expect(await forged({ alg: 'EdDSA', kid: r1.kid, typ }, { sub: 'g-1' })).toMatchObject({
    code: 'UNAUTHENTICATED',
  });
  expect(await forged({ alg: 'EdDSA', kid: 'r3', typ }, { sub: 'g-1' })).toMatchObject({
    code: 'UNAUTHENTICATED',
  });
  expect(await refusalOf(identity.identify(from(await identity.sign(accepted))))).toMatchObject({
    code: 'UNAUTHENTICATED',
  });
});

// Goal: a flood of forged tokens costs its network and nobody else. Method: 300 of them from one network; before it, a guest of that
// network is known.
test('who sends many forged tokens is stopped; known tokens of that network and all others count', async () => {
  const identity = await identityOf();
  const [known, fresh, forged] = await Promise.all(['A', 'B', 'C'].map((name) => identity.createGuest(name)));
  if (known === undefined || fresh === undefined || forged === undefined) throw new Error('three were made');
  await identity.identify(from(known.token));
  const codes: string[] = [];
  for (let sent = 0; sent < 300; sent += 1)
    codes.push(
      (await refusalOf(identity.identify(from(`${forged.token.slice(0, -6)}${sent + 100_000}`)))).code,
    );
  expect(new Set(codes)).toEqual(new Set(['UNAUTHENTICATED', 'OVERLOADED']));
  expect(await refusalOf(identity.identify(from(known.token)))).toEqual({ code: 'none' });
  expect(await refusalOf(identity.identify(from(fresh.token)))).toMatchObject({ code: 'OVERLOADED' });
  const elsewhere = { ...from(fresh.token), network: '192.0.2.2' };
  expect(await refusalOf(identity.identify(elsewhere))).toEqual({ code: 'none' });
});

test('without accounts a token of some service is refused', async () => {
  const identity = await identityOf();
  const token = mint({ alg: 'EdDSA', kid: 'k1' }, claims(), another);
  expect(await refusalOf(identity.identify(from(token)))).toMatchObject({ code: 'UNAUTHENTICATED' });
});

const streamId = StreamId.parse('news');
const accepted: Accepted = {
  body: {
    id: CommentId.parse(`news~${'0'.repeat(26)}`),
    streamId,
    author: { id: 'g-1' as Accepted['body']['author']['id'], name: 'Ann' },
    clientId: ClientId.parse('01890a5d-ac96-774b-bcce-b302099a8057'),
    text: 'Hello',
    createdAtMs: 1000,
    path: [],
    region: RegionId.parse('r1'),
  },
  isHeld: false,
};
const { author, ...sent } = accepted.body;
const resent = { ...sent, authorId: author.id };

test('a receipt of one region gives the same row in the other, and for no other text', async () => {
  const [here, there] = [await identityOf(r1), await identityOf(r2)];
  const receipt = await here.sign(accepted);
  expect(await there.open(receipt, resent)).toEqual(accepted);
  expect(await there.open(receipt, { ...resent, text: 'Bye' })).toBeUndefined();
});

/**
 * *Goal*: comments that are accepted together share a signature, and each receipt counts for its own comment alone, in any region.
 * *Method*: many are signed at once. Each is opened in the other region with what its author sends again, and with what the next one does.
 */
test('receipts that share a signature count each for its own comment', async () => {
  const [here, there] = [await identityOf(r1), await identityOf(r2)];
  const many = Array.from({ length: 80 }, (_, index) => ({
    ...accepted,
    body: { ...accepted.body, text: `Hello ${index}` },
  }));
  const receipts = await Promise.all(many.map((one) => here.sign(one)));
  const signatures = new Set(receipts.map((receipt) => receipt.split('~')[0]));
  expect({ many: receipts.length, signatures: signatures.size }).toEqual({ many: 80, signatures: 3 });
  for (const [index, receipt] of receipts.entries()) {
    expect(await there.open(receipt, { ...resent, text: `Hello ${index}` })).toEqual(many[index]);
    expect(await there.open(receipt, { ...resent, text: `Hello ${index + 1}` })).toBeUndefined();
  }
});

/**
 * *Goal*: nobody makes a receipt of what somebody else's has in common with it.
 * *Method*: the text, the proof and the signature of two receipts that share one are mixed, cut and doubled; and roots are signed as tokens.
 */
test('parts of receipts that share a signature are no receipt', async () => {
  const identity = await identityOf();
  const other = { ...accepted, body: { ...accepted.body, text: 'Bye' } };
  const [one = '', two = ''] = await Promise.all([accepted, other].map((a) => identity.sign(a)));
  const [jws = '', text = '', proof = ''] = one.split('~');
  const [, otherText = '', otherProof = ''] = two.split('~');
  expect(await identity.open(one, resent)).toEqual(accepted);
  const plain = await identity.sign(accepted);
  const forged = mint({ alg: 'EdDSA', kid: r1.kid, typ: 'tangaza-receipts' }, { exp: inAnHour() }, another);
  const mixed = [
    [jws, text, otherProof],
    [jws, otherText, proof],
    [jws, text, ''],
    [jws, text, proof + proof],
    [jws, text, proof, ''],
    [plain, text, proof],
    [forged, text, proof],
    [jws],
    [jws, text],
  ];
  for (const parts of mixed) expect(await identity.open(parts.join('~'), resent)).toBeUndefined();
});

test('what no region signed as a receipt is none', async () => {
  const identity = await identityOf();
  const receipt = await identity.sign(accepted);
  const forged = mint({ alg: 'EdDSA', kid: r1.kid, typ: 'tangaza-receipt' }, { exp: inAnHour() }, another);
  const { token } = await identity.createGuest('Ann');
  for (const other of [forged, token, receipt.slice(0, -4), `${receipt}.x`, '', 'x'])
    expect(await identity.open(other, resent)).toBeUndefined();
});
