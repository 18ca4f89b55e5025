/**
 * The timeline of a stream: what a fold over its index log says is playable (M14).
 *
 * It keeps whole segments from `firstNumber` on, as long as retention says; manifests show the DVR window of it. One
 * timeline serves manifests, the frames API and the owner, so that they never disagree.
 */
import type {
  ClockRecord,
  CommittedMedia,
  SourceRecord,
  StoredMedia,
} from '../../../cluster/contract/index-records.ts';
import type { InitSegment } from '../../../cluster/contract/renditions.ts';
import type { BootId, Epoch, PeriodId, RegionId, RenditionName } from '../../../cluster/model/ids.ts';

/** Media that this region's store lacks: absent here, but not where the log came from (R8). */
export interface LackedMedia {
  readonly absent: 'missing';
  readonly elsewhere: StoredMedia;
}

export interface TimelineSegment {
  /** The media sequence: one more for each commit or gap, across periods. */
  readonly number: number;
  readonly start90k: number;
  readonly duration90k: number;
  /** Empty for a gap of all rungs. */
  readonly renditions: Readonly<Record<RenditionName, CommittedMedia | LackedMedia>>;
  readonly isGap: boolean;
}

/** A stretch of a period in which the same video rungs are present. The MPD gives it a Period of its own (M13). */
export interface TimelineRun {
  /** The number of its first segment. */
  readonly firstNumber: number;
  /** Where it begins on the period's clock. The first run of a period begins at media zero. */
  readonly start90k: number;
  /** The video rungs that are present, best first; empty in a period without video. */
  readonly present: readonly RenditionName[];
}

export interface TimelinePeriod {
  readonly id: PeriodId;
  readonly clock: ClockRecord;
  /** How many periods with a segment came before; also the discontinuity sequence of its segments. */
  readonly ordinal: number;
  /**
   * Runs in order, from the one in which the oldest kept segment lies. Gaps of all rungs belong to the run around them.
   */
  readonly runs: readonly TimelineRun[];
  /** Reference init segments, from the clock and from first commits (M7). */
  readonly inits: Readonly<Record<RenditionName, InitSegment>>;
  /** Segments in order of number, without those below the timeline's `firstNumber`. */
  readonly segments: readonly TimelineSegment[];
}

/**
 * When the stream went on the air and off it, by its owners' UTC in ms; 0 for never. This is for people: nothing is
 * decided by it.
 */
export interface BroadcastTimes {
  /** When the `clock` came that began the present broadcast, or the last one. */
  readonly beganAtMs: number;
  /** The first number that a segment of this broadcast can have. */
  readonly firstNumber: number;
  /** When the last `end` came. */
  readonly endedAtMs: number;
  /** When media of a publisher last came: the last `clock` or `source`. */
  readonly heardAtMs: number;
}

/** How the numbers of this log relate to those that the owners of its present branch write (R6). */
export interface Branch {
  /** What is added to a number of the branch; undefined until its first segment here. It is below 0 where the branch is ahead. */
  readonly shift: number | undefined;
  /** Whether its first segment here is still to come. */
  readonly isJoining: boolean;
  /** The first number that a segment of it can have here. */
  readonly firstNumber: number;
}

export interface Timeline {
  /** The sequence of the last record folded in, ignored ones included; 0 for none. */
  readonly lastSequence: number;
  readonly epoch: Epoch;
  readonly bootId: BootId | undefined;
  /** `atMs` of the last commit, gap, clock or end; the manifest's publishTime. */
  readonly publishedAtMs: number;
  readonly availabilityStartMs: number | undefined;
  readonly state: 'empty' | 'live' | 'ended';
  readonly broadcast: BroadcastTimes;
  /**
   * Periods, oldest first. One without a kept segment stays only while it may still get one. That ends when a later
   * period has its first segment. What shows media must skip the empty ones.
   */
  readonly periods: readonly TimelinePeriod[];
  /** The `ordinal` of the next period that gets a first segment. */
  readonly nextOrdinal: number;
  readonly firstNumber: number;
  readonly nextNumber: number;
  /** Manifests show no segment below this number: this region's store lacks its media (R8). */
  readonly shownFrom: number;
  /** Undefined in a log whose stream has never changed its region: all numbers are as its owners wrote them. */
  readonly branch: Branch | undefined;
  /**
   * The first numbers behind changes of region after which the two regions count nearly alike, oldest first. Manifests leave some of the
   * oldest segments out there (window.ts), and go on doing so, as else a media sequence would go back.
   */
  readonly changedAt: readonly number[];
  /** The region to which the owner has given the stream, until that has opened it. */
  readonly movedTo: { readonly region: RegionId; readonly epoch: Epoch } | undefined;
  /** The longest segment ever committed, 90 kHz; it never goes down (M11). */
  readonly longest90k: number;
  /** Sources that are neither committed nor declared a gap, by `{period}/{start90k}`, in log order. */
  readonly pending: ReadonlyMap<string, SourceRecord>;
  /**
   * How many records were ignored: a lower epoch, a foreign bootId of the same epoch (C1), a wrong number, an unknown
   * or closed period.
   */
  readonly ignored: number;
}

/** A period as its fold holds it. */
export interface FoldedPeriod extends TimelinePeriod {
  readonly runs: TimelineRun[];
  readonly inits: Record<RenditionName, InitSegment>;
  readonly segments: TimelineSegment[];
}

/**
 * A timeline as its fold holds it: its lists and maps grow in place. Who feeds a fold keeps one of these; who only reads
 * takes it as a `Timeline`, whose lists are read-only.
 */
export interface FoldedTimeline extends Timeline {
  readonly periods: FoldedPeriod[];
  readonly pending: Map<string, SourceRecord>;
}

/** The region whose clock `availabilityStartMs` was read from, by the oldest period that is kept; undefined for an empty log (M10). */
export const regionOfStart = ({ periods }: Pick<Timeline, 'periods'>): RegionId | undefined =>
  periods[0]?.clock.region;
