/** What goes wrong at a live socket costs its sender alone, who is told in words. */
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { openSocket, rawRequest, readUntil } from '../../support/cluster/raw-http.ts';
import { holdMany } from '../../support/audience/held-requests.ts';
import { adasToken, commentMessage, startAudienceEdge } from '../../support/audience/audience-edge.ts';
import { openPage, welcomedPage, type PageSocket } from '../../support/audience/page-socket.ts';
import { added, clientIdOf, commentOf, demo } from '../../support/audience/said.ts';

const upgrade = (protocol = 'tangaza.v1'): string =>
  [
    'GET /v1/streams/demo/socket HTTP/1.1',
    'Host: a',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Protocol: ${protocol}`,
    '\r\n',
  ].join('\r\n');

test.each([
  ['no JSON', '{"type":', 'The message is not JSON in UTF-8.'],
  ['another type', '{"type":"dance"}', 'must be'],
  ['a list', '[]', 'must be an object'],
  ['a field too many', '{"type":"ping","x":1}', 'must not have "x"'],
  ['a clientId that is none', '{"type":"comment","text":"a","clientId":"x"}', 'must be a UUID of version 7'],
  ['nesting', '['.repeat(8000), 'The message is not JSON in UTF-8.'],
  ['prototypes', '{"__proto__":{"type":"ping"}}', 'must be'],
])('%s is answered with what is wrong, and the socket goes on', async (_name, text, words) => {
  await using edge = await startAudienceEdge();
  await using page = await welcomedPage(edge.url);
  page.socket.send(text);
  const { problem } = await page.next('error');
  expect(problem).toMatchObject({ code: 'BAD_REQUEST', status: 400, detail: expect.stringContaining(words) });
  page.say({ type: 'ping' });
  await page.next('pong');
});

test('a fault in a comment names the comment', async () => {
  await using edge = await startAudienceEdge();
  await using page = await welcomedPage(edge.url, { hello: { token: adasToken } });
  page.say({ ...commentMessage(1), text: 'x'.repeat(4001) });
  expect(await page.next('error')).toMatchObject({
    clientId: clientIdOf(1),
    problem: { code: 'BAD_REQUEST' },
  });
  expect(edge.posted).toEqual([]);
});

test.each([
  ['a binary frame', Buffer.from('{"type":"ping"}'), 1003, 'UNSUPPORTED_MEDIA_TYPE'],
  ['a message of 20 kB', JSON.stringify({ type: 'ping', x: 'x'.repeat(20_000) }), 1009, 'BODY_TOO_LARGE'],
])('%s ends its socket with a word and a code; others go on', async (_name, data, code, problem) => {
  await using edge = await startAudienceEdge();
  await using other = await welcomedPage(edge.url);
  await using page = await welcomedPage(edge.url);
  page.socket.send(data);
  expect(await page.next('error')).toMatchObject({ problem: { code: problem } });
  expect(await page.ended).toMatchObject({ code });
  edge.feed.tell(demo, added(commentOf(1)));
  await other.comments(1);
});

test.each([
  ['a frame of 10 MB', Buffer.alloc(10_000_000, 'x').toString()],
  ['a frame that is no text', Buffer.from([0xc3, 0x28])],
])('%s ends its socket alone', async (_name, data) => {
  await using edge = await startAudienceEdge();
  await using other = await welcomedPage(edge.url);
  await using page = await welcomedPage(edge.url);
  page.socket.send(data, { binary: false });
  expect((await page.ended).code).toBeGreaterThan(1001);
  other.say({ type: 'ping' });
  await other.next('pong');
});

test('bytes that are no websocket frames end their connection alone', async () => {
  await using edge = await startAudienceEdge();
  const socket = await openSocket(edge.port);
  socket.write(upgrade());
  const reply = readUntil(socket);
  await once(socket, 'readable').catch(() => {});
  socket.write(Buffer.alloc(1000, 0xff));
  expect(await reply).toMatch(/^HTTP\/1\.1 101 /);
  await expect.poll(() => edge.metric('tangaza_sockets')).toBe(0);
});

test('whoever says anything before hello is ended', async () => {
  await using edge = await startAudienceEdge();
  await using page = await openPage(edge.url);
  page.say(commentMessage(1));
  expect(await page.next('error')).toMatchObject({ problem: { code: 'BAD_REQUEST' } });
  expect(await page.ended).toMatchObject({ code: 4400 });
});

test('whoever says nothing for 10 s is ended', async () => {
  await using edge = await startAudienceEdge();
  await using page = await openPage(edge.url);
  edge.pass(9000);
  page.say({ type: 'ping' });
  await page.next('pong');
  edge.pass(2000);
  expect(await page.ended).toMatchObject({ code: 4408 });
});

test('a peer that answers pings stays; one that answers none for 75 s is ended', async () => {
  await using edge = await startAudienceEdge();
  await using page = await welcomedPage(edge.url);
  for (let round = 0; round < 3; round += 1) {
    const pinged = once(page.socket, 'ping');
    edge.pass(30_000);
    await pinged;
    page.say({ type: 'ping' });
    await page.next('pong');
  }
  await using mute = await openPage(edge.url, { hello: {} });
  await mute.next('welcome');
  mute.socket.pong = () => {};
  Reflect.set(mute.socket, '_autoPong', false);
  edge.pass(74_000);
  page.say({ type: 'ping' });
  await page.next('pong');
  edge.pass(2000);
  expect(await mute.ended).toMatchObject({ code: 4408 });
  page.say({ type: 'ping' });
  await page.next('pong');
});

test('a flood is refused, said once a second, and ended when it goes on', async () => {
  await using edge = await startAudienceEdge();
  await using other = await welcomedPage(edge.url);
  await using page = await welcomedPage(edge.url, { hello: { token: adasToken } });
  for (let number = 0; number < 1000; number += 1) page.say({ type: 'ping' });
  expect(await page.next('error')).toMatchObject({ problem: { code: 'OVERLOADED' } });
  expect(await page.ended).toMatchObject({ code: 4429 });
  expect(page.heard.filter(({ type }) => type === 'error').length).toBeLessThan(5);
  other.say({ type: 'ping' });
  await other.next('pong');
});

// Goal: whoever opens many sockets gets no more out of the comments actor than one network may. Method: 60 sockets of one network send
// 2,400 comments at once, each socket within its own bound.
test('many sockets of one network share a bound, and a page that reads is served meanwhile', async () => {
  await using edge = await startAudienceEdge();
  await using reader = await welcomedPage(edge.url);
  const hello = { token: adasToken };
  const pages = await Promise.all(Array.from({ length: 60 }, () => welcomedPage(edge.url, { hello })));
  await using closing = new AsyncDisposableStack();
  for (const page of pages) closing.use(page);
  for (const [at, page] of pages.entries())
    for (let number = 0; number < 40; number += 1) page.say(commentMessage(at * 40 + number));
  const answersOf = ({ heard }: PageSocket) => heard.filter(({ type }) => type === 'ack' || type === 'error');
  await expect.poll(() => pages.flatMap(answersOf).length).toBe(2400);
  const refused = pages.flatMap(answersOf).filter((one) => JSON.stringify(one).includes('from your network'));
  expect(refused.length).toBeGreaterThan(0);
  expect(refused[0]).toMatchObject({
    clientId: expect.any(String),
    problem: { code: 'OVERLOADED', retryAfterSeconds: 1 },
  });
  reader.say({ type: 'ping' });
  await reader.next('pong');
  edge.feed.tell(demo, added(commentOf(1)));
  await reader.comments(1);
});

test('a plain GET is told that a websocket is wanted; other methods are refused', async () => {
  await using edge = await startAudienceEdge();
  const reply = await fetch(`${edge.url}/v1/streams/demo/socket`);
  expect(reply.status).toBe(426);
  expect(await reply.json()).toMatchObject({ code: 'UPGRADE_REQUIRED' });
  const post = await fetch(`${edge.url}/v1/streams/demo/socket`, { method: 'POST' });
  expect(post.status).toBe(405);
});

test('another subprotocol is refused in words', async () => {
  await using edge = await startAudienceEdge();
  const reply = await rawRequest(edge.port, upgrade('chat, mqtt'), { until: /\}$/ });
  expect(reply).toMatch(/^HTTP\/1\.1 400 /);
  expect(reply).toContain('Offer the subprotocol tangaza.v1.');
  const among = await rawRequest(edge.port, upgrade('chat, tangaza.v1'), { until: /\r\n\r\n/ });
  expect(among).toMatch(/^HTTP\/1\.1 101 [^]*sec-websocket-protocol: tangaza\.v1\r\n/i);
});

test.each([
  ['of one network', { ofNetwork: 2 }],
  ['of the node', { sockets: 2 }],
  ['before their hello', { waiting: 2 }],
])(
  'more sockets than the bound %s are refused with 429, and room that is free again is used',
  async (_name, limits) => {
    await using edge = await startAudienceEdge({ limits });
    const first = await openPage(edge.url);
    await using second = await openPage(edge.url);
    await expect(openPage(edge.url)).rejects.toThrow(/429/);
    await first[Symbol.asyncDispose]();
    await expect.poll(() => openPage(edge.url).then((page) => page[Symbol.asyncDispose]())).toBe(undefined);
    second.say({ type: 'hello' });
    await second.next('welcome');
  },
);

test('a network that opens sockets again and again is told to wait, and the others come in', async () => {
  const joins = { burst: 3, perSecond: 0.1, most: 100 };
  await using edge = await startAudienceEdge({ limits: { joins }, isTrustedProxy: () => true });
  for (let times = 0; times < 3; times += 1) await (await openPage(edge.url))[Symbol.asyncDispose]();
  const reply = await rawRequest(edge.port, upgrade(), { until: /\}$/ });
  expect(reply).toMatch(/^HTTP\/1\.1 429 [^]*retry-after: \d+\r\n/i);
  expect(reply).toContain('Your network opens sockets too fast: wait a moment.');
  const elsewhere = upgrade().replace('Host: a', 'Host: a\r\nX-Forwarded-For: 192.0.2.9');
  expect(await rawRequest(edge.port, elsewhere, { until: /\r\n\r\n/ })).toMatch(/^HTTP\/1\.1 101 /);
  expect(await edge.metric('tangaza_socket_upgrades_refused_total{[^}]*bound="joins"[^}]*}')).toBe(1);
});

// Goal: whoever never finishes an upgrade keeps nobody out. Method: an edge that takes 12,000 connections. Another process opens 20,000 from one
// address, each with all but the last line of an upgrade, and keeps them; then a page comes from another address.
test('20,000 upgrades that never finish leave pages and manifests of others alone', async () => {
  await using edge = await startAudienceEdge({ connections: 12_000 });
  await edge.broadcast(2);
  const path = '/v1/streams/demo/socket';
  const holders = [1, 2].map(() => holdMany(edge.port, { count: 10_000, path, how: 'half' }));
  try {
    for (const holder of holders) await holder.opened;
    const ask = (text: string, until: RegExp) => rawRequest(edge.port, text, { until, from: '127.0.0.2' });
    expect(await ask(upgrade(), /\r\n\r\n/)).toMatch(/^HTTP\/1\.1 101 /);
    const manifest = 'GET /live/demo/main.m3u8 HTTP/1.1\r\nHost: a\r\n\r\n';
    expect(await ask(manifest, /\r\n\r\n/)).toMatch(/^HTTP\/1\.1 200 /);
    const refused = () => edge.metric('tangaza_http_refused_total{[^}]*bound="network"[^}]*}');
    await expect.poll(refused).toBeGreaterThan(8000);
  } finally {
    for (const holder of holders) holder.kill();
  }
});

test('a flood of pings or pongs of the protocol ends its socket, as one of messages does', async () => {
  await using edge = await startAudienceEdge();
  await using other = await welcomedPage(edge.url);
  for (const flood of ['ping', 'pong'] as const) {
    await using page = await welcomedPage(edge.url);
    for (let number = 0; number < 2000; number += 1) page.socket[flood]();
    expect(await page.ended).toMatchObject({ code: 4429 });
  }
  other.say({ type: 'ping' });
  await other.next('pong');
});
