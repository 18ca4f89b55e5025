/** The port of the ownership records: who owns a stream, changed only by compare-and-set (C1). What a read says may be outdated. */
import { z } from 'zod';
import { BootId, Epoch, NodeId, RegionId, type StreamId } from '../model/ids.ts';

export const OwnershipRecord = z.object({
  owner: NodeId,
  region: RegionId,
  bootId: BootId,
  epoch: Epoch,
  /** When the owner took over, by its UTC, in RFC 3339. */
  since: z.string(),
  /** Why this node owns the stream, in words: `first publish`, `owner died`, … */
  reason: z.string(),
  /** When the broadcast was found to be over: UTC in RFC 3339. The record is kept for its epoch. Absent: the stream may be on air. */
  endedAt: z.string().optional(),
});
export type OwnershipRecord = z.infer<typeof OwnershipRecord>;

export interface OwnershipList {
  readonly records: ReadonlyMap<StreamId, OwnershipRecord>;
  /** Streams whose record cannot be read. The head of the log names their owner. */
  readonly unreadable: readonly StreamId[];
}

export interface OwnershipStore {
  /** `revision` is what a change must name; it is 0 where there is no record. A corrupt record reads as `record: undefined`. */
  get(stream: StreamId): Promise<{ readonly record: OwnershipRecord | undefined; readonly revision: number }>;
  /** @throws TangazaError `CONFLICT` when the revision is another one; `LOG_UNAVAILABLE` when the server is gone */
  put(stream: StreamId, record: OwnershipRecord, revision: number): Promise<number>;
  /** @throws TangazaError `LOG_UNAVAILABLE` */
  list(): Promise<OwnershipList>;
}

export interface WatchedOwnershipStore extends OwnershipStore {
  /** Gives the present records and then each new one as it is written. After an outage some come again. Ends with the store. */
  watch(): AsyncIterable<readonly [StreamId, OwnershipRecord]>;
  close(): void;
}
