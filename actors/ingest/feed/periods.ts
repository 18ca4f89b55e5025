/** Keeps the periods of one feed. They begin one at a time, the stream's owner opens them, and they are forgotten when done. */
import type { PeriodMarks } from '../../../cluster/contract/contribution.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { FeedMetadata } from '../../media/flv/script-tag.ts';
import type { IngestEvent, Now, PeriodPlace, WarningCode } from '../ingest-events.ts';
import type { SessionLimits } from '../session-limits.ts';
import type { Period, PeriodSetting } from './period.ts';

export interface FeedPorts {
  readonly limits: SessionLimits;
  readonly emit: (event: Exclude<IngestEvent, { kind: 'warn' }>) => void;
  readonly warn: (code: WarningCode, detail: string) => void;
}

const minuteMs = 60_000;

export class Periods {
  readonly #ports: FeedPorts;
  #metadata: FeedMetadata | undefined;
  #current: Period | undefined;
  /** Periods that have begun and are not done, oldest first, with the current one. */
  #periods: Period[] = [];
  #nextOrdinal = 0;
  #begunAtMs: number[] = [];

  constructor(ports: FeedPorts) {
    this.#ports = ports;
  }

  get current(): Period | undefined {
    return this.#current;
  }

  /** What the encoder said of itself last; the next period begins with it. */
  get metadata(): FeedMetadata | undefined {
    return this.#metadata;
  }

  /** Periods that were asked for or ended, and are not open. */
  get unopened(): readonly Period[] {
    return this.#periods.filter((period) => !period.isOpened && (period.isAsked || period !== this.#current));
  }

  get bufferedBytes(): number {
    return this.#periods.reduce((sum, period) => sum + period.bufferedBytes, 0);
  }

  onMetadata(metadata: FeedMetadata): void {
    this.#metadata = metadata;
  }

  /**
   * Makes a period the current one; the one before must have ended.
   *
   * @param zeroMs where it begins, on the connection's clock
   * @throws TangazaError `MEDIA_INVALID` when too many began within a minute
   */
  begin(zeroMs: number, now: Now, make: (setting: PeriodSetting) => Period): Period {
    this.#begunAtMs = [...this.#begunAtMs.filter((at) => now.monotonicMs - at < minuteMs), now.monotonicMs];
    if (this.#begunAtMs.length > this.#ports.limits.maxPeriodsPerMinute) {
      throw new TangazaError(
        'MEDIA_INVALID',
        `the feed's clock or configuration changed ${this.#begunAtMs.length - 1} times within a minute`,
      );
    }
    const ordinal = this.#nextOrdinal;
    this.#nextOrdinal += 1;
    const period = make({
      ordinal,
      zeroMs,
      wallZeroMs: now.utcMs,
      metadata: this.#metadata,
      ...this.#ports,
    });
    this.#current = period;
    this.#periods.push(period);
    return period;
  }

  /** @param atMs as for `Period.end` */
  endCurrent(kind: 'segment' | 'tail', atMs?: number): void {
    this.#current?.end(kind, atMs);
    this.#current = undefined;
    this.#forgetDone();
  }

  marks(ordinal: number): PeriodMarks | undefined {
    return this.#periods.find((period) => period.ordinal === ordinal)?.marks();
  }

  open(ordinal: number, place: PeriodPlace): void {
    this.#periods.find((period) => period.ordinal === ordinal)?.open(place);
    this.#forgetDone();
  }

  #forgetDone(): void {
    if (this.#periods.some(({ isDone }) => isDone))
      this.#periods = this.#periods.filter(({ isDone }) => !isDone);
  }
}
