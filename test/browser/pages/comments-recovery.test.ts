/**
 * The comments in a real Chromium when something is in the way: a region that is lost, a server that fails, another tab, a frame without
 * forms, the keyboard alone.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Page } from 'playwright-core';
import { openPage } from '../page-checks.ts';
import {
  isAccepted,
  isCalled,
  isFoundAbove,
  isKept,
  isKeptNoMore,
  outboxWith,
  rows,
  say,
  signIn,
  textsOf,
} from '../panel-acts.ts';
import { commentOf, ScriptedAudience } from './scripted-audience.ts';
import { manyComments, ScriptedPanel } from './scripted-panel.ts';

let panel: ScriptedPanel;

beforeAll(async () => {
  panel = await ScriptedPanel.start();
});

afterAll(() => panel?.[Symbol.asyncDispose]());

const isSpoken = (page: Page, text: string): Promise<void> =>
  page.locator('.heard[aria-live=polite]', { hasText: text }).waitFor({ state: 'attached' });
/** Answers with those statuses by path, as a server in trouble does, until they are taken away. */
async function trouble(page: Page, statuses: Map<string, number>): Promise<void> {
  await page.route(/\/v1\/(?:me|guests)$/, async (route) => {
    const status = statuses.get(new URL(route.request().url()).pathname);
    if (status === undefined) return route.fallback();
    await route.fulfill({ status, contentType: 'application/json', body: JSON.stringify({ status }) });
  });
}

/** The comments that it was sent, in order, as often as they were sent. */
const saidIn = ({ heard }: ScriptedAudience) => heard.filter((one) => one.type === 'comment');

// Goal: no cut between regions costs a page what it has. Method: the page has read 300, and looks at the oldest. Its frames say that another region has been cut off for
// eleven minutes; its socket ends.
test('a page that comes back to its region in a long cut keeps what it has, and its place', async () => {
  await using watching = await panel.watch({ comments: manyComments(300) });
  const { page, audience } = watching;
  await rows(page, 'number 299').waitFor();
  expect(await isFoundAbove(page, 'number 0')).toBe(true);
  audience.cutAtMs = Date.now() - 660_000;
  audience.publish(commentOf('in the cut'));
  await page.locator('.pill', { hasText: '1 new' }).waitFor();
  await audience.drop();
  const hellos = () => audience.heard.filter(({ type }) => type === 'hello');
  await expect.poll(() => hellos().length, { timeout: 30_000 }).toBe(2);
  audience.publish(commentOf('after it'));
  await page.locator('.pill', { hasText: '2 new' }).waitFor();
  expect({
    hello: hellos().at(-1),
    size: await page.locator('.comment').first().getAttribute('aria-setsize'),
    isInPlace: await rows(page, 'number 0').isVisible(),
  }).toMatchObject({ hello: { inRegion: { region: 'r1' } }, size: '302', isInPlace: true });
});

// Goal: a page that an edge cannot welcome lacks nothing when it is welcomed at last, and its viewer, who asked for nothing, reads of no fault of theirs. Method: its
// socket ends, and the next edge says that it cannot.
test('a page that was not welcomed comes back with the time of what it was told last, and says nothing beside', async () => {
  await using watching = await panel.watch({});
  const { page, audience } = watching;
  audience.publish(commentOf('the last'));
  await rows(page, 'the last').waitFor();
  audience.unavailable = 1;
  await audience.drop();
  const hellos = () => audience.heard.filter((one) => one.type === 'hello');
  await expect.poll(() => hellos().length, { timeout: 30_000 }).toBe(3);
  const [, refused, again] = hellos().map(({ lastAt }) => lastAt);
  audience.publish(commentOf('after it'));
  await rows(page, 'after it').waitFor();
  const notice = await page.locator('.composer .notice').textContent();
  expect({ again, isTold: again !== undefined, notice }).toEqual({
    again: refused,
    isTold: true,
    notice: '',
  });
});

// Goal: a page without a socket has what another region said in a cut. Method: no socket opens; the page has more than one page of comments, and the one of the
// other region, which belongs among the oldest of these, comes after the cut.
test('without a socket, too, what another region said in a cut is shown where it belongs', async () => {
  await using watching = await panel.watch({ comments: manyComments(150), hasSocket: false });
  const { page, audience } = watching;
  await rows(page, 'number 149').waitFor();
  audience.cutAtMs = Date.now() - 60_000;
  audience.comments.push(commentOf('in the cut'));
  await rows(page, 'in the cut').waitFor();
  expect(await isFoundAbove(page, 'number 0')).toBe(true);
  audience.cutAtMs = undefined;
  const second = Date.parse(audience.comments[1]?.createdAt ?? '');
  audience.comments.splice(2, 0, commentOf('from afar', {}, second + 500));
  await expect.poll(() => isFoundAbove(page, 'from afar'), { timeout: 30_000 }).toBe(true);
});

describe("how far one's own comment is", () => {
  test('each is shown at once with how far it is: sending, sent, safe', async () => {
    await using watching = await panel.watch({ hasReplication: true });
    const { page, audience } = watching;
    audience.verdict = () => ({ kind: 'unanswered' });
    await say(page, 'Is anybody there', 'Ada');
    await page.locator('.comment[data-own=sending]').waitFor();
    const [said] = saidIn(audience);
    const ack = { type: 'ack', clientId: said?.clientId, id: commentOf('any').id };
    audience.say({ ...ack, state: 'accepted', receipt: 'r' });
    await page.locator('.comment[data-own=accepted] .mark[data-mark=sent]').waitFor();
    const words = () => page.locator('.comment .mark').textContent();
    const sent = await words();
    audience.say({ ...ack, state: 'replicated' });
    await page.locator('.comment[data-own=replicated] .mark[data-mark=safe]').waitFor();
    expect(await textsOf(page)).toEqual(['Is anybody there']);
    expect({ sent, safe: await words() }).toEqual({
      sent: 'Sent: another region does not have it yet',
      safe: 'Safe: kept in more than one place',
    });
  });

  // Goal: nobody waits for a socket to hear that their comment is safe. Method: no socket opens; the list says it of the one, the answer to its receipt of the other.
  test('without a socket, too, each says how far it is, and what is not safe is sent again', async () => {
    await using watching = await panel.watch({ hasReplication: true, hasSocket: false });
    const { page, audience } = watching;
    await say(page, 'By the list', 'Ada');
    await page.locator('.comment[data-own=accepted] .mark[data-mark=sent]').waitFor();
    audience.comments.push(
      ...audience.comments.splice(0).map((one) => ({ ...one, acknowledged: 'replicated' as const })),
    );
    await page.locator('.comment[data-own=replicated] .mark[data-mark=safe]').waitFor();
    await say(page, 'By the receipt');
    await isKept(page, '"receipt":"r"');
    audience.verdict = () => ({ kind: 'replicated' });
    await page.reload();
    const safe = page.locator('.comment[data-own=replicated]', { hasText: 'By the receipt' });
    await safe.waitFor();
    expect(saidIn(audience).map(({ text, receipt }) => ({ text, receipt }))).toEqual([
      { text: 'By the list', receipt: undefined },
      { text: 'By the receipt', receipt: undefined },
      { text: 'By the receipt', receipt: 'r' },
    ]);
  });

  test('with one region, what is accepted is done: nothing says that it waits, and nothing is sent again', async () => {
    await using watching = await panel.watch();
    const { page, audience } = watching;
    await say(page, 'Only here', 'Ada');
    await page.locator('.comment[data-own=accepted] .mark[data-mark=kept]').waitFor();
    await isKeptNoMore(page, 'Only here');
    await page.reload();
    await rows(page, 'Only here').waitFor();
    await say(page, 'Something else');
    await page.locator('.comment[data-own=accepted]', { hasText: 'Something else' }).waitFor();
    expect(saidIn(audience).map(({ text }) => text)).toEqual(['Only here', 'Something else']);
  });

  // Goal: a region that is lost takes no comment with it. Method: no other region has it when the page is loaded anew, so it is sent again
  // with its receipt; then another region has it.
  test('what no other region has outlives the visit, is sent again with its receipt, and never more once one has it', async () => {
    await using watching = await panel.watch({ hasReplication: true });
    const { page, audience } = watching;
    await say(page, 'Keep me', 'Ada');
    await isKept(page, '"receipt":"r"');
    audience.verdict = () => ({ kind: 'replicated' });
    await page.reload();
    await page.locator('.comment[data-own=replicated] .mark[data-mark=safe]').waitFor();
    const again = saidIn(audience);
    await audience.drop();
    await say(page, 'And now this');
    await page.locator('.comment[data-own=replicated]', { hasText: 'And now this' }).waitFor();
    expect({
      last: again.at(-1)?.receipt,
      comments: new Set(again.map(({ clientId }) => clientId)).size,
      since: saidIn(audience)
        .slice(again.length)
        .map(({ text }) => text),
    }).toEqual({ last: 'r', comments: 1, since: ['And now this'] });
  });

  // Goal: two windows of one viewer do not send and offer each other's comments. Method: the first window's comment is refused, which the
  // outbox keeps; a second window settles who the viewer is, which reads the outbox; then the first one is closed, and a third one opens.
  test('a window takes up what a closed one left behind, and nothing of one that is open', async () => {
    await using watching = await panel.watch({ hasReplication: true });
    const { page, audience } = watching;
    audience.verdict = ({ text }) =>
      text === 'Refused' ? { kind: 'refused', code: 'TEXT_REFUSED' } : { kind: 'accepted' };
    await say(page, 'First', 'Ada');
    await isAccepted(page, 'First');
    await say(page, 'Refused');
    await page.locator('.comment[data-own=failed]', { hasText: 'Refused' }).waitFor();
    await isKept(page, 'Refused');
    const another = async () => {
      const opened = await page.context().newPage();
      await audience.stand(opened);
      await opened.goto(`${panel.url}/watch/demo`);
      await isCalled(opened, 'Ada');
      await rows(opened, 'First').waitFor();
      return opened;
    };
    const second = await another();
    await say(second, 'From the second');
    await isAccepted(second, 'From the second');
    const ofOther = await rows(second, 'Refused').count();
    await page.close();
    const third = await another();
    await rows(third, 'Refused').waitFor();
    expect({ ofOther }).toEqual({ ofOther: 0 });
  });

  // Goal: the outbox is bounded while its page is open, and not only when it is loaded. Method: who they are is settled by a first comment, as
  // that reads the outbox; with 199 of another stream it is full, and one more is written.
  test('of more than 200 comments that no other region has, the oldest is kept no longer', async () => {
    await using watching = await panel.watch({ hasReplication: true });
    const { page } = watching;
    const entries = Array.from({ length: 199 }, (_, number) => {
      const [clientId, createdAtMs] = [`id ${number} `, Date.now() - 1000 * (1 + number)];
      return { clientId, streamId: 'other', userId: 'g-1', draft: { text: 'kept', createdAtMs } };
    });
    await say(page, 'First', 'Ada');
    await isKept(page, '"receipt":"r"');
    await page.evaluate(outboxWith, entries);
    await say(page, 'One more');
    await page.locator('.comment[data-own=accepted]', { hasText: 'One more' }).waitFor();
    await isKeptNoMore(page, 'id 198 ');
    expect(await page.evaluate(outboxWith, [])).toContain('id 197 ');
  });
});

describe('who the viewer is', () => {
  test('outlives a server that fails for a moment, and what it refused is sent later', async () => {
    await using watching = await panel.watch();
    const { page, audience } = watching;
    const statuses = new Map<string, number>();
    await trouble(page, statuses);
    await signIn(page);
    statuses.set('/v1/me', 503);
    audience.verdict = () => ({ kind: 'refused', code: 'UNAUTHENTICATED' });
    const asked = page.waitForResponse(/\/v1\/me$/);
    await say(page, 'Still me');
    await asked;
    await page.locator('.comment[data-own=failed]').waitFor();
    await isCalled(page, 'Moderator');
    statuses.clear();
    audience.verdict = () => ({ kind: 'accepted' });
    await isAccepted(page, 'Still me');
  });

  test('stays that of a guest while no server gives another token', async () => {
    await using watching = await panel.watch();
    const { page, audience } = watching;
    await say(page, 'With the first token', 'Ada');
    await isAccepted(page, 'With the first token');
    const statuses = new Map([
      ['/v1/me', 401],
      ['/v1/guests', 503],
    ]);
    await trouble(page, statuses);
    audience.verdict = () => ({ kind: 'refused', code: 'UNAUTHENTICATED' });
    const asked = page.waitForResponse(/\/v1\/guests$/);
    await say(page, 'With another one');
    await asked;
    await page.locator('.comment[data-own=failed]').waitFor();
    await isCalled(page, 'Ada');
    statuses.delete('/v1/guests');
    audience.verdict = () => ({ kind: 'accepted' });
    await isAccepted(page, 'With another one');
  });

  // Goal: a token that is over takes nobody's comments away. Method: no socket opens, which would say so, and the server refuses the token that
  // the browser has kept of an account; with it no page of comments comes either.
  test('is asked for anew where a token is over, and the comments are read without it', async () => {
    await using opened = await openPage(panel.browser, 'about:blank');
    const { page } = opened;
    await new ScriptedAudience({ hasSocket: false, comments: [commentOf('Read by anybody')] }).stand(page);
    await page.addInitScript(() => {
      const user = { id: 'a-moderator', name: 'Moderator', kind: 'account' };
      localStorage.setItem('tangaza.audience', JSON.stringify({ token: 'over', me: { user } }));
    });
    await page.route(/\/v1\/(?:me$|streams\/demo\/comments\b)/, async (route) => {
      if (route.request().headers()['authorization'] !== 'Bearer over') return route.fallback();
      await route.fulfill({ status: 401, contentType: 'application/json', body: '{"status":401}' });
    });
    await page.goto(`${panel.url}/watch/demo`);
    await rows(page, 'Read by anybody').waitFor();
    await isCalled(page, 'Sign in');
    await page.locator('.composer .notice', { hasText: 'sign in again' }).waitFor();
  });

  test('is the same in all tabs, when they sign out in one', async () => {
    await using watching = await panel.watch();
    const { page, audience } = watching;
    await say(page, 'Hello', 'Ada');
    await isAccepted(page, 'Hello');
    const other = await page.context().newPage();
    await audience.stand(other);
    await other.goto(`${panel.url}/watch/demo`);
    await isCalled(other, 'Ada');
    await page.locator('.account').click();
    await page.locator('.sheet .button', { hasText: 'Forget my name' }).click();
    await isCalled(other, 'Sign in');
    await other.close();
  });

  test('is asked for in words that are no error', async () => {
    await using watching = await panel.watch();
    const { page } = watching;
    const styleOf = (query: string) =>
      page.locator(query).evaluate((one) => {
        const { color, fontSize } = getComputedStyle(one);
        return { color, isReadable: Number.parseFloat(fontSize) >= 16 };
      });
    await say(page, 'Good evening');
    await page.locator('.composer .notice', { hasText: 'Write the name' }).waitFor();
    const { color, isReadable } = await styleOf('.composer textarea');
    expect({ asked: (await styleOf('.composer .notice')).color, isReadable }).toEqual({
      asked: color,
      isReadable: true,
    });
  });
});

test('without a socket what is new is counted and spoken, too', async () => {
  await using watching = await panel.watch({ hasSocket: false, comments: manyComments(100) });
  const { page, audience } = watching;
  await rows(page, 'number 99').waitFor();
  await page.locator('.scroller').hover();
  await page.mouse.wheel(0, -900);
  await page.locator('.pill', { hasText: 'Newest' }).waitFor();
  audience.comments.push(commentOf('Heard by asking'));
  await page.locator('.pill', { hasText: '1 new' }).waitFor();
  await isSpoken(page, 'Somebody: Heard by asking');
});

test('a refusal is spoken, and the focus stays in the list when its button goes', async () => {
  await using watching = await panel.watch({ comments: manyComments(100) });
  const { page, audience } = watching;
  audience.verdict = () => ({ kind: 'refused', code: 'TEXT_REFUSED' });
  await say(page, 'Rude', 'Ada');
  await isSpoken(page, 'Not sent. These words are not allowed here: change them. You wrote: Rude');
  audience.verdict = () => ({ kind: 'accepted' });
  await page.locator('[data-action=retry]').focus();
  await page.keyboard.press('Enter');
  await isAccepted(page, 'Rude');
  const focused = () => page.evaluate(() => document.activeElement?.querySelector('.said')?.textContent);
  expect({ afterRetry: await focused() }).toEqual({ afterRetry: 'Rude' });
  await page.locator('.scroller').hover();
  await page.mouse.wheel(0, -900);
  await page.locator('.pill', { hasText: 'Newest' }).waitFor();
  await page.locator('.pill').focus();
  await page.keyboard.press('Enter');
  await page.locator('.pill').waitFor({ state: 'hidden' });
  expect({ afterNewest: await focused() }).toEqual({ afterNewest: 'Rude' });
});

test('a frame that may not submit forms comments and signs in all the same', async () => {
  await using opened = await openPage(panel.browser, 'about:blank');
  const { page } = opened;
  const address = `${panel.url}/embed/demo?comments`;
  await new ScriptedAudience().stand(page);
  await page.route(/\/framing$/, (route) =>
    route.fulfill({
      contentType: 'text/html',
      body: `<!doctype html><title>Framing</title>
        <iframe title="Player" width="900" height="480" sandbox="allow-scripts allow-same-origin" src="${address}"></iframe>`,
    }),
  );
  await page.goto(`${panel.url}/framing`);
  const frame = page.frameLocator('iframe');
  await frame.locator('.composer textarea').fill('Without a form');
  await frame.locator('.who input').fill('Ada');
  await frame.locator('.send').click();
  await isAccepted(frame, 'Without a form');
  await signIn(frame);
});

test('a frame whose comments go gives their place to the picture', async () => {
  await using watching = await panel.watch({}, { path: '/embed/demo?comments' });
  const { page } = watching;
  await page.locator('.comments .composer').waitFor();
  const widths = await page.evaluate(() => {
    const panel = document.querySelector<HTMLElement>('.comments');
    const widthOf = () => document.querySelector('.stage')?.getBoundingClientRect().width ?? 0;
    const beside = widthOf();
    if (panel !== null) panel.hidden = true;
    return { isBeside: beside < innerWidth, isWhole: widthOf() === innerWidth };
  });
  expect(widths).toEqual({ isBeside: true, isWhole: true });
});
