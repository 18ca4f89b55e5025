/** A stream of one region, watched in the other: played, its relayer killed, its link cut, and begun again over there (R4, R6). */
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { Readiness } from '../../../cluster/contract/api/edge-routes.ts';
import { StreamId } from '../../../cluster/model/ids.ts';
import type { DemoNode } from '../../../scripts/demo/site.ts';
import { controlClient } from '../../support/cluster/control-client.ts';
import { readIndexLog } from '../../support/cluster/demo.ts';
import { grownBy, grownTo, playing, playlistOf } from '../../support/cluster/live-cluster.ts';
import { openSmallDisk, type SmallDisk } from '../../support/regions/small-disk.ts';
import { firstOf, startTwoRegions, type TwoRegions } from '../../support/cluster/two-regions.ts';
import { fetchRendition, renditionNames } from '../../support/media/delivered-media.ts';
import { flashAndBeep, publish, x264, type FfmpegPublisher } from '../../support/media/ffmpeg-publisher.ts';
import { readPlaylist, waitForPlaylist } from '../../support/media/playlists.ts';
import { waitFor } from '../../support/wait.ts';

const lowest = 'h264-240p';
const diskMegabytes = 256;
const again = StreamId.parse('again');
const againAt = ({ url }: DemoNode): string => `${url}/live/${again}/${lowest}.m3u8`;
const Steered = z.object({ 'PATHWAY-PRIORITY': z.array(z.string()) });
let regions: TwoRegions;
let publisher: FfmpegPublisher;
/** What the far region's segments lie on. */
let farDisk: SmallDisk;
/** Of a stream that is on air for some seconds, and is over a minute later. */
let keyOfAgain: string;

beforeAll(async () => {
  const before = async (region: string, dataDir: string): Promise<readonly string[]> => {
    if (region !== 'region-2') return [];
    farDisk = await openSmallDisk(join(dataDir, 'segments'), diskMegabytes);
    return farDisk.before;
  };
  regions = await startTwoRegions({ nodes: 2, before, env: { TANGAZA_DISK_RESERVE_BYTES: '1000000' } });
  const { rtmp, url } = firstOf(regions.near);
  ({ streamKey: keyOfAgain } = await controlClient(url, regions.token).create({ id: again, title: 'Again' }));
  publisher = publish(`${rtmp}/${regions.stream.key}`, flashAndBeep(), x264(25, 2));
  await publish(`${rtmp}/${keyOfAgain}`, [...flashAndBeep(), '-t', '9'], x264(25, 2)).ended;
});
afterAll(async () => {
  await publisher?.[Symbol.asyncDispose]();
  await regions?.[Symbol.asyncDispose]();
  await farDisk?.[Symbol.asyncDispose]();
});
afterEach(() => regions?.heal());

/** The numbers in the log of the far region, and how often a record of the home stands there twice. */
async function farLog() {
  const entries = await readIndexLog(regions.far, regions.stream.id);
  const decided = entries.flatMap(({ record }) =>
    record.kind === 'commit' || record.kind === 'gap' ? [record.home?.number ?? record.number] : [],
  );
  const places = entries.flatMap(({ record: { home } }) => (home === undefined ? [] : [home.sequence]));
  const [first = 0] = decided;
  return {
    lost: decided.filter((number, at) => number !== first + at).length,
    doubled: places.length - new Set(places).size,
    own: entries.length - places.length,
  };
}

const whole = { lost: 0, doubled: 0, own: 0 };

async function metricOf({ operator }: DemoNode, name: string, labels = ''): Promise<number> {
  const text = await (await fetch(`${operator}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) && line.includes(labels));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

// Goal: each edge of the far region shows what the home shows. Method: manifests and media of both regions are held against each other.
test('the first request at a far edge waits instead of failing; numbers, times and bytes are those of the home', async () => {
  const near = await playing(firstOf(regions.near));
  for (const node of regions.far.nodes) {
    const first = await fetch(playlistOf(node));
    expect({ node: node.node, status: first.status }).toEqual({ node: node.node, status: 200 });
    await grownTo(node, near.lastNumber);
    const [here, there] = await Promise.all([
      fetchRendition(`${firstOf(regions.near).url}/live/demo/`, lowest),
      fetchRendition(`${node.url}/live/demo/`, lowest),
    ]);
    const shared = there.segments.filter(({ number }) => number <= near.lastNumber);
    const same = here.segments.filter(({ number }) => number <= near.lastNumber);
    expect(shared.length).toBeGreaterThanOrEqual(2);
    expect(shared).toEqual(same);
    const mpd = await (await fetch(`${node.url}/live/demo/manifest.mpd`)).text();
    const mpdOfHome = await (await fetch(`${firstOf(regions.near).url}/live/demo/manifest.mpd`)).text();
    const periods = (text: string) => text.match(/availabilityStartTime="[^"]*"|<Period [^>]*>|<S t="\d+"/g);
    expect(periods(mpd)).toEqual(periods(mpdOfHome));
  }
  expect(await farLog()).toEqual(whole);
});

// Goal: relaying goes on though its node dies. Method: the far node that relays gets SIGKILL; the other one's playlist grows.
test('the node that relays is killed: the other goes on, with nothing lost or doubled', async () => {
  const { nodes } = regions.far;
  const relaying = await waitFor(
    'one far node relays the stream',
    async () => {
      const counts = await Promise.all(nodes.map((node) => metricOf(node, 'tangaza_relay_streams')));
      return nodes.filter((_, at) => (counts[at] ?? 0) > 0);
    },
    (found) => found.length === 1,
  );
  const [killed] = relaying;
  const other = nodes.find((node) => node !== killed);
  if (killed === undefined || other === undefined) throw new Error('there are two far nodes');
  await killed.process.kill('SIGKILL');
  await grownBy(other, 4);
  expect(await farLog()).toEqual(whole);
  killed.process.start();
  await waitFor(
    `${killed.node} is ready again`,
    async () => (await fetch(`${killed.url}/readyz`)).status,
    (status) => status === 200,
  );
  await grownBy(killed, 2);
  expect(await farLog()).toEqual(whole);
});

// Goal: a cut costs the far viewers nothing but time. Method: both directions are cut until a far edge says so, and healed.
test('the link is cut: the far manifests stand still and say so; healed, they go on without a loss', async () => {
  const far = firstOf(regions.far);
  const before = await grownBy(far, 1);
  regions.cut();
  const stale = await waitFor(
    'a far edge says that its log stands still',
    async () => (await fetch(playlistOf(far))).headers.get('tangaza-log-stale'),
    (header) => header !== null,
  );
  const during = await readPlaylist(playlistOf(far));
  const near = await grownBy(firstOf(regions.near), 3);
  expect(Number(stale)).toBeGreaterThan(0);
  expect(during.mediaSequence).toBeGreaterThanOrEqual(before.mediaSequence);
  expect((await readPlaylist(playlistOf(far))).lastNumber).toBe(during.lastNumber);
  regions.heal();
  await grownTo(far, near.lastNumber);
  await waitFor(
    'the far edge says no more that its log stands still',
    async () => (await fetch(playlistOf(far))).headers.get('tangaza-log-stale'),
    (header) => header === null,
  );
  expect(await farLog()).toEqual(whole);
});

const saysOfStore = async ({ operator }: DemoNode): Promise<string> => {
  const { ready, parts } = Readiness.parse(await (await fetch(`${operator}/readyz`)).json());
  return `${ready ? 'ready' : 'not ready'}${parts.map(({ name, detail }) => (name === 'segment store' ? `: ${detail}` : '')).join('')}`;
};

// Goal: a full disk of a region costs its viewers nothing, and operators are told. Method: the disk of the far region's store is a real one of 256 MB. It is
// filled while the stream goes on; both far edges serve what came since then, with the bytes of the home. Then there is room again.
test('the far store is full: both far edges serve what comes, metrics and readyz say so, and it is over once there is room', async () => {
  const first = firstOf(regions.far);
  await grownBy(first, 1);
  await farDisk.fill();
  const { lastNumber: full } = await readPlaylist(playlistOf(first));
  for (const node of regions.far.nodes) {
    await grownTo(node, full + 3);
    const { segments } = await readPlaylist(playlistOf(node));
    for (const { number, uri } of segments.filter((one) => one.number > full + 1)) {
      const [here, there] = await Promise.all(
        [firstOf(regions.near), node].map(async ({ url }) => {
          const reply = await fetch(`${url}/live/demo/${uri}`);
          return {
            number,
            status: reply.status,
            bytes: Buffer.from(await reply.arrayBuffer()).toString('base64'),
          };
        }),
      );
      expect(there).toEqual(here);
      expect(here?.status).toBe(200);
    }
  }
  const refused = () =>
    Promise.all(
      regions.far.nodes.map((node) =>
        metricOf(node, 'tangaza_store_operation_seconds_count', 'outcome="STORE_FULL"'),
      ),
    );
  await waitFor('a refusal is counted', refused, (counts) => counts.some((count) => count > 0));
  const said = () => Promise.all(regions.far.nodes.map(saysOfStore));
  await waitFor('a far node says so', said, (all) => /ready: storing fails, .* make room/.test(all.join()));
  await farDisk.makeRoom();
  await grownBy(first, 2);
  await waitFor(
    'each far node can store again',
    () => Promise.all(regions.far.nodes.map(saysOfStore)),
    (all) => all.every((words) => words === 'ready'),
  );
  expect(await farLog()).toEqual(whole);
});

// Goal: a recording of the home plays in the other region, and a cut holds up what lies at home alone, without a word that it is gone. Method: the stream of `again`
// ended a minute after its publisher went. Its highest rung is asked for during a cut; after the heal all rungs are held against those of the home.
test('the recording of a stream that ended at home plays at a far edge, but for what lies at home alone during a cut', async () => {
  const [near, far] = [firstOf(regions.near), firstOf(regions.far)];
  const base = ({ url }: DemoNode): string => `${url}/live/${again}/`;
  const ended = await waitForPlaylist(againAt(near), ({ isEnded }) => isEnded, 90_000);
  const watched = await waitForPlaylist(againAt(far), ({ isEnded }) => isEnded, 30_000);
  expect(watched.lastNumber).toBe(ended.lastNumber);
  const names = renditionNames(await (await fetch(`${base(far)}main.m3u8`)).text());
  const highest = names.find((name) => name.startsWith('h264') && name !== lowest);
  const [first] = (await readPlaylist(`${base(far)}${highest}.m3u8`)).segments;
  regions.cut();
  const ask = async () => (await fetch(`${base(far)}${first?.uri}`)).status;
  const duringCut = await ask();
  regions.heal();
  expect({ duringCut }).toEqual({ duringCut: 503 });
  await waitFor('it crosses again', ask, (status) => status === 200);
  // Whichever of the two far edges fetches an object, and each hears of the home by a link of its own.
  const edgesSeen = () =>
    Promise.all(
      regions.far.nodes.map(async ({ url }) => (await fetch(`${url}/v1/streams/${again}/edges`)).text()),
    );
  await waitFor('both far edges know the edges of the home again', edgesSeen, (all) =>
    all.every((text) => text.includes(near.url)),
  );
  for (const name of names) {
    const here = await fetchRendition(base(near), name);
    // A link that was healed may be lost once more on a busy machine: the player asks again, too.
    const crossed = () => fetchRendition(base(far), name);
    const there = await waitFor(`all of ${name} crosses`, crossed, () => true);
    expect({ name, segments: there.segments }).toEqual({ name, segments: here.segments });
    expect(there.segments.length).toBeGreaterThanOrEqual(3);
  }
  const steering = await fetch(`${base(far)}steering?_HLS_pathway=${far.node}`);
  const { 'PATHWAY-PRIORITY': priority } = Steered.parse(await steering.json());
  const own = regions.far.nodes.map(({ node }) => node);
  expect({ status: steering.status, first: own.includes(priority[0] ?? '') }).toEqual({
    status: 200,
    first: true,
  });
});

// Goal: a stream that is over begins again in another region, behind its last segment. Method: it ended at home a minute after its publisher
// went; then it is published to the far region, and watched in both.
test('a stream that ended at home begins again in the far region, and is watched in both', async () => {
  const [near, far] = [firstOf(regions.near), firstOf(regions.far)];
  const ended = await waitForPlaylist(againAt(near), ({ isEnded }) => isEnded, 90_000);
  await using _second = publish(`${far.rtmp}/${keyOfAgain}`, flashAndBeep(), x264(25, 2));
  for (const node of [far, near]) {
    const begun = await waitForPlaylist(
      againAt(node),
      ({ lastNumber, isEnded }) => !isEnded && lastNumber >= ended.lastNumber + 2,
      90_000,
    );
    const kept = begun.segments.filter(({ number }) => number <= ended.lastNumber);
    expect(kept).toEqual(ended.segments.filter(({ number }) => number >= begun.mediaSequence));
    // Manifests leave the segments of before out at first, where the numbers of the two regions are near each other (R6).
    const { discontinuitySequence, segments } = begun;
    const listed = segments.filter(({ isDiscontinuity }) => isDiscontinuity).length;
    expect({ node: node.node, discontinuities: discontinuitySequence + listed }).toEqual({
      node: node.node,
      discontinuities: 1,
    });
  }
});
