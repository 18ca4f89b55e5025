/** What is checked of the comments panel: which rows are seen and where, and what does not fit. */
import type { Page } from 'playwright-core';
import type { Size } from './page-checks.ts';

/** What of the panel is too small for a finger, sticks out of the panel, or scrolls sideways. */
export function tooSmall(page: Page, leastPx: number): Promise<readonly string[]> {
  return page.evaluate((least) => {
    const panel = document.querySelector('.comments');
    if (panel === null) return ['no panel'];
    const frame = panel.getBoundingClientRect();
    const controls = [...panel.querySelectorAll('button, input, textarea, select')].filter((one) =>
      one.checkVisibility({ visibilityProperty: true, opacityProperty: true }),
    );
    const found = controls.flatMap((control) => {
      const { left, right, width, height } = control.getBoundingClientRect();
      const name = `${control.localName} ${control.className}`;
      return [
        ...(width >= least && height >= least ? [] : [`${name} is ${width}x${height}`]),
        ...(left >= frame.left - 1 && right <= frame.right + 1 ? [] : [`${name} sticks out`]),
      ];
    });
    const wide = [panel, ...panel.querySelectorAll('.scroller, .composer')].filter(
      (one) => one.scrollWidth > one.clientWidth,
    );
    const root = document.documentElement;
    return [
      ...found,
      ...wide.map((one) => `${one.className} scrolls sideways`),
      ...(root.scrollWidth > root.clientWidth ? ['the page scrolls sideways'] : []),
    ];
  }, leastPx);
}

/** What is wrong with the panel: it is not there, lies over the picture, or does not fit. */
export async function panelFaults(page: Page, size: Size): Promise<readonly string[]> {
  const places = await page.evaluate(() => {
    const [stage, panel] = ['.stage', '.comments'].map((one) =>
      document.querySelector(one)?.getBoundingClientRect(),
    );
    if (stage === undefined || panel === undefined || panel.height === 0) return ['there is no panel'];
    const isApart = panel.left >= stage.right - 1 || panel.top >= stage.bottom - 1;
    return isApart ? [] : ['the panel lies over the picture'];
  });
  return [...places, ...(await tooSmall(page, size.isTouch ? 43.5 : 23.5))];
}

export function isAtEnd(): boolean {
  const scroller = document.querySelector('.scroller');
  return scroller !== null && scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 2;
}

export interface SeenRow {
  readonly text: string;
  readonly topPx: number;
}

/** The rows that are seen, with their places. */
export function seen(page: Page): Promise<readonly SeenRow[]> {
  return page.evaluate(() => {
    const frame = document.querySelector('.scroller')?.getBoundingClientRect();
    if (frame === undefined) return [];
    return [...document.querySelectorAll('.comment')].flatMap((row) => {
      const { top, bottom } = row.getBoundingClientRect();
      const text = row.querySelector('.said')?.textContent ?? '';
      return bottom > frame.top && top < frame.bottom ? [{ text, topPx: top }] : [];
    });
  });
}

/** How far the row moved that moved most, in whole pixels; a row that is gone moved by a screen. */
export function movedPx(before: readonly SeenRow[], after: readonly SeenRow[]): number {
  const places = new Map(after.map(({ text, topPx }) => [text, topPx]));
  return Math.floor(
    Math.max(...before.map(({ text, topPx }) => Math.abs((places.get(text) ?? 1e4) - topPx))),
  );
}
