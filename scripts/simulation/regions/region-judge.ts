/**
 * Holds the logs of all regions against what must always hold; region-edge.ts does so for what viewers see.
 *
 * V1. In each region's log epochs never decrease, and one epoch has one node and boot, in all regions.
 * V2. The id of a period means one clock in all regions.
 * V3. Five seconds after all links are up again no log ends with a lower epoch than the home's, and 20 s after that every edge shows
 *     what the home has published lately, and all of it, and whether it is on air: nothing is stuck.
 * V4. Edges of one region that have read the same records show the same window (M14), unless one knows what the log lost.
 * V5. A region that takes back what it gave away claims a higher epoch than the one that it gave: an `open` of the other region that comes late
 *     takes nothing from it any more.
 */
import type { FoldedTimeline } from '../../../actors/media/timeline/timeline.ts';
import {
  periodOpenedBy,
  type ClockRecord,
  type IndexEntry,
  type IndexRecord,
} from '../../../cluster/contract/index-records.ts';
import type { Epoch, RegionId } from '../../../cluster/model/ids.ts';
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
    if (record.kind === 'open' && record.home === undefined)
      this.#judgeReclaim(id, log.entries.at(-2)?.record, record.epoch);
  }

  /** Judges an `open` right behind the region's own `moved` (V5). */
  #judgeReclaim(id: RegionId, before: IndexRecord | undefined, epoch: Epoch): void {
    if (before?.kind === 'moved' && before.to !== id && before.home === undefined && epoch <= before.toEpoch)
      this.violate(`V5: ${id} claims epoch ${epoch} again, and gave ${before.toEpoch} away`);
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
    const edges = places.flatMap((place) => place.edges);
    const states = edges.map(({ timeline }) => timeline.state);
    if (new Set(states).size > 1) this.violate(`V3: 25 s after healing edges are ${states.join(', ')}`);
    this.#complete(edges.map(({ timeline }) => timeline));
  }

  /** Whether every edge has what any of them has of a while in which nothing was cut (V3). */
  #complete(timelines: readonly FoldedTimeline[]): void {
    const [fromMs, untilMs] = [this.#nowMs() - 14_000, this.#nowMs() - mostBehindMs];
    const known = timelines.map((timeline) => {
      const times = this.#hashesOf(timeline).map((hash) => this.wallMs.get(hash) ?? 0);
      return new Set(times.filter((wallMs) => wallMs > fromMs && wallMs < untilMs));
    });
    const counts = known.map(({ size }) => size);
    if (new Set(counts).size > 1)
      this.violate(`V3: 25 s after healing edges have ${counts.join(', ')} segments of one while`);
  }

  /** Whether two edges of a region show one window (V4). */
  windows(places: readonly Pick<Place, 'id' | 'edges'>[]): void {
    for (const { id, edges } of places) {
      const [one, other] = edges;
      if (one === undefined || other === undefined || one.isRewound || other.isRewound) continue;
      if (one.timeline.lastSequence === other.timeline.lastSequence && one.firstShown !== other.firstShown)
        this.violate(`V4: edges of ${id} show ${one.firstShown} and ${other.firstShown} first`);
    }
  }

  #newestMs(timeline: FoldedTimeline): number {
    return this.wallMs.get(this.#hashesOf(timeline).at(-1) ?? '') ?? 0;
  }

  #hashesOf({ periods }: FoldedTimeline): readonly string[] {
    return periods
      .flatMap((period) => period.segments)
      .flatMap(({ renditions }) =>
        Object.values(renditions).flatMap((media) => ('absent' in media ? [] : [media.sha256])),
      );
  }
}
