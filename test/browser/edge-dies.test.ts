/** The edge that players play from is killed: they go on at another one by themselves (M14). */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Browser } from 'playwright-core';
import { z } from 'zod';
import {
  launchChromium,
  openPlayer,
  type Player,
  type PlayerPage,
} from '../support/cluster/foreign-players.ts';
import type { DemoNode } from '../../scripts/demo/site.ts';
import { startTestCluster, type TestCluster } from '../support/cluster/demo.ts';
import { flashAndBeep, publish, x264 } from '../support/media/ffmpeg-publisher.ts';
import { waitForPlaylist } from '../support/media/playlists.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser?.close());

const players: readonly (readonly [Player, string])[] = [
  ['shaka-dash', 'manifest.mpd'],
  ['dash.js', 'manifest.mpd'],
  ['hls.js', 'main.m3u8'],
];
/** No player has so much in store: who plays on for longer gets it from the other edge. */
const beyondBufferSeconds = 25;

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

// Goal: no viewer ends with its edge. Method: the stream is published to one node, three players play from another, where
// steering places them, and which is killed; until then hls.js stays on the addresses that it began with. Each must play further than any buffer reaches. dash.js needs its page for that (foreign-players.ts).
test('an edge dies: DASH (Shaka, dash.js) and HLS (hls.js) players go on at the other edge', async () => {
  await using cluster = await startTestCluster();
  const [edge, ingest] = await placed(cluster);
  await using _publisher = publish(
    `${ingest.rtmp}/${cluster.stream.key}`,
    flashAndBeep(426, 240),
    x264(25, 2),
  );
  await waitForPlaylist(
    `${edge.url}/live/demo/h264-240p.m3u8`,
    ({ segments }) => segments.length >= 4,
    60_000,
  );
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
  const [, , hls] = open;
  expect(hls === undefined ? undefined : await hlsPlaceOf(hls)).toEqual({
    pathway: '.',
    origins: [edge.url],
  });
  await edge.process.kill('SIGKILL');
  const ends = await Promise.allSettled(open.map((page) => page.playFor(beyondBufferSeconds, 90_000)));
  expect(ends.map(({ status }, index) => [players[index]?.[0], status])).toEqual(
    players.map(([player]) => [player, 'fulfilled']),
  );
});

declare global {
  interface Window {
    /** Of hls.js. */
    player: { levels: { attrs: Record<string, string | undefined> }[] };
  }
}
