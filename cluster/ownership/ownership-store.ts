/** The ownership-record port: who owns a stream, changed only by compare-and-set (C1). Reads are hints. */
import { z } from 'zod';
import { BootId, Epoch, NodeId, RegionId, type StreamId } from '../model/ids.ts';

export const OwnershipRecord = z.object({
  owner: NodeId,
  region: RegionId,
  bootId: BootId,
  epoch: Epoch,
  /** Owner's UTC when it took over, RFC 3339. */
  since: z.string(),
  /** Why here, in words: `first publish`, `owner died`, … */
  reason: z.string(),
  /** UTC when its broadcast was found to be over, RFC 3339; the record stays, for its epoch. Absent: it may be on air. */
  endedAt: z.string().optional(),
});
export type OwnershipRecord = z.infer<typeof OwnershipRecord>;

export interface OwnershipList {
  readonly records: ReadonlyMap<StreamId, OwnershipRecord>;
  /** Streams whose record cannot be read: the log's head names their owner. */
  readonly unreadable: readonly StreamId[];
}

export interface OwnershipStore {
  /** `revision` is what a change must name; 0 where there is none. A corrupt record reads as `record: undefined`. */
  get(stream: StreamId): Promise<{ readonly record: OwnershipRecord | undefined; readonly revision: number }>;
  /** @throws TangazaError `CONFLICT` when the revision is another; `LOG_UNAVAILABLE` when the server is gone */
  put(stream: StreamId, record: OwnershipRecord, revision: number): Promise<number>;
  /** @throws TangazaError `LOG_UNAVAILABLE` */
  list(): Promise<OwnershipList>;
}

export interface WatchedOwnershipStore extends OwnershipStore {
  /** Every record, the present ones first, as it is written; after an outage some come again. Ends with the store. */
  watch(): AsyncIterable<readonly [StreamId, OwnershipRecord]>;
  close(): void;
}
