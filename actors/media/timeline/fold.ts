/**
 * Folds an index log into a timeline. The owner, every edge and the simulator apply the same records (M14).
 *
 * Each entry costs O(1) amortised, so that a day of a stream folds in well under a second. For that, lists inside a
 * timeline grow in place; so the old value must not be used again. A record that does not fit (C1, C9) changes nothing
 * but `lastSequence` and `ignored`, and nothing throws.
 *
 * I1. `lastSequence` (except in `rewound`), `epoch`, `firstNumber`, `nextNumber`, `nextOrdinal`, `longest90k` and
 *     `publishedAtMs` never go back.
 * I2. The numbers of the kept segments are `firstNumber … nextNumber - 1` without a hole, in order of period and time.
 */
import type {
  ClockRecord,
  IndexEntry,
  IndexRecord,
  SourceRecord,
} from '../../../cluster/contract/index-records.ts';
import { periodOpenedBy } from '../../../cluster/contract/index-records.ts';
import { Epoch } from '../../../cluster/model/ids.ts';
import type { PeriodId } from '../../../cluster/model/ids.ts';
import { unreachable } from '../../../cluster/model/unreachable.ts';
import { append, fits, forgetPending, openPeriodOf, pendingKey } from './append.ts';
import { beginBranch, changesBranch, clockHere, ownNumber, withNumber } from './branch.ts';
import { heard, onAirAt } from './broadcast.ts';
import { withMissing } from './missing.ts';
import { endOfSegments90k, initsOfClock, periodsStoredAs } from './query.ts';
import { fromSnapshot } from './snapshot.ts';
import type { FoldedTimeline, Timeline } from './timeline.ts';

/** How many periods may wait for a first segment. With more, the oldest goes. */
const maxEmptyPeriods = 8;
/** How many sources may wait for a decision, far more than deadlines of 4 s leave (M12). With more, the oldest goes. */
const maxPending = 1024;

/** The timeline of an empty log. It is a new value each time, because a fold grows it in place. */
export function emptyTimeline(): FoldedTimeline {
  return {
    lastSequence: 0,
    epoch: Epoch.parse(0),
    bootId: undefined,
    publishedAtMs: 0,
    availabilityStartMs: undefined,
    state: 'empty',
    broadcast: { beganAtMs: 0, firstNumber: 0, endedAtMs: 0, heardAtMs: 0 },
    periods: [],
    nextOrdinal: 0,
    firstNumber: 0,
    nextNumber: 0,
    shownFrom: 0,
    branch: undefined,
    changedAt: [],
    movedTo: undefined,
    longest90k: 0,
    pending: new Map(),
    ignored: 0,
  };
}

/** Folds one entry in. An entry at or below `lastSequence` changes nothing. The old value must not be used again. */
export function applyEntry(timeline: FoldedTimeline, { sequence, record }: IndexEntry): FoldedTimeline {
  if (sequence <= timeline.lastSequence) return timeline;
  const seen = { ...timeline, lastSequence: sequence };
  if (isFenced(timeline, record)) return refuse(seen);
  const { epoch, bootId, home } = record;
  const begun = changesBranch(timeline, record) ? beginBranch(seen, home === undefined) : seen;
  return applyRecord({ ...begun, epoch, bootId }, record, sequence);
}

/**
 * Whether a record would change anything that the fold of another log does not know yet. A relayer appends only such
 * records (R4). Snapshots are merged (graft.ts), and what a region's store lacks concerns that region alone.
 */
export function changesFold(timeline: Timeline, record: IndexRecord): boolean {
  if (isFenced(timeline, record)) return false;
  if (changesBranch(timeline, record)) return true;
  switch (record.kind) {
    case 'clock':
      return record.period !== undefined && isNewPeriod(timeline, record.period);
    case 'source':
      return isAwaited(timeline, record);
    case 'commit':
    case 'gap':
      return fits(timeline, record);
    case 'open':
    case 'trim':
    case 'moved':
    case 'end':
      return changesState(timeline, record);
    case 'snapshot':
    case 'missing':
      return false;
    default:
      return unreachable(record);
  }
}

function changesState(
  timeline: Timeline,
  record: Extract<IndexRecord, { kind: 'open' | 'trim' | 'moved' | 'end' }>,
): boolean {
  switch (record.kind) {
    case 'open':
      return record.epoch > timeline.epoch;
    case 'trim':
      return (ownNumber(timeline, record.firstNumber) ?? 0) > timeline.firstNumber;
    case 'moved':
      return timeline.movedTo?.epoch !== record.toEpoch;
    case 'end':
      return timeline.state !== 'ended';
    default:
      return unreachable(record);
  }
}

/** Whether a record does not count: it has a lower epoch, or the same epoch and another process (C1). */
export function isFenced(
  { epoch, bootId }: Timeline,
  record: Pick<IndexRecord, 'epoch' | 'bootId'>,
): boolean {
  return record.epoch < epoch || (record.epoch === epoch && bootId !== undefined && record.bootId !== bootId);
}

const refuse = (timeline: FoldedTimeline): FoldedTimeline => ({ ...timeline, ignored: timeline.ignored + 1 });

function applyRecord(timeline: FoldedTimeline, record: IndexRecord, sequence: number): FoldedTimeline {
  switch (record.kind) {
    case 'open':
      return timeline.movedTo === undefined ? timeline : { ...timeline, movedTo: undefined };
    case 'moved':
      return { ...timeline, movedTo: { region: record.to, epoch: record.toEpoch } };
    case 'missing':
      return withMissing(timeline, record);
    case 'clock':
      return openPeriod(timeline, record, sequence);
    case 'source':
      return addSource(timeline, record);
    case 'commit':
    case 'gap': {
      const numbered = withNumber(timeline, record);
      return append(numbered, record) ?? refuse(numbered);
    }
    case 'snapshot':
      return restore(timeline, record);
    case 'trim':
      return trim(timeline, ownNumber(timeline, record.firstNumber) ?? timeline.firstNumber);
    case 'end':
      timeline.pending.clear();
      return {
        ...timeline,
        state: 'ended',
        broadcast: { ...timeline.broadcast, endedAtMs: record.atMs },
        publishedAtMs: Math.max(timeline.publishedAtMs, record.atMs),
      };
    default:
      return unreachable(record);
  }
}

/** Prepares the fold for a log that went back (C7): what the log still has comes again, and changes nothing (I1). */
export function rewound(timeline: FoldedTimeline): FoldedTimeline {
  return { ...timeline, lastSequence: 0 };
}

/**
 * Adds a period. The sequence of its `clock` record gives the period's id (M1). Availability starts once in a stream's
 * life (M10). Whatever a log that went back brings, no id becomes a period twice (C7).
 */
export function openPeriod(timeline: FoldedTimeline, clock: ClockRecord, sequence: number): FoldedTimeline {
  const id = periodOpenedBy(clock, sequence);
  if (!isNewPeriod(timeline, id)) return refuse(timeline);
  const { periods } = timeline;
  periods.push({
    id,
    clock: clockHere(timeline, clock),
    ordinal: timeline.nextOrdinal,
    runs: [],
    inits: initsOfClock(clock),
    segments: [],
  });
  continuePending(timeline, clock, id);
  const empty = periods.filter((period) => period.segments.length === 0);
  const surplus = empty.length > maxEmptyPeriods ? empty[0] : undefined;
  if (surplus !== undefined) {
    periods.splice(periods.indexOf(surplus), 1);
    forgetPending(timeline, (source) => source.period === surplus.id);
  }
  return {
    ...timeline,
    state: 'live',
    broadcast: onAirAt(timeline, clock.atMs),
    availabilityStartMs: timeline.availabilityStartMs ?? clock.availabilityStartMs,
    publishedAtMs: Math.max(timeline.publishedAtMs, clock.atMs),
  };
}

const isNewPeriod = ({ periods }: Timeline, id: PeriodId): boolean => !periods.some((one) => one.id >= id);

/** Moves pending media that goes on in a new period to that period, from its beginning on (M7). */
function continuePending(timeline: FoldedTimeline, clock: ClockRecord, id: PeriodId): void {
  const { storedAs, mediaZero90k } = clock;
  if (storedAs === undefined) return;
  const parts = new Set(periodsStoredAs(timeline, storedAs).map((one) => one.id));
  const growable = timeline.pending;
  for (const [key, source] of [...growable]) {
    if (!parts.has(source.period) || source.start90k < mediaZero90k) continue;
    growable.delete(key);
    growable.set(pendingKey(id, source.start90k), { ...source, period: id });
  }
}

/** Whether a source can still be decided, and is not known. */
function isAwaited(timeline: Timeline, source: SourceRecord): boolean {
  const period = openPeriodOf(timeline, source.period);
  const isKnown = timeline.pending.has(pendingKey(source.period, source.start90k));
  return period !== undefined && !isKnown && source.start90k >= endOfSegments90k(period);
}

function addSource(timeline: FoldedTimeline, source: SourceRecord): FoldedTimeline {
  if (!isAwaited(timeline, source)) return refuse(timeline);
  const { pending } = timeline;
  const key = pendingKey(source.period, source.start90k);
  pending.set(key, source);
  const seen = { ...timeline, broadcast: heard(timeline.broadcast, source.atMs) };
  if (pending.size <= maxPending) return seen;
  for (const oldest of pending.keys()) {
    pending.delete(oldest);
    break;
  }
  return refuse(seen);
}

function trim(timeline: FoldedTimeline, upTo: number): FoldedTimeline {
  const firstNumber = Math.max(timeline.firstNumber, Math.min(upTo, timeline.nextNumber));
  const { periods } = timeline;
  for (const period of periods) {
    const first = period.segments[0];
    if (first === undefined) continue;
    if (first.number >= firstNumber) break;
    period.segments.splice(0, firstNumber - first.number);
    while ((period.runs[1]?.firstNumber ?? Infinity) <= firstNumber) period.runs.shift();
  }
  const closedBelow = timeline.nextOrdinal - 1;
  const kept = periods.filter((period) => period.segments.length > 0 || period.ordinal >= closedBelow);
  return { ...timeline, firstNumber, periods: kept };
}

/** What manifests have left out once they go on leaving out, also where a log that went back does not know of it. */
const allChanges = (one: Timeline, other: Timeline): readonly number[] =>
  [...new Set([...one.changedAt, ...other.changedAt])].toSorted((a, b) => a - b);

/**
 * Takes what a snapshot knows of periods without a segment (C7), and of the branch, where its numbers end as here.
 *
 * @param isRelayed a relayer's snapshot stands for all that the home wrote up to there, its `end` and `moved` too (R4)
 */
function withPeriodsOf(
  timeline: FoldedTimeline,
  restored: FoldedTimeline,
  isRelayed: boolean,
): FoldedTimeline {
  const { periods, pending, state, broadcast } = restored;
  const last = timeline.periods.at(-1)?.id ?? 0;
  const missing = periods.filter(({ id }) => id > last);
  const { branch, movedTo } = restored;
  const changedAt = allChanges(timeline, restored);
  if (missing.length === 0 && branch === undefined && !isRelayed) return timeline;
  const shownFrom = Math.max(timeline.shownFrom, restored.shownFrom);
  const all = [...timeline.periods, ...missing];
  return { ...timeline, state, broadcast, pending, periods: all, branch, changedAt, movedTo, shownFrom };
}

/** What a fold that is ahead of a log that went back takes of its snapshot: how that log counts, and whether the stream is on air. */
function aheadOf(
  timeline: FoldedTimeline,
  restored: FoldedTimeline | undefined,
  isRelayed: boolean,
): FoldedTimeline {
  if (restored === undefined) return timeline;
  const { branch = timeline.branch, state, broadcast, movedTo } = restored;
  if (!isRelayed || state === 'empty') return { ...timeline, branch };
  return { ...timeline, branch, state, broadcast, movedTo };
}

/**
 * Takes a snapshot, when this fold lacks what was purged before it; where both know something they are equal. The
 * snapshot's epoch and bootId are those of its record. A fold that is ahead of a log which went back keeps what it has,
 * and numbers what follows as that log does.
 */
function restore(
  timeline: FoldedTimeline,
  record: Extract<IndexRecord, { kind: 'snapshot' }>,
): FoldedTimeline {
  const restored = fromSnapshot(record.state);
  const isRelayed = record.home !== undefined;
  if (timeline.nextNumber > record.nextNumber) return aheadOf(timeline, restored, isRelayed);
  const isBehind = timeline.periods.length === 0 || timeline.nextNumber < record.nextNumber;
  if (restored === undefined) return refuse(timeline);
  if (!isBehind) return withPeriodsOf(timeline, restored, isRelayed);
  const { lastSequence, epoch, bootId } = timeline;
  return {
    ...trim(restored, timeline.firstNumber),
    changedAt: allChanges(timeline, restored),
    lastSequence,
    epoch,
    bootId,
    ignored: Math.max(timeline.ignored, restored.ignored),
    longest90k: Math.max(timeline.longest90k, restored.longest90k),
    publishedAtMs: Math.max(timeline.publishedAtMs, restored.publishedAtMs),
  };
}
