/**
 * The part of the fold that takes decisions: a commit or a gap becomes the next segment of its period, or is refused.
 */
import { isPresent, type CommitRecord, type SourceRecord } from '../../../cluster/contract/index-records.ts';
import type { InitSegment } from '../../../cluster/contract/renditions.ts';
import type { PeriodId, RenditionName } from '../../../cluster/model/ids.ts';
import { beginWith, joinedBranch, placeOf, type Place } from './branch.ts';
import { onAirAt } from './broadcast.ts';
import { presentRungs, servedRenditions } from './query.ts';
import type {
  FoldedPeriod,
  FoldedTimeline,
  Timeline,
  TimelinePeriod,
  TimelineRun,
  TimelineSegment,
} from './timeline.ts';

/** What a commit or a gap says of one segment, in its own log's numbers. */
export interface Decided extends Place {
  readonly kind: 'commit' | 'gap';
  readonly period: PeriodId;
  readonly atMs: number;
  readonly renditions?: CommitRecord['renditions'] | TimelineSegment['renditions'];
  readonly inits?: Readonly<Record<RenditionName, InitSegment>> | undefined;
}

/** The key of a source in `pending`. */
export const pendingKey = (period: PeriodId, start90k: number): string => `${period}/${start90k}`;

/** The period, if it is on air and no later one has a segment yet, because numbers follow the order of periods (fold.ts I2). */
export function openPeriodOf(timeline: Timeline, id: PeriodId): TimelinePeriod | undefined {
  // A branch may go on with a period that the old home has ended meanwhile (R6).
  if (timeline.state === 'ended' && timeline.branch?.isJoining !== true) return undefined;
  const { periods } = timeline;
  for (let index = periods.length - 1; index >= 0; index -= 1) {
    const period = periods[index];
    if (period === undefined || period.id === id) return period;
    if (period.ordinal < timeline.nextOrdinal) return undefined;
  }
  return undefined;
}

/**
 * Whether a decision fits: commits come in order of start time, and a published gap is final (C9). Others are not of
 * this log's owner.
 */
export function fits(timeline: Timeline, decided: Decided): boolean {
  const period = openPeriodOf(timeline, decided.period);
  return period !== undefined && placeOf(timeline, period, decided) !== undefined;
}

/** Takes a decision. @returns undefined when it does not fit */
export function append(timeline: FoldedTimeline, decided: Decided): FoldedTimeline | undefined {
  const found = openPeriodOf(timeline, decided.period);
  const index = timeline.periods.findLastIndex((one) => one.id === decided.period);
  const known = timeline.periods[index];
  const place = found === undefined ? undefined : placeOf(timeline, found, decided);
  if (known === undefined || place === undefined) return undefined;
  const period = beginWith(timeline, known, place);
  timeline.periods[index] = period;
  const begun = begin(timeline, period);
  const segment = segmentOf(decided, place);
  period.segments.push(segment);
  if (decided.kind === 'commit') {
    adoptInits(period, decided);
    extendRuns(period, segment);
  }
  settle(timeline, decided);
  const isFirst = timeline.nextNumber === 0;
  return {
    ...timeline,
    ...backOnAir(timeline, decided),
    nextOrdinal: begun,
    publishedAtMs: Math.max(timeline.publishedAtMs, decided.atMs),
    firstNumber: isFirst ? place.number : timeline.firstNumber,
    nextNumber: place.number + 1,
    ...joinedBranch(timeline, decided.number, place),
    longest90k: Math.max(timeline.longest90k, longestOf90k(period, segment)),
  };
}

/** The stream is on air again where a branch joins behind an `end` that it does not know of. */
function backOnAir(timeline: Timeline, { atMs }: Decided): Pick<Timeline, 'state' | 'broadcast'> {
  const { state, broadcast } = timeline;
  return state === 'ended' ? { state: 'live', broadcast: onAirAt(timeline, atMs) } : { state, broadcast };
}

function segmentOf(decided: Decided, { number, start90k, duration90k }: Place): TimelineSegment {
  const isGap = decided.kind === 'gap';
  return { number, start90k, duration90k, isGap, renditions: isGap ? {} : (decided.renditions ?? {}) };
}

/**
 * Closes all periods before this one, as it gets its first segment. Empty ones go. The period gets its ordinal only
 * now, so that a period that never had a segment does not count as a discontinuity. Returns the next ordinal.
 */
function begin(timeline: FoldedTimeline, period: FoldedPeriod): number {
  if (period.ordinal < timeline.nextOrdinal) return timeline.nextOrdinal;
  const { periods } = timeline;
  const index = periods.indexOf(period);
  const later = periods.slice(index + 1);
  const earlier = periods.slice(0, index).filter((one) => one.segments.length > 0);
  const renumbered = later.map((one) => ({ ...one, ordinal: timeline.nextOrdinal + 1 }));
  periods.splice(0, periods.length, ...earlier, period, ...renumbered);
  forgetPending(timeline, (source) => source.period < period.id);
  return timeline.nextOrdinal + 1;
}

/** Keeps the first committed init of a rendition, which is the reference for the whole period (M7). */
function adoptInits(period: FoldedPeriod, { inits }: Decided): void {
  if (inits === undefined) return;
  const known: Record<RenditionName, InitSegment> = period.inits;
  for (const { name } of period.clock.renditions) {
    const init = Object.hasOwn(inits, name) ? inits[name] : undefined;
    if (init !== undefined && !Object.hasOwn(known, name)) known[name] = init;
  }
}

/**
 * Begins a run when the set of present rungs changes (M13). A segment without any picture belongs to the run around it.
 */
export function extendRuns(period: FoldedPeriod, segment: TimelineSegment): void {
  const present = presentRungs(period, segment);
  const last = period.runs.at(-1);
  if (last !== undefined && (present.length === 0 || isSameSet(last.present, present))) return;
  const start90k = last === undefined ? period.clock.mediaZero90k : segment.start90k;
  const run: TimelineRun = { firstNumber: segment.number, start90k, present };
  const { runs } = period;
  // Older segments are trimmed away, so no kept segment lies in an older run.
  if (period.segments.length === 1) runs.length = 0;
  runs.push(run);
}

function isSameSet(left: readonly RenditionName[], right: readonly RenditionName[]): boolean {
  return left.length === right.length && left.every((name, index) => name === right[index]);
}

/**
 * The length of the longest segment (M11), for audio too: it is cut at the nearest frame, so it may be longer than the
 * picture.
 */
function longestOf90k(period: TimelinePeriod, segment: TimelineSegment): number {
  let longest = segment.duration90k;
  for (const { name, timescale } of servedRenditions(period)) {
    const media = Object.hasOwn(segment.renditions, name) ? segment.renditions[name] : undefined;
    if (isPresent(media)) longest = Math.max(longest, Math.ceil((media.duration * 90_000) / timescale));
  }
  return longest;
}

/** Removes the source of a decided segment from those that wait, with the sources that the segment has passed (C9). */
function settle(timeline: FoldedTimeline, { period, start90k }: Decided): void {
  const { pending } = timeline;
  pending.delete(pendingKey(period, start90k));
  for (const [key, source] of pending) {
    if (source.period > period || (source.period === period && source.start90k > start90k)) break;
    pending.delete(key);
  }
}

/** Drops sources that can no longer be decided. */
export function forgetPending(timeline: FoldedTimeline, isPast: (source: SourceRecord) => boolean): void {
  const { pending } = timeline;
  for (const [key, source] of pending) if (isPast(source)) pending.delete(key);
}
