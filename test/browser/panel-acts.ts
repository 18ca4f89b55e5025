/** What viewers and moderators do in the comments panel, and what they look for there. */
import type { FrameLocator, Locator, Page } from 'playwright-core';
import { expect } from 'vitest';

export const rows = (page: Page | FrameLocator, text: string): Locator =>
  page.locator('.comment', { hasText: text });
export const textsOf = (page: Page): Promise<readonly string[]> =>
  page.locator('.comment .said').allTextContents();
export const bannerOf = (page: Page, text: string): Promise<void> =>
  page.locator('.banner', { hasText: text }).waitFor();
export const isCalled = (page: Page | FrameLocator, name: string): Promise<void> =>
  page.locator('.account', { hasText: name }).waitFor();
export const isAccepted = (page: Page | FrameLocator, text: string): Promise<void> =>
  page.locator('.comment[data-own=accepted]', { hasText: text }).waitFor();

/** Writes as a guest; the first time the page asks for a name. */
export async function say(page: Page | FrameLocator, text: string, name?: string): Promise<void> {
  const field = page.locator('.composer textarea');
  await field.fill(text);
  if (name !== undefined) await page.locator('.who input').fill(name);
  await field.press('Enter');
}

/** With a scripted audience every token is a moderator's. */
export async function signIn(page: Page | FrameLocator, token = 'token'): Promise<void> {
  await page.locator('.account').click();
  const field = page.locator('#comments-account input');
  await field.fill(token);
  await field.press('Enter');
  await page.locator('#comments-account').waitFor({ state: 'hidden' });
}

/** Whether it comes as one scrolls up, with what is read on the way. */
export async function isFoundAbove(page: Page, text: string): Promise<boolean> {
  for (let turn = 0; turn < 40 && (await rows(page, text).count()) === 0; turn += 1) {
    await page.locator('.scroller').evaluate((scroller) => scroller.scrollTo(0, 0));
    await page.evaluate(
      () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
    );
  }
  return (await rows(page, text).count()) === 1;
}

/** Puts entries into the outbox of this page. @returns all that it has then, as text */
export async function outboxWith(entries: readonly object[]): Promise<string> {
  const answer = <T>(request: IDBRequest<T>) =>
    new Promise<T>((resolve, reject) => {
      request.addEventListener('success', () => resolve(request.result));
      request.addEventListener('error', () => reject(new Error('IndexedDB refuses')));
    });
  const opening = indexedDB.open('tangaza-audience', 1);
  opening.addEventListener('upgradeneeded', () => {
    opening.result.createObjectStore('outbox', { keyPath: 'clientId' });
  });
  const database = await answer(opening);
  const outbox = database.transaction('outbox', 'readwrite').objectStore('outbox');
  for (const entry of entries) outbox.put(entry);
  const all: unknown = await answer(outbox.getAll());
  database.close();
  return JSON.stringify(all);
}

export const isKept = (page: Page, text: string): Promise<void> =>
  expect.poll(() => page.evaluate(outboxWith, []), { timeout: 30_000 }).toContain(text);

/** The page shows that a comment is done a moment before its outbox has let go of it; loaded anew within that moment, it sends it once more. */
export const isKeptNoMore = (page: Page, text: string): Promise<void> =>
  expect.poll(() => page.evaluate(outboxWith, []), { timeout: 30_000 }).not.toContain(text);
