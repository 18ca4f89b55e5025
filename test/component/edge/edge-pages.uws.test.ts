/** Pages and assets over a real listener, as they are built: what people get, what programs get, how it is kept and compressed. */
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { rawRequest } from '../../support/cluster/raw-http.ts';
import { startTestEdge, type TestEdge } from '../../support/ports/test-edge.ts';

const people = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
let edge: TestEdge;
beforeAll(async () => {
  edge = await startTestEdge();
  edge.standings.set('gone', { kind: 'removed', removedAtMs: 0 });
  await edge.broadcast(1);
});
afterAll(() => edge[Symbol.asyncDispose]());

const get = (path: string, headers: Record<string, string> = people) => fetch(edge.url + path, { headers });
const textOf = async (path: string): Promise<string> => (await get(path)).text();
const assetsOf = (html: string): readonly string[] =>
  [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path]) => path ?? '');

/** The reply as it is on the wire: `fetch` would undo its coding. */
async function rawBody(path: string, acceptEncoding: string) {
  const { hostname, port } = new URL(edge.url);
  const { request } = await import('node:http');
  return new Promise<{ coding: string | undefined; body: Buffer }>((resolve, reject) => {
    const headers = { 'accept-encoding': acceptEncoding, ...people };
    request({ hostname, port, path, headers }, (reply) => {
      const chunks: Buffer[] = [];
      reply.on('data', (chunk: Buffer) => chunks.push(chunk));
      reply.on('end', () =>
        resolve({ coding: reply.headers['content-encoding'], body: Buffer.concat(chunks) }),
      );
    })
      .on('error', reject)
      .end();
  });
}

test('every page is HTML that is checked each time, and names assets that may be kept for ever', async () => {
  for (const path of ['/', '/ops', '/watch/demo', '/embed/demo']) {
    const reply = await get(path);
    const { status, headers } = reply;
    const [type, cache] = [headers.get('content-type'), headers.get('cache-control')];
    const page = { type: 'text/html; charset=utf-8', cache: 'no-cache' };
    expect({ path, status, type, cache }).toEqual({ path, status: 200, ...page });
    const etag = headers.get('etag') ?? '';
    expect((await get(path, { ...people, 'if-none-match': etag })).status).toBe(304);
    const assets = assetsOf(await reply.text());
    expect(assets.length).toBeGreaterThan(0);
    for (const asset of assets) {
      const { status: found, headers: kept } = await get(asset);
      const forEver = 'public, max-age=31536000, immutable';
      expect({ asset, found, cache: kept.get('cache-control') }).toEqual({
        asset,
        found: 200,
        cache: forEver,
      });
    }
  }
});

test('the page of what is on air comes with the address to publish to', async () => {
  const [, data = ''] = /id="page-data">([^<]*)</.exec(await textOf('/')) ?? [];
  expect(JSON.parse(data)).toEqual({ publish: 'rtmp://ingest.test:1935/live' });
});

test('pages and assets come in brotli, in gzip and plain, as the reader takes them, with equal content', async () => {
  const [script = ''] = assetsOf(await textOf('/watch/demo'));
  for (const path of ['/watch/demo', script]) {
    const plain = await rawBody(path, 'identity');
    const gzip = await rawBody(path, 'gzip');
    const brotli = await rawBody(path, 'gzip, deflate, br, zstd');
    expect({ plainCoding: plain.coding, gzipCoding: gzip.coding, brotliCoding: brotli.coding }).toEqual({
      plainCoding: undefined,
      gzipCoding: 'gzip',
      brotliCoding: 'br',
    });
    expect(gunzipSync(gzip.body)).toEqual(plain.body);
    expect(brotliDecompressSync(brotli.body)).toEqual(plain.body);
    expect(brotli.body.byteLength).toBeLessThan(gzip.body.byteLength);
  }
});

test('the page of a stream on air loads one engine beside its script, the one of its format', async () => {
  const dash = await textOf('/watch/demo');
  const hls = await textOf('/watch/demo?format=hls');
  const engines = (html: string): readonly string[] =>
    assetsOf(html).flatMap((path) => /\/(shaka|hls)\.browser-/.exec(path)?.[1] ?? []);
  expect({ dash: engines(dash), hls: engines(hls) }).toEqual({ dash: ['shaka'], hls: ['hls'] });
  expect(dash).toMatch(/id="page-data">\{"id":"demo","title":"Title of demo","state":/);
});

test('the page of a stream that has not begun loads no engine', async () => {
  edge.streams.add('early');
  const html = await textOf('/watch/early');
  expect(html).toContain('"state":"notBegun"');
  expect(html).not.toMatch(/shaka|hls\.browser/);
});

test('a title of markup and of marks that turn text is harmless in every page of the stream', async () => {
  const title = '"><script>alert(1)</script>\u202E& more';
  edge.standings.set('evil', { kind: 'known', title, createdAtMs: 0 });
  for (const path of ['/watch/evil', '/embed/evil']) {
    const html = await textOf(path);
    expect(html).toContain(
      '<title>&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp; more · Tangaza</title>',
    );
    expect(html).not.toContain('<script>alert');
  }
});

test.for([
  { path: '/watch/nobody', status: 404, code: 'STREAM_NOT_FOUND' },
  { path: '/embed/nobody', status: 404, code: 'STREAM_NOT_FOUND' },
  { path: '/watch/No%20Name', status: 404, code: 'STREAM_NOT_FOUND' },
  { path: '/watch/gone', status: 410, code: 'STREAM_REMOVED' },
  { path: '/embed/gone', status: 410, code: 'STREAM_REMOVED' },
  { path: '/nothing/here', status: 404, code: 'NOT_FOUND' },
  { path: '/watch/', status: 404, code: 'STREAM_NOT_FOUND' },
  { path: '/watch/demo/more', status: 404, code: 'NOT_FOUND' },
  { path: '/assets/nothing.js', status: 404, code: 'NOT_FOUND' },
  { path: '/assets/../ops', status: 404, code: 'NOT_FOUND' },
])('$path is a $status page for people and a problem document for programs', async (row) => {
  const page = await rawRequest(
    edge.port,
    `GET ${row.path} HTTP/1.1\r\nHost: edge.test\r\nAccept: text/html\r\nConnection: close\r\n\r\n`,
    { until: /<\/html>/ },
  );
  expect(page).toMatch(new RegExp(`^HTTP/1.1 ${row.status} .*content-type: text/html`, 's'));
  expect(page).toContain('<meta name="robots" content="noindex">');
  const problem = await rawRequest(
    edge.port,
    `GET ${row.path} HTTP/1.1\r\nHost: edge.test\r\nAccept: */*\r\nConnection: close\r\n\r\n`,
    { until: /\}$/ },
  );
  expect(problem).toMatch(new RegExp(`^HTTP/1.1 ${row.status} .*application/problem\\+json`, 's'));
  expect(problem).toContain(`"code":"${row.code}"`);
});

test('only the player alone may be framed by other sites, and no page runs a script of another host', async () => {
  const policyOf = async (path: string) => (await get(path)).headers.get('content-security-policy') ?? '';
  for (const path of ['/', '/ops', '/watch/demo', '/nothing', '/watch/nobody', '/embed/demo']) {
    const policy = await policyOf(path);
    expect(policy).toContain("default-src 'none'; script-src 'self';");
    expect({ path, mayNotBeFramed: policy.includes("frame-ancestors 'none'") }).toEqual({
      path,
      mayNotBeFramed: path !== '/embed/demo',
    });
  }
});

test('a flood of pages of made-up streams from one address asks the registry 64 times a second at most', async () => {
  const before = edge.lookUps();
  const startMs = performance.now();
  const statuses = new Set<number>();
  for (let batch = 0; batch < 20; batch += 1) {
    const replies = await Promise.all(
      Array.from({ length: 50 }, (_, index) => get(`/watch/made-up-${batch}-${index}`)),
    );
    for (const { status } of replies) statuses.add(status);
  }
  const seconds = Math.ceil((performance.now() - startMs) / 1000) + 1;
  expect(edge.lookUps() - before).toBeLessThanOrEqual(64 * seconds);
  expect([...statuses].every((status) => status === 404 || status === 429)).toBe(true);
  expect((await get('/watch/demo')).status).toBe(200);
});

test('the mark of the product is there, also where browsers look for it by themselves', async () => {
  for (const path of ['/favicon.svg', '/favicon.ico'])
    expect((await get(path)).headers.get('content-type')).toBe('image/svg+xml');
});
