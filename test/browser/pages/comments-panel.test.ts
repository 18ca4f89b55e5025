/** The list of comments beside the player in a real Chromium: what is shown of what comes and goes, to everybody and at every size. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { axeFindings, misfits, sizes } from '../page-checks.ts';
import { bannerOf, isFoundAbove, rows, say, textsOf } from '../panel-acts.ts';
import { isAtEnd, movedPx, seen, tooSmall } from '../panel-checks.ts';
import { commentOf, guestId } from './scripted-audience.ts';
import { manyComments, ScriptedPanel } from './scripted-panel.ts';

let panel: ScriptedPanel;

beforeAll(async () => {
  panel = await ScriptedPanel.start();
});

afterAll(() => panel?.[Symbol.asyncDispose]());

describe('the list', () => {
  test('stays at the bottom, and away from it says how many are new', async () => {
    await using watching = await panel.watch({ comments: manyComments(100) });
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
    await using watching = await panel.watch({ comments: manyComments(1000) });
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
    await using watching = await panel.watch({ comments: manyComments(3) });
    const { page, audience } = watching;
    await rows(page, 'number 2').waitFor();
    const nowMs = Date.now();
    const missed = Array.from({ length: 150 }, (_, i) => commentOf(`missed ${i}`, {}, nowMs - 150 + i));
    const next = commentOf('after the gap');
    audience.comments.push(...missed, next);
    const times = { from: missed[0]?.createdAt, to: next.createdAt };
    audience.say({ type: 'gap', ...times }, { type: 'comment', comment: next });
    await rows(page, 'missed 149').waitFor();
    expect(await isFoundAbove(page, 'missed 0')).toBe(true);
  });

  // Goal: no hole where two regions meet again. Method: 150 of another region arrive all at once, and are older than the page's newest one.
  test('what another region said in the middle of what the page has is read as one scrolls up', async () => {
    await using watching = await panel.watch({ comments: manyComments(3) });
    const { page, audience } = watching;
    await rows(page, 'number 2').waitFor();
    const nowMs = Date.now();
    const missed = Array.from({ length: 150 }, (_, i) => commentOf(`far ${i}`, {}, nowMs - 900 + i));
    const newest = commentOf('said here', {}, nowMs);
    audience.publish(newest);
    await rows(page, 'said here').waitFor();
    audience.comments.splice(3, 0, ...missed);
    const from = new Date(nowMs - 120_000).toISOString();
    audience.say({ type: 'gap', from, to: newest.createdAt });
    await rows(page, 'far 149').waitFor();
    expect(await isFoundAbove(page, 'far 0')).toBe(true);
  });

  test('has elements for what is seen alone, with 10,000 comments', async () => {
    await using watching = await panel.watch({ comments: manyComments(10_000) });
    const { page } = watching;
    await rows(page, 'number 9999').waitFor();
    await page.waitForFunction(() => {
      document.querySelector('.scroller')?.scrollTo({ top: 0 });
      return document.querySelector('.comment')?.getAttribute('aria-setsize') === '10000';
    });
    expect(await page.locator('.comment').count()).toBeLessThan(60);
  });

  test('shows a sample of a flood, and in it always staff and the viewer', async () => {
    await using watching = await panel.watch();
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
    await using watching = await panel.watch();
    const { page, audience } = watching;
    audience.publish(commentOf('one'), commentOf('two'), commentOf('three'));
    await page
      .locator('[aria-live=polite]', { hasText: '3 new comments. The last one, Somebody: three' })
      .waitFor({ state: 'attached' });
  });

  test('shows what anybody writes as text', async () => {
    const markup = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
    await using watching = await panel.watch({
      comments: [commentOf(markup, { author: { id: 'g-x', name: '<b>Eve</b>' } })],
    });
    const { page } = watching;
    await page.locator('.comment').waitFor();
    expect(await textsOf(page)).toEqual([markup]);
    expect(await page.locator('.comment .name').textContent()).toBe('<b>Eve</b>');
    expect(await page.locator('.comment img, .comment a').count()).toBe(0);
  });
});

describe('everybody', () => {
  test('can do all of it with the keyboard, and the player does not take the keys', async () => {
    await using watching = await panel.watch({
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
      await using watching = await panel.watch({ comments }, { size, path: `${size.path}demo${query}` });
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
