/**
 * Stores checkpoints: the owner's fold as an object in the segment store, for the case that the log loses its end (C7).
 *
 * A checkpoint holds what the log has not archived yet. So it supersedes the one before, which is deleted unless it is
 * an archive.
 *
 * Q1. The owner makes a checkpoint at the open, after the first commit of each new period, at every tenth commit and at
 *     the end. Its name holds the epoch and the next number, and it is stored only if the name is free.
 * Q2. A store that is down costs nothing: the owner tries again 5 s later.
 */
import { archiveKey } from '../../segment-store/archive-key.ts';
import { toSnapshot } from '../../media/timeline/snapshot.ts';
import type { OwnerState } from './owner-state.ts';
import type { CheckpointMade } from './state/archive-state.ts';
import type { Turn } from '../turn.ts';

/** Bounds of what is decided here. Times in ms. */
const limits = {
  /** Commits between two checkpoints (C7). */
  checkpointCommits: 10,
  checkpointRetryMs: 5000,
} as const;

/** Asks for a checkpoint when one is due; called at each tick (Q1). */
export function checkpoint(turn: Turn): void {
  const { link, life, isCheckpointing, isArchiving, checkpointRetryAtMs } = turn.state;
  if (
    life !== 'active' ||
    link.kind === 'down' ||
    isCheckpointing ||
    isArchiving ||
    turn.nowMs < checkpointRetryAtMs
  )
    return;
  if (isDue(turn.state)) ask(turn);
}

/** Asks for the last checkpoint when the broadcast is over (Q1). */
export function lastCheckpoint(turn: Turn): void {
  if (turn.state.timeline.nextNumber !== turn.state.checkpointed?.nextNumber) ask(turn);
}

function isDue({ checkpointed, timeline }: OwnerState): boolean {
  if (checkpointed === undefined) return true;
  const commits = timeline.nextNumber - checkpointed.nextNumber;
  return (
    commits >= limits.checkpointCommits || (commits > 0 && timeline.nextOrdinal !== checkpointed.nextOrdinal)
  );
}

function ask(turn: Turn): void {
  const { self, timeline, archivedBelow, checkpointed } = turn.state;
  const { nextNumber, nextOrdinal } = timeline;
  const supersedes = checkpointed?.key;
  turn.set({ isCheckpointing: true });
  turn.ask({
    kind: 'checkpoint',
    key: archiveKey(self.stream, self.epoch, nextNumber),
    body: toSnapshot(timeline, archivedBelow),
    made: { nextNumber, nextOrdinal },
    ...(supersedes === undefined ? {} : { supersedes }),
  });
}

/** Notes a stored checkpoint. `key` is undefined when the name was taken: that object is not this owner's to delete. */
export function takeCheckpoint(turn: Turn, made: CheckpointMade, key: string | undefined): void {
  turn.set({ isCheckpointing: false, checkpointed: { ...made, key } });
}

/** Plans the next try 5 s after a checkpoint could not be stored (Q2). */
export function takeCheckpointFailure(turn: Turn): void {
  turn.set({ isCheckpointing: false, checkpointRetryAtMs: turn.nowMs + limits.checkpointRetryMs });
}
