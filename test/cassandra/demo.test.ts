/**
 * The demo with `--comments cassandra`: first one region, then two on the same folder, each with a nats-server and a data centre of its own. What
 * is said in one is heard and read in the other, also while a data centre is dead. The parts share one demo; the one that kills comes last.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chromium, type Browser, type Page } from 'playwright-core';
import { z } from 'zod';
import { openCassandraCommentStore } from '../../actors/comments/store/comment-store.cassandra.ts';
import { StreamId } from '../../cluster/model/ids.ts';
import { systemClock } from '../../cluster/time/clock.system.ts';
import { startDemoCluster, type DemoCluster } from '../../scripts/demo/demo-cluster.ts';
import { clientIdAt } from '../../scripts/audience/client-id.ts';
import type { DemoRegion } from '../../scripts/demo/site.ts';
import { welcomedPage, type PageSocket } from '../support/audience/page-socket.ts';
import { openTestDatabase } from '../support/cassandra/two-data-centres.ts';
import { patience } from '../support/cluster/demo.ts';
import { waitFor } from '../support/wait.ts';

const Guest = z.object({ token: z.string(), user: z.object({ id: z.string() }) });
const Comment = z.object({ id: z.string() });
const Texts = z.object({ items: z.array(z.object({ text: z.string() })) });
const minuteMs = 60_000;
const executablePath = join(import.meta.dirname, '../../.toolchain/bin/chromium');
const healed = { withinMs: 2 * minuteMs, everyMs: 300 };

let dataDir = '';
let cluster: DemoCluster | undefined;
/** What was said when there was one region. */
const before = 'said in one region';

const startDemo = (regions: number, nodes: number): Promise<DemoCluster> =>
  startDemoCluster({
    regions,
    nodes,
    hasPublisher: false,
    store: 'disk',
    comments: 'cassandra',
    portBase: 0,
    rtmpBase: 0,
    dataDir,
    readyWithinMs: 2 * minuteMs,
    ...patience,
  });

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'tangaza-demo-'));
  {
    await using one = await startDemo(1, 2);
    const [here, there] = one.nodes.map(({ url }) => url);
    const ada = await guestAt(here, 'Ada');
    await post(here, ada.token, before);
    await ask('POST', `${here}/v1/streams`, one.token, { id: 'second', title: 'Second' });
    await waitFor('it is read at the other node', () => textsAt(there), isEqualTo([before]));
  }
  cluster = await startDemo(2, 2);
}, 6 * minuteMs);

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
  await rm(dataDir, { recursive: true, force: true });
}, 2 * minuteMs);

/** The two regions, with the URLs of their first and their second nodes. */
function regions() {
  const [first, second] = (cluster?.regions ?? []).map(sideOf);
  if (cluster === undefined || first === undefined || second === undefined) throw new Error('two regions');
  return { first, second, token: cluster.token };
}

function sideOf({ nodes, dataCentre }: DemoRegion) {
  const [url = '', otherUrl = ''] = nodes.map((node) => node.url);
  if (dataCentre === undefined) throw new Error('each region has a data centre');
  return { url, otherUrl, dataCentre };
}

async function ask(method: string, url: string, token: string, body?: object): Promise<unknown> {
  const response = await fetch(url, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

const guestAt = async (url = '', name = '') =>
  Guest.parse(await ask('POST', `${url}/v1/guests`, '', { name }));

const newId = (): string => clientIdAt(Date.now(), randomBytes(10));

/** @returns the id of the comment */
async function post(url = '', token = '', text = '', parentId?: string): Promise<string> {
  const sent = { text, clientId: newId(), ...(parentId !== undefined && { parentId }) };
  return Comment.parse(await ask('POST', `${url}/v1/streams/demo/comments`, token, sent)).id;
}

/** The newest first, as a page reads them. */
async function textsAt(url = ''): Promise<readonly string[]> {
  const page = Texts.parse(await ask('GET', `${url}/v1/streams/demo/comments?limit=100`, ''));
  return page.items.map(({ text }) => text);
}

async function windowAt(browser: Browser, url: string) {
  const page = await (await browser.newContext()).newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  await page.goto(`${url}/watch/demo`);
  await page.locator('.send').waitFor();
  return { page, errors };
}

/** What a data centre has by itself, the newest first. */
async function textsIn(name: string, point: string): Promise<readonly string[]> {
  const dataCentres = [{ name, contactPoints: [point] }];
  const settings = { dataCentres, keyspace: 'tangaza', replication: 1, user: undefined, password: undefined };
  const database = openTestDatabase(settings);
  try {
    const store = openCassandraCommentStore(database, systemClock);
    const rows = await store.newest(StreamId.parse('demo'), 100);
    return rows.filter(({ hidden }) => hidden === undefined).map(({ text }) => text);
  } finally {
    await database.close();
  }
}

const isEqualTo =
  (wanted: readonly string[]) =>
  (texts: readonly string[]): boolean =>
    texts.join('\n') === wanted.join('\n');

const hears = (what: string, page: PageSocket, isIt: (message: PageSocket['heard'][number]) => boolean) =>
  waitFor(
    what,
    () => page.heard.some(isIt),
    (is) => is,
  );

const hearsComment = (page: PageSocket, id: string) =>
  hears(`comment ${id}`, page, (one) => one.type === 'comment' && one.comment.id === id);

const hearsReplicated = (page: PageSocket, id: string) =>
  hears(
    `region 2 has ${id}`,
    page,
    (one) => one.type === 'ack' && one.state === 'replicated' && one.id === id,
  );

const hearsHidden = (page: PageSocket, id: string) =>
  hears(
    `${id} is hidden`,
    page,
    (one) => one.type === 'commentUpdated' && one.comment.id === id && one.comment.hidden,
  );

const hearsCounts = (page: PageSocket, id: string, wanted: { likes: number; replies: number }) =>
  hears(
    `the numbers of ${id}`,
    page,
    (one) =>
      one.type === 'counts' &&
      one.counts.some((of) => of.id === id && of.likes === wanted.likes && of.replies === wanted.replies),
  );

test('a folder of one region becomes one of two: both have its streams and its comments', async () => {
  const { first, second, token } = regions();
  for (const url of [first.url, second.url, second.otherUrl]) {
    expect(await textsAt(url)).toEqual([before]);
    expect(await ask('GET', `${url}/v1/streams/second`, token)).toMatchObject({ title: 'Second' });
  }
});

// Goal: an audience of two regions is one. Method: pages at both nodes of region 2, of which one reads for both, and at one of region 1. What a
// guest of one region and an operator say and do is heard by the pages of the other, both ways.
test('comments, answers, likes, hides and bans of one region are heard at the sockets of the other', async () => {
  const { first, second, token } = regions();
  const [ada, bea] = [await guestAt(first.url, 'Ada'), await guestAt(second.url, 'Bea')];
  await using here = await welcomedPage(first.url, { hello: { token: ada.token } });
  await using there = await welcomedPage(second.url, { hello: { token: bea.token } });
  await using besides = await welcomedPage(second.otherUrl);
  await using elsewhere = await welcomedPage(first.otherUrl, { hello: { token: ada.token } });

  const question = await post(first.url, ada.token, 'a question of region 1');
  for (const page of [there, besides]) await hearsComment(page, question);
  for (const page of [here, elsewhere]) await hearsReplicated(page, question);
  const answer = await post(second.url, bea.token, 'an answer of region 2', question);
  await hearsComment(here, answer);
  await hearsCounts(here, question, { likes: 0, replies: 1 });
  await ask('PUT', `${second.otherUrl}/v1/comments/${question}/like`, bea.token);
  for (const page of [here, there, besides]) await hearsCounts(page, question, { likes: 1, replies: 1 });

  await ask('DELETE', `${second.url}/v1/comments/${answer}`, token);
  await hearsHidden(here, answer);
  await hearsCounts(here, question, { likes: 1, replies: 0 });
  const ban = `/v1/streams/demo/bans/${ada.user.id}`;
  await ask('PUT', second.url + ban, token, { purge: true, reason: 'a test' });
  await hearsHidden(here, question);
  const isBanned = () => post(first.url, ada.token, 'banned').then(() => '', String);
  await waitFor('she is banned in region 1', isBanned, (answered) => answered.includes('BANNED'));
  await ask('DELETE', first.url + ban, token);
});

test('two windows of Chromium, one in each region, show each other what is said and what is hidden', async () => {
  const { first, second, token } = regions();
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
  try {
    const here = await windowAt(browser, first.url);
    const there = await windowAt(browser, second.url);
    const row = (page: Page, text: string) => page.locator('.comment', { hasText: text });
    await here.page.fill('.composer textarea', 'From a window of region 1');
    await here.page.fill('.who input', 'Ada');
    await here.page.press('.composer textarea', 'Enter');
    await row(there.page, 'From a window of region 1').waitFor();
    await row(there.page, 'From a window of region 1').hover();
    await row(there.page, 'From a window of region 1').locator('[data-action=like]').click();
    await there.page.locator('.account').click();
    await there.page.fill('#comments-account input', token);
    await there.page.keyboard.press('Enter');
    await there.page.locator('#comments-account').waitFor({ state: 'hidden' });
    await row(there.page, 'From a window of region 1').hover();
    await row(there.page, 'From a window of region 1').locator('[data-action=hide]').click();
    await row(here.page, 'From a window of region 1').waitFor({ state: 'detached' });
    expect({ here: here.errors, there: there.errors }).toEqual({ here: [], there: [] });
  } finally {
    await browser.close();
  }
});

// Goal: a data centre that dies costs nobody a comment, and when it is back both hold the same. Method: region 2's is killed, and starts again
// by itself; meanwhile both regions comment, and hear each other.
test('one data centre killed: both regions go on and hear each other; back again, both hold all in one order', async () => {
  const { first, second } = regions();
  const [ada, bea] = [await guestAt(first.url, 'Ada'), await guestAt(second.url, 'Bea')];
  await using here = await welcomedPage(first.url);
  await using there = await welcomedPage(second.url);
  const { dataCentre } = second;
  await dataCentre.process.kill('SIGKILL');
  const said: string[] = [];
  for (let number = 1; number <= 5; number += 1) {
    const [mine, yours] = [`region 1, ${number}`, `region 2, ${number}`];
    for (const [url, token, text] of [
      [first.url, ada.token, mine],
      [second.url, bea.token, yours],
    ] as const) {
      const id = await waitFor(
        `"${text}" is taken`,
        () => post(url, token, text),
        () => true,
        healed,
      );
      said.push(text);
      for (const page of [here, there]) await hearsComment(page, id);
    }
  }
  dataCentre.process.start();
  const held = await waitFor(
    'the data centre that was dead has all',
    () => textsIn('region-2', dataCentre.point),
    (texts) => said.every((text) => texts.includes(text)),
    healed,
  );
  const last = await waitFor(
    'one more is taken',
    () => post(second.url, bea.token, 'back'),
    () => true,
    healed,
  );
  await hearsComment(here, last);
  expect(held.slice(0, 10)).toEqual(said.toReversed());
  for (const url of [first.url, second.url])
    expect((await textsAt(url)).slice(0, 11)).toEqual(['back', ...said.toReversed()]);
});
