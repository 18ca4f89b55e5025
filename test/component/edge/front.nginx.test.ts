/** `config/front/` on a real nginx: what viewers get through it, and what of that an edge is asked for. */
import { brotliCompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { HttpHandlers } from '../../../actors/edge-delivery/http/http-server.ts';
import type { Site } from '../../../actors/edge-delivery/site/site.ts';
import type { Broadcast } from '../../support/media/broadcast.ts';
import { startFront, type Front, type Viewer } from '../../support/cluster/front.ts';
import { startTestEdge, type TestEdge } from '../../support/ports/test-edge.ts';
import { waitForEvents } from '../../support/wait.ts';

const encoder = new TextEncoder();
/** What both edges were asked, in order; GETs with their query. */
const asked: {
  readonly target: string;
  readonly forwarded?: string;
  readonly cookie?: string;
}[] = [];
const resources = new AsyncDisposableStack();
let edges: readonly TestEdge[];
let streams: readonly Broadcast[];
let front: Front;
let viewer: Viewer;

beforeAll(async () => {
  edges = await Promise.all(renewedAssets.map(startEdge));
  for (const edge of edges) resources.use(edge);
  // One broadcast, as both edges would fold it.
  streams = await Promise.all(edges.map((edge) => edge.broadcast(3, { bytes: 300_000 })));
  front = resources.use(await startFront(edges.map(({ port }) => port)));
  viewer = resources.use(front.viewer());
});
afterAll(() => resources.disposeAsync());

/** One for each edge, as if they were of two versions. */
const renewedAssets = ['of-the-first.js', 'of-the-second.js'];

async function siteWith(asset: string): Promise<Site> {
  const script = encoder.encode('export {};');
  const forms = { body: script, gzip: gzipSync(script), brotli: brotliCompressSync(script) };
  const pages = { index: '', ops: '', watch: '', embed: '', docs: '', error: '' };
  return {
    assets: [{ path: `/assets/${asset}`, contentType: 'text/javascript', ...forms }],
    pages,
    engines: { dash: [], hls: [] },
  };
}

function startEdge(asset: string): Promise<TestEdge> {
  const between = (edge: HttpHandlers): HttpHandlers => ({
    hot: (target) => {
      const entity = edge.hot(target);
      if (entity !== undefined) asked.push({ target });
      return entity;
    },
    handle: (request) => {
      const { path, query } = request;
      const target = query === '' ? path : `${path}?${query}`;
      const forwarded = request.header('x-forwarded-for');
      asked.push({ target, forwarded, cookie: request.header('cookie') });
      return edge.handle(request);
    },
  });
  return startTestEdge({ liveEdgeMs: 30_000, loadSite: () => siteWith(asset) }, {}, between);
}

const stream = (): Broadcast => {
  const [first] = streams;
  if (first === undefined) throw new Error('no stream');
  return first;
};
const commit = async (): Promise<void> => {
  for (const one of streams) await one.commit();
};
const askedFor = (path: string) => asked.filter(({ target }) => target.split('?')[0] === path);

test('of many viewers that wait for one segment at the live edge, one request reaches an edge, whatever their queries', async () => {
  const next = 3;
  const path = stream().segmentPath(next);
  const viewers = Array.from({ length: 20 }, () => front.viewer());
  const replies = viewers.flatMap((one, index) => [one.get(path), one.get(`${path}?CMCD=sid%3D${index}`)]);
  await expect.poll(() => askedFor(path).length).toBe(1);
  await commit();
  for (const { status, body } of await Promise.all(replies)) {
    expect(status).toBe(200);
    expect(body.equals(stream().body(next, 'h264-240p'))).toBe(true);
  }
  const again = await viewer.get(path);
  expect({ cache: again.headers['tangaza-cache'], asked: askedFor(path) }).toMatchObject({
    cache: 'HIT',
    asked: [{ target: path }],
  });
  for (const one of viewers) one[Symbol.dispose]();
});

test('parts of a segment, conditions and preflights are answered as an edge answers them', async () => {
  const path = stream().segmentPath(1);
  const body = stream().body(1, 'h264-240p');
  for (const cache of ['MISS', 'HIT']) {
    const part = await viewer.get(path, { range: 'bytes=1000-1999' });
    expect(part.headers).toMatchObject({
      ':status': 206,
      'content-range': `bytes 1000-1999/${body.byteLength}`,
      'tangaza-cache': cache,
    });
    expect(part.body.equals(body.subarray(1000, 2000))).toBe(true);
  }
  const whole = await viewer.get(path);
  const { etag = '' } = whole.headers;
  expect(whole.headers['access-control-allow-origin']).toBe('*');
  expect((await viewer.get(path, { 'if-none-match': etag })).status).toBe(304);
  expect((await viewer.get(path, { range: 'bytes=9000000-' })).status).toBe(416);
  const preflight = await viewer.get(path, {
    ':method': 'OPTIONS',
    origin: 'https://player.example.com',
    'access-control-request-method': 'GET',
    'access-control-request-headers': 'cmcd-request',
  });
  expect(preflight.headers['access-control-allow-headers']).toContain('cmcd-request');
});

test('a manifest is compressed for who takes that and plain for who does not', async () => {
  const path = '/live/demo/h264-240p.m3u8';
  const plain = await viewer.get(path, { 'accept-encoding': 'gzip;q=0, identity' });
  const zipped = await viewer.get(path, { 'accept-encoding': 'deflate, gzip, zstd' });
  expect({
    plainContentEncoding: plain.headers['content-encoding'],
    zippedContentEncoding: zipped.headers['content-encoding'],
  }).toEqual({ plainContentEncoding: undefined, zippedContentEncoding: 'gzip' });
  expect(gunzipSync(zipped.body).toString()).toContain('#EXTM3U');
  expect(plain.body.toString()).toContain('#EXTM3U');
});

// Goal: a manifest out of the cache is never older than its max-age of a second. Method: a viewer asks without a pause while nginx's own
// clock ticks four times; nginx writes its second on each reply. In each second some reply came from an edge, and over all seconds no more
// than one for each. By the edge's own header alone nginx keeps a manifest for up to two.
test('a manifest is shared for a second and never older', async () => {
  const path = '/live/demo/main.m3u8?device=phone';
  const media = '/live/demo/h264-240p.m3u8';
  /** By nginx's second: whether a reply of it came from an edge. */
  const seconds = new Map<string, boolean>();
  const before = askedFor(media).length;
  const statuses = new Set<number>();
  const shared = new Set<unknown>();
  const ask = async (): Promise<void> => {
    // By itself: who comes while an edge is asked waits for its reply, and the second may end meanwhile.
    const alone = await viewer.get(media);
    const [master, shares] = await Promise.all([viewer.get(path), viewer.get(`${media}?CMCD=x`)]);
    for (const { headers } of [alone, shares]) {
      const second = headers.date ?? '';
      seconds.set(second, seconds.get(second) === true || headers['tangaza-cache'] !== 'HIT');
    }
    shared.add(shares.headers['tangaza-cache']);
    for (const { status } of [alone, master, shares]) statuses.add(status);
  };
  await waitForEvents("nginx's clock ticks four times", () => seconds.size > 4, ask);
  expect(statuses).toEqual(new Set([200]));
  // The first may have been asked for by another test.
  const [, ...whole] = seconds;
  expect(whole.filter(([, isFresh]) => !isFresh)).toEqual([]);
  const asks = askedFor(media).length - before;
  expect({ isAskedOncePerSecond: asks <= seconds.size + 1, isShared: shared.has('HIT') }).toEqual({
    isAskedOncePerSecond: true,
    isShared: true,
  });
  expect(new Set(askedFor(media).map(({ target }) => target))).toEqual(new Set([media]));
  expect(new Set(askedFor('/live/demo/main.m3u8').map(({ target }) => target))).toEqual(new Set([path]));
});

test('a segment that was not there is there soon after it is', async () => {
  const far = 12;
  const path = stream().segmentPath(far);
  const early = await Promise.all(Array.from({ length: 10 }, () => viewer.get(path)));
  expect(new Set(early.map(({ status }) => status))).toEqual(new Set([404]));
  const isFar = (): boolean => streams.every((one) => one.nextStart90k > far * 180_000);
  await waitForEvents('every stream has that segment', isFar, commit);
  await expect.poll(async () => (await viewer.get(path)).status).toBe(200);
});

test('cookies of 30 kB pass, no edge sees them, and a viewer cannot say from where it comes', async () => {
  const cookie = 'a'.repeat(30_000);
  const reply = await viewer.get('/live/demo/steering', { cookie, 'x-forwarded-for': '192.0.2.1' });
  expect({ status: reply.status, 'cache-control': reply.headers['cache-control'] }).toEqual({
    status: 200,
    'cache-control': 'no-store',
  });
  expect(askedFor('/live/demo/steering')).toMatchObject([{ forwarded: '127.0.0.1', cookie: '' }]);
  expect((await viewer.get(stream().segmentPath(0), { cookie })).status).toBe(200);
});

test('what tells of the machines is not for viewers', async () => {
  for (const path of ['/metrics', '/readyz']) expect((await viewer.get(path)).status).toBe(404);
  expect((await viewer.get('/healthz')).status).toBe(200);
  expect(askedFor('/metrics')).toEqual([]);
});

// Goal: while edges are renewed one after the other every page finds its parts. Method: what one edge has the other has not.
test('a part of a page of another version is found at the edge that has it', async () => {
  const asked = Array.from({ length: 6 }, (_, index) => index);
  const found = await Promise.all(
    asked.flatMap((index) => renewedAssets.map((name) => viewer.get(`/assets/${name}?${index}`))),
  );
  expect(found.map(({ status }) => status)).toEqual(found.map(() => 200));
  const [, watch] = found;
  expect(watch?.headers['cache-control']).toContain('immutable');
  expect((await viewer.get('/assets/nothing.js')).status).toBe(404);
});

// Last: it takes an edge away.
test('an edge that is gone is not seen by viewers', async () => {
  const [first] = edges;
  await first?.close(0);
  const paths = ['/live/demo/manifest.mpd', '/live/demo/steering', '/v1/time', stream().segmentPath(2)];
  for (let round = 0; round < 10; round += 1)
    for (const path of paths)
      expect({ path, status: (await viewer.get(path)).status }).toEqual({ path, status: 200 });
});
