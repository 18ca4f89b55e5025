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
  CommitRecord,
  GapRecord,
  IndexEntry,
  IndexRecord,
  SourceRecord,
} from '../../../cluster/contract/index-records.ts';
import { isPresent, periodOpenedBy } from '../../../cluster/contract/index-records.ts';
import { Epoch } from '../../../cluster/model/ids.ts';
import type { PeriodId, RenditionName } from '../../../cluster/model/ids.ts';
import { unreachable } from '../../../cluster/model/unreachable.ts';
import { endOfSegments90k, initsOfClock, periodsStoredAs, presentRungs, servedRenditions } from './query.ts';
import { fromSnapshot } from './snapshot.ts';
import type {
  BroadcastTimes,
  FoldedPeriod,
  FoldedTimeline,
  Timeline,
  TimelinePeriod,
  TimelineRun,
  TimelineSegment,
} from './timeline.ts';

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
  return applyRecord({ ...seen, epoch: record.epoch, bootId: record.bootId }, record, sequence);
}

/** Whether a record does not count: it has a lower epoch, or the same epoch and another process (C1). */
function isFenced({ epoch, bootId }: Timeline, record: IndexRecord): boolean {
  return record.epoch < epoch || (record.epoch === epoch && bootId !== undefined && record.bootId !== bootId);
}

const refuse = (timeline: FoldedTimeline): FoldedTimeline => ({ ...timeline, ignored: timeline.ignored + 1 });

function applyRecord(timeline: FoldedTimeline, record: IndexRecord, sequence: number): FoldedTimeline {
  switch (record.kind) {
    case 'open':
    case 'moved':
      return timeline;
    case 'clock':
      return openPeriod(timeline, record, sequence);
    case 'source':
      return addSource(timeline, record);
    case 'commit':
    case 'gap':
      return append(timeline, record);
    case 'snapshot':
      return restore(timeline, record);
    case 'trim':
      return trim(timeline, record.firstNumber);
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
function openPeriod(timeline: FoldedTimeline, clock: ClockRecord, sequence: number): FoldedTimeline {
  const id = periodOpenedBy(clock, sequence);
  if (timeline.periods.some((one) => one.id >= id)) return refuse(timeline);
  const { periods } = timeline;
  periods.push({
    id,
    clock,
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

/** Whether a `clock` goes on with the broadcast on air, or begins a new one. */
function onAirAt({ state, broadcast, nextNumber }: Timeline, atMs: number): BroadcastTimes {
  if (state === 'live') return heard(broadcast, atMs);
  return { ...heard(broadcast, atMs), beganAtMs: atMs, firstNumber: nextNumber };
}

const heard = (broadcast: BroadcastTimes, atMs: number): BroadcastTimes => ({
  ...broadcast,
  heardAtMs: Math.max(broadcast.heardAtMs, atMs),
});

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

function addSource(timeline: FoldedTimeline, source: SourceRecord): FoldedTimeline {
  const { pending } = timeline;
  const key = pendingKey(source.period, source.start90k);
  const period = openPeriodOf(timeline, source.period);
  if (period === undefined || pending.has(key) || source.start90k < endOfSegments90k(period))
    return refuse(timeline);
  pending.set(key, source);
  const seen = { ...timeline, broadcast: heard(timeline.broadcast, source.atMs) };
  if (pending.size <= maxPending) return seen;
  for (const oldest of pending.keys()) {
    pending.delete(oldest);
    break;
  }
  return refuse(seen);
}

/** The key of a source in `pending`. */
export const pendingKey = (period: PeriodId, start90k: number): string => `${period}/${start90k}`;

/** The period, if it is known and no later one has a segment yet, because numbers follow the order of periods (I2). */
function openPeriodOf(timeline: FoldedTimeline, id: PeriodId): FoldedPeriod | undefined {
  if (timeline.state === 'ended') return undefined;
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
function append(timeline: FoldedTimeline, record: CommitRecord | GapRecord): FoldedTimeline {
  const known = openPeriodOf(timeline, record.period);
  // A log whose beginning was purged may start at any number.
  const isFirst = timeline.nextNumber === 0;
  if (known === undefined || (record.number !== timeline.nextNumber && !isFirst)) return refuse(timeline);
  if (record.start90k < endOfSegments90k(known)) return refuse(timeline);
  const begun = begin(timeline, known);
  const segment = segmentOf(record);
  known.segments.push(segment);
  if (record.kind === 'commit') {
    adoptInits(known, record);
    extendRuns(known, segment);
  }
  decide(timeline, record);
  return {
    ...timeline,
    nextOrdinal: begun,
    publishedAtMs: Math.max(timeline.publishedAtMs, record.atMs),
    firstNumber: isFirst ? record.number : timeline.firstNumber,
    nextNumber: record.number + 1,
    longest90k: Math.max(timeline.longest90k, longestOf90k(known, segment)),
  };
}

function segmentOf(record: CommitRecord | GapRecord): TimelineSegment {
  const { number, start90k, duration90k } = record;
  const isGap = record.kind === 'gap';
  return { number, start90k, duration90k, isGap, renditions: isGap ? {} : record.renditions };
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
function adoptInits(period: FoldedPeriod, { inits }: CommitRecord): void {
  if (inits === undefined) return;
  const known: Record<RenditionName, (typeof inits)[RenditionName]> = period.inits;
  for (const { name } of period.clock.renditions) {
    const init = Object.hasOwn(inits, name) ? inits[name] : undefined;
    if (init !== undefined && !Object.hasOwn(known, name)) known[name] = init;
  }
}

/**
 * Begins a run when the set of present rungs changes (M13). A segment without any picture belongs to the run around it.
 */
function extendRuns(period: FoldedPeriod, segment: TimelineSegment): void {
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
function decide(timeline: FoldedTimeline, { period, start90k }: CommitRecord | GapRecord): void {
  const { pending } = timeline;
  pending.delete(pendingKey(period, start90k));
  for (const [key, source] of pending) {
    if (source.period > period || (source.period === period && source.start90k > start90k)) break;
    pending.delete(key);
  }
}

/** Drops sources that can no longer be decided. */
function forgetPending(timeline: FoldedTimeline, isPast: (source: SourceRecord) => boolean): void {
  const { pending } = timeline;
  for (const [key, source] of pending) if (isPast(source)) pending.delete(key);
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

/** Restores a period that was lost before it had a segment, from a snapshot (C7). */
function withPeriodsOf(
  timeline: FoldedTimeline,
  { periods, pending, state, broadcast }: FoldedTimeline,
): FoldedTimeline {
  const last = timeline.periods.at(-1)?.id ?? 0;
  const missing = periods.filter(({ id }) => id > last);
  if (missing.length === 0) return timeline;
  return { ...timeline, state, broadcast, pending, periods: [...timeline.periods, ...missing] };
}

/**
 * Takes a snapshot, when this fold lacks what was purged before it; where both know something they are equal. The
 * snapshot's epoch and bootId are those of its record.
 */
function restore(
  timeline: FoldedTimeline,
  record: Extract<IndexRecord, { kind: 'snapshot' }>,
): FoldedTimeline {
  const isBehind = timeline.periods.length === 0 || timeline.nextNumber < record.nextNumber;
  if (timeline.nextNumber > record.nextNumber) return timeline;
  const restored = fromSnapshot(record.state);
  if (restored === undefined) return refuse(timeline);
  if (!isBehind) return withPeriodsOf(timeline, restored);
  const { lastSequence, epoch, bootId, ignored } = timeline;
  return { ...restored, lastSequence, epoch, bootId, ignored: Math.max(ignored, restored.ignored) };
}
