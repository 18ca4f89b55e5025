/** What regions tell each other of their audiences: sums of reactions (A5) and how many watch (A10). Hints: what is lost is not sent again. */
import { z } from 'zod';
import { ReactionSums } from '../audience/reactions.ts';
import { BootId, NodeId, StreamId } from '../../model/ids.ts';
import type { RegionEvent } from './crossing.ts';

const sender = { node: NodeId, bootId: BootId };
const count = z.number().int().nonnegative().max(1_000_000_000);

/** One window of one node, of the stream that the event concerns. */
const ReactionWindow = z.object({ ...sender, ...ReactionSums.shape });

export const reactionWindow: RegionEvent<z.infer<typeof ReactionWindow>> = {
  name: 'reactions',
  event: ReactionWindow,
  maxBytes: 50_000,
  perSecond: 2000,
};

/** The numbers of one edge, by stream. */
const EdgeCounts = z.object({
  ...sender,
  streams: z.record(
    StreamId,
    z.object({ players: count, sockets: count, users: count, suspectedRobots: count }),
  ),
});

export const edgeCounts: RegionEvent<z.infer<typeof EdgeCounts>> = {
  name: 'counts',
  event: EdgeCounts,
  maxBytes: 500_000,
  perSecond: 200,
};
