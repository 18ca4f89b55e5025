/**
 * Holds the logs of all regions against what must always hold; region-edge.ts does so for what viewers see.
 *
 * V1. In each region's log epochs never decrease, and one epoch has one node and boot, in all regions.
 * V2. The id of a period means one clock in all regions.
 * V3. Five seconds after all links are up again no log ends with a lower epoch than the home's, and 20 s after that every edge shows
 *     what the home has published lately: nothing is stuck.
 */
import type { FoldedTimeline } from '../../../actors/media/timeline/timeline.ts';
import {
  periodOpenedBy,
  type ClockRecord,
  type IndexEntry,
} from '../../../cluster/contract/index-records.ts';
import type { Place } from './region-faults.ts';

const maxViolations = 10;
/** How far the newest segment of an edge may lie behind that of another one. */
const mostBehindMs = 8000;

export class RegionJudge {
  readonly violations: string[] = [];
  /** The wall-clock time of each segment, by its hash. */
  readonly wallMs = new Map<string, number>();
  readonly #authors = new Map<number, string>();
  readonly #clocks = new Map<number, string>();
  readonly #nowMs: () => number;
  readonly #trace: (line: string) => void;

  constructor(nowMs: () => number, trace: (line: string) => void) {
    this.#nowMs = nowMs;
    this.#trace = trace;
  }

  get isFull(): boolean {
    return this.violations.length >= maxViolations;
  }

  violate(what: string): void {
    this.#trace(`VIOLATION ${what}`);
    if (!this.isFull) this.violations.push(`at ${(this.#nowMs() / 1000).toFixed(2)} s: ${what}`);
  }

  /** Judges the newest record of a log (V1). */
  appended({ id, log }: Pick<Place, 'id' | 'log'>, { record, sequence }: IndexEntry): void {
    const before = log.entries.at(-2)?.record.epoch ?? 0;
    if (record.epoch < before)
      this.violate(`V1: the log of ${id} went back from epoch ${before} to ${record.epoch}`);
    const author = `${record.node} ${record.bootId}`;
    const known = this.#authors.get(record.epoch) ?? author;
    this.#authors.set(record.epoch, known);
    if (known !== author) this.violate(`V1: epoch ${record.epoch} is of ${known} and of ${author}`);
    if (record.kind === 'clock') this.#judgeClock(record, sequence);
  }

  /** Judges the id of a period (V2). */
  #judgeClock(clock: ClockRecord, sequence: number): void {
    const id = periodOpenedBy(clock, sequence);
    const meaning = [clock.sessionId, clock.epoch, clock.mediaZero90k, clock.connectionZeroMs].join(' ');
    const known = this.#clocks.get(id) ?? meaning;
    this.#clocks.set(id, known);
    if (known !== meaning) this.violate(`V2: period ${id} is two clocks: ${known}, and ${meaning}`);
  }

  /** Whether all logs end with the branch of one owner (V3). */
  epochs(places: readonly Place[]): void {
    const epochs = places.map(({ log }) => log.tail?.record.epoch ?? 0);
    if (new Set(epochs).size > 1)
      this.violate(`V3: 5 s after healing the logs end with the epochs ${epochs.join(', ')}`);
  }

  /** Whether no edge is stuck (V3). */
  shown(places: readonly Place[]): void {
    const newest = places.flatMap(({ edges }) => edges.map(({ timeline }) => this.#newestMs(timeline)));
    const latest = Math.max(...newest);
    if (newest.some((wallMs) => wallMs < latest - mostBehindMs))
      this.violate(`V3: 25 s after healing edges show segments of ${newest.join(', ')} ms`);
  }

  #newestMs({ periods }: FoldedTimeline): number {
    const segments = periods.flatMap((period) => period.segments);
    const hashes = segments.flatMap(({ renditions }) =>
      Object.values(renditions).flatMap((media) => ('absent' in media ? [] : [media.sha256])),
    );
    return this.wallMs.get(hashes.at(-1) ?? '') ?? 0;
  }
}
