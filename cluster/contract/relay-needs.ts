/** Between the edges and the relayers of one region: which streams of other regions are needed, and how far each is relayed (R4). */
import { z } from 'zod';
import { NodeId, StreamId } from '../model/ids.ts';

/** How many streams one message names. */
const maxStreams = 500;

/** Said by a node every 5 s, and at once for a new stream. */
export const NeedMessage = z.object({
  node: NodeId,
  streams: z.array(StreamId).min(1).max(maxStreams),
  /** Whether this node has a standby of these streams, which wants every rung. */
  byStandby: z.boolean().optional(),
});
export type NeedMessage = z.infer<typeof NeedMessage>;

export const RelayedStream = z.object({
  stream: StreamId,
  /** The last record of this region's log, as the relayer knows it. */
  sequence: z.number().int().nonnegative(),
  /** Whether that log has all that the home's log has. */
  isAtHead: z.boolean(),
});
export type RelayedStream = z.infer<typeof RelayedStream>;

/** Told by a relayer's node when a stream has reached its home's head, and in answer to a need. */
export const RelayedMessage = z.object({
  node: NodeId,
  streams: z.array(RelayedStream).min(1).max(maxStreams),
});
export type RelayedMessage = z.infer<typeof RelayedMessage>;

export const relayMessages = { maxStreams, needEveryMs: 5000 } as const;
