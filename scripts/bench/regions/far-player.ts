/** What a browser on the watch page of a far edge plays, looked at four times a second. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { z } from 'zod';
import type { Played } from './far-play.ts';

const everyMs = 250;
const Position = z.number().optional();

export class FarPlayer implements AsyncDisposable {
  readonly played: Played[] = [];
  readonly #page: Page;
  readonly #loop: Promise<void>;
  #isOver = false;

  constructor(page: Page) {
    this.#page = page;
    this.#loop = this.#follow();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await this.#loop;
  }

  async #follow(): Promise<void> {
    while (!this.#isOver) {
      const seen = await this.#page.evaluate(`document.querySelector('video')?.currentTime`).catch(() => {});
      const position = Position.safeParse(seen ?? undefined).data;
      if (position !== undefined) this.played.push({ atMs: performance.now(), position });
      await delay(everyMs);
    }
  }
}
