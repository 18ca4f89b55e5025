/**
 * The life of a broadcast as viewers see it, at five sizes, in a real Chromium: one stream that begins, is interrupted, ends,
 * and begins again, while they talk about it. The tests follow one another in its life. Between its interruption and its end, which are a
 * minute apart, others watch a second stream, which is on air all the time.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Browser, Page } from 'playwright-core';
import { systemClock } from '../../cluster/time/clock.system.ts';
import { controlClient } from '../support/cluster/control-client.ts';
import { startTestCluster, type TestCluster } from '../support/cluster/demo.ts';
import {
  flashAndBeep,
  onlyInput,
  publish,
  x264,
  type FfmpegPublisher,
} from '../support/media/ffmpeg-publisher.ts';
import { launchChromium } from '../support/cluster/foreign-players.ts';
import {
  axeFindings,
  badgeOf,
  comesToLive,
  misfits,
  openPage,
  playsOn,
  pressesFTwice,
  secondsOf,
  showsBadge,
  sizes,
  wordsInShade,
  wordsOf,
  type OpenPage,
} from './page-checks.ts';
import { isAccepted, rows, say, textsOf } from './panel-acts.ts';
import { panelFaults } from './panel-checks.ts';

let cluster: TestCluster;
let browser: Browser;
let publisher: FfmpegPublisher;
/** Of the second stream. */
let steady: FfmpegPublisher | undefined;
/** One at each size, open for the whole life. */
let viewers: readonly OpenPage[] = [];
const pages = (): readonly Page[] => viewers.map(({ page }) => page);

const publishAs = (key: string): FfmpegPublisher =>
  publish(`${cluster.nodes[0]?.rtmp}/${key}`, flashAndBeep(640, 360), x264(25, 2));
const publishDemo = (): FfmpegPublisher => publishAs(cluster.stream.key);
const watch = (query = '', id = 'steady'): Promise<OpenPage> =>
  openPage(browser, `${cluster.url}/watch/${id}${query}`);

async function fitEverywhere(): Promise<void> {
  const found = await Promise.all(pages().map(misfits));
  expect(Object.fromEntries(sizes.map(({ name }, index) => [name, found[index]]))).toEqual(
    Object.fromEntries(sizes.map(({ name }) => [name, []])),
  );
}

const everywhere = (text: string): Promise<unknown> =>
  Promise.all(pages().map((page) => showsBadge(page, text)));

/** What the viewer on the desktop has said, oldest first. */
const said: string[] = [];

/** The viewer on the desktop says it. Every page with comments shows it, last of all that was said, beside the picture or below it. */
async function talk(text: string): Promise<void> {
  const besides = sizes.flatMap((size, index) => {
    const page = pages()[index];
    return page === undefined || size.path === '/embed/' ? [] : [{ size, page }];
  });
  const [desktop] = besides;
  if (desktop !== undefined) await say(desktop.page, text, said.length === 0 ? 'Ada' : undefined);
  said.push(text);
  await Promise.all(besides.map(({ page }) => rows(page, text).waitFor()));
  const found = besides.map(async ({ page, size }) => ({
    size: size.name,
    said: await textsOf(page),
    faults: await panelFaults(page, size),
  }));
  expect(await Promise.all(found)).toEqual(
    besides.map(({ size }) => ({ size: size.name, said, faults: [] })),
  );
}

beforeAll(async () => {
  cluster = await startTestCluster({ nodes: 1 });
  const { streamKey } = await controlClient(cluster.url, cluster.token).create({
    title: 'Steady',
    id: 'steady',
  });
  steady = publishAs(streamKey);
  browser = await launchChromium();
  viewers = await Promise.all(sizes.map((size) => openPage(browser, `${cluster.url}${size.path}demo`, size)));
});

afterAll(async () => {
  await browser?.close();
  await publisher?.[Symbol.asyncDispose]();
  await steady?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

describe('a broadcast that begins', () => {
  test('is waited for with words and its title, and fits', async () => {
    await everywhere('NOT STARTED');
    expect(await Promise.all(pages().map(wordsOf))).toEqual(sizes.map(() => 'The broadcast has not begun'));
    expect(await pages()[0]?.locator('h1').textContent()).toBe('Tangaza demo');
    await fitEverywhere();
    const [first] = pages();
    await first?.locator('.empty-words', { hasText: 'Say hello while you wait' }).waitFor();
    await talk('Is anybody here yet?');
  });

  test('is shown on pages that waited for it, live, without a reload', async () => {
    publisher = publishDemo();
    await everywhere('LIVE');
    await Promise.all(pages().map((page) => playsOn(page)));
    await fitEverywhere();
    await talk('It begins');
  });
});

test('the controls hide no rung: quality and format are in one menu, captions when there are some', async () => {
  const page = pages()[2];
  await page?.locator('.gear').click();
  const options = await page?.locator('.quality option').allTextContents();
  expect(options?.slice(1)).toEqual(['360p', '240p']);
  expect(await page?.locator('.captions').isVisible()).toBe(false);
  expect(await page?.locator('media-captions-button').count()).toBe(0);
  await page?.evaluate(() => void document.querySelector('video')?.addTextTrack('captions', 'English', 'en'));
  await page?.locator('.captions').selectOption('English');
  await fitEverywhere();
  await page?.keyboard.press('Escape');
  expect(await page?.locator('.settings').isVisible()).toBe(false);
});

test('a broadcast whose publisher leaves is interrupted, first beside the picture and then over it', async () => {
  await publisher.kill('SIGKILL');
  await everywhere('INTERRUPTED');
  await Promise.all(
    pages().map((page) =>
      page.waitForFunction(
        () => document.querySelector('.headline')?.textContent === 'The broadcast is interrupted',
      ),
    ),
  );
  await fitEverywhere();
  expect((await Promise.all(pages().map(wordsInShade))).flat()).toEqual([]);
  await talk('What happened?');
  await everywhere('INTERRUPTED'); // not later, when it has ended
});

describe('another broadcast', () => {
  test('is played by hls.js when that is asked for', async () => {
    await using viewer = await watch('?format=hls');
    await comesToLive(viewer.page);
    expect(await viewer.page.evaluate(() => window.tangaza.state().format)).toBe('hls');
  });

  // Goal: hls.js 1.7.4 does not stand still for ever. Method: steering answers while the first segment is under way, as if the edge were
  // not the one that was asked; the playlists of the edge that it names come after that segment.
  test('is played by hls.js when steering changes the edge at the start', async () => {
    await using viewer = await openPage(browser, 'about:blank');
    const { page } = viewer;
    const segment = Promise.withResolvers<void>();
    let playlists = 0;
    await page.route(/\/live\/[^/]+\/steering/, async (route) => {
      await segment.promise;
      await route.continue({ url: route.request().url().replace('base=.', '') });
    });
    await page.route(/\/h264-[^/]+\/\d+\.m4s/, async (route) => {
      segment.resolve();
      await systemClock.sleep(1000);
      await route.continue();
    });
    await page.route(/\/h264-[^/]+\.m3u8/, async (route) => {
      playlists += 1;
      if (playlists === 2) await systemClock.sleep(3000);
      await route.continue();
    });
    await page.goto(`${cluster.url}/watch/steady?format=hls`);
    await playsOn(page);
    expect(playlists).toBeGreaterThan(1);
  });
});

describe('the controls', () => {
  test('answer to keys before the player has the focus, and not while somebody types', async () => {
    await using viewer = await watch();
    const { page } = viewer;
    await comesToLive(page);
    const video = () =>
      page.evaluate(() => {
        const { paused, muted, volume } = document.querySelector('video') ?? {};
        return { paused, muted, volume };
      });
    await page.keyboard.press('Space');
    await showsBadge(page, 'PAUSED');
    await page.keyboard.press('k');
    await page.keyboard.press('m');
    await pressesFTwice(page);
    expect(await video()).toMatchObject({ paused: false, muted: true });
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowUp');
    expect(await video()).toMatchObject({ muted: false, volume: 1 });
    await page.locator('#open-share').click();
    await page.locator('#share-link').focus();
    await page.keyboard.press('m');
    await page.keyboard.press('Escape');
    expect(await video()).toMatchObject({ muted: false });
  });

  // Goal: a key counts before there is a picture, and says so at once. Method: the manifest is kept back until the keys were pressed.
  test('answer to keys while the player still loads', async () => {
    await using viewer = await openPage(browser, 'about:blank');
    const { page } = viewer;
    const manifest = Promise.withResolvers<void>();
    await page.route(/\/manifest\.mpd/, async (route) => {
      await manifest.promise;
      await route.continue();
    });
    await page.goto(`${cluster.url}/watch/steady`);
    await page.waitForFunction(() => window.tangaza.state().view === 'loading');
    await page.keyboard.press('k');
    await page.locator('.action.big').waitFor();
    await page.keyboard.press('m');
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('f');
    await page.waitForFunction(() => document.fullscreenElement !== null);
    manifest.resolve();
    await page.waitForFunction(() => window.tangaza.state().position.seconds !== undefined);
    await showsBadge(page, 'LIVE');
    const video = () =>
      page.evaluate(() => {
        const { paused, muted } = document.querySelector('video') ?? {};
        return { paused, muted, view: window.tangaza.state().view };
      });
    expect(await video()).toEqual({ paused: true, muted: true, view: 'ready' });
    await page.keyboard.press('k');
    await playsOn(page);
    expect({ ...(await video()), errors: viewer.errors }).toMatchObject({
      paused: false,
      muted: true,
      errors: [],
    });
  });

  test('leave nothing to axe, in any state of the page', async () => {
    await using viewer = await watch();
    const { page } = viewer;
    await comesToLive(page);
    expect(await axeFindings(page)).toEqual([]);
    await page.locator('.gear').click();
    await page.locator('#toggle-stats').click();
    expect(await axeFindings(page)).toEqual([]);
    await page.locator('#open-share').click();
    expect(await axeFindings(page)).toEqual([]);
    await using index = await openPage(browser, cluster.url);
    await index.page.waitForSelector('.card');
    expect(await axeFindings(index.page)).toEqual([]);
  });
});

test('the share dialog names the time when it is asked to, and the snippet is the embedded player', async () => {
  await using viewer = await watch();
  const { page } = viewer;
  await comesToLive(page);
  await page.waitForFunction(() => (window.tangaza.state().position.seconds ?? 0) > 1);
  await page.locator('#open-share').click();
  expect(await page.locator('#share-link').inputValue()).toBe(`${cluster.url}/watch/steady`);
  await page.locator('#share-has-time').check();
  expect(await page.locator('#share-link').inputValue()).toMatch(/\/watch\/steady\?t=\d+$/);
  expect(await page.locator('#share-embed').inputValue()).toContain(
    `<iframe src="${cluster.url}/embed/steady`,
  );
});

// Goal: sound that the browser refuses is offered. Method: Chromium as it is installed, whose pages may not begin with sound.
test('a browser that refuses sound plays without it, and a tap brings it', async () => {
  const strict = await launchChromium({ mayAutoplay: false });
  try {
    await using viewer = await openPage(strict, `${cluster.url}/watch/steady`);
    // Playwright's own looks count as gestures of the user, after which sound is allowed: so this looks without it.
    const chromium = await viewer.page.context().newCDPSession(viewer.page);
    const expression = `document.querySelector('.unmute')?.hidden`;
    await expect
      .poll(async () => (await chromium.send('Runtime.evaluate', { expression })).result.value)
      .toBe(false);
    await viewer.page.locator('.unmute').click();
    await showsBadge(viewer.page, 'LIVE');
    expect(await viewer.page.evaluate(() => document.querySelector('video')?.muted)).toBe(false);
    expect(await viewer.page.locator('.unmute').isVisible()).toBe(false);
  } finally {
    await strict.close();
  }
});

test('an address of no stream says so in words', async () => {
  await using viewer = await watch('', 'nobody');
  await showsBadge(viewer.page, 'NOT FOUND');
  expect({ words: await wordsOf(viewer.page), errors: viewer.errors }).toEqual({
    words: 'There is no such broadcast',
    errors: [],
  });
  expect(await viewer.page.locator('.bar').isVisible()).toBe(false);
  expect(await axeFindings(viewer.page)).toEqual([]);
});

test('a broadcast of sound alone says so, with a picture of its own', async () => {
  const client = controlClient(cluster.url, cluster.token);
  const { streamKey } = await client.create({ title: 'Radio', id: 'radio' });
  const tone = publish(`${cluster.nodes[0]?.rtmp}/${streamKey}`, onlyInput(flashAndBeep(), 1), [
    '-c:a',
    'aac',
  ]);
  await using viewer = await watch('', 'radio');
  await comesToLive(viewer.page);
  expect(await viewer.page.locator('.sound').isVisible()).toBe(true);
  await say(viewer.page, 'I hear it', 'Ada');
  await isAccepted(viewer.page, 'I hear it');
  await tone[Symbol.asyncDispose]();
  await client.status('DELETE', '/v1/streams/radio');
  await showsBadge(viewer.page, 'REMOVED');
  await viewer.page.locator('.comments').waitFor({ state: 'hidden' });
  expect({
    words: await wordsOf(viewer.page),
    misfits: await misfits(viewer.page),
    errors: viewer.errors,
  }).toEqual({ words: 'This broadcast was removed', misfits: [], errors: [] });
});

// Goal: who goes back and pauses goes on there. Method: as far back as the stream is long by now; paused; played.
test.for(['dash', 'hls'])(
  'a pause behind live goes on there, and the live button leads to live, with %s',
  async (format) => {
    await using viewer = await watch(`?format=${format}`);
    const { page } = viewer;
    await comesToLive(page);
    await page.keyboard.press('l'); // a slow start is LIVE some seconds behind, too
    await showsBadge(page, 'LIVE');
    await page.waitForFunction(() => (window.tangaza.state().position.seconds ?? 0) > 50);
    for (let count = 0; count < 5; count += 1) await page.keyboard.press('ArrowLeft');
    await page.waitForFunction(() => (window.tangaza.state().position.behindSeconds ?? 0) > 40);
    await playsOn(page);
    await expect.poll(() => badgeOf(page)).toMatch(/^0:[45]\d behind$/);
    await page.keyboard.press('k');
    const pausedAt = await secondsOf(page);
    await page.locator('.bar media-play-button').click();
    await playsOn(page, 2);
    const jumped = (await secondsOf(page)) - pausedAt;
    expect({ isBack: jumped < 20 }).toEqual({ isBack: true });
    await page.locator('button.live').click();
    await showsBadge(page, 'LIVE');
    const behind = await page.evaluate(() => window.tangaza.state().position.behindSeconds ?? -99);
    expect({ isNearerThanAsked: behind < -0.5 }).toEqual({ isNearerThanAsked: false });
  },
);

test('a link with a time starts there', async () => {
  await using viewer = await watch('?t=5');
  await viewer.page.waitForFunction(() => {
    const { seconds = 0 } = window.tangaza.state().position;
    return seconds >= 5 && seconds < 15;
  });
  await viewer.page.waitForFunction(() => window.tangaza.state().view === 'behind');
  expect(await badgeOf(viewer.page)).toMatch(/ behind$/);
});

describe('a broadcast that was interrupted', () => {
  test('ends when its time-out is over; its recording is offered, and plays from the start', async () => {
    await everywhere('RECORDING');
    await fitEverywhere();
    await talk('That was it');
    await using viewer = await watch('', 'demo');
    await showsBadge(viewer.page, 'RECORDING');
    expect(await viewer.page.locator('h1').textContent()).toBe('Tangaza demo');
    expect(await axeFindings(viewer.page)).toEqual([]);
    await viewer.page.locator('.action').click();
    await playsOn(viewer.page);
    expect({ badge: await badgeOf(viewer.page), seconds: await secondsOf(viewer.page) }).toEqual({
      badge: 'RECORDING',
      seconds: expect.any(Number),
    });
    expect(await viewer.page.locator('button.live').isVisible()).toBe(false);
    // A recording of seconds would be over before the broadcast goes on, and the page would go to live by itself.
    await viewer.page.keyboard.press('k');
    publisher = publishDemo();
    await viewer.page.locator('.on-air').click();
    await comesToLive(viewer.page);
  });

  test('and comes back is live again on every page, without a reload', async () => {
    await everywhere('LIVE');
    await Promise.all(pages().map((page) => playsOn(page)));
    await talk('It goes on');
    expect(viewers.map(({ errors }) => errors)).toEqual(sizes.map(() => []));
  });
});
