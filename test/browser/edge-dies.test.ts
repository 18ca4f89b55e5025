/** The edge that players play from leaves or is killed: they go on at another one by themselves (M14), and so do the comments beside them. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Browser, Page } from 'playwright-core';
import { z } from 'zod';
import { DrainView } from '../../cluster/contract/api/control-views.ts';
import type { DemoNode } from '../../scripts/demo/site.ts';
import { controlClient } from '../support/cluster/control-client.ts';
import { startTestCluster, type TestCluster } from '../support/cluster/demo.ts';
import {
  launchChromium,
  openPlayer,
  type Player,
  type PlayerPage,
} from '../support/cluster/foreign-players.ts';
import { hasJoined, playlistOf } from '../support/cluster/live-cluster.ts';
import { AudienceView } from '../../cluster/contract/audience/reactions.ts';
import { flashAndBeep, publish, x264, type FfmpegPublisher } from '../support/media/ffmpeg-publisher.ts';
import { waitForPlaylist } from '../support/media/playlists.ts';
import { waitUntil } from '../support/wait.ts';
import { misfits, openPage, playsOn, showsBadge, sizes, type OpenPage, type Size } from './page-checks.ts';
import { rows, say, textsOf } from './panel-acts.ts';
import { panelFaults } from './panel-checks.ts';

let cluster: TestCluster;
let browser: Browser;
/** Where steering places this host's viewers. */
let edge: DemoNode;
/** Where the stream is published. */
let ingest: DemoNode;
let publisher: FfmpegPublisher | undefined;

beforeAll(async () => {
  cluster = await startTestCluster();
  browser = await launchChromium();
  [edge, ingest] = await placed(cluster);
  publisher = publish(`${ingest.rtmp}/${cluster.stream.key}`, flashAndBeep(426, 240), x264(25, 2));
  await waitForPlaylist(playlistOf(edge), ({ segments }) => segments.length >= 4, 60_000);
});

afterAll(async () => {
  await browser?.close();
  await publisher?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

const players: readonly (readonly [Player, string])[] = [
  ['shaka-dash', 'manifest.mpd'],
  ['dash.js', 'manifest.mpd'],
  ['hls.js', 'main.m3u8'],
];
/** Longer than what was on its way when the edge died: two segments. */
const beyondBufferSeconds = 5;

/** The node that steering sends this host's viewers to, and another one. */
async function placed({ nodes }: TestCluster): Promise<readonly [DemoNode, DemoNode]> {
  const reply = await fetch(`${nodes[0]?.url}/live/demo/steering`);
  const first = z.object({ 'PATHWAY-PRIORITY': z.tuple([z.string()], z.string()) }).parse(await reply.json());
  const edge = nodes.find(({ node }) => node === first['PATHWAY-PRIORITY'][0]);
  const other = nodes.find((one) => one !== edge);
  if (edge === undefined || other === undefined) throw new Error('no two nodes');
  return [edge, other];
}

/** By which pathway an hls.js page plays, and from where it has loaded the playlists of rungs. */
const hlsPlaceOf = ({ page }: PlayerPage) =>
  page.evaluate(() => {
    const loaded = performance.getEntriesByType('resource').map(({ name }) => new URL(name));
    const playlists = loaded.filter(({ pathname }) => /\/h264-[^/]+\.m3u8$/.test(pathname));
    return {
      pathway: window.player.levels[0]?.attrs['PATHWAY-ID'],
      origins: [...new Set(playlists.map(({ origin }) => origin))],
    };
  });

/** Two viewers of the watch page at that edge, on a desktop and with a phone, who play and may comment. */
async function viewersAt(stack: AsyncDisposableStack, { url }: DemoNode): Promise<readonly Viewer[]> {
  return Promise.all(
    sizes
      .filter(({ name }) => name === 'desktop' || name === 'phone')
      .map(async (size) => {
        const opened = stack.use(await openPage(browser, `${url}/watch/demo`, size));
        await showsBadge(opened.page, 'LIVE');
        await playsOn(opened.page);
        await opened.page.locator('.send').waitFor();
        return { ...opened, size };
      }),
  );
}

interface Viewer extends OpenPage {
  readonly size: Size;
}

/** All that was said of the stream, oldest first. */
const said: string[] = [];

/** The first says it; all show it, last of all that was said, beside a picture that plays. */
async function talk(viewers: readonly Viewer[], text: string, name?: string): Promise<void> {
  const [first] = viewers;
  if (first !== undefined) await say(first.page, text, name);
  said.push(text);
  await Promise.all(viewers.map(({ page }) => rows(page, text).waitFor()));
  await Promise.all(viewers.map(({ page }) => page.locator('.banner:empty').waitFor({ state: 'attached' })));
  const found = viewers.map(async ({ page, size, errors }) => ({
    said: await textsOf(page),
    faults: [...(await misfits(page)), ...(await panelFaults(page, size)), ...errors],
  }));
  expect(await Promise.all(found)).toEqual(viewers.map(() => ({ said, faults: [] })));
  await Promise.all(viewers.map(({ page }) => playsOn(page)));
}

/** Keeps what the panel says above the comments from now on. */
const keepBanners = (page: Page): Promise<void> =>
  page.evaluate(() => {
    window.banners = [];
    const banner = document.querySelector('.comments .banner');
    if (banner === null) throw new Error('there is no banner');
    new MutationObserver(() => window.banners.push(banner.textContent)).observe(banner, { childList: true });
  });

// Goal: how many watch is exact, whatever plays. Method: three foreign players and two windows of our own, at two edges, until steering has
// counted them all; one window is loaded anew, and must not count twice; then it goes.
test('each player counts once, of every library; a window that is loaded anew is one still, and one that goes is gone', async () => {
  await using stack = new AsyncDisposableStack();
  const audience = async (): Promise<AudienceView> =>
    AudienceView.parse(await (await fetch(`${ingest.url}/v1/streams/demo/audience`)).json());
  const isSoon = { timeout: 60_000 };
  for (const [player, file] of players)
    stack.use(await openPlayer(browser, player, `${edge.url}/live/demo/${file}`));
  const stays = stack.use(await openPage(browser, `${edge.url}/watch/demo`));
  const goes = stack.use(await openPage(browser, `${ingest.url}/watch/demo?format=hls`));
  const all = { players: 5, sockets: 2, suspectedRobots: 0 };
  await expect.poll(audience, isSoon).toMatchObject(all);
  await goes.page.reload();
  await expect.poll(audience, isSoon).toMatchObject({ players: 4 });
  await expect.poll(audience, isSoon).toMatchObject(all);
  await stays.page.locator('.viewers', { hasText: '5 here' }).waitFor();
  await goes.page.goto('about:blank');
  await expect.poll(audience, isSoon).toMatchObject({ players: 4, sockets: 1 });
});

// Goal: a viewer of an edge that is to leave notices nothing. Method: they are told to move; then all of the talk goes by the other edge, which
// their pages came to by themselves, and the picture goes on. No page says that its connection was lost.
test('an edge is drained: pages play on, and their comments move to the other edge', async () => {
  await using stack = new AsyncDisposableStack();
  const viewers = await viewersAt(stack, edge);
  await talk(viewers, 'Before the drain', 'Ada');
  await Promise.all(viewers.map(({ page }) => keepBanners(page)));
  const moved = viewers.map(({ page }) =>
    page.waitForEvent('websocket', (socket) => socket.url().startsWith(ingest.url.replace('http', 'ws'))),
  );
  const api = controlClient(ingest.url, cluster.token);
  const { pid } = edge.process;
  await api.call(`/v1/nodes/${edge.node}/drain`, 202, DrainView, { method: 'POST', body: {} });
  await Promise.all(moved);
  await talk(viewers, 'After the drain');
  const banners = await Promise.all(viewers.map(({ page }) => page.evaluate(() => window.banners)));
  expect({ banners: banners.flat() }).toEqual({ banners: [] });
  await expect.poll(() => edge.process.pid).not.toBe(pid);
  await hasJoined(cluster, edge, ingest);
  await waitUntil(`${edge.node} is ready`, async () => (await fetch(`${edge.url}/readyz`)).ok);
});

// Goal: no viewer ends with its edge. Method: the stream is published to one node, three players and two watch pages play from another, where
// steering places them, and which is killed; until then hls.js stays on the addresses that it began with. Each must play further than any
// buffer reaches. dash.js needs its page for that (foreign-players.ts). Beside the watch pages comments go on.
test('an edge dies: DASH (Shaka, dash.js) and HLS (hls.js) players go on at the other edge, and so do watch pages with their comments', async () => {
  await using pages = new AsyncDisposableStack();
  const open = await Promise.all(
    players.map(async ([player, manifest]) =>
      pages.use(
        await openPlayer(
          browser,
          player,
          `${edge.url}/live/demo/${manifest}`,
          `${ingest.url}/live/demo/${manifest}`,
        ),
      ),
    ),
  );
  await Promise.all(open.map((page) => page.playFor(4, 60_000)));
  const viewers = await viewersAt(pages, edge);
  await talk(viewers, 'Before it dies', 'Bo');
  const [, , hls] = open;
  expect(hls === undefined ? undefined : await hlsPlaceOf(hls)).toEqual({
    pathway: '.',
    origins: [edge.url],
  });
  await edge.process.kill('SIGKILL');
  await talk(viewers, 'After it died');
  const ends = await Promise.allSettled(
    open.map((page) => page.playBeyondBuffer(beyondBufferSeconds, 90_000)),
  );
  expect(ends.map(({ status }, index) => [players[index]?.[0], status])).toEqual(
    players.map(([player]) => [player, 'fulfilled']),
  );
});

declare global {
  interface Window {
    /** Of hls.js. */
    player: { levels: { attrs: Record<string, string | undefined> }[] };
    banners: (string | null)[];
  }
}
