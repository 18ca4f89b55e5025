/**
 * Keeps the log short (C1, C7): what no manifest shows goes to an archive object, then out of the log.
 *
 * In this order, so that a crash between two steps loses nothing: the archive is stored; `snapshot` carries the fold's
 * state; only then the records below the snapshot are purged. The snapshot is made when it is sent, so that it is the
 * fold of exactly what lies before it. `trim` goes in front of it where segments are older than what is kept at all:
 * whoever follows the log keeps the rest in memory, a newcomer finds it in the archives.
 */
import { archiveKey } from '../../segment-store/archive-key.ts';
import { toSnapshot } from '../../media/timeline/snapshot.ts';
import type { Timeline } from '../../media/timeline/timeline.ts';
import { enqueue } from './outbox.ts';
import type { Turn } from '../turn.ts';

/** Asks for the archive when the log has grown to twice of what it must hold. */
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
  // A checkpoint of the same number has the same name: one after the other, so that it is known whose it is.
  if (
    life !== 'active' ||
    isArchiving ||
    isCheckpointing ||
    link.kind === 'down' ||
    logRecords <= settings.maxLogRecords
  )
    return;
  const key = archiveKey(self.stream, self.epoch, timeline.nextNumber);
  const isCheckpoint = checkpointed?.key === key; // which stays then
  turn.set({
    isArchiving: true,
    ...(isCheckpoint ? { checkpointed: { ...checkpointed, key: undefined } } : {}),
  });
  turn.ask({
    kind: 'archive',
    key,
    body: toSnapshot(timeline, archivedBelow),
    firstNumber: firstWithin(timeline, settings.dvrWindowMs),
  });
}

/** The archive is stored: what the log needs of it follows. */
export function takeArchived(turn: Turn, firstNumber: number): void {
  const { timeline, settings } = turn.state;
  turn.set({ archivedBelow: firstNumber });
  const firstKept = firstWithin(timeline, settings.retentionMs);
  if (firstKept > timeline.firstNumber) enqueue(turn, { kind: 'trim', firstNumber: firstKept });
  enqueue(turn, { kind: 'snapshot', nextNumber: timeline.nextNumber, state: undefined });
}

/** Tried again only after a tenth of as many records more, so that a store that is down is not asked at each turn. */
export function takeArchiveFailure(turn: Turn): void {
  turn.set({ isArchiving: false, logRecords: Math.floor(turn.state.settings.maxLogRecords * 0.9) });
}

/** The snapshot is in the log: nothing below it is needed. */
export function takeSnapshotAck(turn: Turn, sequence: number): void {
  turn.set({ isArchiving: false, logRecords: 1 });
  turn.ask({ kind: 'purge', belowSequence: sequence });
}

/** The first number within so much media, counted back from the end. */
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
