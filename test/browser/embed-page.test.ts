/** The player in a page of somebody else's: on another origin, with its messages and the options of its address. */
import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Browser, Page } from 'playwright-core';
import { startTestCluster, type TestCluster } from '../support/cluster/demo.ts';
import { flashAndBeep, publish, x264, type FfmpegPublisher } from '../support/media/ffmpeg-publisher.ts';
import { launchChromium } from '../support/cluster/foreign-players.ts';
import { waitForPlaylist } from '../support/media/playlists.ts';
import {
  axeFindings,
  misfits,
  openPage,
  playsOn,
  secondsOf,
  showsBadge,
  sizes,
  sleepAsMachine,
  wordsOf,
  type OpenPage,
} from './page-checks.ts';
import { bannerOf, isAccepted, say as sayComment } from './panel-acts.ts';
import { panelFaults } from './panel-checks.ts';

let cluster: TestCluster;
let browser: Browser;
let publisher: FfmpegPublisher;
let site: { readonly url: string; close(): Promise<void> };

beforeAll(async () => {
  cluster = await startTestCluster({ nodes: 1 });
  publisher = publishDemo();
  browser = await launchChromium();
  site = await serveForeignSite();
  await isAsLongAs(3);
});

afterAll(async () => {
  await browser?.close();
  await site?.close();
  await publisher?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

/** So many segments are there: what goes back comes after tests that do not, so that nobody waits for it. */
const isAsLongAs = (wanted: number): Promise<unknown> =>
  waitForPlaylist(
    `${cluster.url}/live/demo/h264-240p.m3u8`,
    ({ segments }) => segments.length >= wanted,
    120_000,
  );

const publishDemo = (): FfmpegPublisher =>
  publish(`${cluster.nodes[0]?.rtmp}/${cluster.stream.key}`, flashAndBeep(640, 360), x264(25, 2));

/** A page that frames `?frame=` and keeps what it is told. */
async function serveForeignSite(): Promise<typeof site> {
  const html = `<!doctype html><title>Foreign</title><body><script>
    const frame = document.createElement('iframe');
    frame.src = new URLSearchParams(location.search).get('frame');
    frame.width = 480; frame.height = 270; frame.allow = 'autoplay; fullscreen';
    document.body.append(frame);
    window.told = [];
    addEventListener('message', ({ source, data, origin }) => { if (source === frame.contentWindow) told.push({ ...data, origin }); });
    window.command = (message) => frame.contentWindow.postMessage(message, '*');
  </script>`;
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(html);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://localhost:${port}/`,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

const framed = (query: string, id = 'demo'): Promise<OpenPage> =>
  openPage(browser, `${site.url}?frame=${encodeURIComponent(`${cluster.url}/embed/${id}${query}`)}`);
const alone = (query: string): Promise<OpenPage> => openPage(browser, `${cluster.url}/embed/demo${query}`);

const heard = (page: Page, type: string, state?: string): Promise<unknown> =>
  page.waitForFunction(
    ([wantedType, wantedState]) =>
      window.told.some(
        (one) => one.type === wantedType && (wantedState === undefined || one.state === wantedState),
      ),
    [type, state] as const,
  );
const say = (page: Page, message: unknown): Promise<void> =>
  page.evaluate((one) => window.command(one), message);

test.for([0, 2])('a picture that cannot be played says so in words that fit, size %i', async (index) => {
  await using viewer = await openPage(browser, 'about:blank', sizes[index]);
  const { page } = viewer;
  await page.addInitScript(() => {
    MediaSource.isTypeSupported = () => false;
    const none = { supported: false, smooth: false, powerEfficient: false, keySystemAccess: null };
    navigator.mediaCapabilities.decodingInfo = async (configuration) => ({ ...none, configuration });
  });
  await page.goto(`${cluster.url}/watch/demo`);
  await showsBadge(page, 'NOT PLAYING');
  expect(await wordsOf(page)).toBe('The picture cannot be played here');
  expect(await misfits(page)).toEqual([]);
});

test('the index page tells loading, failing, being offline and empty apart', async () => {
  await using index = await openPage(browser, cluster.url);
  const { page } = index;
  await page.waitForSelector('.card');
  expect(await page.locator('.card strong').textContent()).toBe('Tangaza demo');
  await page.route('**/v1/live', (route) => route.fulfill({ json: { items: [] } }));
  await page.reload();
  await page.locator('#empty').waitFor();
  expect(await page.locator('#publish').textContent()).toBe(cluster.nodes[0]?.rtmp);
  await page.route('**/v1/live', (route) => route.abort());
  await page.reload();
  await page.locator('#failed').waitFor();
  expect(await axeFindings(page)).toEqual([]);
  await page.context().setOffline(true);
  await page.locator('#failed', { hasText: 'You are offline.' }).waitFor();
  await page.context().setOffline(false);
  await page.locator('#failed', { hasText: 'No server can answer' }).waitFor();
  await page.unrouteAll();
  await page.locator('#again').click();
  await page.waitForSelector('.card');
});

describe('a page of another origin', () => {
  test('hears the state and the time of the player that it frames, from the origin of that one', async () => {
    await using viewer = await framed('?autoplay&muted');
    await heard(viewer.page, 'state', 'live');
    await heard(viewer.page, 'time');
    const last = await viewer.page.evaluate(() => window.told.findLast(({ type }) => type === 'state'));
    expect(last).toMatchObject({
      tangaza: 1,
      stream: 'demo',
      title: 'Tangaza demo',
      isMuted: true,
      origin: cluster.url,
    });
  });

  // Goal: nonsense, and whoever is not the page around the player, command nothing. Method: a lawful command after them is obeyed, they are not.
  test('is not obeyed when it sends nonsense, or when another page is named', async () => {
    await using viewer = await framed('?autoplay&muted');
    await heard(viewer.page, 'state', 'live');
    for (const message of [
      'pause',
      null,
      7,
      { command: 'pause' },
      { tangaza: 1, command: 'seek', seconds: 'x' },
    ])
      await say(viewer.page, message);
    await say(viewer.page, { tangaza: 1, command: 'unmute' });
    await viewer.page.waitForFunction(() => window.told.some(({ isMuted }) => isMuted === false));
    expect(await viewer.page.evaluate(() => window.told.filter(({ state }) => state === 'paused'))).toEqual(
      [],
    );

    await using other = await framed('?autoplay&muted&origin=https://another.example');
    const player = other.page.frames()[1];
    await player?.waitForFunction(() => (document.querySelector('video')?.currentTime ?? 0) > 0);
    await say(other.page, { tangaza: 1, command: 'pause' });
    await player?.waitForFunction(() => window.tangaza.state().view === 'live');
    expect(await player?.evaluate(() => document.querySelector('video')?.paused)).toBe(false);
    expect(await other.page.evaluate(() => window.told)).toEqual([]);
  });

  test('commands it: pause, play, mute, unmute, seek, live', async () => {
    await isAsLongAs(12);
    await using viewer = await framed('?autoplay&muted');
    const { page } = viewer;
    const command = (name: string, more = {}) => say(page, { tangaza: 1, command: name, ...more });
    const forget = () => page.evaluate(() => void (window.told = []));
    await heard(page, 'state', 'live');
    await command('pause');
    await heard(page, 'state', 'paused');
    await forget();
    await command('play');
    await heard(page, 'state', 'live');
    await command('unmute');
    await page.waitForFunction(() => window.told.some(({ isMuted }) => isMuted === false));
    await command('mute');
    await page.waitForFunction(
      () => window.told.at(-1)?.isMuted === true || window.told.some(({ isMuted }) => isMuted === true),
    );
    await command('seek', { seconds: 3 });
    await heard(page, 'state', 'behind');
    await page.waitForFunction(() =>
      window.told.some(({ type, seconds = 99 }) => type === 'time' && seconds < 9),
    );
    await forget();
    await command('live');
    await heard(page, 'state', 'live');
  });
});

describe('its address', () => {
  test('keeps it from starting by itself: a large button and a picture wait', async () => {
    await using viewer = await alone('?autoplay=0');
    const { page } = viewer;
    await page.locator('.action.big').waitFor();
    await page.waitForFunction(
      () => (document.querySelector<HTMLImageElement>('.poster')?.naturalWidth ?? 0) > 0,
    );
    expect(await page.evaluate(() => document.querySelector('video')?.currentTime)).toBe(0);
    expect({ misfits: await misfits(page), findings: await axeFindings(page) }).toEqual({
      misfits: [],
      findings: [],
    });
    await page.locator('.action').click();
    await showsBadge(page, 'LIVE');
    await playsOn(page);
  });

  test('says where to start, whether muted, and whether with controls', async () => {
    await using viewer = await alone('?autoplay&muted&start=4&controls=0');
    const { page } = viewer;
    await page.waitForFunction(() => {
      const { seconds = 0 } = window.tangaza.state().position;
      return seconds > 4 && seconds < 12;
    });
    expect(await page.locator('.bar').isVisible()).toBe(false);
    expect(await page.evaluate(() => document.querySelector('video')?.muted)).toBe(true);
  });
});

// Goal: a page that was left open while its server was renewed works on. Method: the server's assets get other names, and the old
// ones are gone, while a viewer watches some way behind live; who then wants HLS needs a part that the page has not fetched yet.
test('a page of an older version than its server loads itself anew, once, and goes on where it was', async () => {
  await using viewer = await openPage(browser, 'about:blank');
  const { page, errors } = viewer;
  const server = { isRenewed: false };
  await renewable(page, server);
  await page.goto(`${cluster.url}/watch/demo`);
  await showsBadge(page, 'LIVE');
  await playsOn(page);
  for (let count = 0; count < 2; count += 1) await page.keyboard.press('ArrowLeft');
  await page.waitForFunction(() => window.tangaza.state().view === 'behind');
  await playsOn(page);
  let loads = 0;
  page.on('request', (request) => (loads += request.isNavigationRequest() ? 1 : 0));
  server.isRenewed = true;
  const before = await page.evaluate(() => window.tangaza.state().position.seconds ?? 0);
  await page.locator('.gear').click();
  await page.locator('.format').selectOption('hls');
  await page.waitForFunction((from) => {
    // Until the new page's script has run it tells nothing.
    if (!('tangaza' in window)) return false;
    const { view, format, position } = window.tangaza.state();
    const { seconds = 0 } = position;
    return view === 'behind' && format === 'hls' && seconds > from - 2 && seconds < from + 10;
  }, before);
  await playsOn(page);
  expect({ loads, errors, isMarked: new URL(page.url()).searchParams.has('renewed') }).toEqual({
    loads: 1,
    errors: [],
    isMarked: false,
  });
});

/** The server as it is; once renewed, its assets have other names. */
async function renewable(page: Page, server: { readonly isRenewed: boolean }): Promise<void> {
  await page.route('**/assets/**', async (route) => {
    const url = route.request().url();
    if (server.isRenewed !== url.includes('/assets/next-')) return route.fulfill({ status: 404 });
    const reply = await route.fetch({ url: url.replace('/assets/next-', '/assets/') });
    const script = await reply.text();
    await route.fulfill({
      response: reply,
      body: server.isRenewed ? script.replaceAll(/(["'`])\.\/(?=[\w.-]+\.js)/g, '$1./next-') : script,
    });
  });
  await page.route('**/watch/**', async (route) => {
    const reply = await route.fetch();
    const html = await reply.text();
    await route.fulfill({
      response: reply,
      body: server.isRenewed ? html.replaceAll('/assets/', '/assets/next-') : html,
    });
  });
}

// Goal: a laptop without a network says so beside and over the picture, and goes on by itself. Method: the page is taken off the network until
// its buffer is played; meanwhile its viewer writes a comment.
test('viewers who are offline are told so, and go on when the network is back, with what they wrote', async () => {
  const ends = sizes
    .filter(({ name }) => name === 'desktop' || name === 'phone')
    .map(async (size) => {
      await using viewer = await openPage(browser, `${cluster.url}/watch/demo`, size);
      const { page, errors } = viewer;
      await showsBadge(page, 'LIVE');
      await sayComment(page, `On line on a ${size.name}`, 'Ada');
      await isAccepted(page, `On line on a ${size.name}`);
      await page.context().setOffline(true);
      await bannerOf(page, 'You are offline');
      await sayComment(page, `Off line on a ${size.name}`);
      await page.waitForFunction(
        () => document.querySelector('.headline')?.textContent === 'You are offline',
      );
      const faults = [...(await misfits(page)), ...(await panelFaults(page, size))];
      await page.context().setOffline(false);
      await isAccepted(page, `Off line on a ${size.name}`);
      await page.locator('.banner:empty').waitFor({ state: 'attached' });
      await playsOn(page, 2);
      await page.waitForFunction(() => document.querySelector('.headline')?.textContent === '');
      return { faults, errors };
    });
  expect(await Promise.all(ends)).toEqual(ends.map(() => ({ faults: [], errors: [] })));
});

// Goal: who watched live before a laptop slept watches live after. Method: the page stands still for 18 s, which its buffer does not last.
test('a viewer whose machine slept is taken back to live', async () => {
  await using viewer = await alone('?muted');
  const { page } = viewer;
  await showsBadge(page, 'LIVE');
  await playsOn(page);
  const before = await secondsOf(page);
  await sleepAsMachine(browser, 18_000);
  await page.waitForFunction(() => {
    const { view, position } = window.tangaza.state();
    return view === 'live' && (position.behindSeconds ?? 99) < 8;
  });
  const jumped = (await secondsOf(page)) - before;
  expect({ isFar: jumped > 12, errors: viewer.errors }).toEqual({ isFar: true, errors: [] });
});

// Goal: a publisher who comes back is seen by who waited, in the same player. Method: killed until both formats say so; then back.
test('an interrupted broadcast goes on where it is waited for, with DASH and with HLS', async () => {
  await using dash = await alone('?muted');
  await using hls = await alone('?muted&format=hls');
  const pages = [dash.page, hls.page];
  await Promise.all(pages.map((page) => showsBadge(page, 'LIVE')));
  await publisher.kill('SIGKILL');
  await Promise.all(
    pages.map((page) =>
      page.waitForFunction(
        () => document.querySelector('.headline')?.textContent === 'The broadcast is interrupted',
      ),
    ),
  );
  publisher = publishDemo();
  await Promise.all(pages.map((page) => showsBadge(page, 'LIVE')));
  await Promise.all(pages.map((page) => playsOn(page, 2)));
  expect({ dashErrors: dash.errors, hlsErrors: hls.errors }).toEqual({ dashErrors: [], hlsErrors: [] });
});

declare global {
  interface Window {
    told: {
      type?: string;
      state?: string;
      isMuted?: boolean;
      seconds?: number;
    }[];
    command(message: unknown): void;
  }
}
