/** Actions of the edge-delivery actor: a node that takes a stream over asks edges what they have folded of it (C7). */
import { z } from 'zod';
import { Epoch, NodeId, PeriodId, StreamId } from '../model/ids.ts';

/** What an edge has folded of a stream: asked by who takes it over (C7). */
export const EdgeParams = z.object({ streamId: StreamId });

export const EdgeHead = z.object({
  node: NodeId,
  epoch: Epoch,
  nextNumber: z.number().int().nonnegative(),
  /** The last period that it knows, which may have no segment yet; absent where there is none. */
  period: PeriodId.optional(),
});
export type EdgeHead = z.infer<typeof EdgeHead>;

export const edgeActions = {
  /** An `EdgeHead`, or null from an edge that does not follow the stream. */
  head: 'edge-delivery.head',
  /** A snapshot of its fold, or null. */
  fold: 'edge-delivery.fold',
} as const;
