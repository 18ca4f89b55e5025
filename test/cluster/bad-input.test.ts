/** Bad input to a whole cluster: its sender is told what is wrong, and a healthy stream goes on without a gap. */
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { catalogue } from '../../cluster/errors/catalogue.ts';
import { controlClient, type ControlClient } from '../support/cluster/control-client.ts';
import { startTestCluster, type TestCluster } from '../support/cluster/demo.ts';
import { flashAndBeep, publish, x264, type FfmpegPublisher } from '../support/media/ffmpeg-publisher.ts';
import { makeFeed, type Feed } from '../support/media/media-feed.ts';
import { readPlaylist, waitForPlaylist, type Playlist } from '../support/media/playlists.ts';
import { holdMany } from '../support/audience/held-requests.ts';
import { openSocket, rawRequest } from '../support/cluster/raw-http.ts';
import { RtmpPublisher } from '../support/ingest/rtmp-publisher.ts';

const lowest = 'h264-240p';
const resources = new AsyncDisposableStack();
let cluster: TestCluster;
let api: ControlClient;
let healthy: FfmpegPublisher;
let feed: Feed;
let wide: Feed;
let rareKeys: Feed;

beforeAll(async () => {
  cluster = resources.use(await startTestCluster());
  api = controlClient(cluster.url, cluster.token);
  healthy = resources.use(
    publish(`${cluster.nodes[0]?.rtmp}/${cluster.stream.key}`, flashAndBeep(), x264(25, 2)),
  );
  // Made before anybody publishes: to a publisher who sends nothing while a busy machine makes them, the node says goodbye.
  feed = await makeFeed({ seconds: 6, size: '426x240', gop: 50 });
  wide = await makeFeed({ seconds: 6, size: '640x360', gop: 50 });
  rareKeys = await makeFeed({ seconds: 32, size: '160x90', gop: 750 });
  await healthyAfter(-1);
});
afterAll(() => resources.disposeAsync());

const playlistUrl = (id = 'demo', node = 0): string =>
  `${cluster.nodes[node]?.url}/live/${id}/${lowest}.m3u8`;
const rtmpPort = (node = 0): number =>
  Number(new URL((cluster.nodes[node]?.rtmp ?? '').replace('rtmp:', 'http:')).port);
const httpPort = (node = 0): number => Number(new URL(cluster.nodes[node]?.url ?? '').port);

/** The healthy stream has a segment above `number`, and never had a gap or a new period. */
async function healthyAfter(number: number): Promise<Playlist> {
  const playlist = await waitForPlaylist(playlistUrl(), ({ lastNumber }) => lastNumber > number, 45_000);
  expect(playlist.segments.filter(({ isGap, isDiscontinuity }) => isGap || isDiscontinuity)).toEqual([]);
  expect(playlist.discontinuitySequence).toBe(0);
  return playlist;
}

afterEach(async () => {
  await healthyAfter(-1);
  expect(healthy.output()).toBe('');
});

async function said(
  key: string,
  send: (publisher: RtmpPublisher) => Promise<void> = async () => {},
  node = 0,
): Promise<string> {
  const { publisher } = await RtmpPublisher.publish({ port: rtmpPort(node), key });
  await using _publisher = publisher;
  await send(publisher);
  const status = await publisher.refused;
  await publisher.closed;
  return status?.description ?? 'nothing';
}

test('a wrong key, no key and the key of a deleted stream are refused by name on either node', async () => {
  const gone = await api.create({ title: 'Gone' });
  expect(await api.status('DELETE', `/v1/streams/${gone.id}`)).toBe(204);
  for (const node of [0, 1]) {
    expect(await said('nobody', undefined, node)).toBe(
      `STREAM_KEY_UNKNOWN: ${catalogue.STREAM_KEY_UNKNOWN.title}`,
    );
    expect(await said('', undefined, node)).toBe(`STREAM_KEY_MISSING: ${catalogue.STREAM_KEY_MISSING.title}`);
    expect(await said(gone.streamKey, undefined, node)).toBe(
      `STREAM_REMOVED: The stream ${gone.id} of this key was removed: publish with the key of another stream.`,
    );
  }
  expect(await cluster.log('node-1-1').catch(() => '')).not.toContain(gone.streamKey);
});

test('a second publisher on a live key is told that it is busy, at the node of the first and at the other', async () => {
  for (const node of [0, 1]) {
    const send = (publisher: RtmpPublisher): Promise<void> =>
      publisher.send(feed, { speed: 1 }).catch(() => {});
    expect(await said(cluster.stream.key, send, node)).toMatch(
      /^STREAM_BUSY: FMLE.* at 127\.0\.0\.1 is on air with this key\.$/,
    );
  }
  await expect.poll(() => api.health('demo')).toMatchObject({ state: 'live' });
});

test('garbage, and a socket that says nothing, are closed on the RTMP port', async () => {
  const silent = await openSocket(rtmpPort());
  silent.resume();
  const garbage = await openSocket(rtmpPort());
  garbage.resume();
  garbage.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await Promise.all([once(silent, 'close'), once(garbage, 'close')]);
});

test.each([
  [
    'a feed without a keyframe',
    (publisher) => publisher.send(feed, { loops: 4, filter: ({ type, isKey }) => type !== 9 || !isKey }),
  ],
  ['a keyframe every 30 s', (publisher) => publisher.send(rareKeys)],
] satisfies [string, (publisher: RtmpPublisher) => Promise<void>][])(
  '%s is refused to the encoder and in health',
  async (title, send) => {
    const { id, streamKey } = await api.create({ title });
    const sentence = 'KEYFRAME_INTERVAL: keyframe interval over 10 s';
    expect(await said(streamKey, send)).toMatch(new RegExp(`${sentence}.*set the keyframe interval to 2 s`));
    await expect
      .poll(() => api.health(id))
      .toMatchObject({ state: 'refused', reason: expect.stringContaining(sentence) });
  },
);

test('MP3 from ffmpeg is refused with the name of the codec, shown by ffmpeg and in health', async () => {
  const { id, streamKey } = await api.create({ title: 'MP3' });
  const mp3 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-c:a', 'libmp3lame', '-ar', '44100'];
  await using encoder = publish(`${cluster.nodes[1]?.rtmp}/${streamKey}`, flashAndBeep(320, 180), mp3);
  expect(await encoder.ended).not.toBe(0);
  expect(encoder.output()).toMatch(/CODEC_REFUSED: .*MP3/);
  await expect
    .poll(() => api.health(id))
    .toMatchObject({ state: 'refused', reason: expect.stringMatching(/CODEC_REFUSED: .*MP3/) });
});

// Goal: another picture size is a new period, not the end. Method: one connection sends 426x240, then 640x360, all at once.
test('a change of resolution on air opens a new period, and both play', async () => {
  const { id, streamKey } = await api.create({ title: 'Resized' });
  const { publisher } = await RtmpPublisher.publish({ port: rtmpPort(1), key: streamKey });
  await using _publisher = publisher;
  await publisher.send(feed);
  await publisher.send(wide, { offsetMs: feed.durationMs });
  await publisher.end();
  const { segments } = await waitForPlaylist(
    playlistUrl(id, 1),
    (playlist) => playlist.segments.length === 6,
    45_000,
  );
  expect(segments.map(({ isDiscontinuity }) => isDiscontinuity)).toEqual([
    false,
    false,
    false,
    true,
    false,
    false,
  ]);
  expect(segments.filter(({ isGap }) => isGap)).toEqual([]);
  const replies = await Promise.all(segments.map(({ uri }) => fetch(new URL(uri, playlistUrl(id, 1)))));
  expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
});

const Problem = z.object({
  type: z.url(),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string().optional(),
});

interface BadRequest {
  readonly what: string;
  readonly path: string;
  readonly init?: RequestInit;
  readonly code: keyof typeof catalogue;
}

const post = (body: string): RequestInit => ({
  method: 'POST',
  body,
  headers: { 'content-type': 'application/json' },
});
const badRequests: readonly BadRequest[] = [
  { what: 'an unknown stream', path: '/live/nobody/main.m3u8', code: 'STREAM_NOT_FOUND' },
  {
    what: 'an unknown stream in the frames API',
    path: '/v1/videos/nobody/frames?deviceType=tv&offsetSeconds=0',
    code: 'STREAM_NOT_FOUND',
  },
  { what: 'a stream that was never on air', path: '/live/quiet/main.m3u8', code: 'STREAM_NOT_LIVE' },
  { what: 'an unknown rendition', path: '/live/demo/h264-9999p.m3u8', code: 'NOT_FOUND' },
  { what: 'a segment of no period', path: `/live/demo/1/${lowest}/180000.m4s`, code: 'SEGMENT_NOT_FOUND' },
  { what: 'a path that climbs', path: '/live/demo/..%2f..%2fsecrets.json', code: 'NOT_FOUND' },
  { what: 'an unknown device', path: '/live/demo/main.m3u8?device=fridge', code: 'BAD_REQUEST' },
  {
    what: 'an offset before the start',
    path: '/v1/videos/demo/frames?deviceType=tv&offsetSeconds=-1',
    code: 'BAD_REQUEST',
  },
  { what: 'a page of the list that cannot be', path: '/v1/streams?limit=0', code: 'BAD_REQUEST' },
  { what: 'JSON cut short', path: '/v1/streams', init: post('{"title":'), code: 'BAD_REQUEST' },
  {
    what: 'JSON of another shape',
    path: '/v1/streams',
    init: post('{"title":"","x":1}'),
    code: 'BAD_REQUEST',
  },
  {
    what: 'a body of 1 MB',
    path: '/v1/streams',
    init: post(JSON.stringify({ title: 'a'.repeat(1_000_000) })),
    code: 'BODY_TOO_LARGE',
  },
  {
    what: 'a wrong method',
    path: '/live/demo/main.m3u8',
    init: { method: 'DELETE' },
    code: 'METHOD_NOT_ALLOWED',
  },
  {
    what: 'no token',
    path: '/v1/streams',
    init: { headers: { authorization: '' } },
    code: 'UNAUTHENTICATED',
  },
  {
    what: 'a wrong token',
    path: '/v1/cluster',
    init: { headers: { authorization: 'Bearer x' } },
    code: 'UNAUTHENTICATED',
  },
];

test.each(badRequests)('$what is a problem document with the code $code', async ({ path, init, code }) => {
  if (path.includes('/quiet/')) await api.create({ title: 'Quiet', id: 'quiet' });
  for (const { url } of path.includes('/quiet/') ? cluster.nodes.slice(0, 1) : cluster.nodes) {
    const headers = new Headers(init?.headers);
    if (!headers.has('authorization')) headers.set('authorization', `Bearer ${cluster.token}`);
    const reply = await fetch(url + path, { ...init, headers });
    expect(reply.headers.get('content-type')).toContain('application/problem+json');
    const problem = Problem.parse(await reply.json());
    const { status, title } = catalogue[code];
    expect({ sent: reply.status, problem }).toMatchObject({ sent: status, problem: { code, status, title } });
  }
});

test('ranges outside of a segment are 416, ones that make no sense are ignored, a good one is cut out', async () => {
  const { segments } = await readPlaylist(playlistUrl());
  const url = new URL(segments[0]?.uri ?? '', playlistUrl());
  const whole = new Uint8Array(await (await fetch(url)).arrayBuffer());
  const get = async (range: string): Promise<readonly [number, number]> => {
    const reply = await fetch(url, { headers: { range } });
    return [reply.status, (await reply.arrayBuffer()).byteLength];
  };
  expect((await get('bytes=99999999-'))[0]).toBe(416);
  expect(await get('bytes=9-3')).toEqual([200, whole.length]);
  expect(await get('bytes=0-9')).toEqual([206, 10]);
});

test('paths that climb by hand and 1 MB of headers get nothing', async () => {
  const climbing = await rawRequest(httpPort(), 'GET /live/../../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n', {
    until: /\}$/,
  });
  expect(climbing).toMatch(/^HTTP\/1\.1 404 /);
  expect(
    await rawRequest(httpPort(), `GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(1_000_000)}\r\n\r\n`),
  ).not.toContain(' 200 ');
  expect((await fetch(`${cluster.url}/healthz`)).status).toBe(200);
});

// Goal: who does not read costs others nothing. Method: 50 readers ask for all segments and read nothing, while others are served.
test('readers that take nothing keep nobody from being served', async () => {
  const { segments } = await readPlaylist(playlistUrl());
  const sockets = await Promise.all(Array.from({ length: 50 }, () => openSocket(httpPort())));
  for (const socket of sockets) {
    socket.pause();
    for (const { uri } of segments)
      socket.write(`GET ${new URL(uri, playlistUrl()).pathname} HTTP/1.1\r\nHost: a\r\n\r\n`);
  }
  await healthyAfter((await readPlaylist(playlistUrl())).lastNumber);
  expect((await fetch(new URL(segments[0]?.uri ?? '', playlistUrl()))).status).toBe(200);
  for (const socket of sockets) socket.destroy();
});

// Goal: a crowd at the live edge waits and is served by one commit. Method: 2,000 requests of the next segment, from another process.
test('2,000 requests of a segment that is not there yet are all answered with it', async () => {
  const { segments, lastNumber } = await healthyAfter((await readPlaylist(playlistUrl())).lastNumber);
  const path = nextPath(segments.at(-1)?.uri ?? '');
  const holder = holdMany(httpPort(), { count: 2000, path });
  try {
    await holder.opened;
    expect(await holder.statuses()).toEqual({ 200: 2000 });
  } finally {
    holder.kill();
  }
  await healthyAfter(lastNumber);
});

/** Two seconds after the given segment, by its start in units of 1/90000 s. */
function nextPath(uri: string): string {
  const { pathname } = new URL(uri, playlistUrl());
  return pathname.replace(/(\d+)\.m4s$/, (_all, start: string) => `${Number(start) + 180_000}.m4s`);
}

test('after all that the healthy stream goes on: two more segments, no gap, the same publisher', async () => {
  const { lastNumber, segments } = await healthyAfter(-1);
  const after = await healthyAfter(lastNumber + 1);
  expect(after.segments.slice(0, segments.length)).toEqual(segments);
  await expect.poll(() => api.health('demo')).toMatchObject({ state: 'live' });
});
