/** The comments beside the player in a real Chromium, with an audience that the test scripts: what is shown of what comes and goes. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Browser, Page } from 'playwright-core';
import { startTestCluster, type TestCluster } from '../support/cluster/demo.ts';
import { launchChromium } from '../support/cluster/foreign-players.ts';
import { axeFindings, misfits, openPage, sizes, type OpenPage, type Size } from './page-checks.ts';
import { isAtEnd, movedPx, seen, tooSmall } from './panel-checks.ts';
import { commentOf, guestId, ScriptedAudience, type Script } from './scripted-audience.ts';

let cluster: TestCluster;
let browser: Browser;

beforeAll(async () => {
  cluster = await startTestCluster({ nodes: 1 });
  browser = await launchChromium();
});

afterAll(async () => {
  await browser?.close();
  await cluster?.[Symbol.asyncDispose]();
});

interface Watching extends OpenPage {
  readonly audience: ScriptedAudience;
}

async function watch(script: Script = {}, size?: Size, query = ''): Promise<Watching> {
  const audience = new ScriptedAudience(script);
  const opened = await openPage(browser, 'about:blank', size);
  await audience.stand(opened.page);
  await opened.page.goto(`${cluster.url}${size?.path ?? '/watch/'}demo${query}`);
  await opened.page.waitForSelector('.comments .composer', { state: 'attached' });
  return { ...opened, audience, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
}

const rows = (page: Page, text: string) => page.locator('.comment', { hasText: text });
const textsOf = (page: Page): Promise<readonly string[]> => page.locator('.comment .said').allTextContents();
const bannerOf = (page: Page, text: string): Promise<void> =>
  page.locator('.banner', { hasText: text }).waitFor();
const manyComments = (count: number) =>
  Array.from({ length: count }, (_, index) =>
    commentOf(`number ${index}`, {}, Date.now() - (count - index) * 1000),
  );

/** Writes as a guest; the first time the page asks for a name. */
async function say(page: Page, text: string, name?: string): Promise<void> {
  await page.fill('.composer textarea', text);
  if (name !== undefined) await page.fill('.who input', name);
  await page.press('.composer textarea', 'Enter');
}

describe("the viewer's own comments", () => {
  test('a guest is asked for a name once, inline, and is remembered', async () => {
    await using watching = await watch();
    const { page, audience } = watching;
    await page.fill('.composer textarea', 'Good evening');
    await page.press('.composer textarea', 'Enter');
    await page.locator('.notice', { hasText: 'name' }).waitFor();
    await page.keyboard.type('Ada');
    await page.keyboard.press('Enter');
    await rows(page, 'Good evening').waitFor();
    await page.reload();
    await rows(page, 'Good evening').waitFor();
    await say(page, 'It is me again');
    await rows(page, 'It is me again').waitFor();
    expect(audience.heard.flatMap((one) => (one.type === 'comment' ? [one.text] : []))).toEqual([
      'Good evening',
      'It is me again',
    ]);
  });

  test('one that is refused says why, and goes when it is tried again', async () => {
    await using watching = await watch();
    const { page, audience } = watching;
    audience.verdict = () => ({ kind: 'refused', code: 'TEXT_REFUSED' });
    await say(page, 'Rude', 'Ada');
    await page.locator('.progress', { hasText: 'not allowed here' }).waitFor();
    audience.verdict = () => ({ kind: 'accepted' });
    await page.locator('[data-action=retry]').click();
    await page.locator('.comment[data-own=accepted]').waitFor();
    audience.verdict = () => ({ kind: 'refused', code: 'BANNED' });
    await say(page, 'More of it');
    await page.locator('[data-action=discard]').click();
    await rows(page, 'More of it').waitFor({ state: 'detached' });
    expect(await textsOf(page)).toEqual(['Rude']);
  });

  test('what was not accepted is sent again by the page that comes back', async () => {
    await using watching = await watch();
    const { page, audience } = watching;
    audience.verdict = () => ({ kind: 'unanswered' });
    await say(page, 'Do not lose me', 'Ada');
    await page.locator('.comment[data-own=sending]').waitFor();
    audience.verdict = () => ({ kind: 'accepted' });
    await page.reload();
    await page.locator('.comment[data-own=accepted]', { hasText: 'Do not lose me' }).waitFor();
  });

  test('what was under way when one signed in as another is offered, and goes once it is tried again', async () => {
    await using watching = await watch();
    const { page, audience } = watching;
    audience.verdict = () => ({ kind: 'unanswered' });
    await say(page, 'Half said', 'Ada');
    await page.locator('.comment[data-own=sending]').waitFor();
    await signIn(page);
    await page.locator('.progress', { hasText: 'signed in anew' }).waitFor();
    audience.verdict = () => ({ kind: 'accepted' });
    await page.locator('[data-action=retry]').click();
    await page.locator('.comment[data-own=accepted]').waitFor();
    const ids = audience.heard.flatMap((one) => (one.type === 'comment' ? [one.clientId] : []));
    expect({ sent: ids.length, isAnew: new Set(ids).size === 2 }).toEqual({ sent: 2, isAnew: true });
    expect(await textsOf(page)).toEqual(['Half said']);
  });

  test('slow mode counts down on the button', async () => {
    await using watching = await watch({ mode: { mode: 'open', slowSeconds: 30 } });
    const { page } = watching;
    await bannerOf(page, 'one comment every 30 s');
    await say(page, 'First', 'Ada');
    await page.locator('.send', { hasText: /^Wait \d+ s$/ }).waitFor();
    await say(page, 'Second');
    expect(await textsOf(page)).toEqual(['First']);
  });

  test('without a socket comments are read and sent by HTTP', async () => {
    await using watching = await watch({ hasSocket: false, comments: [commentOf('From before')] });
    const { page, audience } = watching;
    await rows(page, 'From before').waitFor();
    await say(page, 'By the other way', 'Ada');
    await page.locator('.comment[data-own=accepted]').waitFor();
    audience.comments.push(commentOf('Heard by asking'));
    await rows(page, 'Heard by asking').waitFor();
  });

  test('a browser that refuses storage comments all the same', async () => {
    await using opened = await openPage(browser, 'about:blank');
    const { page, errors } = opened;
    await page.addInitScript(() => {
      const refuse = {
        get: () => {
          throw new DOMException('refused', 'SecurityError');
        },
      };
      Object.defineProperty(window, 'localStorage', refuse);
      Object.defineProperty(window, 'indexedDB', refuse);
    });
    await new ScriptedAudience().stand(page);
    await page.goto(`${cluster.url}/watch/demo`);
    await say(page, 'Nothing is kept', 'Ada');
    await page.locator('.comment[data-own=accepted]').waitFor();
    expect(errors).toEqual([]);
  });
});

describe('the list', () => {
  test('stays at the bottom, and away from it says how many are new', async () => {
    await using watching = await watch({ comments: manyComments(100) });
    const { page, audience } = watching;
    await rows(page, 'number 99').waitFor();
    audience.publish(commentOf('at the end'));
    await page.waitForFunction(isAtEnd);
    await rows(page, 'at the end').waitFor();
    await page.locator('.scroller').hover();
    await page.mouse.wheel(0, -900);
    await page.locator('.pill', { hasText: 'Newest' }).waitFor();
    const before = await seen(page);
    audience.publish(commentOf('one'), commentOf('two'));
    await page.locator('.pill', { hasText: '2 new' }).waitFor();
    expect({ movedPx: movedPx(before, await seen(page)) }).toEqual({ movedPx: 0 });
    await page.locator('.pill').click();
    await rows(page, 'two').waitFor();
    await page.waitForFunction(isAtEnd);
    expect(await page.locator('.pill').isVisible()).toBe(false);
  });

  test('reads older ones as one scrolls up, and what is seen does not jump', async () => {
    await using watching = await watch({ comments: manyComments(1000) });
    const { page } = watching;
    await rows(page, 'number 999').waitFor();
    await page.locator('.scroller').hover();
    const tops: number[] = [];
    const numbers = new Set<number>();
    for (let turn = 0; turn < 400 && !numbers.has(0); turn += 1) {
      if (turn > 0) await page.mouse.wheel(0, -600);
      await page.evaluate(
        () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
      );
      const shown = (await seen(page)).map(({ text }) => Number(text.slice(7)));
      tops.push(shown[0] ?? Number.NaN);
      for (const number of shown) numbers.add(number);
    }
    // A turn goes up by at most 600 px, which are 12 rows and a bit.
    const jumps = tops.filter((top, index) => Math.abs((tops[index - 1] ?? top) - top) > 14);
    expect({ seen: numbers.size, jumps }).toEqual({ seen: 1000, jumps: [] });
  });

  // Goal: no hole that nobody can see. Method: the page misses 150, more than one page of the API, and is told with the next comment.
  test('after a gap what was missed is read, all of it, as one scrolls up', async () => {
    await using watching = await watch({ comments: manyComments(3) });
    const { page, audience } = watching;
    await rows(page, 'number 2').waitFor();
    const nowMs = Date.now();
    const missed = Array.from({ length: 150 }, (_, i) => commentOf(`missed ${i}`, {}, nowMs - 150 + i));
    const next = commentOf('after the gap');
    audience.comments.push(...missed, next);
    const times = { from: missed[0]?.createdAt, to: next.createdAt };
    audience.say({ type: 'gap', ...times }, { type: 'comment', comment: next });
    await rows(page, 'missed 149').waitFor();
    for (let turn = 0; turn < 40 && (await rows(page, 'missed 0').count()) === 0; turn += 1) {
      await page.locator('.scroller').evaluate((scroller) => scroller.scrollTo(0, 0));
      await page.evaluate(
        () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
      );
    }
    expect({ isRead: (await rows(page, 'missed 0').count()) === 1 }).toEqual({ isRead: true });
  });

  test('has elements for what is seen alone, with 10,000 comments', async () => {
    await using watching = await watch({ comments: manyComments(10_000) });
    const { page } = watching;
    await rows(page, 'number 9999').waitFor();
    await page.waitForFunction(() => {
      document.querySelector('.scroller')?.scrollTo({ top: 0 });
      return document.querySelector('.comment')?.getAttribute('aria-setsize') === '10000';
    });
    expect(await page.locator('.comment').count()).toBeLessThan(60);
  });

  test('shows a sample of a flood, and in it always staff and the viewer', async () => {
    await using watching = await watch();
    const { page, audience } = watching;
    await say(page, 'Before the flood', 'Ada');
    await page.locator('.comment[data-own=accepted]').waitFor();
    const staff = { author: { id: 'a-1', name: 'Host', isStaff: true } };
    audience.publish(
      ...Array.from({ length: 100 }, (_, index) => commentOf(`drop ${index}`, index === 99 ? staff : {})),
    );
    await bannerOf(page, 'left out');
    await rows(page, 'drop 99').waitFor();
    expect((await textsOf(page)).length).toBeLessThanOrEqual(23);
  });

  test('tells screen readers one sentence of many comments', async () => {
    await using watching = await watch();
    const { page, audience } = watching;
    audience.publish(commentOf('one'), commentOf('two'), commentOf('three'));
    await page
      .locator('[aria-live=polite]', { hasText: '3 new comments. The last one, Somebody: three' })
      .waitFor({ state: 'attached' });
  });

  test('shows what anybody writes as text', async () => {
    const markup = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
    await using watching = await watch({
      comments: [commentOf(markup, { author: { id: 'g-x', name: '<b>Eve</b>' } })],
    });
    const { page } = watching;
    await page.locator('.comment').waitFor();
    expect(await textsOf(page)).toEqual([markup]);
    expect(await page.locator('.comment .name').textContent()).toBe('<b>Eve</b>');
    expect(await page.locator('.comment img, .comment a').count()).toBe(0);
  });
});

describe('moderation', () => {
  test('a hidden comment vanishes for all, and is marked for moderators, who can show it again', async () => {
    await using watching = await watch({ comments: [commentOf('Fine'), commentOf('Not so fine')] });
    const { page } = watching;
    await signIn(page);
    await rows(page, 'Not so fine').hover();
    await rows(page, 'Not so fine').locator('[data-action=hide]').click();
    await page.locator('.comment.hidden-one .tag', { hasText: 'Hidden' }).waitFor();
    await using other = await openPage(browser, 'about:blank');
    await watching.audience.stand(other.page);
    await other.page.goto(`${cluster.url}/watch/demo`);
    await rows(other.page, 'Fine').waitFor();
    expect(await textsOf(other.page)).toEqual(['Fine']);
    await rows(page, 'Not so fine').hover();
    await rows(page, 'Not so fine').locator('[data-action=restore]').click();
    await page.locator('.comment.hidden-one').waitFor({ state: 'detached' });
    await rows(other.page, 'Not so fine').waitFor();
  });

  test("one's own can be hidden, and that undone", async () => {
    await using watching = await watch();
    const { page } = watching;
    await say(page, 'Oops', 'Ada');
    await page.locator('.comment[data-own=accepted]').hover();
    await page.locator('[data-action=hide]').click();
    await rows(page, 'Oops').waitFor({ state: 'detached' });
    await page.locator('.toast .link', { hasText: 'Undo' }).click();
    await rows(page, 'Oops').waitFor();
  });

  test('a moderator switches comments off, and everybody is told in words', async () => {
    await using watching = await watch();
    const { page, audience } = watching;
    await using other = await openPage(browser, 'about:blank');
    await audience.stand(other.page);
    await other.page.goto(`${cluster.url}/watch/demo`);
    await other.page.locator('.send').waitFor();
    await signIn(page);
    await page.locator('.account').click();
    await page.locator('[aria-label="Who may comment"]').selectOption('Nobody');
    await other.page.locator('.closed', { hasText: 'switched off' }).waitFor();
    expect(await other.page.locator('.composer textarea').isVisible()).toBe(false);
    await page.locator('[aria-label="Who may comment"]').selectOption('Accounts only');
    await other.page.locator('.closed', { hasText: 'Sign in to comment' }).waitFor();
  });
});

async function signIn(page: Page): Promise<void> {
  await page.locator('.account').click();
  await page.fill('#comments-account input', 'token');
  await page.keyboard.press('Enter');
  await page.locator('.account', { hasText: 'Moderator' }).waitFor();
}

describe('everybody', () => {
  test('can do all of it with the keyboard, and the player does not take the keys', async () => {
    await using watching = await watch({
      comments: [...manyComments(5), commentOf('Mine of old', { author: { id: guestId, name: 'Ada' } })],
    });
    const { page, errors } = watching;
    const volume = () =>
      page.evaluate(() => ({
        volume: document.querySelector('video')?.volume,
        isMuted: document.querySelector('video')?.muted,
      }));
    const before = await volume();
    await page.locator('.composer textarea').focus();
    await page.keyboard.type('kmf l');
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.type('second line');
    expect(await page.locator('.composer textarea').inputValue()).toBe('kmf l\nsecond line');
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.type('Ada');
    await page.keyboard.press('Enter');
    await page.locator('.comment[data-own=accepted]').waitFor();
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('ArrowUp');
    await page.waitForFunction(
      () => document.activeElement?.querySelector('.said')?.textContent === 'Mine of old',
    );
    for (const _action of ['Answer', 'Like', 'Hide']) await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await rows(page, 'Mine of old').waitFor({ state: 'detached' });
    expect(await page.evaluate(() => document.activeElement?.classList.contains('comment'))).toBe(true);
    expect({ ...(await volume()), errors }).toEqual({ ...before, errors: [] });
  });

  test('finds nothing too small, too wide or cut off, at every size, and axe finds nothing', async () => {
    for (const size of sizes) {
      const query = size.path === '/embed/' ? '?comments' : '';
      const comments = [
        ...manyComments(30),
        commentOf('Llanfair'.repeat(40)),
        commentOf('مرحبا بالجميع'),
        commentOf('👏'),
      ];
      await using watching = await watch({ comments }, size, query);
      const { page, errors } = watching;
      await rows(page, 'مرحبا').waitFor({ state: 'attached' });
      expect({ size: size.name, found: await misfits(page) }).toEqual({ size: size.name, found: [] });
      if (query !== '') await page.locator('.comments-toggle').click();
      await say(page, 'x'.repeat(600));
      const found = {
        errors,
        small: await tooSmall(page, size.isTouch ? 43.5 : 23.5),
        axe: await axeFindings(page),
      };
      expect({ size: size.name, ...found }).toEqual({ size: size.name, errors: [], small: [], axe: [] });
      await page.locator('.account').click();
      expect({ size: size.name, axe: await axeFindings(page) }).toEqual({ size: size.name, axe: [] });
    }
  });
});
