/**
 * Where a log goes on with the segments of another region's owner: which of them fit, and which numbers and times they get (R6).
 *
 * It is a function of the log alone, so all edges of a region do the same. Numbers belong to a region: here none goes back, and none
 * means two segments. Ordinals are counted by the fold itself and need no shift.
 *
 * B1. At a change of region all that waits is forgotten, as the new owner has its own sources.
 * B2. Segments of the branch that start more than 2 ms before the end of this log are left out. The first that does not gets the next
 *     number, and so says by how much all that follow are shifted. A start within 2 ms of the end is moved to it: two connections of one
 *     encoder differ by 1 ms (M2).
 * B3. A period of the branch lies where its wall-clock time is here: its presentation zero is moved by the difference of the two
 *     availability starts. One that began before this region's own timeline is cut there: its media zero moves, and no time does. While
 *     segments are left out, it begins with the first one that is not; a later one never begins before the end of this log.
 * B4. A relayed segment says its number in this log, which the relayer counted. So a fold that is ahead of a log that went back refuses
 *     what it has, and counts what follows as all others do.
 */
import type { ClockRecord, CommitRecord, IndexRecord } from '../../../cluster/contract/index-records.ts';
import type { Epoch } from '../../../cluster/model/ids.ts';
import { branchOf } from '../../../cluster/model/branch.ts';
import { endOfSegments90k, liveEnd90k, presentationTime90k } from './query.ts';
import type { Branch, FoldedPeriod, FoldedTimeline, Timeline, TimelinePeriod } from './timeline.ts';

const joinTolerance90k = 180;
const maxChanges = 32;
/** How many of the oldest segments manifests leave out behind a change of region, until as many more are decided. */
export const leftOut = 8;

/** A segment as a fold takes it. */
export interface Place {
  readonly number: number;
  readonly start90k: number;
  readonly duration90k: number;
}

/** Whether a record begins a branch in this log: an `open` that says so, or whatever comes first of another region. */
export function changesBranch({ epoch }: Timeline, record: IndexRecord): boolean {
  if (record.epoch <= epoch || record.kind === 'snapshot') return false;
  if (record.kind === 'open' && record.from !== undefined) return true;
  return record.home !== undefined && epoch > 0 && branchOf(record.epoch) !== branchOf(epoch);
}

/**
 * Begins a branch (B1).
 *
 * @param isHere whether its owner is of this region, and so numbers on from this log
 */
export function beginBranch(timeline: FoldedTimeline, isHere: boolean): FoldedTimeline {
  timeline.pending.clear();
  const { nextNumber } = timeline;
  const branch: Branch = { shift: isHere ? 0 : undefined, isJoining: true, firstNumber: nextNumber };
  const former = timeline.branch?.shift ?? 0;
  const changedAt = isHere ? withChange(timeline, former, nextNumber) : timeline.changedAt;
  return { ...timeline, branch, changedAt, movedTo: undefined };
}

/** Notes a change of region, if viewers who come from the other region find nearly the same numbers here. */
function withChange({ changedAt, firstNumber }: Timeline, shift: number, at: number): readonly number[] {
  if (Math.abs(shift) > leftOut) return changedAt;
  return [...changedAt.filter((number) => number > firstNumber), at].slice(-maxChanges);
}

/** A fold that an owner of this region goes on with under that epoch: it numbers on from there, whoever wrote before. */
export function branchedHere(timeline: FoldedTimeline, epoch: Epoch): FoldedTimeline {
  const isOther = timeline.epoch > 0 && branchOf(epoch) !== branchOf(timeline.epoch);
  return isOther ? beginBranch(timeline, true) : timeline;
}

/** The number of this log for one that the present owner wrote; undefined while that is not known. */
export function ownNumber({ branch }: Timeline, number: number): number | undefined {
  if (branch === undefined) return number;
  return branch.shift === undefined ? undefined : number + branch.shift;
}

/** The number of this log that a relayer gives to what the home's owner calls `number`; undefined where the two count as one (B4). */
export function relayedNumber(timeline: Timeline, number: number): number | undefined {
  const { branch, nextNumber } = timeline;
  if (branch === undefined) return undefined;
  return ownNumber(timeline, number) ?? (nextNumber === 0 ? number : nextNumber);
}

/** Takes the number that a relayed segment says, whether it fits or not (B4). */
export function withNumber(
  timeline: FoldedTimeline,
  { number, home }: Pick<CommitRecord, 'number' | 'home'>,
): FoldedTimeline {
  const { branch } = timeline;
  if (branch === undefined || home?.number === undefined) return timeline;
  const shift = home.number - number;
  if (shift === branch.shift) return timeline;
  const isFirst = branch.shift === undefined;
  const changedAt = isFirst ? withChange(timeline, shift, home.number) : timeline.changedAt;
  return { ...timeline, branch: { ...branch, shift }, changedAt };
}

/** Where a decision goes; undefined when it does not fit (B2, C9). */
export function placeOf(timeline: Timeline, period: TimelinePeriod, given: Place): Place | undefined {
  const { nextNumber, branch } = timeline;
  const { start90k, duration90k } = given;
  const number = ownNumber(timeline, given.number);
  // A log whose beginning was purged may start at any number.
  if (number !== undefined && number !== nextNumber && nextNumber !== 0) return undefined;
  if (branch?.isJoining === true) {
    const next = nextNumber === 0 ? given.number : nextNumber;
    return joined(timeline, period, { ...given, number: number ?? next });
  }
  return number === undefined || start90k < endOfSegments90k(period)
    ? undefined
    : { number, start90k, duration90k };
}

function joined(timeline: Timeline, period: TimelinePeriod, given: Place): Place | undefined {
  const late90k = presentationTime90k(period, given.start90k) - liveEnd90k(timeline);
  if (late90k < -joinTolerance90k || given.start90k < period.clock.mediaZero90k) return undefined;
  const isAtEnd = Math.abs(late90k) <= joinTolerance90k && period.segments.length > 0;
  if (!isAtEnd) return given;
  const duration90k = given.duration90k + late90k;
  return duration90k <= 0 ? undefined : { ...given, start90k: given.start90k - late90k, duration90k };
}

/** What a fold knows of its branch once the segment that its owner calls `number` has this place (B2). */
export function joinedBranch(
  timeline: Timeline,
  number: number,
  place: Place,
): Pick<Timeline, 'branch' | 'changedAt'> {
  const { branch, changedAt } = timeline;
  if (branch?.isJoining !== true) return { branch, changedAt };
  const shift = branch.shift ?? place.number - number;
  const isRelayed = branch.shift === undefined;
  return {
    branch: { shift, isJoining: false, firstNumber: place.number },
    changedAt: isRelayed ? withChange(timeline, shift, place.number) : changedAt,
  };
}

/** A `clock` as this log counts its times (B3). */
export function clockHere(timeline: Timeline, clock: ClockRecord): ClockRecord {
  const { branch, availabilityStartMs = clock.availabilityStartMs } = timeline;
  if (branch === undefined) return clock;
  const end90k = liveEnd90k(timeline);
  const here90k = clock.presentationZero90k + (clock.availabilityStartMs - availabilityStartMs) * 90;
  if (!branch.isJoining)
    return { ...clock, availabilityStartMs, presentationZero90k: Math.max(here90k, end90k) };
  const before90k = Math.max(0, -here90k);
  const mediaZero90k = clock.mediaZero90k + before90k;
  return { ...clock, availabilityStartMs, mediaZero90k, presentationZero90k: here90k + before90k };
}

/** Lets a period without a segment begin with its first one, behind all that was left out (B3). */
export function beginWith(timeline: Timeline, period: FoldedPeriod, { start90k }: Place): FoldedPeriod {
  if (timeline.branch?.isJoining !== true || period.segments.length > 0) return period;
  const presentationZero90k = Math.max(liveEnd90k(timeline), presentationTime90k(period, start90k));
  return { ...period, clock: { ...period.clock, mediaZero90k: start90k, presentationZero90k } };
}
