/**
 * Checkpoints: the owner's fold as an object of the store, for when the log has lost its end (C7).
 *
 * Q1. One at the open, one after each new period has its first commit, one at every tenth commit, one at the end; each is named
 *     after the epoch and the next number, and put only if its name is free.
 * Q2. It holds what the log has not archived yet, so that the one before is superseded and goes, unless it is an archive.
 * Q3. A store that is down costs nothing: the next one is tried 5 s later.
 */
import { archiveKey } from '../../segment-store/archive-key.ts';
import { toSnapshot } from '../../media/timeline/snapshot.ts';
import { limits, type CheckpointMade, type OwnerState } from './owner-state.ts';
import type { Turn } from '../turn.ts';

/** Q1. Called at each tick. */
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

/** Q1: the broadcast is over. */
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

/** `key` is undefined for a name that was taken: it is not this owner's to remove. */
export function takeCheckpoint(turn: Turn, made: CheckpointMade, key: string | undefined): void {
  turn.set({ isCheckpointing: false, checkpointed: { ...made, key } });
}

/** A checkpoint that could not be stored is tried again 5 s later (Q3). */
export function takeCheckpointFailure(turn: Turn): void {
  turn.set({ isCheckpointing: false, checkpointRetryAtMs: turn.nowMs + limits.checkpointRetryMs });
}
