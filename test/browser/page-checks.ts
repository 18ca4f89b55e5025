/** What is checked of our pages at every size: what is seen, whether it fits, and what axe finds. */
import { createRequire } from 'node:module';
import { readFile } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';
import { systemClock } from '../../cluster/time/clock.system.ts';
import { pageTimeoutMs } from '../support/cluster/foreign-players.ts';

export interface Size {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly isTouch: boolean;
  readonly path: '/watch/' | '/embed/';
}

export const sizes: readonly Size[] = [
  { name: 'desktop', width: 1440, height: 900, isTouch: false, path: '/watch/' },
  { name: 'tablet', width: 820, height: 1180, isTouch: true, path: '/watch/' },
  { name: 'phone', width: 390, height: 844, isTouch: true, path: '/watch/' },
  { name: 'phone on its side', width: 844, height: 390, isTouch: true, path: '/watch/' },
  { name: 'frame', width: 480, height: 270, isTouch: false, path: '/embed/' },
];

export interface OpenPage extends AsyncDisposable {
  readonly page: Page;
  /** What the page threw; a viewer's page throws nothing. */
  readonly errors: readonly string[];
}

/** A page of its own context, as another viewer's browser would have. */
export async function openPage(browser: Browser, url: string, size = sizes[0]): Promise<OpenPage> {
  if (size === undefined) throw new Error('there is no such size');
  const context = await browser.newContext({
    viewport: { width: size.width, height: size.height },
    hasTouch: size.isTouch,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(pageTimeoutMs);
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  await page.goto(url);
  return { page, errors, [Symbol.asyncDispose]: () => context.close() };
}

/** Waits until the page shows that badge; `LIVE` in red, as only what plays live has it. @throws Error that says what it shows instead */
export async function showsBadge(page: Page, text: string): Promise<void> {
  const rule = `.state${text === 'LIVE' ? '.live' : ''}`;
  try {
    await page.waitForFunction(
      ([selector, wanted]) => document.querySelector(selector)?.textContent === wanted,
      [rule, text] as const,
    );
  } catch (error) {
    throw new Error(`the page does not show ${text}: ${await shownOn(page)}`, { cause: error });
  }
}

const shownOn = (page: Page): Promise<string> =>
  page
    .evaluate(() => {
      const { currentTime, readyState, paused } = document.querySelector('video') ?? {};
      const [badge, words] = ['.state', '.words .headline'].map((one) => document.querySelector(one));
      const state = 'tangaza' in window ? window.tangaza.state() : undefined;
      return JSON.stringify({
        badge: badge?.outerHTML,
        words: words?.textContent,
        video: { currentTime, readyState, paused },
        state,
      });
    })
    .catch(String);

/**
 * Waits until a page that has begun plays live. One that a busy machine left behind at its start says so, and is taken to live by a key, as its
 * viewer would do.
 */
export async function comesToLive(page: Page): Promise<void> {
  await playsOn(page);
  await page.waitForFunction(() => {
    const badge = document.querySelector('.state');
    return badge?.classList.contains('live') === true || badge?.textContent.endsWith(' behind') === true;
  });
  if ((await badgeOf(page))?.endsWith(' behind') === true) await page.keyboard.press('l');
  await showsBadge(page, 'LIVE');
  // Its first step from 0 to the live place is no playing.
  await playsOn(page);
}

export const badgeOf = (page: Page): Promise<string | null> => page.locator('.state').last().textContent();

/** Remembers each badge that the page shows from now on. @returns those so far */
export async function badgesFromNow(page: Page): Promise<() => Promise<readonly string[]>> {
  const seen = await page.evaluateHandle(() => {
    const badges: string[] = [];
    const [badge] = document.querySelectorAll('.state');
    if (badge === undefined) throw new Error('the page has no badge');
    const watcher = new MutationObserver(() => void badges.push(badge.textContent ?? ''));
    watcher.observe(badge, { childList: true, subtree: true, characterData: true });
    return badges;
  });
  return () => seen.jsonValue();
}

/** What is written over the picture. */
export const wordsOf = async (page: Page): Promise<string> =>
  (await page.locator('.words .headline').textContent()) ?? '';

export const secondsOf = (page: Page): Promise<number> =>
  page.evaluate(() => document.querySelector('video')?.currentTime ?? 0);

export async function playsOn(page: Page, seconds = 1): Promise<void> {
  const from = await secondsOf(page);
  await page.waitForFunction(
    (until) => (document.querySelector('video')?.currentTime ?? 0) > until,
    from + seconds,
  );
}

/** What does not fit: controls that stick out of the picture or are too small for a finger, and a page that scrolls sideways. */
export function misfits(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const stage = document.querySelector('.stage');
    if (stage === null) return ['no stage'];
    const frame = stage.getBoundingClientRect();
    const kinds = ['button', 'select', 'media-play-button', 'media-mute-button', 'media-fullscreen-button'];
    const words = [...stage.querySelectorAll('.words > :not(.spinner)')].flatMap((part) => {
      const { top, bottom, height } = part.getBoundingClientRect();
      const isIn = height === 0 || (top >= frame.top && bottom <= frame.bottom);
      return isIn ? [] : [`${part.className} of the words lies outside of the picture`];
    });
    const controls = [...stage.querySelectorAll(`${kinds.join(',')}, media-pip-button, media-time-range`)];
    const found = controls.flatMap((control) => {
      const { left, right, top, bottom, width, height } = control.getBoundingClientRect();
      if (!control.checkVisibility({ visibilityProperty: true }) || width === 0) return [];
      const name = control.getAttribute('class') ?? control.localName;
      const isInside =
        left >= frame.left - 1 &&
        right <= frame.right + 1 &&
        top >= frame.top - 1 &&
        bottom <= frame.bottom + 1;
      return [
        ...(isInside ? [] : [`${control.localName} ${name} lies outside of the picture`]),
        ...(width >= 43.5 && height >= 43.5 ? [] : [`${control.localName} ${name} is ${width}x${height}`]),
      ];
    });
    const root = document.documentElement;
    const isWide = root.scrollWidth > root.clientWidth;
    const isOff =
      frame.left < -1 || frame.right > root.clientWidth + 1 || frame.bottom > window.innerHeight + 1;
    return [
      ...found,
      ...words,
      ...(isWide ? ['the page scrolls sideways'] : []),
      ...(isOff ? ['the picture is cut'] : []),
    ];
  });
}

/** Which words over the picture run into the shade of the controls, which is dark from 16 px below its edge on. */
export function wordsInShade(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const shade = document.querySelector('.stage .bar')?.getBoundingClientRect();
    if (shade === undefined || shade.height === 0) return [];
    const parts = [...document.querySelectorAll('.words :is(.headline, .detail, .action)')];
    return parts.flatMap((part) => {
      const { bottom, height } = part.getBoundingClientRect();
      return height > 0 && bottom > shade.top + 16 ? [`${part.className} ${bottom - shade.top}`] : [];
    });
  });
}

/** The browser's pages stand still, as on a machine that sleeps. */
export async function sleepAsMachine(browser: Browser, forMs: number): Promise<void> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  const pids = processInfo.flatMap(({ type, id }) => (type === 'renderer' ? [id] : []));
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  await systemClock.sleep(forMs);
  for (const pid of pids) process.kill(pid, 'SIGCONT');
}

const axeFile = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** What axe finds: `rule: element`. */
export async function axeFindings(page: Page): Promise<readonly string[]> {
  await page.evaluate(await readFile(axeFile, 'utf8'));
  return page.evaluate(async () => {
    const { violations } = await window.axe.run();
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 160)}`));
  });
}

declare global {
  interface Window {
    axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
    tangaza: {
      state(): {
        readonly view: string;
        readonly failures: number;
        readonly lastFailure: string;
        readonly format: string;
        readonly position: { readonly behindSeconds?: number; readonly seconds?: number };
      };
    };
  }
}

/** To the full screen and back, the second time before the page has drawn its first frame there. */
export async function pressesFTwice(page: Page): Promise<void> {
  await page.keyboard.press('f');
  await page.evaluate(
    () =>
      new Promise<void>((resolve) => {
        const timer = setInterval(() => {
          if (document.fullscreenElement === null) return;
          clearInterval(timer);
          document.dispatchEvent(new KeyboardEvent('keydown', { key: 'f' }));
          resolve();
        });
      }),
  );
  await page.waitForFunction(() => document.fullscreenElement === null);
}
