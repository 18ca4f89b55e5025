/**
 * What this node owns has a record that says so.
 *
 * A record may be lost under a living owner: with its bucket, by a restored backup, or written over by what nobody can
 * read. The log still fences, so the stream goes on; but people are told that it is off the air, the next publisher at
 * another node takes it away, and after the owner's death nobody mourns it.
 *
 * W1. A record that is missing, of a lower epoch than its living owner's, or says that the broadcast is over is written again: its epoch and
 *     reason as they were won, and since when the activation has worked.
 * W2. Compare-and-set: a claim that came in between stands. A record of a higher epoch is another's, and is let be.
 * W3. Only while the log's head is the owner's: one that is fenced and does not know it yet writes nothing.
 * W4. With NATS silent the rest is left for the next look, and when this node stops, for good.
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

/** @param records as just read; none throws: what cannot be written now is written after the next look */
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
      ports.logger.debug({ stream: one.stream, code }, 'a record could not be restored');
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
  logger.warn({ stream, found }, 'the record of a living owner was lost: it is written again');
}

const isBehind = (found: OwnershipRecord | undefined, own: OwnershipRecord): boolean =>
  found === undefined ||
  found.epoch < own.epoch ||
  (found.epoch === own.epoch && found.endedAt !== undefined);
