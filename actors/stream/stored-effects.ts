/**
 * Performs the effects of an owner that write to the segment store: archives of its index, and checkpoints (C7). An
 * error that the store tells comes back as a command; the owner then tries again later.
 */
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';
import type { Logger } from '../../cluster/observe/logger.ts';
import type { SegmentStore } from '../segment-store/segment-store.ts';
import type { Command, Effect } from './owner/owner-state.ts';

export interface StoredEffectsPorts {
  readonly store: SegmentStore;
  readonly logger: Logger;
  readonly tell: (command: Command) => void;
}

export async function storeCheckpoint(
  { key, body, made, supersedes }: Extract<Effect, { kind: 'checkpoint' }>,
  { store, logger, tell }: StoredEffectsPorts,
): Promise<void> {
  try {
    const outcome = await store.putIfAbsent(key, Buffer.from(JSON.stringify(body)));
    tell({ kind: 'checkpointed', made, key: outcome === 'stored' ? key : undefined });
  } catch (error) {
    if (!(error instanceof TangazaError)) throw error;
    logger.warn({ key, err: error }, 'could not store a checkpoint; trying again in 5 s');
    tell({ kind: 'checkpointFailed' });
    return;
  }
  if (supersedes !== undefined) await store.delete([supersedes]);
}

export async function storeArchive(
  { key, body, firstNumber }: Extract<Effect, { kind: 'archive' }>,
  { store, logger, tell }: StoredEffectsPorts,
): Promise<void> {
  try {
    await store.putIfAbsent(key, Buffer.from(JSON.stringify(body)));
    tell({ kind: 'archived', firstNumber });
  } catch (error) {
    if (!(error instanceof TangazaError)) throw error;
    logger.warn({ key, err: error }, 'could not archive the index; the log stays long for now');
    tell({ kind: 'archiveFailed' });
  }
}
