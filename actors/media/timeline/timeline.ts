/**
 * The timeline of a stream: what a fold over its index log says is playable (M14).
 *
 * Segments are kept whole from `firstNumber` on (what is retained); manifests show the DVR window of it.
 * One timeline serves manifests, the frames API and the owner, so that they never disagree.
 */
import type {
  ClockRecord,
  CommittedMedia,
  IndexEntry,
  SourceRecord,
} from '../../../cluster/contract/index-records.ts';
import type { InitSegment } from '../../../cluster/contract/renditions.ts';
import type { BootId, Epoch, PeriodId, RenditionName } from '../../../cluster/model/ids.ts';

export interface TimelineSegment {
  /** The media sequence: +1 for each commit or gap, across periods. */
  readonly number: number;
  readonly start90k: number;
  readonly duration90k: number;
  /** Empty for a gap of all rungs. */
  readonly renditions: Readonly<Record<RenditionName, CommittedMedia>>;
  readonly isGap: boolean;
}

/** A stretch of a period in which the same video rungs are present: the MPD gives it a Period of its own (M13). */
export interface TimelineRun {
  /** Number of its first segment. */
  readonly firstNumber: number;
  /** Where it begins on the period's clock; the first run of a period begins at media zero. */
  readonly start90k: number;
  /** The video rungs present, best first; empty in a period without video. */
  readonly present: readonly RenditionName[];
}

export interface TimelinePeriod {
  readonly id: PeriodId;
  readonly clock: ClockRecord;
  /** How many periods with a segment came before: the discontinuity sequence of its segments. */
  readonly ordinal: number;
  /** In order; at least the one that the oldest kept segment lies in. Gaps of all rungs belong to the run around them. */
  readonly runs: readonly TimelineRun[];
  /** Reference init segments, from the clock and from first commits (M7). */
  readonly inits: Readonly<Record<RenditionName, InitSegment>>;
  /** In order of number; those below the timeline's `firstNumber` are gone. */
  readonly segments: readonly TimelineSegment[];
}

/** When the stream went on the air and off it, as its owners said (their UTC, in ms; 0 for never). For people: nothing decides by it. */
export interface BroadcastTimes {
  /** The `clock` that began the present broadcast, or the last one. */
  readonly beganAtMs: number;
  /** The first number that a segment of it can have: from there on, what is committed belongs to it. */
  readonly firstNumber: number;
  /** The last `end`. */
  readonly endedAtMs: number;
  /** The last `clock` or `source`: media of a publisher came. */
  readonly heardAtMs: number;
}

export interface Timeline {
  /** Sequence of the last record folded in, ignored ones included; 0 for none. */
  readonly lastSequence: number;
  readonly epoch: Epoch;
  readonly bootId: BootId | undefined;
  /** `atMs` of the last commit, gap, clock or end: the manifest's publishTime. */
  readonly publishedAtMs: number;
  readonly availabilityStartMs: number | undefined;
  readonly state: 'empty' | 'live' | 'ended';
  readonly broadcast: BroadcastTimes;
  /**
   * Oldest first. One without a kept segment stays only while it may still get one, which ends when a later period has
   * its first: what shows media must skip the empty ones.
   */
  readonly periods: readonly TimelinePeriod[];
  /** What the next period to get a first segment has for `ordinal`. */
  readonly nextOrdinal: number;
  readonly firstNumber: number;
  readonly nextNumber: number;
  /** Longest segment ever committed, 90 kHz; never lowered (M11). */
  readonly longest90k: number;
  /** Sources offered and neither committed nor declared a gap, by `{period}/{start90k}`, in log order. */
  readonly pending: ReadonlyMap<string, SourceRecord>;
  /** Records ignored: lower epoch or foreign bootId of the same epoch (C1), wrong number, unknown or closed period. */
  readonly ignored: number;
}

/** Folds one entry in; entries at or below `lastSequence` change nothing. The old value must not be used again. */
export type ApplyEntry = (timeline: Timeline, entry: IndexEntry) => Timeline;
