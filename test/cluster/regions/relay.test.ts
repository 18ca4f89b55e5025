/** A stream of one region, watched in the other: played, its relayer killed, its link cut, and begun again over there (R4, R6). */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { StreamId } from '../../../cluster/model/ids.ts';
import type { DemoNode } from '../../../scripts/demo/site.ts';
import { controlClient } from '../../support/cluster/control-client.ts';
import { readIndexLog } from '../../support/cluster/demo.ts';
import { grownBy, grownTo, playing, playlistOf } from '../../support/cluster/live-cluster.ts';
import { firstOf, startTwoRegions, type TwoRegions } from '../../support/cluster/two-regions.ts';
import { fetchRendition } from '../../support/media/delivered-media.ts';
import { flashAndBeep, publish, x264, type FfmpegPublisher } from '../../support/media/ffmpeg-publisher.ts';
import { readPlaylist, waitForPlaylist } from '../../support/media/playlists.ts';
import { waitFor } from '../../support/wait.ts';

const lowest = 'h264-240p';
const again = StreamId.parse('again');
let regions: TwoRegions;
let publisher: FfmpegPublisher;
/** Of a stream that is on air for some seconds, and is over a minute later. */
let keyOfAgain: string;

beforeAll(async () => {
  regions = await startTwoRegions({ nodes: 2 });
  const { rtmp, url } = firstOf(regions.near);
  ({ streamKey: keyOfAgain } = await controlClient(url, regions.token).create({ id: again, title: 'Again' }));
  publisher = publish(`${rtmp}/${regions.stream.key}`, flashAndBeep(), x264(25, 2));
  await publish(`${rtmp}/${keyOfAgain}`, [...flashAndBeep(), '-t', '9'], x264(25, 2)).ended;
});
afterAll(async () => {
  await publisher[Symbol.asyncDispose]();
  await regions[Symbol.asyncDispose]();
});
afterEach(() => regions.heal());

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

async function metricOf({ operator }: DemoNode, name: string): Promise<number> {
  const text = await (await fetch(`${operator}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`));
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

// Goal: a stream that is over begins again in another region, behind its last segment. Method: it ended at home a minute after its publisher
// went; then it is published to the far region, and watched in both.
test('a stream that ended at home begins again in the far region, and is watched in both', async () => {
  const [near, far] = [firstOf(regions.near), firstOf(regions.far)];
  const pathOf = ({ url }: DemoNode): string => `${url}/live/${again}/${lowest}.m3u8`;
  const ended = await waitForPlaylist(pathOf(near), ({ isEnded }) => isEnded, 90_000);
  const watched = await waitForPlaylist(pathOf(far), ({ isEnded }) => isEnded, 30_000);
  expect(watched.lastNumber).toBe(ended.lastNumber);
  await using _second = publish(`${far.rtmp}/${keyOfAgain}`, flashAndBeep(), x264(25, 2));
  for (const node of [far, near]) {
    const begun = await waitForPlaylist(
      pathOf(node),
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
