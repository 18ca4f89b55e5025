/** What goes wrong on the wire costs its sender alone: paths, headers, garbage, slow readers, very many waiting requests. */
import { once } from 'node:events';
import { holdMany } from '../../support/audience/held-requests.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { openSocket, rawRequest } from '../../support/cluster/raw-http.ts';
import { startTestEdge, type TestEdge } from '../../support/ports/test-edge.ts';

const answered = { until: /\r\n\r\n[^]*}$/ };
const isServing = async (edge: TestEdge): Promise<boolean> =>
  (await fetch(`${edge.url}/healthz`)).status === 200;

describe('a path of no stream, no segment and no page', () => {
  let edge: TestEdge;

  // One that has its site: where no site is built yet, whoever asks for an asset waits for that.
  beforeAll(async () => {
    edge = await startTestEdge();
    await edge.broadcast(1);
    await (await fetch(edge.url)).text();
  });
  afterAll(() => edge?.[Symbol.asyncDispose]());

  test.each([
    '/live/../v1/streams',
    '/live/demo/../../etc/passwd',
    '/live/demo/%2e%2e/main.m3u8',
    '/live/%00/main.m3u8',
    '/live/demo%00/main.m3u8',
    '/live/demo\\main.m3u8',
    '/live/DEMO/main.m3u8',
    '/live/demo/main.m3u8/..',
    '//live/demo/main.m3u8',
    '/live/demo/2/h264-240p/..%2f..%2fx.m4s',
    '/live/demo/2/h264-240p/-1.m4s',
    '/live/demo/2/h264-240p/1e3.m4s',
    '/live/demo/2/h264-240p/00.m4s',
    '/live/demo/02/h264-240p/0.m4s',
    '/live/demo/0/h264-240p/0.m4s',
    '/live/demo/99999999999999999999/h264-240p/0.m4s',
    '/live/demo/2/__proto__/0.m4s',
    '/live/__proto__/main.m3u8',
    '/live/constructor/main.m3u8',
    '/assets/../../package.json',
    `/live/${'a'.repeat(2000)}/main.m3u8`,
    '/%',
    '/live/demo/thumbnail.jpg/x',
  ])('GET %s is a 404 problem', async (path) => {
    const reply = await rawRequest(edge.port, `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`, answered);
    expect(reply).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
    expect(reply).toContain('application/problem+json');
  });
});

test.each([4000, 8000, 30_000])('headers with %i bytes of cookies are served', async (bytes) => {
  await using edge = await startTestEdge();
  const headers = { cookie: 'a'.repeat(bytes) };
  expect((await fetch(`${edge.url}/healthz`, { headers })).status).toBe(200);
});

// What the library answers by itself; the README says what to set in a proxy.
test.each([
  ['headers over 32 kB', `GET /healthz HTTP/1.1\r\nHost: a\r\nCookie: ${'a'.repeat(33_000)}\r\n\r\n`, 431],
  ['HTTP/1.0', 'GET /healthz HTTP/1.0\r\nHost: a\r\n\r\n', 505],
])('%s is refused in words of HTTP', async (_name, request, status) => {
  await using edge = await startTestEdge();
  const reply = await rawRequest(edge.port, request);
  expect(reply).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(reply.includes('does not support HTTP/1.0')).toBe(status === 505);
});

test('headers of 1 MB are refused, and others are served meanwhile', async () => {
  await using edge = await startTestEdge();
  const reply = rawRequest(edge.port, `GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(1_000_000)}\r\n\r\n`);
  expect(await isServing(edge)).toBe(true);
  expect(await reply).toMatch(/^(HTTP\/1\.1 431 .*|)/);
  const many = await rawRequest(edge.port, `GET / HTTP/1.1\r\nHost: a\r\n${'x: y\r\n'.repeat(5000)}\r\n`);
  expect(many).toMatch(/^(HTTP\/1\.1 4(31|00) .*|)/);
  expect(await isServing(edge)).toBe(true);
});

// Found by chance: a reply before the body was read let the kernel reset the connection, and its sender never heard why.
test('a body of 1 MB that nobody wants is read to its end and dropped, so that its sender always hears why', async () => {
  await using edge = await startTestEdge();
  const body = 'a'.repeat(1_000_000);
  for (let round = 0; round < 40; round += 1) {
    const reply = await fetch(`${edge.url}/v1/streams`, { method: 'POST', body });
    expect({ status: reply.status, text: await reply.text() }).toEqual({
      status: 401,
      text: expect.stringContaining('UNAUTHENTICATED'),
    });
  }
  const many = rawRequest(
    edge.port,
    `POST /v1/streams HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999\r\n\r\n`,
    answered,
  );
  expect(await many).toMatch(/^HTTP\/1\.1 401 /);
  expect(await isServing(edge)).toBe(true);
});

test.each([
  ['garbage', Buffer.from('\x00\x01\x02\xff\xfe not http \r\n\r\n\r\n', 'latin1')],
  ['a TLS hello', Buffer.from('16030100c8010000c40303', 'hex')],
  ['a negative length', 'POST /v1/streams HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n'],
  [
    'two lengths',
    'POST /v1/streams HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  ['half a request', 'GET /healthz HTTP/1.1\r\nHos'],
])('%s disturbs nobody', async (_name, bytes) => {
  await using edge = await startTestEdge();
  const socket = await openSocket(edge.port);
  socket.write(bytes);
  expect(await isServing(edge)).toBe(true);
  socket.destroy();
  expect(await isServing(edge)).toBe(true);
});

// Goal: a reader that takes nothing costs no memory of ours and is cut off. Method: it asks for 8 MB many times, reads nothing.
test('readers that take nothing are bounded in number and cut off, and cost no copy of the body', async () => {
  await using edge = await startTestEdge({ cacheBytes: 256_000_000 }, { stalledMs: 6000, slowResponses: 20 });
  const stream = await edge.broadcast(1, { bytes: 8_000_000 });
  await (await fetch(edge.url + stream.segmentPath(0))).arrayBuffer();
  const before = process.memoryUsage().rss;
  const sockets = await Promise.all(Array.from({ length: 30 }, () => openSocket(edge.port)));
  const closed = sockets.map((socket) => once(socket, 'close'));
  for (const socket of sockets) {
    socket.pause();
    socket.write(`GET ${stream.segmentPath(0)} HTTP/1.1\r\nHost: a\r\n\r\n`);
  }
  await expect.poll(() => edge.metric('tangaza_http_slow_responses')).toBe(20);
  expect(await isServing(edge)).toBe(true);
  await expect.poll(() => edge.metric('tangaza_http_slow_responses')).toBe(0);
  expect(process.memoryUsage().rss - before).toBeLessThan(100_000_000);
  for (const socket of sockets) socket.resume();
  await Promise.all(closed);
});

test('what slow readers keep in memory is bounded, each body counted once', async () => {
  await using edge = await startTestEdge({ cacheBytes: 256_000_000 }, { slowBytes: 10_000_000 });
  const stream = await edge.broadcast(2, { bytes: 8_000_000 });
  const ask = async (index: number) => {
    const socket = await openSocket(edge.port);
    socket.pause();
    socket.write(`GET ${stream.segmentPath(index)} HTTP/1.1\r\nHost: a\r\n\r\n`);
    return socket;
  };
  const first = [await ask(0), await ask(0)];
  await expect.poll(() => edge.metric('tangaza_http_slow_responses')).toBe(2);
  expect(await edge.metric('tangaza_http_slow_bytes')).toBe(8_000_000);
  const second = await ask(1);
  const closed = once(second, 'close');
  second.resume();
  await closed;
  expect(await edge.metric('tangaza_http_slow_responses')).toBe(2);
  for (const socket of first) socket.destroy();
  await expect.poll(() => edge.metric('tangaza_http_slow_bytes')).toBe(0);
});

test('a slow reader that does read gets every byte', async () => {
  await using edge = await startTestEdge({ cacheBytes: 256_000_000 });
  const stream = await edge.broadcast(1, { bytes: 6_000_000 });
  const socket = await openSocket(edge.port);
  socket.write(`GET ${stream.segmentPath(0)} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
  socket.pause();
  await expect.poll(() => edge.metric('tangaza_http_slow_responses')).toBe(1);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of socket) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > 6_000_000) break;
  }
  const all = Buffer.concat(chunks);
  const body = all.subarray(all.indexOf('\r\n\r\n') + 4);
  expect(body.equals(stream.body(0, 'h264-240p'))).toBe(true);
});

test('a client that leaves while it waits is forgotten', async () => {
  await using edge = await startTestEdge();
  const stream = await edge.broadcast(1);
  const sockets = await Promise.all(Array.from({ length: 50 }, () => openSocket(edge.port)));
  for (const socket of sockets) socket.write(`GET ${stream.segmentPath(1)} HTTP/1.1\r\nHost: a\r\n\r\n`);
  await expect.poll(() => edge.metric('tangaza_edge_held_requests')).toBe(50);
  for (const socket of sockets) socket.destroy();
  await expect.poll(() => edge.metric('tangaza_edge_held_requests')).toBe(0);
  await stream.commit();
  expect((await fetch(edge.url + stream.segmentPath(1))).status).toBe(200);
});

// Goal: the bound holds, and one network leaves room for others below it. Method: of 16 connections one address gets half and three eighths.
test('connections over the bound, or of a network that has most of them, are closed at once; there is room again when others leave', async () => {
  await using edge = await startTestEdge({}, { connections: 16 });
  const open = (count: number, from?: string) =>
    Promise.all(Array.from({ length: count }, () => openSocket(edge.port, from)));
  const isTaken = async (from: string) =>
    (await rawRequest(edge.port, 'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n', { until: /\r\n\r\n/, from })) !==
    '';
  const sockets = await open(14);
  expect({ fifteenth: await isTaken('127.0.0.1') }).toEqual({ fifteenth: false });
  expect({ ofAnother: await isTaken('127.0.0.2') }).toEqual({ ofAnother: true });
  sockets.push(...(await open(2, '127.0.0.2')));
  expect({ seventeenth: await isTaken('127.0.0.3') }).toEqual({ seventeenth: false });
  for (const socket of sockets) socket.destroy();
  await expect
    .poll(() =>
      fetch(`${edge.url}/healthz`).then(
        ({ status }) => status,
        () => 0,
      ),
    )
    .toBe(200);
});

// Goal: who keeps connections by asking keeps nobody out. Method: one address has half and three eighths of 16. Each look is an hour later, so that
// it may open as many again, until it is counted what it holds.
test('a network that holds most connections opens no more until it closes some', async () => {
  let aheadMs = 0;
  const clock = { ...systemClock, runningMs: () => systemClock.runningMs() + aheadMs };
  await using edge = await startTestEdge({ clock }, { connections: 16 });
  const sockets = await Promise.all(Array.from({ length: 14 }, () => openSocket(edge.port)));
  const isTaken = async (from: string) => {
    aheadMs += 3_600_000;
    const asked = 'GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
    return (await rawRequest(edge.port, asked, { until: /\r\n\r\n/, from })) !== '';
  };
  await expect.poll(() => isTaken('127.0.0.1')).toBe(false);
  expect({ own: await isTaken('127.0.0.1'), other: await isTaken('127.0.0.2') }).toEqual({
    own: false,
    other: true,
  });
  for (const socket of sockets.slice(0, 3)) socket.destroy();
  await expect.poll(() => isTaken('127.0.0.1')).toBe(true);
});

test('requests over the bound of waiting ones are told to come again', async () => {
  await using edge = await startTestEdge({}, { waitingRequests: 5 });
  const stream = await edge.broadcast(1);
  const waiting = Array.from({ length: 5 }, () => fetch(edge.url + stream.segmentPath(1)));
  await expect.poll(() => edge.metric('tangaza_edge_held_requests')).toBe(5);
  const refused = await fetch(`${edge.url}/v1/time`);
  expect({ status: refused.status, 'retry-after': refused.headers.get('retry-after') }).toEqual({
    status: 429,
    'retry-after': '1',
  });
  await stream.commit();
  expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
});

/** Files that a process may open: a hundred thousand sockets need two machines, ten thousand a process of their own. */
const openFiles = 12_000;

// Goal: very many players at the live edge cost little, and the bound of one stream holds. Method: 12,000 requests of another
// process wait for one segment; 10,000 are held, the others refused; one commit answers all that were held.
test('12,000 requests that wait for one segment: 10,000 are held, the rest refused, one commit answers them', async () => {
  await using edge = await startTestEdge({ liveEdgeMs: 60_000 });
  const stream = await edge.broadcast(1, { bytes: 100 });
  await fetch(`${edge.url}/live/demo/manifest.mpd`);
  const before = process.memoryUsage().rss;
  const holder = holdMany(edge.port, { count: openFiles, path: stream.segmentPath(1) });
  try {
    await holder.opened;
    await expect.poll(() => edge.metric('tangaza_edge_held_requests')).toBe(10_000);
    const eachBytes = (process.memoryUsage().rss - before) / openFiles;
    expect(await isServing(edge)).toBe(true);
    await stream.commit();
    expect(await holder.statuses()).toEqual({ 200: 10_000, 429: 2000 });
    expect(eachBytes).toBeLessThan(16_384);
  } finally {
    holder.kill();
  }
});
