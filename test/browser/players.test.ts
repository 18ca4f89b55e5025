/** Foreign players on our manifests, and our own pages, in a real Chromium. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Browser, Page } from 'playwright-core';
import { startTestCluster, type TestCluster } from '../support/cluster/demo.ts';
import { flashAndBeep, publish, x264, type FfmpegPublisher } from '../support/media/ffmpeg-publisher.ts';
import { waitForPlaylist } from '../support/media/playlists.ts';
import {
  launchChromium,
  openPlayer,
  pageTimeoutMs,
  type Player,
} from '../support/cluster/foreign-players.ts';

/** So much is in store: no player stalls for a machine that is late by seconds. */
const holdBackSeconds = 16;
const segmentSeconds = 2;

let cluster: TestCluster;
let publisher: FfmpegPublisher;
let browser: Browser;

beforeAll(async () => {
  cluster = await startTestCluster({ env: { TANGAZA_HOLD_BACK_SECONDS: String(holdBackSeconds) } });
  publisher = publish(`${cluster.nodes[0]?.rtmp}/${cluster.stream.key}`, flashAndBeep(640, 360), x264(25, 2));
  browser = await launchChromium();
  await waitUntilPlayable();
});

afterAll(async () => {
  await browser?.close();
  await publisher?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

async function openPage(options = {}): Promise<Page> {
  const page = await browser.newPage(options);
  page.setDefaultTimeout(pageTimeoutMs);
  return page;
}

/** Long enough on air that a player has something to start behind. */
async function waitUntilPlayable(): Promise<void> {
  const playlist = `${cluster.url}/live/demo/h264-240p.m3u8`;
  const wanted = holdBackSeconds / segmentSeconds + 2;
  await waitForPlaylist(playlist, ({ segments }) => segments.length >= wanted, 120_000);
}

// Goal: what others wrote plays what we serve, as far behind as we say. Method: 20 s of each; a stall is a `waiting` after the first
// `playing`, with nothing ahead.
test.for<[Player, string]>([
  ['dash.js', 'manifest.mpd'],
  ['shaka-dash', 'manifest.mpd'],
  ['shaka-hls', 'main.m3u8'],
  ['hls.js', 'main.m3u8'],
])('%s plays 20 s of %s without a stall, in one buffered range', async ([player, manifest]) => {
  await using open = await openPlayer(browser, player, `${cluster.url}/live/demo/${manifest}`);
  await open.playFor(20, 90_000);
  const report = await open.report();
  expect(report).toMatchObject({ stalls: 0, errors: [], bufferedRanges: 1 });
});

// Goal: adaptation works in both directions. Method: the browser's link is cut to 300 kbit/s and opened again.
test('a throttled connection goes down the ladder and comes back up', async () => {
  await using open = await openPlayer(browser, 'shaka-dash', `${cluster.url}/live/demo/manifest.mpd`);
  await open.playFor(4, 60_000);
  const link = await open.page.context().newCDPSession(open.page);
  await link.send('Network.enable');
  const throttle = (bytesPerSecond: number) =>
    link.send('Network.emulateNetworkConditions', {
      offline: false,
      latency: 20,
      downloadThroughput: bytesPerSecond,
      uploadThroughput: bytesPerSecond,
    });
  const reaches = (height: number) =>
    open.page.waitForFunction((wanted) => document.querySelector('video')?.videoHeight === wanted, height, {
      timeout: 60_000,
    });
  await reaches(360);
  await throttle(60_000);
  await reaches(240);
  await throttle(5_000_000);
  await reaches(360);
});

test('the watch page plays, shows the stream as live, and reports no failure', async () => {
  const page = await openPage({ viewport: { width: 1280, height: 800 } });
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  await page.goto(`${cluster.url}/watch/demo`);
  await page.waitForFunction(
    () =>
      (document.querySelector('video')?.currentTime ?? 0) > 0 &&
      document.querySelector('#state')?.textContent === 'LIVE',
  );
  const from = await page.evaluate(() => document.querySelector('video')?.currentTime ?? 0);
  await page.waitForFunction(
    (start) => (document.querySelector('video')?.currentTime ?? 0) > start + 5,
    from,
  );
  const options = await page.locator('select.quality option').allTextContents();
  expect(options.slice(1)).toEqual(['360p', '240p']);
  expect(errors).toEqual([]);
  await page.close();
});
