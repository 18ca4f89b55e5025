/** Watches one media playlist at one edge, by asking for it 40 times a second. */
import { setTimeout as delay } from 'node:timers/promises';
import { parsePlaylist } from '../../../test/support/media/playlists.ts';
import { Watch, type Watched } from './regions-judge.ts';

const pollMs = 25;
const answerMs = 2000;

export class EdgeWatch implements AsyncDisposable {
  readonly watched: Watched;
  /** Requests that were not answered with a playlist. */
  failures = 0;
  readonly #watch = new Watch();
  readonly #url: string;
  readonly #loop: Promise<void>;
  #isOver = false;

  constructor(url: string) {
    this.#url = url;
    this.watched = this.#watch;
    this.#loop = this.#follow();
  }

  /** How many segments it has seen since it began. */
  get count(): number {
    return this.#watch.sightings.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await this.#loop;
  }

  async #follow(): Promise<void> {
    while (!this.#isOver) {
      const segments = await this.#load().catch(() => undefined);
      if (segments === undefined) this.failures += 1;
      else this.#watch.take(segments, performance.now());
      await delay(pollMs);
    }
  }

  async #load() {
    const reply = await fetch(this.#url, { signal: AbortSignal.timeout(answerMs) });
    const text = await reply.text();
    return reply.ok ? parsePlaylist(text).segments : undefined;
  }
}
