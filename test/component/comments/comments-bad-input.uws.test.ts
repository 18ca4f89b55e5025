/** What is wrong with a comment is told to its sender, and costs nobody else: through the real server, actor, identity and database. */
import { expect, test } from 'vitest';
import { CommentPage, OwnComment } from '../../../cluster/contract/api/audience-views.ts';
import {
  newClientId,
  newNetwork,
  startCommentsRig,
  type Answered,
  type CommentsRig,
} from '../../support/audience/comments-rig.ts';
import { clientIdAt } from '../../support/audience/written.ts';

const comments = '/v1/streams/demo/comments';
const page = async (rig: CommentsRig, query = '') =>
  CommentPage.parse((await rig.ask('GET', comments + query)).body);
const yearMs = 365 * 86_400_000;

/** Posts a body as it is, and tells the code of the answer. */
async function codeOfPost(rig: CommentsRig, token: string, body: unknown): Promise<string> {
  return (await rig.ask('POST', comments, { token, body })).code;
}

test('a body that is no comment is refused, and says what is wrong', async () => {
  await using rig = await startCommentsRig();
  const token = await rig.guest('Ada');
  const clientId = newClientId();
  const of = (body: unknown) => codeOfPost(rig, token, body);
  expect({
    empty: await of({ text: '', clientId }),
    blank: await of({ text: ' \n\t', clientId }),
    controlsAlone: await of({ text: '\u0000\u0007', clientId }),
    long: await of({ text: 'x'.repeat(501), clientId }),
    veryLong: await of({ text: 'x'.repeat(5000), clientId }),
    halfACharacter: await of({ text: '\ud83d', clientId }),
    noText: await of({ clientId }),
    noClientId: await of({ text: 'x' }),
    otherUuid: await of({ text: 'x', clientId: '7f3c1d2a-5b6c-4d7e-8f90-a1b2c3d4e5f6' }),
    otherField: await of({ text: 'x', clientId, isStaff: true }),
    wrongTypes: await of({ text: ['x'], clientId, mediaTime: 'now' }),
    noJson: await of('{"text":'),
    brokenUtf8: await of(Uint8Array.of(0x22, 0xc3, 0x28, 0x22)),
    overlongUtf8: await of(Uint8Array.of(0x22, 0xc0, 0x80, 0x22)),
    list: await of([]),
    nothing: await of('null'),
  }).toEqual({
    empty: 'BAD_REQUEST',
    blank: 'BAD_REQUEST',
    controlsAlone: 'BAD_REQUEST',
    long: 'BAD_REQUEST',
    veryLong: 'BAD_REQUEST',
    halfACharacter: 'BAD_REQUEST',
    noText: 'BAD_REQUEST',
    noClientId: 'BAD_REQUEST',
    otherUuid: 'BAD_REQUEST',
    otherField: 'BAD_REQUEST',
    wrongTypes: 'BAD_REQUEST',
    noJson: 'BAD_REQUEST',
    brokenUtf8: 'BAD_REQUEST',
    overlongUtf8: 'BAD_REQUEST',
    list: 'BAD_REQUEST',
    nothing: 'BAD_REQUEST',
  });
  const { body } = await rig.ask('POST', comments, { token, body: { text: '', clientId } });
  expect(body).toMatchObject({ detail: 'Nothing of the text can be seen: write something.' });
  expect((await page(rig)).items).toEqual([]);
});

test('a body of 10 MB is refused, and others comment meanwhile', async () => {
  await using rig = await startCommentsRig();
  const [ada, bob] = [await rig.guest('Ada'), await rig.guest('Bob')];
  const [big, small] = await Promise.all([
    rig.ask('POST', comments, {
      token: ada,
      body: { text: 'x'.repeat(10_000_000), clientId: newClientId() },
    }),
    rig.post(bob, 'small'),
  ]);
  expect({ big: big.code, small: small.status }).toEqual({ big: 'BODY_TOO_LARGE', small: 201 });
});

test('what was said is kept as it was said, and what plays tricks is not', async () => {
  await using rig = await startCommentsRig();
  const token = rig.operatorToken;
  const shown = async (text: string) => {
    await rig.post(token, text, {}, '10.200.0.1');
    return (await page(rig, '?limit=1')).items[0]?.text;
  };
  const html = '<script>alert("1")</script><img src=x onerror=alert(1)> & &amp;';
  expect({ html: await shown(html), controls: await shown('a\u0000b\u001b[31mc') }).toEqual({
    html,
    controls: 'ab[31mc',
  });
  expect({ bidi: await shown('\u202etxet'), zeroWidth: await shown('z\u200bero\ufeff') }).toEqual({
    bidi: 'txet',
    zeroWidth: 'zero',
  });
});

test('a clock that is a year off is told so', async () => {
  await using rig = await startCommentsRig();
  const token = await rig.guest('Ada');
  const at = (atMs: number) => rig.post(token, 'when?', { clientId: clientIdAt(atMs) });
  const told = {
    status: 409,
    code: 'COMMENT_EXPIRED',
    body: { detail: expect.stringContaining('GET /v1/time') },
  };
  expect(await at(Date.now() - yearMs)).toMatchObject(told);
  expect(await at(Date.now() + yearMs)).toMatchObject(told);
  expect(await at(0)).toMatchObject(told);
  expect(await at(2 ** 48 - 1)).toMatchObject(told);
  expect(await rig.post(token, 'when?', { clientId: clientIdAt(0), receipt: 'a.b.c' })).toMatchObject(told);
  expect(await rig.post(token, 'now')).toMatchObject({ status: 201 });
});

// Goal: a flood costs its sender, and its sender alone. Method: a thousand at once from one author, a reader and another author beside it.
test('of a thousand comments at once from one author a few are taken, and others are not kept waiting', async () => {
  await using rig = await startCommentsRig();
  const [flood, calm] = [await rig.guest('Flood'), await rig.guest('Calm')];
  const network = newNetwork();
  const flooding = Array.from({ length: 1000 }, (_, index) => rig.post(flood, `flood ${index}`, {}, network));
  const calmly = await rig.post(calm, 'calm');
  const answers = await Promise.all(flooding);
  const refused = answers.filter(({ status }) => status !== 201);
  expect({
    calm: calmly.status,
    refusals: [...new Set(refused.map(({ code, status }) => `${status} ${code}`))],
    withoutRetryAfter: refused.filter(({ retryAfter }) => !(Number(retryAfter) >= 1)).length,
  }).toEqual({ calm: 201, refusals: ['429 TOO_MANY_COMMENTS'], withoutRetryAfter: 0 });
  expect(answers.length - refused.length).toBeLessThan(30);
  expect((await page(rig, '?limit=200')).items).toHaveLength(answers.length - refused.length + 1);
});

test('a thousand comments at once from a thousand authors are taken, and all are read, in order', async () => {
  await using rig = await startCommentsRig();
  const tokens = await Promise.all(Array.from({ length: 1000 }, (_, index) => rig.guest(`User ${index}`)));
  const answers = await Promise.all(tokens.map((token, index) => rig.post(token, `from ${index}`)));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
  const read: string[] = [];
  let query = '?limit=200';
  for (let pages = 0; pages < 6 && query !== ''; pages += 1) {
    const { items, nextCursor } = await page(rig, query);
    read.push(...items.map(({ id }) => id));
    query = nextCursor === undefined ? '' : `?limit=200&before=${nextCursor}`;
  }
  expect({ read: read.length, different: new Set(read).size, end: query }).toEqual({
    read: 1000,
    different: 1000,
    end: '',
  });
  expect(read).toEqual(read.toSorted().toReversed());
});

const injections = [
  "'; DROP TABLE comments; --",
  '" OR "1"="1',
  "') ON CONFLICT DO NOTHING; --",
  "'; TRUNCATE comments_by_stream; BEGIN BATCH",
  '$$ ; APPLY BATCH; $$',
  '%27%20OR%201%3D1',
  '{{7*7}} ${7*7}',
  '../../etc/passwd\u0000',
];

// Goal: whatever a field holds is text, or is refused. Method: each injection in each field; then all that was taken is read as it was sent.
// Goal: who reads as fast as a program can leaves the database to others. Method: one network asks for more pages, threads and modes than it may.
test('a network that reads without a pause is told to wait, and others read on', async () => {
  await using rig = await startCommentsRig();
  const { id } = OwnComment.parse((await rig.post(await rig.guest('Ada'), 'hello')).body);
  const paths = ['/v1/streams/demo/comments', `/v1/comments/${id}/thread`, '/v1/streams/demo/mode'];
  const read = (at: number, network: string) => rig.ask('GET', paths[at % 3] ?? '', { network });
  const answers: Answered[] = [];
  for (let asked = 0; asked < 4000 && !answers.some(({ status }) => status === 429); asked += 100)
    answers.push(
      ...(await Promise.all(Array.from({ length: 100 }, (_, at) => read(asked + at, '192.0.2.1')))),
    );
  expect(answers.find(({ status }) => status !== 200)).toMatchObject({
    status: 429,
    code: 'OVERLOADED',
    retryAfter: '1',
  });
  for (const at of [0, 1, 2]) expect(await read(at, '192.0.2.2')).toMatchObject({ status: 200 });
});

test('queries in any field are text, or refused', async () => {
  await using rig = await startCommentsRig();
  for (const text of injections) {
    const [token, network] = [await rig.guest('Ada'), newNetwork()];
    const name = await rig.ask('POST', '/v1/guests', { body: { name: text.slice(0, 40) }, network });
    const taken = await rig.post(token, text, {}, network);
    const body = { text: 'x', clientId: newClientId() };
    const path = encodeURIComponent(text);
    const refused = [
      await rig.ask('POST', comments, { token, network, body: { ...body, clientId: text } }),
      await rig.ask('POST', comments, { token, network, body: { ...body, parentId: text } }),
      await rig.ask('POST', comments, { token, network, body: { ...body, mediaTime: text } }),
      await rig.ask('POST', `/v1/streams/${path}/comments`, { token, network, body }),
      await rig.ask('GET', `/v1/streams/${path}/comments`, { network }),
      await rig.ask('GET', `${comments}?before=${path}`, { network }),
      await rig.ask('GET', `${comments}?after=${path}`, { network }),
      await rig.ask('GET', `${comments}?limit=${path}`, { network }),
      await rig.ask('GET', `${comments}?mine=${path}`, { network }),
      await rig.ask('DELETE', `/v1/comments/${path}`, { token, network }),
      await rig.ask('POST', `/v1/comments/${path}/restore`, { token, network, body: {} }),
      await rig.ask('PUT', '/v1/streams/demo/mode', { token, network, body: { mode: text, slowSeconds: 0 } }),
    ];
    expect({
      text,
      name: name.status,
      taken: taken.status,
      codes: [...new Set(refused.map(({ code }) => code))],
    }).toEqual({
      text,
      name: 201,
      taken: 201,
      codes: ['BAD_REQUEST'],
    });
    const receipt = await rig.post(await rig.guest('Ada'), 'a receipt', { receipt: text });
    expect(receipt.status).toBe(201);
  }
  const texts = (await page(rig, '?limit=200')).items.map(({ text }) => text);
  for (const text of injections) expect(texts).toContain(text.replace('\u0000', ''));
});

test('a page goes one way, from a place of its stream', async () => {
  await using rig = await startCommentsRig();
  const { id } = (await page(rig)).items[0] ?? { id: 'other~06h2js98ffhqat6evpcqinsbh8' };
  const codeOf = async (query: string) => (await rig.ask('GET', `${comments}?${query}`)).code;
  expect({
    both: await codeOf('before=2026-11-30T12:00:00Z&after=2026-11-30T12:00:00Z'),
    ofOtherStream: await codeOf(`after=${id}`),
    none: await codeOf('limit=0'),
    many: await codeOf('limit=201'),
    unknown: await codeOf('cursor=x'),
  }).toEqual({
    both: 'BAD_REQUEST',
    ofOtherStream: 'BAD_REQUEST',
    none: 'BAD_REQUEST',
    many: 'BAD_REQUEST',
    unknown: 'BAD_REQUEST',
  });
});
