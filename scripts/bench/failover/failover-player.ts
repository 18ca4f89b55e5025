/**
 * The viewers of `bench failover`. A viewer follows a playlist as players do, from the next edge when one fails. It notes when each segment
 * could first be loaded, from which follows where a player would have stalled.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parsePlaylist, type Playlist } from '../../../test/support/media/playlists.ts';

export interface Arrival {
  readonly number: number;
  readonly atMs: number;
  readonly durationMs: number;
  readonly isGap: boolean;
}

const pollMs = 250;
const timeoutMs = 1000;

/**
 * How long a player stalls in all, if it plays in real time from the first arrival on, with this buffer at that time. Lost segments are
 * skipped, which shortens the buffer, as in players that join what they have.
 */
export function stallMs(arrivals: readonly Arrival[], bufferMs: number, untilMs: number): number {
  const [first, ...others] = arrivals;
  if (first === undefined) return 0;
  let stalledMs = 0;
  let bufferedMs = bufferMs;
  let atMs = first.atMs;
  const playUntil = (thenMs: number): void => {
    const leftMs = bufferedMs - (thenMs - atMs);
    stalledMs += Math.max(0, -leftMs);
    bufferedMs = Math.max(0, leftMs);
    atMs = thenMs;
  };
  for (const arrival of others) {
    playUntil(arrival.atMs);
    if (!arrival.isGap) bufferedMs += arrival.durationMs;
  }
  playUntil(Math.max(atMs, untilMs));
  return stalledMs;
}

export class Viewer implements AsyncDisposable {
  readonly arrivals: Arrival[] = [];
  /** Numbers that were left out, or that named other media than before. */
  faults = 0;
  /** How far the playlist asks players to stay behind its end. */
  holdBackMs = 0;
  readonly #edges: readonly string[];
  readonly #path: string;
  readonly #uris = new Map<number, string>();
  readonly #loop: Promise<void>;
  #isOver = false;
  #edge = 0;

  /** @param path the path of a media playlist */
  constructor(edges: readonly string[], path: string) {
    this.#edges = edges;
    this.#path = path;
    this.#loop = this.#follow();
  }

  get lastNumber(): number {
    return this.arrivals.at(-1)?.number ?? -1;
  }

  /** Stall since the last arrival before then, with a buffer of that length at that moment. */
  stallSince(sinceMs: number, bufferMs: number): number {
    const before = this.arrivals.findLastIndex(({ atMs }) => atMs <= sinceMs);
    return stallMs(this.arrivals.slice(Math.max(0, before)), bufferMs, performance.now());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await this.#loop;
  }

  async #follow(): Promise<void> {
    while (!this.#isOver) {
      const playlist = await this.#load();
      if (playlist === undefined) this.#edge += 1;
      else this.#take(playlist);
      await delay(pollMs);
    }
  }

  async #load(): Promise<Playlist | undefined> {
    const edge = this.#edges[this.#edge % this.#edges.length] ?? '';
    try {
      const reply = await fetch(`${edge}${this.#path}`, { signal: AbortSignal.timeout(timeoutMs) });
      const text = await reply.text();
      return reply.ok ? parsePlaylist(text) : undefined;
    } catch {
      return undefined;
    }
  }

  #take({ segments, holdBackSeconds }: Playlist): void {
    const atMs = performance.now();
    this.holdBackMs = holdBackSeconds * 1000;
    for (const { number, uri, durationSeconds, isGap } of segments) {
      const known = this.#uris.get(number);
      if (known !== undefined && known !== uri) this.faults += 1;
      this.#uris.set(number, uri);
      if (number <= this.lastNumber) continue;
      if (this.arrivals.length > 0 && number !== this.lastNumber + 1) this.faults += 1;
      this.arrivals.push({ number, atMs, durationMs: durationSeconds * 1000, isGap });
    }
  }
}
