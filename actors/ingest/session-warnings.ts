/**
 * Counts the bearable faults of a feed for health, and says which ones go to the log: each at most once in 10 s.
 *
 * Some faults are mended as they come, and come again and again from some encoders, such as one that plays a film in a
 * loop. They are logged once for each session.
 */
import type { WarningCode } from './ingest-events.ts';

interface Entry {
  count: number;
  detail: string;
  toldAtMs: number;
  lastAtMs: number;
}

const tellAgainMs = 10_000;
const toldOnce: ReadonlySet<WarningCode> = new Set([
  'audioDrift',
  'annexB',
  'adts',
  'levelChanged',
  'interlaced',
  'videoHeaderMissing',
  'audioHeaderMissing',
]);
/** Faults that are expected of a feed or mended without harm. They are logged, but do not make the stream degraded. */
const harmless: ReadonlySet<WarningCode> = new Set([
  'beforeKeyframe',
  'annexB',
  'adts',
  'levelChanged',
  'interlaced',
  'scriptIgnored',
]);
/** Health forgets a fault that has not happened again for a minute. */
const rememberMs = 60_000;
const maxListed = 16;

export class SessionWarnings {
  /** Bounded by the number of codes. */
  readonly #entries = new Map<WarningCode, Entry>();

  /** Counts a fault. @returns whether the log should have it now */
  note(code: WarningCode, detail: string, monotonicMs: number): boolean {
    const entry = this.#entries.get(code) ?? { count: 0, detail, toldAtMs: -Infinity, lastAtMs: monotonicMs };
    entry.count += 1;
    entry.detail = detail;
    entry.lastAtMs = monotonicMs;
    this.#entries.set(code, entry);
    const pauseMs = toldOnce.has(code) ? Infinity : tellAgainMs;
    if (monotonicMs - entry.toldAtMs < pauseMs) return false;
    entry.toldAtMs = monotonicMs;
    return true;
  }

  /** Sentences for health, newest first. */
  list(monotonicMs: number): readonly string[] {
    return this.#remembered(monotonicMs)
      .slice(0, maxListed)
      .map(([, entry]) => sentenceOf(entry));
  }

  /** The newest fault that harms viewers, if there is one. */
  fault(monotonicMs: number): string | undefined {
    const found = this.#remembered(monotonicMs).find(([code]) => !harmless.has(code));
    return found === undefined ? undefined : sentenceOf(found[1]);
  }

  #remembered(monotonicMs: number): readonly (readonly [WarningCode, Entry])[] {
    return [...this.#entries]
      .filter(([, { lastAtMs }]) => monotonicMs - lastAtMs < rememberMs)
      .toSorted(([, a], [, b]) => b.lastAtMs - a.lastAtMs);
  }
}

function sentenceOf({ detail, count }: Entry): string {
  return count > 1 ? `${detail} (${count} times)` : detail;
}
