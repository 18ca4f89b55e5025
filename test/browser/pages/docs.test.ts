/** The API for people, in Chromium, under the site's own policy, from its own origin, on a desk and on a phone; and pages whose scripts do not run, or whose stream does not exist. */
import { resolve } from 'node:path';
import { chromium } from 'playwright-core';
import { expect, test } from 'vitest';
import { loadSite } from '../../../actors/edge-delivery/site/site.disk.ts';
import { allRoutes } from '../../../actors/edge-delivery/edge.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { startTestEdge } from '../../support/ports/test-edge.ts';

const executablePath = resolve(import.meta.dirname, '../../../.toolchain/bin/chromium');

test('/docs shows every operation, asks no other host, breaks no policy, and fits a phone', async () => {
  await using edge = await startTestEdge({ loadSite: (signal) => loadSite(systemClock, signal) });
  await using browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  for (const viewport of [
    { width: 1440, height: 900 },
    { width: 390, height: 844 },
  ]) {
    const page = await browser.newPage({ viewport });
    const faults: string[] = [];
    const hosts = new Set<string>();
    page.on('console', (message) => void (message.type() === 'error' && faults.push(message.text())));
    page.on('pageerror', (error) => void faults.push(error.message));
    page.on('request', (request) => void hosts.add(new URL(request.url()).origin));
    await page.goto(`${edge.url}/docs`);
    await page
      .locator('.opblock')
      .nth(allRoutes.length - 1)
      .waitFor();
    expect(await page.locator('.opblock').count()).toBe(allRoutes.length);
    await page.locator('#operations-streams-listStreams .opblock-summary-control').click();
    await page.getByText('Evening news').first().waitFor();
    const isWide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    expect({ faults, hosts: [...hosts], isWide }).toEqual({ faults: [], hosts: [edge.url], isWide: false });
  }
  const posted = await fetch(`${edge.url}/docs`, { method: 'POST' });
  expect({ status: posted.status, allow: posted.headers.get('allow') }).toEqual({
    status: 405,
    allow: 'GET, HEAD, OPTIONS',
  });
});

// Goal: nobody looks at a page that waits for ever. Method: each page is opened without JavaScript, and with it; the words are hidden, shown and removed by
// the same few lines of all of them. One is opened in a browser that gets none of its scripts, whose animations run a hundred times as fast.
test('a page whose scripts do not run says so, and a page whose scripts do does not', async () => {
  await using edge = await startTestEdge({ loadSite: (signal) => loadSite(systemClock, signal) });
  await using browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  const words = 'The scripts of this page have not been loaded.';
  for (const path of ['/', '/ops', '/docs', '/watch/demo', '/embed/demo']) {
    await using off = await browser.newPage({ javaScriptEnabled: false });
    await off.goto(edge.url + path);
    await off.getByText(words).waitFor();
    await using well = await browser.newPage();
    await well.goto(edge.url + path);
    await well.getByText(words).waitFor({ state: 'detached' });
  }
  await using lost = await browser.newPage();
  await lost.route(/\.js$/, (route) => route.abort());
  await lost.goto(`${edge.url}/watch/demo`);
  expect(await lost.getByText(words).isVisible()).toBe(false);
  const session = await lost.context().newCDPSession(lost);
  await session.send('Animation.enable');
  await session.send('Animation.setPlaybackRate', { playbackRate: 100 });
  await lost.getByText(words).waitFor();
});

// Goal: an operator is told the true fault alone. Method: the tab has a token, the page comes, and no call of the API does.
test('the operator page of a cluster that does not answer says that, and nothing of its scripts', async () => {
  await using edge = await startTestEdge({ loadSite: (signal) => loadSite(systemClock, signal) });
  await using browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  await using page = await browser.newPage();
  await page.addInitScript(() => sessionStorage.setItem('tangaza-operator-token', 'a-token'));
  await page.route('**/v1/**', (route) => route.abort());
  await page.goto(`${edge.url}/ops`);
  await page.locator('#notice').waitFor({ state: 'visible' });
  const words = 'The scripts of this page have not been loaded.';
  expect({ ofScripts: await page.getByText(words).count() }).toEqual({ ofScripts: 0 });
});

// As it once was: where no comments are beside the picture, it is narrower than the page, and its title stood left of it.
test('the title and the buttons of a watch page stand below its picture, and stick out of it on no side', async () => {
  await using edge = await startTestEdge({ loadSite: (signal) => loadSite(systemClock, signal) });
  await using browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  for (const [name, headline] of [
    ['nosuch', 'There is no such broadcast'],
    ['demo', 'The broadcast has not begun'],
  ] as const) {
    await using page = await browser.newPage();
    await page.goto(`${edge.url}/watch/${name}`);
    await page.locator('.words .headline', { hasText: headline }).waitFor();
    for (const size of ['1366x768', '1920x1080', '1920x700', '820x1180', '390x844', '844x390']) {
      const [width = 0, height = 0] = size.split('x').map(Number);
      await page.setViewportSize({ width, height });
      const sides = await page.evaluate(() =>
        ['.stage', '.below'].map((part) => {
          const { left, right } = document.querySelector(part)?.getBoundingClientRect() ?? {};
          return { left, right };
        }),
      );
      expect({ name, size, ofTitle: sides[1] }).toEqual({ name, size, ofTitle: sides[0] });
    }
  }
});
