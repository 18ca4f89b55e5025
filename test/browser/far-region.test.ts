/** Players at an edge of a region where nobody publishes: that region's edges die and come back, then those of the home die (R5, R11). */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Browser, Page } from 'playwright-core';
import { z } from 'zod';
import { CommentPage } from '../../cluster/contract/api/audience-views.ts';
import { LiveStreams } from '../../cluster/contract/api/control-views.ts';
import type { DemoNode } from '../../scripts/demo/site.ts';
import { launchChromium, openPlayer, type Player } from '../support/cluster/foreign-players.ts';
import { grownBy, playlistOf } from '../support/cluster/live-cluster.ts';
import { firstOf, startTwoRegions, type TwoRegions } from '../support/cluster/two-regions.ts';
import { flashAndBeep, publish, x264, type FfmpegPublisher } from '../support/media/ffmpeg-publisher.ts';
import { readPlaylist, waitForPlaylist } from '../support/media/playlists.ts';
import { waitUntil } from '../support/wait.ts';
import { openPage } from './page-checks.ts';
import { rows, say, textsOf } from './panel-acts.ts';

let regions: TwoRegions;
let browser: Browser;
let publisher: FfmpegPublisher | undefined;
/** The one edge of the region where the stream is published, and the one of the other. */
let near: DemoNode;
let far: DemoNode;

beforeAll(async () => {
  regions = await startTwoRegions({ nodes: 1 });
  [near, far] = [firstOf(regions.near), firstOf(regions.far)];
  browser = await launchChromium();
  publisher = publish(`${near.rtmp}/${regions.stream.key}`, flashAndBeep(426, 240), x264(25, 2));
  await waitForPlaylist(playlistOf(far), ({ segments }) => segments.length >= 4, 90_000);
});

afterAll(async () => {
  await browser?.close();
  await publisher?.[Symbol.asyncDispose]();
  await regions?.[Symbol.asyncDispose]();
});

const players: readonly (readonly [Player, string])[] = [
  ['shaka-dash', 'manifest.mpd'],
  ['dash.js', 'manifest.mpd'],
  ['hls.js', 'main.m3u8'],
];
/** Longer than what was on its way when the edge died: two segments. */
const beyondBufferSeconds = 5;

const Told = z.object({ 'PATHWAY-PRIORITY': z.array(z.string()), 'RELOAD-URI': z.string() });
const steer = async (url: string) => Told.parse(await (await fetch(url)).json());

// Goal: no viewer ends with the edges of its region, and each comes back to them. Method: three players play at the only edge of a region, which is killed; each plays
// on for longer than its buffer reaches, from the other region. Once the edge is back, steering sends viewers there again. hls.js itself goes to no pathway that
// has failed in the last five minutes, so the test asks steering as hls.js does. dash.js needs its page to leave a dead edge (foreign-players.ts).
test("the own region's edges die: Shaka, dash.js and hls.js play on at the other region's, and steering names the own edge first once it is back", async () => {
  await using pages = new AsyncDisposableStack();
  const open = await Promise.all(
    players.map(async ([player, manifest]) => {
      const [here, there] = [far, near].map(({ url }) => `${url}/live/demo/${manifest}`);
      return pages.use(await openPlayer(browser, player, here ?? '', there));
    }),
  );
  await Promise.all(open.map((page) => page.playFor(4, 60_000)));
  const pathway = () => open[2]?.page.evaluate(() => window.player.levels[0]?.attrs['PATHWAY-ID']);
  expect(await pathway()).toBe('.');
  const begun = await steer(`${far.url}/live/demo/steering?base=.&_HLS_pathway=.`);
  expect(new URL(begun['RELOAD-URI']).origin).toBe(near.url);
  await far.process.kill('SIGKILL');
  const ends = await Promise.allSettled(
    open.map((page) => page.playBeyondBuffer(beyondBufferSeconds, 90_000)),
  );
  expect(ends.map(({ status }, index) => [players[index]?.[0], status])).toEqual(
    players.map(([player]) => [player, 'fulfilled']),
  );
  await expect.poll(pathway).toBe(near.node);
  const firstOfAway = async () =>
    (await steer(`${begun['RELOAD-URI']}&_HLS_pathway=${near.node}`))['PATHWAY-PRIORITY'][0];
  expect(await firstOfAway()).toBe(near.node);
  far.process.start();
  await expect.poll(firstOfAway).toBe('.');
});

// Goal: what one wrote is kept when one's region dies with the only copy, and is there once. Method: a comment is written at the far edge while the link is cut, so no other
// region has it. The edge is killed: the page goes to the near region's and sends the comment again with its receipt. Then the edge comes back, with its copy.
test("a comment that only the dying edge's region has is sent again in the other region with its receipt, and is in both once when they are joined again", async () => {
  const there = async ({ url }: DemoNode): Promise<readonly string[]> => {
    const answer = await fetch(`${url}/v1/streams/demo/comments`);
    return CommentPage.parse(await answer.json()).items.map(({ text }) => text);
  };
  await using viewer = await openPage(browser, `${far.url}/watch/demo`);
  const { page } = viewer;
  await say(page, 'In both regions', 'Ada');
  await isMarked(page, 'In both regions', 'safe');
  regions.cut();
  await waitUntil('the far region is cut off', async () => !(await isHeard(far)));
  await say(page, 'In one region');
  await isMarked(page, 'In one region', 'sent');
  await far.process.kill('SIGKILL');
  await waitUntil('the near region has it', async () => (await there(near)).includes('In one region'));
  far.process.start();
  regions.heal();
  await isMarked(page, 'In one region', 'safe');
  const said = ['In both regions', 'In one region'];
  await waitUntil('the far region has both', async () => (await there(far)).length >= said.length);
  expect({
    near: (await there(near)).toSorted(),
    far: (await there(far)).toSorted(),
    page: await textsOf(page),
    errors: viewer.errors,
  }).toEqual({ near: said, far: said, page: said, errors: [] });
});

const isMarked = (page: Page, text: string, mark: 'sent' | 'safe'): Promise<void> =>
  rows(page, text).locator(`.mark[data-mark=${mark}]`).waitFor();

/** Whether that edge hears the home of the stream. */
async function isHeard({ url }: DemoNode): Promise<boolean> {
  const answer = await fetch(`${url}/v1/live`);
  return LiveStreams.parse(await answer.json()).items.every(({ unheard }) => unheard === undefined);
}

// Goal: what a region has it keeps for its viewers when the home is gone. Method: the only node of the home is killed, once the far edge has served the newest segments (those
// that are on their way at the kill may be lost to it).
test("the home's edges die: a far edge goes on with the manifests and the media that it has, and says for how long nothing has come", async () => {
  await waitForPlaylist(playlistOf(far), ({ segments }) => segments.length >= 4, 90_000);
  await grownBy(far, 2);
  const { segments } = await readPlaylist(playlistOf(far));
  const media = segments.slice(-3).flatMap(({ uri, init }) => [init, uri]);
  const statuses = async (): Promise<ReadonlySet<number>> =>
    new Set(
      await Promise.all(media.map(async (name) => (await fetch(`${far.url}/live/demo/${name}`)).status)),
    );
  expect(await statuses()).toEqual(new Set([200]));
  await near.process.kill('SIGKILL');
  expect(await statuses()).toEqual(new Set([200]));
  const stale = async (): Promise<number> =>
    Number((await fetch(playlistOf(far))).headers.get('tangaza-log-stale') ?? 0);
  await expect.poll(stale).toBeGreaterThan(0);
  expect((await readPlaylist(playlistOf(far))).isEnded).toBe(false);
});
