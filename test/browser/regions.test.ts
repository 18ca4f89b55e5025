/**
 * What viewers of the far region see of a broadcast of the near one, in a real Chromium at two sizes: it plays there, the link is cut and
 * healed, and the page says what it shows. The tests follow one another.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Browser } from 'playwright-core';
import { LiveStreams, StreamView } from '../../cluster/contract/api/control-views.ts';
import { controlClient } from '../support/cluster/control-client.ts';
import { launchChromium } from '../support/cluster/foreign-players.ts';
import { firstOf, startTwoRegions, type TwoRegions } from '../support/cluster/two-regions.ts';
import { flashAndBeep, publish, x264, type FfmpegPublisher } from '../support/media/ffmpeg-publisher.ts';
import { waitFor } from '../support/wait.ts';
import {
  axeFindings,
  badgesFromNow,
  misfits,
  openPage,
  playsOn,
  showsBadge,
  sizes,
  type OpenPage,
} from './page-checks.ts';
import { regionNamed } from '../../cluster/model/region-words.ts';

let regions: TwoRegions;
let browser: Browser;
let publisher: FfmpegPublisher;
/** One at each size, open all the time. */
let viewers: readonly OpenPage[] = [];
const sizesSeen = sizes.filter(({ name }) => name === 'desktop' || name === 'phone');

beforeAll(async () => {
  [regions, browser] = await Promise.all([startTwoRegions({ nodes: 1 }), launchChromium()]);
  publisher = publish(
    `${firstOf(regions.near).rtmp}/${regions.stream.key}`,
    flashAndBeep(640, 360),
    x264(25, 2),
  );
});
afterAll(async () => {
  await publisher?.[Symbol.asyncDispose]();
  await browser?.close();
  await regions?.[Symbol.asyncDispose]();
});

const far = () => firstOf(regions.far).url;
const liveAtFar = async () =>
  (await controlClient(far(), regions.token).call('/v1/live', 200, LiveStreams)).items;
const everyPage = <T>(act: (page: OpenPage['page']) => Promise<T>): Promise<readonly T[]> =>
  Promise.all(viewers.map(({ page }) => act(page)));
const errorsOf = () => viewers.flatMap(({ errors }) => errors);

test('a broadcast of the near region is listed in the far one, with its region, and plays there', async () => {
  const [item] = await waitFor(
    'the far region lists the stream',
    liveAtFar,
    (items) => items[0]?.state === 'live',
  );
  expect({ id: item?.id, region: item?.region, unheard: item?.unheard }).toEqual({
    id: 'demo',
    region: regions.near.id,
    unheard: undefined,
  });
  viewers = await Promise.all(sizesSeen.map((size) => openPage(browser, `${far()}${size.path}demo`, size)));
  await everyPage((page) => showsBadge(page, 'LIVE'));
  await everyPage((page) => playsOn(page));
  await using index = await openPage(browser, far());
  await index.page.getByText(`in ${regions.near.id}`).waitFor();
  expect({ page: errorsOf(), index: index.errors }).toEqual({ page: [], index: [] });
});

test('a publisher in the far region is refused, and told to publish in the near one', async () => {
  const { ingest } = await controlClient(far(), regions.token).call('/v1/streams/demo', 200, StreamView);
  expect(ingest).toEqual([{ region: regions.near.id, url: firstOf(regions.near).rtmp, role: 'primary' }]);
  const url = `${firstOf(regions.far).rtmp}/${regions.stream.key}`;
  await using refused = publish(url, flashAndBeep(320, 180), x264(25, 2));
  await waitFor(
    'the far node says where to publish',
    () => regions.log(firstOf(regions.far).node),
    (log) =>
      log.includes(
        `It is on air in ${regionNamed(regions.near.id)}. Publish to ${firstOf(regions.near).rtmp}.`,
      ),
  );
  await refused.ended;
});

// Goal: a viewer who is cut off knows it, is never told that the broadcaster is away, keeps what he has, and goes on by himself. Method: both
// directions of the link pass nothing while the pages are open; one page is opened during the cut.
test('the page says that the link is down, and goes on by itself when it is healed', async () => {
  const badges = await everyPage(badgesFromNow);
  regions.cut();
  await everyPage((page) => showsBadge(page, 'LINK DOWN'));
  const words = `The link to ${regions.near.id} is down`;
  await everyPage((page) => page.locator('.stage').getByText(words).first().waitFor());
  await everyPage((page) => page.locator('.words .headline').getByText(words).waitFor());
  await everyPage((page) => page.locator('.words .detail').getByText('It goes on by itself.').waitFor());
  const [item] = await liveAtFar();
  expect(item?.unheard).toMatchObject({ region: regions.near.id });
  expect({ misfits: (await everyPage(misfits)).flat(), axe: (await everyPage(axeFindings)).flat() }).toEqual({
    misfits: [],
    axe: [],
  });
  await using index = await openPage(browser, far());
  await index.page.getByText(`in ${regions.near.id}, not heard since`).waitFor();
  await using late = await openPage(browser, `${far()}/watch/demo`);
  await showsBadge(late.page, 'LINK DOWN');
  regions.heal();
  // Who was live is live again, and nobody stays behind by the length of the cut.
  await everyPage((page) => showsBadge(page, 'LIVE'));
  await everyPage((page) => playsOn(page, 3));
  const shown = (await Promise.all(badges.map((read) => read()))).flat();
  expect(shown).toContain('LINK DOWN');
  expect(shown).not.toContain('INTERRUPTED');
  expect(errorsOf()).toEqual([]);
});

test('the far region has its own streams while it is cut off, and they are seen in the near one after the heal', async () => {
  regions.cut();
  const client = controlClient(far(), regions.token);
  const { streamKey } = await client.create({ id: 'far-news', title: 'Far news' });
  await using own = publish(`${firstOf(regions.far).rtmp}/${streamKey}`, flashAndBeep(320, 180), x264(25, 2));
  await using page = await openPage(browser, `${far()}/watch/far-news`);
  await showsBadge(page.page, 'LIVE');
  regions.heal();
  await using near = await openPage(browser, `${firstOf(regions.near).url}/watch/far-news`);
  await showsBadge(near.page, 'LIVE');
  expect(own.output()).not.toContain('Error');
});
