/** What viewers and moderators do with comments in a real Chromium: they write, sign in, hide, and switch them off. */
import type { JSHandle, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openPage } from '../page-checks.ts';
import {
  bannerOf,
  isAccepted,
  isCalled,
  isKept,
  isKeptNoMore,
  rows,
  say,
  signIn,
  textsOf,
} from '../panel-acts.ts';
import { commentOf, ScriptedAudience } from './scripted-audience.ts';
import { ScriptedPanel } from './scripted-panel.ts';

let panel: ScriptedPanel;

beforeAll(async () => {
  panel = await ScriptedPanel.start();
});

afterAll(() => panel?.[Symbol.asyncDispose]());

/** What the bar of a list says from now on. */
const wordsFromNow = (page: Page): Promise<JSHandle<string[]>> =>
  page.evaluateHandle(() => {
    const words = document.querySelector('.queue-bar span');
    const seen: string[] = [];
    if (words === null) throw new Error('there is no bar');
    new MutationObserver(() => void seen.push(words.textContent)).observe(words, {
      childList: true,
      characterData: true,
      subtree: true,
    });
    return seen;
  });

describe("the viewer's own comments", () => {
  test('a guest is asked for a name once, inline, and is remembered', async () => {
    await using watching = await panel.watch();
    const { page, audience } = watching;
    await page.fill('.composer textarea', 'Good evening');
    await page.press('.composer textarea', 'Enter');
    await page.locator('.notice', { hasText: 'name' }).waitFor();
    await page.keyboard.type('Ada');
    await page.keyboard.press('Enter');
    await rows(page, 'Good evening').waitFor();
    // Before the answer is there, the page that comes back sends it again.
    await isAccepted(page, 'Good evening');
    await isKeptNoMore(page, 'Good evening');
    await page.reload();
    await rows(page, 'Good evening').waitFor();
    await say(page, 'It is me again');
    await isAccepted(page, 'It is me again');
    expect(audience.heard.flatMap((one) => (one.type === 'comment' ? [one.text] : []))).toEqual([
      'Good evening',
      'It is me again',
    ]);
  });

  // As it once was: it went with the first comment, when the server had taken the name.
  test('what one goes on to write while the name is taken is still there', async () => {
    await using watching = await panel.watch();
    const { page } = watching;
    const { promise: mayGo, resolve: letGo } = Promise.withResolvers<void>();
    await page.route('**/v1/guests', async (route) => {
      await mayGo;
      await route.fallback();
    });
    const asked = page.waitForRequest('**/v1/guests');
    await say(page, 'First', 'Ada');
    await asked;
    await page.locator('.composer textarea').fill('And second');
    letGo();
    await isAccepted(page, 'First');
    expect(await page.locator('.composer textarea').inputValue()).toBe('And second');
  });

  test('one that is refused says why, and goes when it is tried again', async () => {
    await using watching = await panel.watch();
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
    await using watching = await panel.watch();
    const { page, audience } = watching;
    audience.verdict = () => ({ kind: 'unanswered' });
    await say(page, 'Do not lose me', 'Ada');
    await page.locator('.comment[data-own=sending]').waitFor();
    await isKept(page, 'Do not lose me');
    audience.verdict = () => ({ kind: 'accepted' });
    await page.reload();
    await page.locator('.comment[data-own=accepted]', { hasText: 'Do not lose me' }).waitFor();
  });

  test('what was under way when one signed in as another is offered, and goes once it is tried again', async () => {
    await using watching = await panel.watch();
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
    await using watching = await panel.watch({ mode: { mode: 'open', slowSeconds: 30 } });
    const { page } = watching;
    await bannerOf(page, 'one comment every 30 s');
    await say(page, 'First', 'Ada');
    await page.locator('.send', { hasText: /^Wait \d+ s$/ }).waitFor();
    await say(page, 'Second');
    expect(await textsOf(page)).toEqual(['First']);
  });

  test('without a socket comments are read and sent by HTTP', async () => {
    await using watching = await panel.watch({ hasSocket: false, comments: [commentOf('From before')] });
    const { page, audience } = watching;
    await rows(page, 'From before').waitFor();
    await say(page, 'By the other way', 'Ada');
    await page.locator('.comment[data-own=accepted]').waitFor();
    audience.comments.push(commentOf('Heard by asking'));
    await rows(page, 'Heard by asking').waitFor();
  });

  test('a browser that refuses storage comments all the same', async () => {
    await using opened = await openPage(panel.browser, 'about:blank');
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
    await page.goto(`${panel.url}/watch/demo`);
    await say(page, 'Nothing is kept', 'Ada');
    await page.locator('.comment[data-own=accepted]').waitFor();
    expect(errors).toEqual([]);
  });
});

describe('moderation', () => {
  // As it once was: "No server answers. Check your connection".
  test('a token that came with quotation marks around it is told as one that is not accepted', async () => {
    await using watching = await panel.watch();
    const { page, errors } = watching;
    await page.locator('.account').click();
    await page.locator('#comments-account input').fill('\u201ctoken\u201d');
    await page.keyboard.press('Enter');
    await page.locator('#comments-account .notice', { hasText: 'not accepted' }).waitFor();
    await page.locator('#comments-account input').fill('token');
    await page.keyboard.press('Enter');
    await isCalled(page, 'Moderator');
    expect(errors).toEqual([]);
  });

  test('a hidden comment vanishes for all, and is marked for moderators, who can show it again', async () => {
    await using watching = await panel.watch({ comments: [commentOf('Fine'), commentOf('Not so fine')] });
    const { page, audience } = watching;
    await signIn(page);
    await rows(page, 'Not so fine').hover();
    await rows(page, 'Not so fine').locator('[data-action=hide]').click();
    await page.locator('.comment.hidden-one .tag', { hasText: 'Hidden' }).waitFor();
    await using other = await panel.join(audience);
    await rows(other.page, 'Fine').waitFor();
    expect(await textsOf(other.page)).toEqual(['Fine']);
    await rows(page, 'Not so fine').hover();
    await rows(page, 'Not so fine').locator('[data-action=restore]').click();
    await page.locator('.comment.hidden-one').waitFor({ state: 'detached' });
    await rows(other.page, 'Not so fine').waitFor();
  });

  // As it once was: the focus was lost to the page, at both ends.
  test('a list of moderators is opened and left by the keyboard', async () => {
    await using watching = await panel.watch({ comments: [commentOf('Fine')] });
    const { page } = watching;
    await signIn(page);
    const isFocused = (selector: string, text: string): Promise<unknown> =>
      page.waitForFunction(
        ([wanted, words]) =>
          document.activeElement?.matches(wanted) === true && document.activeElement.textContent === words,
        [selector, text] as const,
      );
    await page.locator('.account').press('Enter');
    await page.locator('.queues button', { hasText: 'Held' }).press('Enter');
    await isFocused('.queue-bar button', 'Back');
    await page.keyboard.press('Enter');
    await isFocused('.account', 'Moderator');
    await page.locator('.queue-bar').waitFor({ state: 'hidden' });
  });

  // As it once was: it was shown when its answer came, over the one that was asked for since.
  test('a list of moderators that comes late is not shown any more', async () => {
    await using watching = await panel.watch({ comments: [commentOf('Fine')] });
    const { page } = watching;
    await signIn(page);
    const { promise: mayGo, resolve: letGo } = Promise.withResolvers<void>();
    await page.route(/state=held/, async (route) => {
      await mayGo;
      await route.fallback();
    });
    const open = async (list: string): Promise<void> => {
      await page.locator('.account').click();
      await page.locator('.queues button', { hasText: list }).click();
    };
    const asked = page.waitForRequest(/state=held/);
    await open('Held');
    await asked;
    await open('Reported');
    await page.locator('.queue-bar', { hasText: 'They were reported' }).waitFor();
    const shown = await wordsFromNow(page);
    const answered = page.waitForResponse(/state=held/);
    letGo();
    await (await answered).finished();
    await open('Hidden');
    await page.locator('.queue-bar', { hasText: 'They are hidden' }).waitFor();
    expect(await shown.jsonValue()).toEqual(['They are hidden']);
  });

  // As it once was: the list stayed, with the words of others that nobody but moderators may read.
  test('who signs out leaves no list of moderators to who comes next', async () => {
    await using watching = await panel.watch({
      comments: [commentOf('Fine'), commentOf('Waits', { isHeld: true })],
    });
    const { page } = watching;
    await signIn(page);
    await page.locator('.account').click();
    await page.locator('.queues button', { hasText: 'Held' }).click();
    await page.locator('.queue-bar', { hasText: 'They wait for a moderator' }).waitFor();
    await page.locator('.account').click();
    await page.locator('.sheet .button', { hasText: 'Sign out' }).click();
    await page.locator('.queue-bar').waitFor({ state: 'hidden' });
    await rows(page, 'Waits').waitFor({ state: 'detached' });
    expect(await textsOf(page)).toEqual(['Fine']);
  });

  // As it once was: the answer closed whatever form was open by then, with what had been chosen in it.
  test('the answer to one ban leaves the form of another one as it is', async () => {
    // Goal: a form closes on the answer to its own ban alone. Method: the answer is held up until a second form is open and filled in.
    const eve = { author: { id: 'g-eve', name: 'Eve' } };
    await using watching = await panel.watch({ comments: [commentOf('Spam', eve), commentOf('Rude')] });
    const { page } = watching;
    const { promise: mayGo, resolve: letGo } = Promise.withResolvers<void>();
    await page.route('**/bans/g-eve', async (route) => {
      await mayGo;
      await route.fallback();
    });
    const form = page.locator('form.ban');
    const openFor = async (text: string): Promise<void> => {
      await rows(page, text).hover();
      await rows(page, text).locator('[data-action=ban]').click();
      await form.waitFor();
    };
    await signIn(page);
    await openFor('Spam');
    const asked = page.waitForRequest('**/bans/g-eve');
    await form.locator('[type=submit]').click();
    await asked;
    await form.locator('.link', { hasText: 'Cancel' }).click();
    await openFor('Rude');
    await form.locator('input[type=checkbox]').check();
    letGo();
    await page.locator('.toast', { hasText: 'Eve is banned' }).waitFor();
    const seen = {
      isOpen: await form.isVisible(),
      words: await form.locator('p').textContent(),
      isPurging: await form.locator('input[type=checkbox]').isChecked(),
    };
    expect(seen).toEqual({
      isOpen: true,
      words: 'Ban Somebody from the comments of this broadcast?',
      isPurging: true,
    });
    await form.locator('[type=submit]').click();
    await page.locator('.toast', { hasText: 'Somebody is banned' }).waitFor();
    expect(await form.isVisible()).toBe(false);
  });

  test("one's own can be hidden, and that undone", async () => {
    await using watching = await panel.watch();
    const { page } = watching;
    await say(page, 'Oops', 'Ada');
    await page.locator('.comment[data-own=accepted]').hover();
    await page.locator('[data-action=hide]').click();
    await rows(page, 'Oops').waitFor({ state: 'detached' });
    await page.locator('.toast .link', { hasText: 'Undo' }).click();
    await rows(page, 'Oops').waitFor();
  });

  test('a moderator switches comments off, and everybody is told in words', async () => {
    await using watching = await panel.watch();
    const { page, audience } = watching;
    await using other = await panel.join(audience);
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
