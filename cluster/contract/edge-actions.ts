/** Actions of the edge-delivery actor. A node that takes a stream over asks each edge what it has folded of the stream's log (C7). */
import { z } from 'zod';
import { Epoch, NodeId, PeriodId, StreamId } from '../model/ids.ts';

/** Names the stream whose fold is asked for. */
export const EdgeParams = z.object({ streamId: StreamId });

export const EdgeHead = z.object({
  node: NodeId,
  epoch: Epoch,
  nextNumber: z.number().int().nonnegative(),
  /** The last period that the edge knows, which may have no segment yet. Absent where it knows none. */
  period: PeriodId.optional(),
});
export type EdgeHead = z.infer<typeof EdgeHead>;

export const edgeActions = {
  /** Answers an `EdgeHead`, or null at an edge that does not follow the stream. */
  head: 'edge-delivery.head',
  /** Answers a snapshot of the edge's fold, or null. */
  fold: 'edge-delivery.fold',
} as const;
