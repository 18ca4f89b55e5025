/**
 * An edge of one region: follows that region's log with the product's fold, and holds what it shows against what must always hold.
 *
 * N1. In one life of an edge neither epoch nor media sequence nor discontinuity sequence goes back.
 * N2. A number means one segment with one discontinuity sequence on all edges of a region, for ever.
 * N3. The programme date and time of a segment is its wall-clock time in every region, within 20 ms. So a session that changes its region
 *     finds its place. Where the regions' clocks differ, it is off by no more than they are.
 */
import { applyEntry, emptyTimeline, rewound } from '../../../actors/media/timeline/fold.ts';
import { mediaOf, presentationTime90k } from '../../../actors/media/timeline/query.ts';
import type {
  FoldedTimeline,
  TimelinePeriod,
  TimelineSegment,
} from '../../../actors/media/timeline/timeline.ts';
import { windowOf } from '../../../actors/media/timeline/window.ts';
import type { IndexEntry } from '../../../cluster/contract/index-records.ts';
import type { RegionLog } from './region-log.ts';
import { rendition } from '../simulated-media.ts';

export interface EdgeWatch {
  readonly violate: (what: string) => void;
  /** What each number of this region was when it was first shown. */
  readonly published: Map<number, string>;
  /** The wall-clock time of a segment by its hash. */
  readonly wallMsOf: (sha256: string) => number | undefined;
  /** Sabotage: the numbers of another region are taken as they are (`shift`), or its times (`dates`). */
  readonly breaks: string | undefined;
  /** By how much the wall clocks of two regions may differ. */
  readonly skewMs: number;
}

/** How many of the newest segments are looked at after each read. */
const lookedAt = 64;
const alignedMs = 20;
/** Shorter than what is kept of a shortened log. */
export const windowSeconds = 40;

export class RegionEdge {
  readonly #name: string;
  readonly #log: RegionLog;
  readonly #watch: EdgeWatch;
  #timeline = emptyTimeline();
  #last: IndexEntry | undefined;
  #shownFrom = 0;
  #isRewound = false;

  constructor(name: string, log: RegionLog, watch: EdgeWatch) {
    this.#name = name;
    this.#log = log;
    this.#watch = watch;
  }

  get timeline(): FoldedTimeline {
    return this.#timeline;
  }

  /** Whether it has seen a log that went back: then it knows more than its neighbours, and may show otherwise (C7). */
  get isRewound(): boolean {
    return this.#isRewound;
  }

  /** Reads all that is new, and judges what is shown now. */
  read(): void {
    this.#rewindIfLost();
    for (const entry of this.#log.from(this.#timeline.lastSequence + 1)) {
      const before = { ...this.#timeline };
      this.#timeline = this.#broken(applyEntry(this.#timeline, this.#given(entry)));
      this.#last = entry;
      this.#judgeOrder(before);
    }
    this.#judgeNumbers();
  }

  /** The log no longer has the last record that was read (C7). */
  #rewindIfLost(): void {
    const last = this.#last;
    if (last === undefined) return;
    const { entries } = this.#log;
    const found = entries.find(({ sequence }) => sequence === last.sequence);
    const isPurged = (entries[0]?.sequence ?? 0) > last.sequence;
    if (isPurged || found?.record.recordId === last.record.recordId) return;
    this.#timeline = rewound(this.#timeline);
    this.#isRewound = true;
    this.#last = undefined;
  }

  #given({ sequence, record }: IndexEntry): IndexEntry {
    const { breaks } = this.#watch;
    if (record.home === undefined) return { sequence, record };
    if (breaks === 'dates' && record.kind === 'clock') {
      const { availabilityStartMs = record.availabilityStartMs } = this.#timeline;
      return { sequence, record: { ...record, availabilityStartMs } };
    }
    if (breaks !== 'shift') return { sequence, record };
    const { number: _, ...home } = record.home;
    return { sequence, record: { ...record, home } };
  }

  #broken(timeline: FoldedTimeline): FoldedTimeline {
    const { branch } = timeline;
    if (this.#watch.breaks !== 'shift' || branch?.shift === undefined) return timeline;
    return { ...timeline, branch: { ...branch, shift: 0 } };
  }

  #judgeOrder(before: FoldedTimeline): void {
    const now = this.#timeline;
    const names = ['epoch', 'firstNumber', 'nextNumber', 'nextOrdinal', 'longest90k'] as const;
    for (const name of names)
      if (now[name] < before[name])
        this.#watch.violate(`N1: ${this.#name}: ${name} went back from ${before[name]} to ${now[name]}`);
    const [first, former] = [this.firstShown, this.#shownFrom];
    this.#shownFrom = first;
    if (first < former)
      this.#watch.violate(`N1: ${this.#name}: the first shown number went back from ${former} to ${first}`);
  }

  /** The media sequence of its playlists. */
  get firstShown(): number {
    const [oldest] = windowOf(this.#timeline, windowSeconds);
    return oldest?.segments[0]?.number ?? this.#timeline.nextNumber;
  }

  #judgeNumbers(): void {
    const shown = this.#timeline.periods
      .flatMap((period) => period.segments.slice(-lookedAt).map((segment) => ({ period, segment })))
      .slice(-lookedAt);
    for (const { period, segment } of shown) {
      const { number } = segment;
      const media = mediaOf(segment, rendition);
      const meaning = `${period.ordinal} ${media?.sha256 ?? 'gap'}`;
      const known = this.#watch.published.get(number) ?? meaning;
      this.#watch.published.set(number, known);
      if (known !== meaning)
        this.#watch.violate(`N2: ${this.#name}: number ${number} was ${known} and is ${meaning}`);
      if (media !== undefined) this.#judgeTime(period, segment, media.sha256);
    }
  }

  #judgeTime(period: TimelinePeriod, { start90k, number }: TimelineSegment, sha256: string): void {
    const wallMs = this.#watch.wallMsOf(sha256);
    const { availabilityStartMs = 0 } = this.#timeline;
    const shownMs = availabilityStartMs + presentationTime90k(period, start90k) / 90;
    if (wallMs !== undefined && Math.abs(shownMs - wallMs) > alignedMs + this.#watch.skewMs)
      this.#watch.violate(
        `N3: ${this.#name}: number ${number} of ${wallMs} ms is shown as of ${shownMs.toFixed(1)} ms`,
      );
  }
}
