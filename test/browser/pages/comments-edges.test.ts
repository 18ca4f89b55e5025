/** Viewers on edges of two nodes, in a real Chromium on a real cluster: what one says and does, the other sees. */
import { createServer } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Browser } from 'playwright-core';
import { startTestCluster, type TestCluster } from '../../support/cluster/demo.ts';
import { launchChromium } from '../../support/cluster/foreign-players.ts';
import { axeFindings, openPage, sizes, type OpenPage } from '../page-checks.ts';
import { rows, say, signIn } from '../panel-acts.ts';

let cluster: TestCluster;
let browser: Browser;

beforeAll(async () => {
  cluster = await startTestCluster({ nodes: 2 });
  browser = await launchChromium();
});

afterAll(async () => {
  await browser?.close();
  await cluster?.[Symbol.asyncDispose]();
});

async function watch(node: number, size = sizes[0]): Promise<OpenPage> {
  const opened = await openPage(browser, `${cluster.nodes[node]?.url}/watch/demo`, size);
  await opened.page.locator('.send').waitFor();
  return opened;
}

test('what one says the other sees, and answers, without a reload', async () => {
  await using one = await watch(0);
  await using two = await watch(1, sizes[2]);
  await say(one.page, 'Hello from the first node', 'Ada');
  await rows(two.page, 'Hello from the first node').waitFor();
  await say(two.page, 'Hello back', 'Bo');
  await rows(one.page, 'Hello back').waitFor();
  await one.page.locator('.comment[data-own=accepted]').waitFor();
  expect({ one: one.errors, two: two.errors }).toEqual({ one: [], two: [] });
});

test('what a moderator hides at one edge vanishes at the other, and comes back', async () => {
  await using one = await watch(0);
  await using two = await watch(1);
  await say(one.page, 'To be hidden', 'Ada');
  await rows(two.page, 'To be hidden').waitFor();
  await signIn(two.page, cluster.token);
  await rows(two.page, 'To be hidden').hover();
  await rows(two.page, 'To be hidden').locator('[data-action=hide]').click();
  await rows(one.page, 'To be hidden').waitFor({ state: 'detached' });
  await rows(two.page, 'To be hidden').hover();
  await rows(two.page, 'To be hidden').locator('[data-action=restore]').click();
  await rows(one.page, 'To be hidden').waitFor();
});

test('an answer and a like at one edge reach the other, folded below their comment', async () => {
  await using one = await watch(0);
  await using two = await watch(1);
  await say(one.page, 'A question', 'Ada');
  await rows(two.page, 'A question').hover();
  await rows(two.page, 'A question').locator('[data-action=reply]').click();
  await say(two.page, 'An answer', 'Bo');
  await rows(one.page, 'A question').locator('.fold', { hasText: '1 answer' }).click();
  await one.page.locator('.comment.reply', { hasText: 'An answer' }).waitFor();
  await rows(two.page, 'A question').hover();
  await rows(two.page, 'A question').locator('[data-action=like]').click();
  await rows(one.page, 'A question').locator('.likes', { hasText: '1' }).waitFor();
  await two.page.reload();
  await rows(two.page, 'A question').hover();
  await rows(two.page, 'A question').locator('[data-action=unlike]').click();
  await rows(one.page, 'A question').locator('.likes').waitFor({ state: 'hidden' });
  expect(await axeFindings(one.page)).toEqual([]);
});

test('a reaction at one edge floats over the picture at the other, and both know how many are there', async () => {
  await using one = await watch(0);
  await using two = await watch(1);
  await one.page.locator('.viewers', { hasText: '2 here' }).waitFor();
  await one.page.locator('.reactions [data-kind=fire]').click();
  await two.page.locator('.sky .float').first().waitFor({ state: 'attached' });
  await two.page.locator('.reactions [data-kind=fire] .count', { hasText: '1' }).waitFor();
  expect(await axeFindings(two.page)).toEqual([]);
});

test('a moderator closes the comments at one edge, and the other says so', async () => {
  await using one = await watch(0);
  await using two = await watch(1);
  await signIn(two.page, cluster.token);
  await two.page.locator('.account').click();
  await two.page.locator('[aria-label="Who may comment"]').selectOption('Nobody');
  await one.page.locator('.closed', { hasText: 'switched off' }).waitFor();
  await two.page.locator('[aria-label="Who may comment"]').selectOption('Everybody');
  await one.page.locator('.composer textarea').waitFor();
});

test('a moderator bans who wrote a comment, with what they wrote; the banned are told so, and it can be undone', async () => {
  await using one = await watch(0);
  await using two = await watch(1);
  await say(one.page, 'Spam, spam', 'Eve');
  await rows(two.page, 'Spam, spam').waitFor();
  await signIn(two.page, cluster.token);
  await rows(two.page, 'Spam, spam').hover();
  await rows(two.page, 'Spam, spam').locator('[data-action=ban]').click();
  await two.page.locator('.ban input[type=checkbox]').check();
  await two.page.locator('.ban button[type=submit]').click();
  await rows(one.page, 'Spam, spam').waitFor({ state: 'detached' });
  await say(one.page, 'More spam');
  await one.page.locator('.progress', { hasText: 'You may not comment here' }).waitFor();
  await two.page.locator('.toast .link', { hasText: 'Undo' }).click();
  await one.page.locator('[data-action=retry]').click();
  await rows(two.page, 'More spam').waitFor();
});

test('what was reported is on the list of moderators, who hide it there', async () => {
  await using one = await watch(0);
  await using two = await watch(1);
  await say(one.page, 'Something odd', 'Ada');
  await say(two.page, 'I am here, too', 'Bo');
  await rows(two.page, 'Something odd').hover();
  await rows(two.page, 'Something odd').locator('[data-action=report]').click();
  await two.page.locator('.toast', { hasText: 'moderators will see it' }).waitFor();
  await signIn(two.page, cluster.token);
  await two.page.locator('.account').click();
  await two.page.locator('.queues button', { hasText: 'Reported' }).click();
  await two.page.locator('.queue-bar', { hasText: 'They were reported' }).waitFor();
  await rows(two.page, 'Something odd').locator('.tag', { hasText: '1 report' }).waitFor();
  expect(await axeFindings(two.page)).toEqual([]);
  await rows(two.page, 'Something odd').hover();
  await rows(two.page, 'Something odd').locator('[data-action=hide]').click();
  await rows(one.page, 'Something odd').waitFor({ state: 'detached' });
  await two.page.locator('.queue-bar .link').click();
  await rows(two.page, 'I am here, too').waitFor();
});

test('a frame in a page of another origin shows the comments', async () => {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(`<!doctype html><title>Foreign</title><body style="margin:0">
      <iframe title="Player" src="${cluster.url}/embed/demo?comments" width="900" height="480" allow="autoplay; fullscreen"></iframe>`);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  try {
    await using foreign = await openPage(browser, `http://localhost:${port}/`);
    await using one = await watch(1);
    await say(one.page, 'Into the frame', 'Ada');
    const frame = foreign.page.frameLocator('iframe');
    await frame.locator('.comment', { hasText: 'Into the frame' }).waitFor();
    await frame.locator('.composer textarea').fill('Out of the frame');
    await frame.locator('.who input').fill('Fay');
    await frame.locator('.composer textarea').press('Enter');
    await rows(one.page, 'Out of the frame').waitFor();
    expect(await axeFindings(one.page)).toEqual([]);
  } finally {
    server.close();
    server.closeAllConnections();
  }
});
