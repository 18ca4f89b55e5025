/** What an operator does on `/ops`, in a real Chromium against a real cluster of two nodes with a broadcast. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Browser, Page } from 'playwright-core';
import { StreamWithKey } from '../../../cluster/contract/api/control-views.ts';
import { controlClient } from '../../support/cluster/control-client.ts';
import { startTestCluster, type TestCluster } from '../../support/cluster/demo.ts';
import { flashAndBeep, publish, x264, type FfmpegPublisher } from '../../support/media/ffmpeg-publisher.ts';
import { launchChromium, pageTimeoutMs } from '../../support/cluster/foreign-players.ts';
import { axeFindings } from '../page-checks.ts';

const phone = { width: 390, height: 844 };
const desktop = { width: 1440, height: 900 };

let cluster: TestCluster;
let publisher: FfmpegPublisher;
let browser: Browser;

beforeAll(async () => {
  cluster = await startTestCluster();
  publisher = publish(`${cluster.nodes[1]?.rtmp}/${cluster.stream.key}`, flashAndBeep(426, 240), x264(25, 2));
  browser = await launchChromium();
});

afterAll(async () => {
  await browser?.close();
  await publisher?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

interface OpsPage extends AsyncDisposable {
  readonly page: Page;
  readonly faults: readonly string[];
}

async function openOps(viewport: typeof phone, token?: string): Promise<OpsPage> {
  const page = await browser.newPage({ viewport });
  page.setDefaultTimeout(pageTimeoutMs);
  const faults: string[] = [];
  page.on('pageerror', ({ message }) => faults.push(message));
  await page.goto(`${cluster.url}/ops`);
  if (token !== undefined) await signIn(page, token);
  return { page, faults, [Symbol.asyncDispose]: () => page.close() };
}

async function signIn(page: Page, token: string): Promise<void> {
  await page.fill('#token', token);
  await page.click('#login button');
}

const row = (page: Page, text: string) => page.locator('tbody tr', { hasText: text });
const dialog = (page: Page) => page.locator('#dialog');

test('a wrong token is told and asked again; with the right one the form goes', async () => {
  await using ops = await openOps(desktop, 'not the token');
  const { page, faults } = ops;
  await page.locator('#login-error', { hasText: 'not accepted' }).waitFor();
  expect({ offersToForget: await page.locator('#sign-out').isVisible() }).toEqual({ offersToForget: false });
  // The page looks again, as it does every two seconds: why stays until another token is given.
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  expect(await page.locator('#login-error').textContent()).toContain('not accepted');
  await signIn(page, '“a token in curly quotes”');
  await page.locator('#login-error', { hasText: 'not accepted' }).waitFor();
  await signIn(page, cluster.token);
  await row(page, 'demo').waitFor();
  expect({ isFormSeen: await page.locator('#login').isVisible(), faults }).toEqual({
    isFormSeen: false,
    faults: [],
  });
});

test.each([
  ['desktop', desktop],
  ['phone', phone],
] as const)('on a %s nodes and streams are told, and nothing is wider than the page', async (_, viewport) => {
  await using ops = await openOps(viewport, cluster.token);
  const { page, faults } = ops;
  for (const { node } of cluster.nodes)
    await row(page, node).first().locator('.state', { hasText: 'alive' }).waitFor();
  const stream = row(page, 'Tangaza demo');
  await stream.locator('.state', { hasText: 'live' }).waitFor();
  await stream.getByText(/at \S+-node-2, [\d,]+ kbit\/s/).waitFor();
  await stream.getByText(/H\.264 426x240/).waitFor();
  await stream.getByText(/aac-\S+ \d+\.\d s$/).waitFor();
  expect({
    offersMore: await page.locator('#more').isVisible(),
    hasRegions: await page.locator('#all-regions').isVisible(),
  }).toEqual({ offersMore: false, hasRegions: false });
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect({ overflow, faults }).toEqual({ overflow: 0, faults: [] });
});

// Goal: the life of a stream without a terminal. Method: the keys that the page shows are those that the API says there are.
test('a stream is created, gets a new key and is deleted; each says first what it will do', async () => {
  await using ops = await openOps(desktop, cluster.token);
  const { page } = ops;
  const api = controlClient(cluster.url, cluster.token);
  await page.click('#new-stream');
  await dialog(page).getByLabel('Title').fill('News <b>at</b> ten');
  await dialog(page).getByLabel('Id (optional)').fill('news');
  await page.click('#dialog-confirm');
  const first = (await dialog(page).locator('dd code').first().textContent()) ?? '';
  expect(first).toMatch(/^news_/);
  await page.click('#dialog-confirm');
  const made = row(page, 'News <b>at</b> ten');
  await made.locator('.state', { hasText: 'never on air' }).waitFor();

  await page.click('#new-stream');
  await dialog(page).getByLabel('Title').fill('Another');
  await dialog(page).getByLabel('Id (optional)').fill('news');
  await page.click('#dialog-confirm');
  await page.locator('#dialog-error', { hasText: /news/ }).waitFor();
  await page.click('#dialog-cancel');

  await made.getByRole('button', { name: /^New key/ }).click();
  await dialog(page).getByText('The present key ends at once').waitFor();
  await page.click('#dialog-confirm');
  const second = (await dialog(page).locator('dd code').first().textContent()) ?? '';
  expect({ isKey: second.startsWith('news_'), isAnother: second !== first }).toEqual({
    isKey: true,
    isAnother: true,
  });
  await page.click('#dialog-confirm');

  await made.getByRole('button', { name: /^Delete/ }).click();
  await dialog(page).getByText('cannot be taken back').waitFor();
  expect(await api.call('/v1/streams/news', 200, StreamWithKey.omit({ streamKey: true }))).toMatchObject({
    id: 'news',
  });
  await page.click('#dialog-confirm');
  await made.waitFor({ state: 'detached' });
  expect(await api.status('GET', '/v1/streams/news')).not.toBe(200);
});

// As it once was: Escape, and the key was lost for ever. Method: closed with the key on it, and closed before the key has come.
test('a key is within reach until somebody is done with it, however the dialog was closed', async () => {
  await using ops = await openOps(phone, cluster.token);
  const { page, faults } = ops;
  const begin = async (id: string): Promise<void> => {
    await page.click('#new-stream');
    await dialog(page).getByLabel('Title').fill(`Title of ${id}`);
    await dialog(page).getByLabel('Id (optional)').fill(id);
    await page.click('#dialog-confirm');
  };
  const key = dialog(page).locator('dd code').first();
  // As in a page without TLS, where the button once did nothing.
  await page.evaluate(() => Object.defineProperty(navigator, 'clipboard', { value: undefined }));
  await begin('shown');
  const seen = await key.textContent();
  await dialog(page).getByRole('button', { name: 'Copy Stream key' }).click();
  await dialog(page).getByText('Press Ctrl+C').waitFor();
  expect(await page.evaluate(() => String(getSelection()))).toBe(seen);
  await page.keyboard.press('Escape');
  await dialog(page).waitFor({ state: 'hidden' });
  await page.getByRole('button', { name: 'Show the key of Title of shown' }).click();
  expect(await key.textContent()).toBe(seen);
  await page.click('#dialog-confirm');
  await page.locator('#unseen-keys').waitFor({ state: 'hidden' });

  const { promise: mayGo, resolve: letGo } = Promise.withResolvers<void>();
  await page.route('**/v1/streams', async (route) => {
    if (route.request().method() === 'POST') await mayGo;
    await route.continue();
  });
  await begin('late');
  await page.keyboard.press('Escape');
  await dialog(page).waitFor({ state: 'hidden' });
  letGo();
  await page.getByRole('button', { name: 'Show the key of Title of late' }).click();
  expect(await key.textContent()).toMatch(/^late_/);
  await page.keyboard.press('Escape');
  const api = controlClient(cluster.url, cluster.token);
  await row(page, 'Title of late')
    .getByRole('button', { name: /^Delete/ })
    .click();
  await page.click('#dialog-confirm');
  await row(page, 'Title of late').waitFor({ state: 'detached' });
  await page.locator('#unseen-keys').waitFor({ state: 'hidden' });
  expect(await api.status('DELETE', '/v1/streams/shown')).toBe(204);
  expect(faults).toEqual([]);
});

const numbers = { nodes: 2, alive: 2, onAir: 1, connections: 250 };
const link = { gateways: [], bytesIn: 120_400, bytesOut: 48_211_000, mediaBytesIn: 1_290_300_000 };
const region = (id: string, ordinal: number) => ({ id, ordinal, isOwn: false, isReached: true, links: [] });
const unreached = { isReached: false, ageSeconds: 43 };
/** As a node of `eu` sees it: `us` is reached and has a wrong clock, `asia` is cut off, and of `africa` there are no numbers. */
const fourRegions = {
  topologyVersion: 1,
  regions: [
    {
      ...region('eu', 0),
      ...numbers,
      isOwn: true,
      links: [
        { ...link, to: 'us', isUp: true, forSeconds: 3600, roundTripMs: 84.2, clockOffsetMs: 2400 },
        { ...link, to: 'asia', isUp: false, forSeconds: 41 },
        { ...link, to: 'africa', isUp: false, forSeconds: 41, mediaBytesIn: 0 },
      ],
    },
    { ...region('us', 1), ...numbers },
    { ...region('asia', 2), ...numbers, ...unreached },
    { ...region('africa', 3), isReached: false },
  ],
};
const answer = (body: unknown) => ({ contentType: 'application/json', body: JSON.stringify(body) });

// Goal: an operator sees every region and its link at a glance. Method: the node's answer has a region in each state, and a stream that has lost
// segments: its lines are the longest.
test.each([
  ['desktop', desktop],
  ['phone', phone],
] as const)('on a %s each region is told with its link, and axe finds nothing', async (_, viewport) => {
  await using ops = await openOps(viewport);
  const { page, faults } = ops;
  await page.route('**/v1/regions', (route) => route.fulfill(answer(fourRegions)));
  const health = await controlClient(cluster.url, cluster.token).health('demo');
  const renditions = [{ name: 'h264-720p', lagMs: 12_345, recentGaps: 1234 }];
  await page.route('**/v1/streams/demo/health', (route) => route.fulfill(answer({ ...health, renditions })));
  await signIn(page, cluster.token);
  await page.getByText('h264-720p 12.3 s, 1,234 gaps in 10 min').waitFor();
  const textOf = (id: string) => page.locator(`#regions tr[data-key="${id}"]`).innerText();
  await page.locator('#regions tr').nth(3).waitFor();
  expect({ own: await textOf('eu'), us: await textOf('us') }).toEqual({
    own: expect.stringMatching(/ordinal 0[^]*this region[^]*250/),
    us: expect.stringMatching(/up for 60 min[^]*84\.2 ms[^]*250[^]*media 1\.3 GB in[^]*2 s ahead/),
  });
  expect({ asia: await textOf('asia'), africa: await textOf('africa') }).toEqual({
    asia: expect.stringMatching(/down for 41 s[^]*numbers of 43 s ago/),
    africa: expect.stringMatching(/down for 41 s[^]*no numbers yet/),
  });
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect({ overflow, axe: await axeFindings(page), faults }).toEqual({ overflow: 0, axe: [], faults: [] });
});

// Goal: no stream of another region is called one that never was. Method: this node says that there are two regions, and what the home has told.
test('a stream whose broadcast in another region is over is not said to be never on air', async () => {
  await using ops = await openOps(desktop);
  const { page } = ops;
  const api = controlClient(cluster.url, cluster.token);
  await api.create({ title: 'From afar', id: 'afar' });
  await page.route('**/v1/regions', (route) => route.fulfill(answer(fourRegions)));
  let asked = 0;
  await page.route('**/v1/streams/afar/health', async (route) => {
    asked += 1;
    const health = await api.health('afar');
    await route.fulfill(answer({ ...health, reason: 'its broadcast in region us is over', region: 'us' }));
  });
  await signIn(page, cluster.token);
  await row(page, 'From afar').locator('.state', { hasText: 'offline' }).waitFor();
  await row(page, 'From afar').getByText('its broadcast in region us is over').waitFor();
  // The page looks every two seconds, and asks no other region each time.
  for (let looks = 0; looks < 3; looks += 1) await page.waitForResponse('**/v1/cluster');
  expect({ asked }).toEqual({ asked: 1 });
  expect(await api.status('DELETE', '/v1/streams/afar')).toBe(204);
});

// Last: a node leaves. Its publisher is connected to it and stays until shortly before the bound, so it drains for long enough to be seen:
// a node without one has left, and is started again, between two looks of the page.
test('a node is drained from a phone, its stream goes on at the other, and the page shows both', async () => {
  await using ops = await openOps(phone, cluster.token);
  const { page } = ops;
  const [first, second] = cluster.nodes.map(({ node }) => node);
  if (first === undefined || second === undefined) throw new Error('there are no two nodes');
  // The page is served by the first node: the other one is asked to leave.
  const leaving = page.locator(`#nodes tr[data-key="${second}"]`);
  await leaving.getByRole('button', { name: `Drain ${second}` }).click();
  await dialog(page).getByText('its process ends').waitFor();
  await page.click('#dialog-confirm');
  await dialog(page).getByText(`${second} is leaving`).waitFor();
  await page.click('#dialog-confirm');
  await expect.poll(() => leaving.locator('.state').allTextContents()).not.toContain('alive');
  await row(page, 'Tangaza demo').locator('.state', { hasText: 'live' }).waitFor();
  await row(page, 'Tangaza demo').getByText(first, { exact: true }).first().waitFor();
});
