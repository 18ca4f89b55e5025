/**
 * Keeps the log short (C1, C7): what no manifest shows goes into an archive object, and then out of the log.
 *
 * A crash between two steps must lose nothing, so the order is: the archive is stored; a `snapshot` record carries the
 * fold's state; only then the records below the snapshot are purged. The snapshot is made when it is sent, so it is the
 * fold of exactly what lies before it. Where segments are older than what is kept at all, a `trim` record goes in front
 * of it. Whoever follows the log already keeps the rest in memory; a new follower finds it in the archives.
 */
import { archiveKey } from '../../segment-store/archive-key.ts';
import { toSnapshot } from '../../media/timeline/snapshot.ts';
import type { Timeline } from '../../media/timeline/timeline.ts';
import { firstNeeded } from '../../media/timeline/window.ts';
import { enqueue } from './outbox.ts';
import type { OwnerSettings } from './owner-state.ts';
import type { Turn } from '../turn.ts';

/** A stream logs a source and a commit for each segment of 2 s; the log may hold twice that (C1). */
const recordsPerWindowSecond = 2;
const minLogRecords = 600;

/** With more records of a stream than this, its log is shortened. */
export const maxLogRecordsOf = (dvrWindowSeconds: number): number =>
  Math.max(minLogRecords, dvrWindowSeconds * recordsPerWindowSecond);

/** Asks for an archive when the log has grown to twice what it must hold. */
export function trimLog(turn: Turn): void {
  const {
    logRecords,
    settings,
    isArchiving,
    isCheckpointing,
    life,
    timeline,
    self,
    link,
    archivedBelow,
    checkpointed,
  } = turn.state;
  // A checkpoint of the same number has the same name. Made one after the other, it is known whose the object is.
  if (
    life !== 'active' ||
    isArchiving ||
    isCheckpointing ||
    link.kind === 'down' ||
    logRecords <= settings.maxLogRecords
  )
    return;
  const key = archiveKey(self.stream, self.epoch, timeline.nextNumber);
  const isCheckpoint = checkpointed?.key === key; // and so it must not be deleted
  turn.set({
    isArchiving: true,
    ...(isCheckpoint ? { checkpointed: { ...checkpointed, key: undefined } } : {}),
  });
  turn.ask({
    kind: 'archive',
    key,
    body: toSnapshot(timeline, archivedBelow),
    firstNumber: firstKept(timeline, settings.dvrWindowMs, settings),
  });
}

/** The archive is stored: the records that shorten the log follow. */
export function takeArchived(turn: Turn, firstNumber: number): void {
  const { timeline, settings } = turn.state;
  turn.set({ archivedBelow: firstNumber });
  const first = firstKept(timeline, settings.retentionMs, settings);
  if (first > timeline.firstNumber) enqueue(turn, { kind: 'trim', firstNumber: first });
  enqueue(turn, { kind: 'snapshot', nextNumber: timeline.nextNumber, state: undefined });
}

/**
 * Tries again only after a tenth of the bound in further records, so that a store that is down is not asked at each
 * turn.
 */
export function takeArchiveFailure(turn: Turn): void {
  turn.set({ isArchiving: false, logRecords: Math.floor(turn.state.settings.maxLogRecords * 0.9) });
}

/** The snapshot is in the log: nothing below it is needed any more. */
export function takeSnapshotAck(turn: Turn, sequence: number): void {
  turn.set({ isArchiving: false, logRecords: 1 });
  turn.ask({ kind: 'purge', belowSequence: sequence });
}

/** The first number that is kept of so much media: what the DVR window depends on stays. */
function firstKept(timeline: Timeline, keptMs: number, { dvrWindowMs }: OwnerSettings): number {
  return Math.min(firstWithin(timeline, keptMs), firstNeeded(timeline, dvrWindowMs / 1000));
}

/** The number of the first segment within so much media, counted back from the end. */
function firstWithin(timeline: Timeline, windowMs: number): number {
  let remaining90k = windowMs * 90;
  for (const period of timeline.periods.toReversed()) {
    for (const segment of period.segments.toReversed()) {
      remaining90k -= segment.duration90k;
      if (remaining90k < 0) return segment.number + 1;
    }
  }
  return timeline.firstNumber;
}
