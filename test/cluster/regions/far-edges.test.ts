/** A stream of one region, watched at the edges of another: every path that a viewer uses, and each object crosses once (R5, R11). */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { EdgeList } from '../../../cluster/contract/api/control-routes.ts';
import { RegionsView } from '../../../cluster/contract/api/control-views.ts';
import { FrameView } from '../../../cluster/contract/api/edge-routes.ts';
import type { DemoNode, DemoRegion } from '../../../scripts/demo/site.ts';
import { controlClient } from '../../support/cluster/control-client.ts';
import { grownBy, playlistOf } from '../../support/cluster/live-cluster.ts';
import { firstOf, startTwoRegions, type TwoRegions } from '../../support/cluster/two-regions.ts';
import { flashAndBeep, publish, x264, type FfmpegPublisher } from '../../support/media/ffmpeg-publisher.ts';
import { readPlaylist, waitForPlaylist } from '../../support/media/playlists.ts';

let regions: TwoRegions;
let publisher: FfmpegPublisher | undefined;
/** An edge of the region where nobody publishes. */
let far: DemoNode;

beforeAll(async () => {
  regions = await startTwoRegions();
  far = firstOf(regions.far);
  publisher = publish(
    `${firstOf(regions.near).rtmp}/${regions.stream.key}`,
    flashAndBeep(426, 240),
    x264(25, 2),
  );
  await waitForPlaylist(playlistOf(firstOf(regions.near)), ({ segments }) => segments.length >= 4, 90_000);
  await waitForPlaylist(playlistOf(far), ({ segments }) => segments.length >= 4, 90_000);
});

afterAll(async () => {
  await publisher?.[Symbol.asyncDispose]();
  await regions?.[Symbol.asyncDispose]();
});

/** The sum of a counter's series that have these labels, over the nodes of a region. */
async function counted({ nodes }: DemoRegion, name: string, labels = ''): Promise<number> {
  const texts = nodes.map(async ({ operator }) => (await fetch(`${operator}/metrics`)).text());
  const lines = (await Promise.all(texts)).join('\n').split('\n');
  const values = lines
    .filter((line) => line.startsWith(`${name}{`) && line.includes(labels))
    .map((line) => Number(line.split(' ').at(-1)));
  return values.reduce((sum, value) => sum + value, 0);
}

/** The media of the stream that lies in a region's store. */
async function storedIn({ id }: DemoRegion): Promise<readonly string[]> {
  const folder = join(regions.dataDir, id, 'segments', 'demo');
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name, parentPath }) => join(parentPath, name));
}

const at = (path: string): string => `${far.url}${path}`;

// Goal: a viewer of the other region misses nothing. Method: every path of a stream is asked at a far edge; what manifests name is fetched, the oldest and the newest.
test('every path that a viewer uses is answered at an edge of another region', async () => {
  const { segments } = await readPlaylist(playlistOf(far));
  const [oldest, newest] = [segments[0], segments.at(-1)];
  const names = [oldest?.uri, oldest?.init, newest?.uri, newest?.init].map((name) => `/live/demo/${name}`);
  const paths = [
    ...names,
    '/live/demo/main.m3u8',
    '/live/demo/aac-128k.m3u8',
    '/live/demo/manifest.mpd',
    '/live/demo/manifest.mpd?device=phone',
    '/live/demo/steering',
    '/live/demo/thumbnail.jpg',
    '/v1/streams/demo/public',
    '/v1/streams/demo/edges',
    '/v1/streams/demo/audience',
    '/v1/streams/demo/comments',
    '/v1/videos/demo/frames?deviceType=tv&offsetSeconds=0&durationSeconds=4',
    '/watch/demo',
    '/embed/demo',
  ];
  const audio = z
    .string()
    .parse(/,URI="([^"]+)"/.exec(await (await fetch(at('/live/demo/main.m3u8'))).text())?.[1]);
  const statuses = paths
    .map((path) => path.replace('aac-128k.m3u8', audio))
    .map(async (path) => [path, (await fetch(at(path))).status] as const);
  const refused = (await Promise.all(statuses)).filter(([, status]) => status !== 200);
  expect(refused).toEqual([]);
  const frame = await fetch(at('/v1/videos/demo/frames?deviceType=tv&offsetSeconds=0&durationSeconds=4'), {
    headers: { accept: 'application/json' },
  });
  expect(FrameView.parse(await frame.json()).durationSeconds).toBe(4);
});

test('manifests and the edge list name the own edges first, then those of the other region', async () => {
  const mpd = await (await fetch(at('/live/demo/manifest.mpd'))).text();
  const bases = [...mpd.matchAll(/<BaseURL serviceLocation="([^"]+)"/g)].map(([, id]) => id);
  const { items } = EdgeList.parse(await (await fetch(at('/v1/streams/demo/edges'))).json());
  const own = regions.far.nodes.map(({ node }) => node).toSorted();
  const others = regions.near.nodes.map(({ node }) => node).toSorted();
  expect({
    bases,
    items: items.map(({ why }) => why),
    own: items
      .slice(0, 2)
      .map(({ id }) => id)
      .toSorted(),
  }).toEqual({
    bases: [...own, ...others],
    items: ['inYourRegion', 'inYourRegion', 'inAnotherRegion', 'inAnotherRegion'],
    own,
  });
});

// Goal: each object crosses once. Method: 200 light viewers of all rungs at both far edges for some segments, beside the relayer; what the far edges got is
// compared with what lies in the far store.
test('with 200 viewers at both far edges each object crosses once', async () => {
  const main = await (await fetch(at('/live/demo/main.m3u8'))).text();
  const playlists = [...main.matchAll(/^([\w-]+\.m3u8)$|,URI="([^"]+\.m3u8)"/gm)].map(
    ([, rung, audio]) => rung ?? audio ?? '',
  );
  const view = async (index: number): Promise<void> => {
    const edge = regions.far.nodes[index % 2];
    const playlist = playlists[index % playlists.length];
    const { segments } = await readPlaylist(`${edge?.url}/live/demo/${playlist}`);
    for (const { uri, init } of segments.slice(-3))
      for (const name of [init, uri]) {
        const reply = await fetch(`${edge?.url}/live/demo/${name}`);
        await reply.arrayBuffer();
        expect(reply.status).toBe(200);
      }
  };
  for (let round = 0; round < 2; round += 1) {
    await grownBy(far, 1);
    await Promise.all(Array.from({ length: 200 }, (_, index) => view(index)));
  }
  const crossings = (): Promise<number> =>
    counted(regions.far, 'tangaza_crossing_objects_total', 'outcome="ok"');
  const before = await storedIn(regions.far);
  const crossed = await crossings();
  const after = await storedIn(regions.far);
  // The stream goes on meanwhile. Where an edge of a busy machine is silent for 300 ms, the next one is asked too.
  const silent = await counted(regions.far, 'tangaza_crossing_silent_edges_total');
  expect({
    atLeast: crossed >= before.length,
    atMost: crossed <= after.length + silent,
    hasAllRungs: before.length > 3 * playlists.length,
    bytes: (await counted(regions.far, 'tangaza_crossing_bytes_total')) > 100_000,
    failed: await counted(regions.far, 'tangaza_crossing_objects_total', 'outcome="failed"'),
    damaged: await counted(regions.far, 'tangaza_crossing_objects_total', 'outcome="damaged"'),
  }).toEqual({ atLeast: true, atMost: true, hasAllRungs: true, bytes: true, failed: 0, damaged: 0 });
});

test('operators see the bytes of media that crossed', async () => {
  const client = controlClient(far.url, regions.token);
  const mediaBytesIn = async (): Promise<number> => {
    const view = await client.call('/v1/regions', 200, RegionsView);
    return view.regions.find(({ isOwn }) => isOwn)?.links[0]?.mediaBytesIn ?? 0;
  };
  await expect.poll(mediaBytesIn).toBeGreaterThan(100_000);
});
