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
import { playsOn } from './page-checks.ts';

/** Short, so that the beginning of the broadcast is soon no longer kept. */
const windowSeconds = 40;
/** So much is in store: no player stalls for a machine that is late by seconds. */
const holdBackSeconds = 16;
const segmentSeconds = 2;

let cluster: TestCluster;
let publisher: FfmpegPublisher;
let browser: Browser;

beforeAll(async () => {
  cluster = await startTestCluster({
    env: {
      TANGAZA_HOLD_BACK_SECONDS: String(holdBackSeconds),
      TANGAZA_DVR_WINDOW_SECONDS: String(windowSeconds),
    },
  });
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

// Goal: what others wrote plays what we serve, as far behind as we say. Method: 20 s of each, two at a time; a stall is a `waiting` after
// the first `playing`, with nothing ahead.
test.for<[string, Readonly<Record<string, Player>>]>([
  ['dash.js and hls.js', { 'manifest.mpd': 'dash.js', 'main.m3u8': 'hls.js' }],
  ['Shaka, with DASH and with HLS,', { 'manifest.mpd': 'shaka-dash', 'main.m3u8': 'shaka-hls' }],
])('%s play 20 s without a stall, in one buffered range', async ([, players]) => {
  const reports = await Promise.all(
    Object.entries(players).map(async ([manifest, player]) => {
      await using open = await openPlayer(browser, player, `${cluster.url}/live/demo/${manifest}`);
      await open.playFor(20, 90_000);
      const { stalls, errors, bufferedRanges } = await open.report();
      return { player, stalls, errors, bufferedRanges };
    }),
  );
  expect(reports).toEqual(
    Object.values(players).map((player) => ({ player, stalls: 0, errors: [], bufferedRanges: 1 })),
  );
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

// Goal: a link to a moment that is no longer kept plays the oldest that is, and says so. Method: the stream is longer than its window.
test.for(['dash', 'hls'])(
  'a link with a time that is no longer kept plays from the oldest, with %s',
  async (format) => {
    await waitForPlaylist(
      `${cluster.url}/live/demo/h264-240p.m3u8`,
      ({ segments }) => (segments[0]?.number ?? 0) > 5,
      120_000,
    );
    const page = await openPage({ viewport: { width: 1280, height: 800 } });
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    await page.goto(`${cluster.url}/watch/demo?t=1&format=${format}`);
    await page.waitForFunction(() => window.tangaza.state().view === 'behind');
    await page.locator('.oldest').waitFor();
    expect(await page.locator('.oldest').textContent()).toContain('no longer kept');
    expect(await page.locator('#state').textContent()).toMatch(/^0:\d\d behind$/);
    const from = await page.evaluate(() => document.querySelector('video')?.currentTime ?? 0);
    await page.waitForFunction(
      (start) => (document.querySelector('video')?.currentTime ?? 0) > start + 3,
      from,
    );
    const position = await page.evaluate(() => window.tangaza.state().position);
    expect({ isBehind: (position.behindSeconds ?? 0) > 8, errors }).toEqual({ isBehind: true, errors: [] });
    await page.close();
  },
);

// Goal: an edge that is slow to come up costs a moment, and neither the player nor the quality. Method: of each kind of file, the connection of the
// first request breaks and the second one is answered 503.
test('a page plays by hls.js though the edge fails at first: it asks for the same again', async () => {
  const page = await openPage();
  const asked: Record<string, string[]> = {};
  await page.route(/\/(?:h264|aac)-[^/]+\/[^/]+\.(?:m4s|mp4)/, async (route) => {
    const [, rendition = '', codec = '', type = ''] =
      /\/((h264|aac)-[^/]+)\/[^/]+\.(m4s|mp4)/.exec(route.request().url()) ?? [];
    const before = (asked[`${codec} ${type}`] ??= []);
    before.push(rendition);
    if (before.length === 1) await route.abort('connectionreset');
    else if (before.length === 2) await route.fulfill({ status: 503 });
    else await route.continue();
  });
  await page.goto(`${cluster.url}/watch/demo?format=hls`);
  await playsOn(page);
  await playsOn(page); // the first step may be that from 0 to its place
  const { failures } = await page.evaluate(() => window.tangaza.state());
  const first = Object.entries(asked).map(([kind, all]) => [kind, new Set(all.slice(0, 3)).size]);
  expect({ failures, renditionsOfThree: Object.fromEntries(first) }).toEqual({
    failures: 0,
    renditionsOfThree: { 'h264 m4s': 1, 'h264 mp4': 1, 'aac m4s': 1, 'aac mp4': 1 },
  });
  await page.close();
});

// Goal: a player library that waits for ever keeps no viewer waiting, and its end, when it comes after all, costs nobody the picture. Method: what it gives to
// the browser's first media source goes nowhere. Once another one plays, the first is told that its media arrived: so Shaka ends, and empties the media element.
test('a page whose player stands still at its start plays by another one', async () => {
  const stood = ['dash', 'hls'].map(async (format) => {
    const page = await openPage();
    await page.addInitScript(() => {
      const stuck = new WeakSet<MediaSource>();
      const waiting: SourceBuffer[] = [];
      let isFirst = true;
      window.addEventListener('let-go', () => {
        for (const buffer of waiting) buffer.dispatchEvent(new Event('updateend'));
      });
      window.MediaSource = class extends MediaSource {
        constructor() {
          super();
          if (isFirst) stuck.add(this);
          isFirst = false;
        }
        override addSourceBuffer(type: string): SourceBuffer {
          const buffer = super.addSourceBuffer(type);
          if (stuck.has(this)) buffer.appendBuffer = () => void waiting.push(buffer);
          return buffer;
        }
      };
    });
    await page.goto(`${cluster.url}/watch/demo?format=${format}`);
    await page.waitForFunction(() => window.tangaza.state().failures > 0);
    await page.waitForFunction(() => ['live', 'behind'].includes(window.tangaza.state().view));
    await playsOn(page);
    const { failures, lastFailure } = await page.evaluate(() => window.tangaza.state());
    if (format === 'dash') await page.evaluate(endsLate);
    await playsOn(page);
    await page.close();
    return { isInFewTries: failures <= 2, lastFailure };
  });
  const expected = { isInFewTries: true, lastFailure: 'the picture stood still' };
  expect(await Promise.all(stood)).toEqual([expected, expected]);
});

/** The stuck player gets through with its end. @returns once that has emptied the media element */
const endsLate = (): Promise<void> =>
  new Promise((resolve) => {
    document.querySelector('video')?.addEventListener('emptied', () => resolve(), { once: true });
    window.dispatchEvent(new Event('let-go'));
  });
