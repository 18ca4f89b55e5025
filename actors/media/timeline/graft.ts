/**
 * Merges the fold of the home's log into that of this region's: what a relayer does where records were purged, or where the home's log
 * is another one now (R4, R6).
 *
 * The segments of the home's fold go the way of its records: the same ones fit, with the same numbers. Where the two have no segment in
 * common any more, the home's first one joins as after a change of region. Where the home itself relays, its numbers are taken back to
 * those that the owner wrote. What the home's store lacks does not concern this region (R8).
 */
import type { BootId, Epoch } from '../../../cluster/model/ids.ts';
import { branchOf } from '../../../cluster/model/branch.ts';
import { append, openPeriodOf, pendingKey, type Decided } from './append.ts';
import { beginBranch, branchedHere, ownNumber } from './branch.ts';
import { isFenced, openPeriod } from './fold.ts';
import { endOfSegments90k } from './query.ts';
import { whole, withoutMissing } from './missing.ts';
import { fromSnapshot, toSnapshot } from './snapshot.ts';
import type { FoldedTimeline, Timeline, TimelinePeriod, TimelineSegment } from './timeline.ts';

/** The home's fold, and the author of the home's last record. */
export interface HomeFold {
  readonly timeline: Timeline;
  readonly epoch: Epoch;
  readonly bootId: BootId;
}

/** @returns the merged fold, or undefined when this region's log knows all of it; `own` stays as it is */
export function graft(own: Timeline, home: HomeFold): FoldedTimeline | undefined {
  const { epoch, bootId, timeline } = home;
  if (isFenced(own, home)) return undefined;
  const isEmpty = own.periods.length === 0 && own.nextNumber === 0;
  const copy = fromSnapshot(toSnapshot(isEmpty ? timeline : own));
  if (copy === undefined) return undefined;
  const { lastSequence, ignored } = own;
  if (isEmpty) return { ...withoutMissing(copy), lastSequence, ignored, epoch, bootId };
  const isOther = branchOf(epoch) !== branchOf(own.epoch);
  const firstOfHome = firstNumberOf(timeline) - shiftOf(timeline);
  const isApart = (ownNumber(own, firstOfHome) ?? 0) > own.nextNumber;
  const begun = isOther || isApart ? beginBranch(copy, false) : copy;
  const known = withPeriods({ ...begun, epoch, bootId }, timeline);
  const merged = !isOther && isBehind(timeline, own) ? known : withState(known, timeline);
  return isOther || isApart || isMore(merged, own) ? merged : undefined;
}

/**
 * The fold with which an owner of this region goes on from another region that knows more: its segments behind this log's own, in the numbers
 * of this log (R6). Another region's fold as it is would give a number two meanings here.
 *
 * @param own the fold of this region's log before the owner's `open`, @param epoch the owner's
 */
export function adopted(own: Timeline, home: HomeFold, epoch: Epoch): FoldedTimeline | undefined {
  const merged = graft(own, home);
  return merged === undefined ? undefined : branchedHere(merged, epoch);
}

const shiftOf = ({ branch }: Timeline): number => branch?.shift ?? 0;

/** The segments that the owner of the home's branch numbered; those that this fold counts as it does. */
function numbered({ branch }: Timeline, { segments }: TimelinePeriod): readonly TimelineSegment[] {
  if (branch === undefined || branch.shift === 0) return segments;
  if (branch.isJoining) return [];
  return segments.filter(({ number }) => number >= branch.firstNumber);
}

/** The first number that the owner of the home's branch gave, or can give; 0 while nobody knows how the home counts. */
function firstNumberOf(home: Timeline): number {
  const firsts = home.periods.map((period) => numbered(home, period)[0]?.number);
  const isCounted = home.branch === undefined || home.branch.shift !== undefined;
  return firsts.find((number) => number !== undefined) ?? (isCounted ? home.nextNumber : 0);
}

/** Whether the home's fold is older than what this region has of the same branch: a relayer begins with such. */
function isBehind(home: Timeline, own: Timeline): boolean {
  const lastOf = ({ periods }: Timeline): number => periods.at(-1)?.id ?? 0;
  const next = ownNumber(own, home.nextNumber - shiftOf(home)) ?? own.nextNumber;
  return next < own.nextNumber || lastOf(home) < lastOf(own);
}

function isMore(merged: Timeline, own: Timeline): boolean {
  return (
    merged.epoch > own.epoch ||
    merged.nextNumber > own.nextNumber ||
    merged.periods.at(-1)?.id !== own.periods.at(-1)?.id ||
    merged.state !== own.state ||
    merged.movedTo?.epoch !== own.movedTo?.epoch
  );
}

function withPeriods(own: FoldedTimeline, home: Timeline): FoldedTimeline {
  return home.periods.reduce<FoldedTimeline>((merged, period) => withPeriod(merged, period, home), own);
}

function withPeriod(own: FoldedTimeline, period: TimelinePeriod, home: Timeline): FoldedTimeline {
  const { id, clock, inits } = period;
  const isKnown = own.periods.some((one) => one.id === id);
  const opened = isKnown ? own : openPeriod(own, { ...clock, period: id }, 0);
  if (!opened.periods.some((one) => one.id === id)) return own;
  const of = { period: id, atMs: home.publishedAtMs, inits };
  return numbered(home, period).reduce<FoldedTimeline>((merged, segment) => {
    const kind = segment.isGap ? 'gap' : 'commit';
    const decided: Decided = { ...whole(segment), ...of, kind, number: segment.number - shiftOf(home) };
    return append(merged, decided) ?? merged;
  }, opened);
}

/** Takes what goes with the home's last segment: whether it is on air, and which sources wait. */
function withState(own: FoldedTimeline, home: Timeline): FoldedTimeline {
  own.pending.clear();
  for (const source of home.pending.values()) {
    const period = openPeriodOf(own, source.period);
    if (period !== undefined && source.start90k >= endOfSegments90k(period))
      own.pending.set(pendingKey(source.period, source.start90k), source);
  }
  if (home.state === 'empty') return own;
  const { beganAtMs, endedAtMs, heardAtMs } = home.broadcast;
  const firstNumber = ownNumber(own, home.broadcast.firstNumber - shiftOf(home)) ?? own.broadcast.firstNumber;
  return {
    ...own,
    state: home.state,
    movedTo: home.movedTo,
    publishedAtMs: Math.max(own.publishedAtMs, home.publishedAtMs),
    longest90k: Math.max(own.longest90k, home.longest90k),
    broadcast: {
      beganAtMs,
      endedAtMs,
      heardAtMs: Math.max(own.broadcast.heardAtMs, heardAtMs),
      firstNumber: Math.max(0, Math.min(firstNumber, own.nextNumber)),
    },
  };
}
