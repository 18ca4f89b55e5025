/** What the next record of the home asks of a relayer: to append it, merge it, let it wait, or pass it by (relayer.ts). */
import {
  isPresent,
  periodOpenedBy,
  type HomePlace,
  type IndexEntry,
  type IndexRecord,
} from '../../../cluster/contract/index-records.ts';
import { branchOf } from '../../../cluster/model/branch.ts';
import type { RenditionName, Sha256 } from '../../../cluster/model/ids.ts';
import { snapshotOf } from '../../media/timeline/bounded-snapshot.ts';
import { beginBranch, ownNumber, relayedNumber } from '../../media/timeline/branch.ts';
import { applyEntry, changesFold, emptyTimeline, isFenced } from '../../media/timeline/fold.ts';
import { graft } from '../../media/timeline/graft.ts';
import {
  findPeriod,
  servedAudio,
  servedRenditions,
  servedVideo,
  storePeriodOf,
} from '../../media/timeline/query.ts';
import { fromSnapshot, toSnapshot } from '../../media/timeline/snapshot.ts';
import type { Timeline, TimelinePeriod } from '../../media/timeline/timeline.ts';
import type { RelayerEffect, RelayerState, Waiting } from './relayer-state.ts';

/** How long a commit waits for its objects. */
const holdMs = 1000;
/** More records than this are no longer appended one by one. */
const backlog = 64;
/** Of so many of the commits that were missed the objects are brought. A standby wants those of all. */
const broughtOfMissed = 8;
/** How often the home is read anew because of one record. */
const maxBeginnings = 8;

type Mirror = NonNullable<RelayerState['mirror']>;

export type RelayStep =
  | { readonly kind: 'wait' }
  | { readonly kind: 'begin'; readonly at: number }
  | { readonly kind: 'giveUp' }
  | { readonly kind: 'append'; readonly record: IndexRecord }
  | { readonly kind: 'mirror'; readonly mirror: Mirror }
  | { readonly kind: 'pass'; readonly entry: IndexEntry };

/** One snapshot of the own fold for a long backlog, as far as its records follow from one another (relayer.ts Y4). */
export function caughtUpStep(state: RelayerState): RelayStep | undefined {
  const { waiting, own, mirror, cursor, mustWrite } = state;
  const isFollowing = cursor !== undefined || own.epoch === 0;
  if (waiting.length <= backlog || mirror !== undefined || !isFollowing || mustWrite) return undefined;
  let timeline = fromSnapshot(toSnapshot(own)) ?? emptyTimeline();
  let [author, last]: (IndexEntry | undefined)[] = [];
  for (const { entry } of waiting) {
    const { record } = entry;
    if (record.kind === 'snapshot' || record.home !== undefined || mustBegin(timeline, record)) break;
    const relayed = relayedRecord(timeline, entry, placeAtHome(state, entry));
    if (changesFold(timeline, relayed)) {
      timeline = applyEntry(timeline, { sequence: timeline.lastSequence + 1, record: relayed });
      author = entry;
    }
    last = entry;
  }
  if (author === undefined || last === undefined) return undefined;
  const record = snapshotRecord(state, timeline, author);
  return { kind: 'append', record: { ...record, home: placeAtHome(state, last) } };
}

/** Whether this region's log lacks something in front of a record, which only the home's newest snapshot can tell. */
const mustBegin = (own: Timeline, record: IndexRecord): boolean =>
  record.kind !== 'open' &&
  (isOfOtherBranch(own, record) || isOfUnknownPeriod(own, record) || isBehindHole(own, record));

/** Decides on the first of the waiting records. */
export function nextStep(state: RelayerState, nowMs: number): RelayStep {
  const [first] = state.waiting;
  if (first === undefined) return { kind: 'wait' };
  const { entry } = first;
  const { record } = entry;
  const { own, mirror, mustWrite } = state;
  if (isMirrored(state, record)) return { kind: 'mirror', mirror: mirrored(mirror, entry) };
  if (mirror !== undefined) {
    const { timeline } = mirrored(mirror, entry);
    return mergedStep(state, timeline, entry) ?? { kind: 'pass', entry };
  }
  if (isFenced(own, record)) return { kind: 'pass', entry };
  if (record.kind === 'snapshot') return snapshotStep(state, entry, record.state);
  if (mustWrite) return mergedStep(state, emptyTimeline(), before(entry)) ?? { kind: 'pass', entry };
  if (mustBegin(own, record)) return beginStep(state, entry);
  const relayed = relayedRecord(own, entry, placeAtHome(state, entry));
  if (!changesFold(own, relayed)) return { kind: 'pass', entry };
  return isHeld(first, nowMs) ? { kind: 'wait' } : { kind: 'append', record: relayed };
}

/**
 * Reads the home from its newest snapshot on. Where that leads to the same record again, segments that are lost at home lie before it: a
 * branch begins there. If it is anything else, nothing that the home has helps (relayer.ts Y7).
 */
function beginStep(state: RelayerState, entry: IndexEntry): RelayStep {
  const { own, begun } = state;
  const times = begun?.at === entry.sequence ? begun.times : 0;
  if (times === 0 || (!isBehindHole(own, entry.record) && times < maxBeginnings))
    return { kind: 'begin', at: entry.sequence };
  const copy = isBehindHole(own, entry.record) ? fromSnapshot(toSnapshot(own)) : undefined;
  if (copy === undefined) return { kind: 'giveUp' };
  const apart = beginBranch(copy, false);
  return { kind: 'append', record: snapshotRecord(state, apart, before(entry)) };
}

/** Whether a segment's number lies above the next one: this log lacks what the home has before it. */
function isBehindHole(own: Timeline, record: IndexRecord): boolean {
  if ((record.kind !== 'commit' && record.kind !== 'gap') || own.nextNumber === 0) return false;
  return (ownNumber(own, record.number) ?? 0) > own.nextNumber;
}

function snapshotStep(state: RelayerState, entry: IndexEntry, folded: unknown): RelayStep {
  const home = fromSnapshot(folded);
  const step = home === undefined ? undefined : mergedStep(state, home, entry);
  return step ?? { kind: 'pass', entry };
}

/**
 * Whether a record is only folded, apart from this region's log: the home had it from another region, or the relayer begins and the
 * record is older than what this region has. The next record of the home's own may go on with its periods.
 */
const isMirrored = ({ own, mirror, cursor }: RelayerState, record: IndexRecord): boolean =>
  record.home !== undefined || ((mirror !== undefined || cursor === undefined) && isFenced(own, record));

/** Whether a segment belongs to a period that this region never heard of, and that is newer than its own. */
function isOfUnknownPeriod({ periods }: Timeline, record: IndexRecord): boolean {
  if (record.kind !== 'commit' && record.kind !== 'gap') return false;
  return record.period > (periods.at(-1)?.id ?? 0);
}

const isOfOtherBranch = (own: Timeline, record: IndexRecord): boolean =>
  own.epoch > 0 && branchOf(record.epoch) !== branchOf(own.epoch);

/** What is written in front of an entry reaches up to the place before it. An `open` is nothing but its epoch. */
const before = (entry: IndexEntry): IndexEntry =>
  entry.record.kind === 'open' ? entry : { ...entry, sequence: Math.max(1, entry.sequence - 1) };

const mirrored = (mirror: Mirror | undefined, entry: IndexEntry): Mirror => ({
  timeline: applyEntry(mirror?.timeline ?? emptyTimeline(), entry),
  last: entry,
});

/** Where an entry stands in the home's log. */
export function placeAtHome(
  { self }: Pick<RelayerState, 'self'>,
  { sequence, record }: IndexEntry,
): HomePlace {
  return { region: self.home, sequence, recordId: record.recordId };
}

/**
 * A record of the home as it goes into this region's log, whose fold is `own`: a `clock` says the id that its period has at home, and a
 * segment says its number here, once the two logs may count otherwise (R6).
 */
export function relayedRecord(
  own: Timeline,
  { record, sequence }: IndexEntry,
  place: HomePlace,
): IndexRecord {
  if (record.kind === 'clock') return { ...record, home: place, period: periodOpenedBy(record, sequence) };
  if (record.kind !== 'commit' && record.kind !== 'gap') return { ...record, home: place };
  const number = relayedNumber(own, record.number);
  return { ...record, home: number === undefined ? place : { ...place, number } };
}

/** A snapshot of what the merged folds know, if that is more than this region's log has (relayer.ts Y4). */
function mergedStep(
  state: RelayerState,
  timeline: Timeline,
  entry: IndexEntry,
): Extract<RelayStep, { kind: 'append' }> | undefined {
  const { epoch, bootId } = entry.record;
  // What an owner of this region wrote stands in this log already, and nobody else may write in its name.
  if (isFenced(state.own, entry.record) || entry.record.region === state.self.region) return undefined;
  const merged = graft(state.own, { timeline, epoch, bootId }) ?? (state.mustWrite ? state.own : undefined);
  return merged === undefined ? undefined : { kind: 'append', record: snapshotRecord(state, merged, entry) };
}

function snapshotRecord(state: RelayerState, timeline: Timeline, entry: IndexEntry): IndexRecord {
  const { epoch, node, region, bootId, recordId, atMs } = entry.record;
  const author = { epoch, node, region, bootId, recordId, atMs, home: placeAtHome(state, entry) };
  return { kind: 'snapshot', ...author, ...snapshotOf(timeline, timeline.firstNumber) };
}

/** A snapshot of this region's own fold, once its log has grown (R4). */
export function recordForGrowth({
  logRecords,
  self,
  author,
  own,
  cursor,
}: RelayerState): IndexRecord | undefined {
  if (logRecords <= self.maxLogRecords || author === undefined || cursor === undefined) return undefined;
  const { epoch, node, region, bootId, recordId, atMs } = author;
  const by = { epoch, node, region, bootId, recordId, atMs, home: cursor };
  return { kind: 'snapshot', ...by, ...snapshotOf(own, own.firstNumber) };
}

const isHeld = ({ lacks, heardAtMs, isMissed }: Waiting, nowMs: number): boolean =>
  !isMissed && lacks !== undefined && lacks.size > 0 && nowMs - heardAtMs < holdMs;

/**
 * Asks once for the objects of a commit, as soon as its period is known here, the newest first. Of what was missed it asks for the newest alone,
 * and of a long backlog for nothing: it would stand in front of the live edge (relayer.ts Y5).
 */
export function withWants(
  { waiting, own, standbyUntilMs }: RelayerState,
  nowMs: number,
): { readonly waiting: readonly Waiting[]; readonly pulls: readonly RelayerEffect[] } {
  if (waiting.length > backlog) return { waiting, pulls: [] };
  const pulls: RelayerEffect[] = [];
  const hasStandby = nowMs < standbyUntilMs;
  let missed = 0;
  const looked = waiting.toReversed().map((one): Waiting => {
    const { record } = one.entry;
    if (record.kind !== 'commit') return one;
    missed += one.isMissed ? 1 : 0;
    if (one.lacks !== undefined) return one;
    const period = findPeriod(own, record.period);
    if (period === undefined) return one;
    const isLeft = one.isMissed && missed > broughtOfMissed && !hasStandby;
    if (isLeft || isPast(own, record.number)) return { ...one, lacks: new Set() };
    const lacks = new Set<Sha256>();
    for (const rendition of wantedOf(period, hasStandby)) {
      const media = Object.hasOwn(record.renditions, rendition) ? record.renditions[rendition] : undefined;
      if (!isPresent(media)) continue;
      lacks.add(media.sha256);
      pulls.push({ kind: 'pull', period: storePeriodOf(period), rendition, media });
    }
    return { ...one, lacks };
  });
  return { waiting: looked.toReversed(), pulls };
}

/** Whether this region's log already has the segment that its home calls so. */
const isPast = ({ branch, nextNumber }: Timeline, number: number): boolean =>
  (branch === undefined || branch.shift !== undefined) && number + (branch?.shift ?? 0) < nextNumber;

function wantedOf(period: TimelinePeriod, hasStandby: boolean): readonly RenditionName[] {
  if (hasStandby) return servedRenditions(period).map(({ name }) => name);
  const least = [servedVideo(period).at(-1), servedAudio(period)];
  return least.flatMap((one) => (one === undefined ? [] : [one.name]));
}
