/** The edge over a real listener: playback, caching, waiting at the live edge, the log going away. */
import { expect, test } from 'vitest';
import { z } from 'zod';
import { NodeId, RegionId } from '../../../cluster/model/ids.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import { recordingLogger, type LogLine } from '../../support/ingest/rtmp-recorder.ts';
import { operatorToken, startTestEdge } from '../../support/ports/test-edge.ts';
import { openSocket, rawRequest, readUntil } from '../../support/cluster/raw-http.ts';

const Problem = z.looseObject({ status: z.number(), code: z.string() });
const problemOf = async (response: Response) => Problem.parse(await response.json());

const address = (id: string) => ({
  id: NodeId.parse(id),
  region: RegionId.parse('eu'),
  baseUrl: `http://${id}.test`,
});

test('manifests list what was committed, and the next commit is in the next manifest', async () => {
  await using edge = await startTestEdge();
  const stream = await edge.broadcast(3);
  const playlist = async (): Promise<string> => (await fetch(`${edge.url}/live/demo/h264-240p.m3u8`)).text();
  expect((await playlist()).match(/#EXTINF/g)).toHaveLength(3);
  await stream.commit();
  await expect.poll(playlist).toContain('540000.m4s');
  expect(await (await fetch(`${edge.url}/live/demo/manifest.mpd`)).text()).toContain(
    '<S t="0" d="180000" r="3"/>',
  );
  expect(await (await fetch(`${edge.url}/live/demo/main.m3u8?device=phone`)).text()).toContain(
    'h264-240p.m3u8',
  );
});

test('the least hold-back of the node is in the playlist and in the MPD (C8)', async () => {
  await using edge = await startTestEdge({ leastHoldBackSeconds: 10 });
  await edge.broadcast(3);
  const text = async (file: string): Promise<string> => (await fetch(`${edge.url}/live/demo/${file}`)).text();
  expect(await text('h264-240p.m3u8')).toContain('HOLD-BACK=10.0');
  expect(await text('manifest.mpd')).toContain('suggestedPresentationDelay="PT10S"');
});

test('a period that goes on with the media of another serves it from where that one stored it (M7)', async () => {
  await using edge = await startTestEdge();
  const stream = await edge.broadcast(2);
  await (await stream.reopen()).commit(2);
  const path = stream.segmentPath(3);
  const playlist = async (): Promise<string> => (await fetch(`${edge.url}/live/demo/h264-240p.m3u8`)).text();
  await expect.poll(playlist).toContain(path.slice('/live/demo/'.length));
  expect((await playlist()).match(/#EXT-X-(?:DISCONTINUITY$|MAP)/gm)).toHaveLength(3);
  for (const one of [path, path.replace(/\d+\.m4s$/, 'init.mp4')])
    expect({ one, status: (await fetch(`${edge.url}${one}`)).status }).toEqual({ one, status: 200 });
});

test('a manifest is made once for each commit, and its gzip form is the same text', async () => {
  await using edge = await startTestEdge();
  await edge.broadcast(3);
  const ask = async (encoding: string) =>
    rawRequest(
      edge.port,
      `GET /live/demo/manifest.mpd HTTP/1.1\r\nHost: a\r\nAccept-Encoding: ${encoding}\r\n\r\n`,
      { until: /\r\n\r\n/ },
    );
  const plain = await fetch(`${edge.url}/live/demo/manifest.mpd`, {
    headers: { 'accept-encoding': 'identity' },
  });
  const zipped = await fetch(`${edge.url}/live/demo/manifest.mpd`, {
    headers: { 'accept-encoding': 'gzip' },
  });
  expect(await zipped.text()).toBe(await plain.text());
  expect(zipped.headers.get('etag')).not.toBe(plain.headers.get('etag'));
  expect(await ask('gzip')).toContain('content-encoding: gzip');
  expect(await ask('identity')).not.toContain('content-encoding');
  const again = await fetch(`${edge.url}/live/demo/manifest.mpd`, {
    headers: { 'if-none-match': plain.headers.get('etag') ?? '', 'accept-encoding': 'identity' },
  });
  expect({ status: again.status, text: await again.text() }).toEqual({ status: 304, text: '' });
});

test('two edges with one log give the same bytes and tags', async () => {
  await using one = await startTestEdge();
  await using two = await startTestEdge();
  for (const edge of [one, two]) await edge.broadcast(5);
  for (const file of ['manifest.mpd', 'main.m3u8', 'h264-240p.m3u8', 'aac-128k.m3u8']) {
    const [a, b] = await Promise.all([one, two].map((edge) => fetch(`${edge.url}/live/demo/${file}`)));
    expect(a?.headers.get('etag')).toBe(b?.headers.get('etag'));
    expect(await a?.text()).toBe(await b?.text());
  }
});

test('segments are immutable, have ranges and strong tags, and HEAD gives the length alone', async () => {
  await using edge = await startTestEdge();
  const stream = await edge.broadcast(1, { bytes: 300_000 });
  const url = edge.url + stream.segmentPath(0);
  const whole = await fetch(url);
  const bytes = Buffer.from(await whole.arrayBuffer());
  expect(bytes.equals(stream.body(0, 'h264-240p'))).toBe(true);
  expect(whole.headers.get('cache-control')).toContain('immutable');
  expect(whole.headers.get('content-type')).toBe('video/mp4');
  expect(whole.headers.get('access-control-allow-origin')).toBe('*');
  const part = await fetch(url, { headers: { range: 'bytes=1000-1999' } });
  expect({ status: part.status, 'content-range': part.headers.get('content-range') }).toEqual({
    status: 206,
    'content-range': 'bytes 1000-1999/300000',
  });
  expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(1000, 2000))).toBe(true);
  const several = await fetch(url, { headers: { range: 'bytes=0-1,5-6' } });
  expect({ status: several.status, bytes: (await several.arrayBuffer()).byteLength }).toEqual({
    status: 200,
    bytes: 300_000,
  });
  const behind = await fetch(url, { headers: { range: 'bytes=300000-' } });
  expect({ status: behind.status, 'content-range': behind.headers.get('content-range') }).toEqual({
    status: 416,
    'content-range': 'bytes */300000',
  });
  expect(await behind.json()).toMatchObject({ code: 'RANGE_NOT_SATISFIABLE' });
  const head = await fetch(url, { method: 'HEAD' });
  expect({
    status: head.status,
    'content-length': head.headers.get('content-length'),
    etag: head.headers.get('etag'),
  }).toEqual({ status: 200, 'content-length': '300000', etag: whole.headers.get('etag') });
  const known = await fetch(url, { headers: { 'if-none-match': whole.headers.get('etag') ?? '' } });
  expect(known.status).toBe(304);
  const init = await fetch(`${edge.url}/live/demo/${stream.period}/h264-240p/init.mp4`);
  expect({ status: init.status, bytes: (await init.arrayBuffer()).byteLength }).toEqual({
    status: 200,
    bytes: 800,
  });
});

// Goal: a new segment that thousands ask for costs the store one get. Method: the store is held back until all 500 ask.
test('500 requests for a cold segment are one get of the store', async () => {
  await using edge = await startTestEdge();
  const stream = await edge.broadcast(1, { bytes: 100_000 });
  await fetch(`${edge.url}/live/demo/manifest.mpd`);
  const gate = Promise.withResolvers<void>();
  edge.store.gate = gate.promise;
  edge.store.gets = 0;
  const asked = Array.from({ length: 500 }, () => fetch(edge.url + stream.segmentPath(0)));
  await expect.poll(() => edge.metric('tangaza_http_waiting_requests')).toBe(500);
  gate.resolve();
  const sizes = await Promise.all(
    asked.map(async (response) => (await (await response).arrayBuffer()).byteLength),
  );
  expect(new Set(sizes)).toEqual(new Set([100_000]));
  expect(edge.store.gets).toBe(1);
});

test('a store that fails is a 503 with a hint, and is asked again by the next request', async () => {
  await using edge = await startTestEdge();
  const stream = await edge.broadcast(1);
  edge.store.nextError = new TangazaError('STORE_UNAVAILABLE');
  const failed = await fetch(edge.url + stream.segmentPath(0));
  expect({
    status: failed.status,
    'retry-after': failed.headers.get('retry-after'),
    'cache-control': failed.headers.get('cache-control'),
  }).toEqual({ status: 503, 'retry-after': '2', 'cache-control': 'no-store' });
  expect((await fetch(edge.url + stream.segmentPath(0))).status).toBe(200);
});

// Goal: media that somebody removed is told apart from what never was, at once, and is said once. Method: the objects of
// three committed segments are taken from the store; the fourth stays.
test('committed media that the store has no more is a 404 that says so, counted, and said once for a stream', async () => {
  const lines: LogLine[] = [];
  await using edge = await startTestEdge({ logger: recordingLogger(lines) });
  const stream = await edge.broadcast(4);
  const kept = edge.store.objects
    .keys()
    .toArray()
    .filter((key) => key.includes('h264-240p'))
    .at(-1);
  expect(await (await fetch(`${edge.url}/readyz`)).json()).not.toMatchObject({ parts: [{ name: 'media' }] });
  for (const key of edge.store.objects.keys()) if (key !== kept) edge.store.objects.delete(key);
  for (const index of [0, 1, 2]) {
    const reply = await fetch(edge.url + stream.segmentPath(index));
    expect(reply.headers.get('cache-control')).toBe('no-store');
    const problem = await problemOf(reply);
    expect(problem).toMatchObject({
      status: 404,
      code: 'SEGMENT_NOT_FOUND',
      detail: expect.stringMatching(/^Media missing/),
    });
  }
  expect((await fetch(edge.url + stream.segmentPath(3))).status).toBe(200);
  expect(await edge.metric('tangaza_edge_missing_media_total')).toBe(3);
  expect(lines.filter(({ message }) => message.startsWith('committed media is missing'))).toHaveLength(1);
  const headers = { authorization: `Bearer ${operatorToken}` };
  expect(await (await fetch(`${edge.url}/readyz`, { headers })).json()).toMatchObject({
    ready: true,
    parts: [{ name: 'media', detail: expect.stringContaining(stream.segmentPath(2)) }, { name: 'staying' }],
  });
});

test('an object that is not what was committed is never served', async () => {
  await using edge = await startTestEdge();
  const stream = await edge.broadcast(1);
  for (const [key, body] of edge.store.objects) edge.store.objects.set(key, Buffer.alloc(body.byteLength, 7));
  expect(await problemOf(await fetch(edge.url + stream.segmentPath(0)))).toMatchObject({
    status: 503,
    code: 'STORE_UNAVAILABLE',
  });
});

test('the segment that comes next is waited for; far ahead, absent and never ones are 404 at once', async () => {
  await using edge = await startTestEdge();
  const stream = await edge.broadcast(2);
  const next = fetch(edge.url + stream.segmentPath(2));
  const audio = fetch(`${edge.url}/live/demo/${stream.period}/aac-128k/192512.m4s`);
  await expect.poll(() => edge.metric('tangaza_edge_held_requests')).toBe(2);
  await stream.commit();
  expect({ nextStatus: (await next).status, audioStatus: (await audio).status }).toEqual({
    nextStatus: 200,
    audioStatus: 200,
  });
  for (const path of [
    stream.segmentPath(9),
    stream.segmentPath(0, 'h264-999p'),
    `/live/demo/99/h264-240p/0.m4s`,
    `/live/demo/${stream.period}/h264-240p/1.m4s`,
  ]) {
    expect(await problemOf(await fetch(edge.url + path))).toMatchObject({
      status: 404,
      code: 'SEGMENT_NOT_FOUND',
    });
  }
});

test('a request that waits for a segment which turns out absent, or a gap, is answered by the commit that says so', async () => {
  await using edge = await startTestEdge();
  const stream = await edge.broadcast(1);
  const absent = fetch(edge.url + stream.segmentPath(1));
  await expect.poll(() => edge.metric('tangaza_edge_held_requests')).toBe(1);
  await stream.commitOne(['h264-240p']);
  expect((await absent).status).toBe(404);
  const gap = fetch(edge.url + stream.segmentPath(2));
  await expect.poll(() => edge.metric('tangaza_edge_held_requests')).toBe(1);
  await stream.gap();
  expect((await gap).status).toBe(404);
});

test('a manifest asked before the first commit waits for it', async () => {
  await using edge = await startTestEdge();
  const stream = await edge.broadcast(0);
  const early = fetch(`${edge.url}/live/demo/manifest.mpd`);
  await expect.poll(() => edge.metric('tangaza_edge_held_requests')).toBe(1);
  await stream.commit();
  expect((await early).status).toBe(200);
});

test('an unknown stream, and one that was never on air, are told apart', async () => {
  await using edge = await startTestEdge({ firstSegmentMs: 200 });
  expect(await problemOf(await fetch(`${edge.url}/live/nobody/manifest.mpd`))).toMatchObject({
    status: 404,
    code: 'STREAM_NOT_FOUND',
  });
  expect(edge.log.follows).toBe(0);
  const silent = await fetch(`${edge.url}/live/demo/main.m3u8`);
  expect(silent.headers.get('retry-after')).toBe('2');
  expect(await problemOf(silent)).toMatchObject({ status: 404, code: 'STREAM_NOT_LIVE' });
});

// Goal: with the log gone viewers keep what there is, are told so, and the stream goes on by itself afterwards (C8).
test('while the log is down manifests stay 200 with the same bytes and say how stale they are', async () => {
  let downSeconds = 0;
  await using edge = await startTestEdge({ logDownSeconds: () => downSeconds });
  const stream = await edge.broadcast(2);
  const playlist = async (): Promise<Response> => fetch(`${edge.url}/live/demo/h264-240p.m3u8`);
  const before = await (await playlist()).text();
  edge.log.goDown();
  downSeconds = 17;
  await expect.poll(async () => (await playlist()).headers.get('tangaza-log-stale')).toBe('15');
  const frozen = await playlist();
  expect({ status: frozen.status, text: await frozen.text() }).toEqual({ status: 200, text: before });
  expect((await fetch(edge.url + stream.segmentPath(1))).status).toBe(200);
  await stream.commit();
  edge.log.isDown = false;
  downSeconds = 0;
  await expect.poll(async () => (await playlist()).text()).toContain('360000.m4s');
  await expect.poll(async () => (await playlist()).headers.get('tangaza-log-stale')).toBeNull();
});

test('with the registry gone what is watched goes on, and steering still answers', async () => {
  let isGone = false;
  const ask = async <T>(answer: T): Promise<T> => {
    if (isGone) throw new TangazaError('UNAVAILABLE');
    return answer;
  };
  await using edge = await startTestEdge({
    lookUpStream: () => ask({ kind: 'known', title: 'Demo', createdAtMs: 0 }),
    removedSince: () => ask([]),
  });
  await edge.broadcast(1);
  await fetch(`${edge.url}/live/demo/manifest.mpd`);
  isGone = true;
  await edge.edge.review();
  expect((await fetch(`${edge.url}/live/demo/manifest.mpd`)).status).toBe(200);
  expect((await fetch(`${edge.url}/live/other/steering`)).status).toBe(200);
  expect(await problemOf(await fetch(`${edge.url}/live/other/manifest.mpd`))).toMatchObject({
    status: 503,
    code: 'UNAVAILABLE',
  });
});

test('a stream that nobody watches is let go of, and is there again when asked for', async () => {
  await using edge = await startTestEdge({ idleMs: 100 });
  await edge.broadcast(1);
  expect((await fetch(`${edge.url}/live/demo/manifest.mpd`)).status).toBe(200);
  expect(edge.log.following).toBe(1);
  await expect.poll(() => edge.log.following).toBe(0);
  expect((await fetch(`${edge.url}/live/demo/manifest.mpd`)).status).toBe(200);
  expect(edge.log.follows).toBe(2);
});

test('a removed stream is 410 for every path of it, cached media too, until it is there again', async () => {
  await using edge = await startTestEdge();
  const stream = await edge.broadcast(1);
  const paths = [
    stream.segmentPath(0),
    '/live/demo/manifest.mpd',
    '/live/demo/main.m3u8',
    '/live/demo/thumbnail.jpg',
    '/live/demo/steering',
    '/v1/streams/demo/edges',
    '/v1/streams/demo/public',
    '/v1/videos/demo/frames?deviceType=tv&offsetSeconds=0',
  ];
  const statuses = async () =>
    Object.fromEntries(
      await Promise.all(paths.map(async (path) => [path, (await fetch(edge.url + path)).status] as const)),
    );
  const all = (status: number) => Object.fromEntries(paths.map((path) => [path, status]));
  expect(await statuses()).toMatchObject({ [stream.segmentPath(0)]: 200, '/live/demo/manifest.mpd': 200 });
  edge.standings.set('demo', { kind: 'removed', removedAtMs: 0 });
  await edge.edge.review();
  await expect.poll(statuses).toEqual(all(410));
  expect(await problemOf(await fetch(`${edge.url}/live/demo/main.m3u8`))).toMatchObject({
    code: 'STREAM_REMOVED',
    detail: 'The stream demo was removed.',
  });
  edge.standings.delete('demo');
  await expect.poll(statuses).toMatchObject({ [stream.segmentPath(0)]: 200, '/live/demo/main.m3u8': 200 });
});

test('steering names this edge first and another to ask next, and a new edge list changes manifests', async () => {
  let list = { revision: 1, edges: [address('n1')] };
  await using edge = await startTestEdge({ listEdges: () => list });
  await edge.broadcast(1);
  const mpd = async (): Promise<string> => (await fetch(`${edge.url}/live/demo/manifest.mpd`)).text();
  expect(await mpd()).not.toContain('http://n2.test');
  list = { revision: 2, edges: [address('n1'), address('n2')] };
  await expect.poll(mpd).toContain('http://n2.test');
  const reply = await (await fetch(`${edge.url}/live/demo/steering?_DASH_pathway=%22n1%22`)).json();
  expect(reply).toMatchObject({
    VERSION: 1,
    TTL: 10,
    'PATHWAY-PRIORITY': ['n1', 'n2'],
    'RELOAD-URI': expect.stringMatching(/^http:\/\/n2\.test\/live\/demo\/steering\?session=[\w-]{8,}$/),
    'PATHWAY-CLONES': [{ ID: 'n1' }, { ID: 'n2' }],
  });
});

test('a draining edge says so first, answers what waits, and then takes no connection', async () => {
  const edge = await startTestEdge();
  await edge.broadcast(1);
  const waiting = fetch(`${edge.url}/live/demo/2/h264-240p/180000.m4s`);
  await expect.poll(() => edge.metric('tangaza_edge_held_requests')).toBe(1);
  edge.edge.leave();
  expect((await fetch(`${edge.url}/readyz`)).status).toBe(503);
  expect((await fetch(`${edge.url}/healthz`)).status).toBe(200);
  await edge.close(5000);
  expect((await waiting).status).toBe(503);
  await expect(fetch(`${edge.url}/healthz`)).rejects.toThrow();
});

test('two servers cannot share a port without knowing', async () => {
  await using edge = await startTestEdge();
  const { uwsServer } = await import('../../../actors/edge-delivery/http/http.uws.ts');
  const { noMetrics } = await import('../../../cluster/observe/metrics.ts');
  const { silentLogger } = await import('../../../cluster/observe/logger.ts');
  const { systemClock } = await import('../../../cluster/time/clock.system.ts');
  const second = uwsServer({ clock: systemClock, metrics: noMetrics, logger: silentLogger });
  await expect(second.listen('127.0.0.1', edge.port, edge.edge)).rejects.toThrow('cannot listen');
  await second.close(0);
});

test('a keep-alive connection carries many requests, pipelined ones too', async () => {
  await using edge = await startTestEdge();
  await edge.broadcast(1);
  const socket = await openSocket(edge.port);
  socket.write('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /v1/time HTTP/1.1\r\nHost: a\r\n\r\n');
  expect(await readUntil(socket, { until: /"ok"[^]*\dZ$/ })).toMatch(/"ok"[^]*\dZ$/);
  socket.destroy();
});
