/**
 * Rewrites a lost ownership record of a stream that this node owns.
 *
 * A living owner may lose its record with the bucket, by a restored backup, or because something unreadable replaced
 * it. The log still fences, so the stream goes on. But people are told that it is off the air, the next publisher at
 * another node takes the stream away, and after the owner's death nobody looks for a successor.
 *
 * - A record is written again when it is missing, has a lower epoch than its living owner, or says that the broadcast
 *   is over. Epoch and reason are written as they were won, and since when the activation has worked.
 * - The write is a compare-and-set, so a claim that came in between stands. A record of a higher epoch is another
 *   owner's and stays.
 * - The owner writes only while the log's head is its own: an owner that is fenced and does not know it yet writes
 *   nothing.
 * - While NATS is silent, the rest waits for the next look. When this node stops, it stays undone.
 */
import { errorCodeOf } from '../../../cluster/errors/tangaza-error.ts';
import type { StreamId } from '../../../cluster/model/ids.ts';
import type { Logger } from '../../../cluster/observe/logger.ts';
import type { IndexLog } from '../../../cluster/log/index-log.ts';
import type { OwnershipRecord, OwnershipStore } from '../../../cluster/ownership/ownership-store.ts';

export interface OwnStream {
  readonly stream: StreamId;
  readonly record: OwnershipRecord;
}

export interface OwnRecordPorts {
  readonly log: IndexLog;
  readonly ownership: OwnershipStore;
  readonly logger: Logger;
}

/** @param records as just read. Never throws: a record that cannot be written now is written after the next look. */
export async function restoreRecords(
  own: readonly OwnStream[],
  records: ReadonlyMap<StreamId, OwnershipRecord>,
  ports: OwnRecordPorts,
  signal: AbortSignal,
): Promise<void> {
  for (const one of own) {
    if (signal.aborted) return;
    if (!isBehind(records.get(one.stream), one.record)) continue;
    try {
      await restore(one, ports);
    } catch (error) {
      const code = errorCodeOf(error);
      ports.logger.debug({ stream: one.stream, code }, 'could not restore an ownership record');
      if (code === 'LOG_UNAVAILABLE') return;
    }
  }
}

async function restore(
  { stream, record }: OwnStream,
  { log, ownership, logger }: OwnRecordPorts,
): Promise<void> {
  const { record: found, revision } = await ownership.get(stream);
  const tail = await log.tail(stream);
  const isHead = tail?.record.epoch === record.epoch && tail.record.bootId === record.bootId;
  if (!isBehind(found, record) || !isHead) return;
  await ownership.put(stream, record, revision);
  logger.warn({ stream, found }, 'the ownership record of a living owner was lost; it is written again');
}

const isBehind = (found: OwnershipRecord | undefined, own: OwnershipRecord): boolean =>
  found === undefined ||
  found.epoch < own.epoch ||
  (found.epoch === own.epoch && found.endedAt !== undefined);
