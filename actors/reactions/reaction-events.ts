/** The port of what nodes tell each other of reactions and of their audiences. All of it is hints: what is lost is not sent again. */
import { z } from 'zod';
import { PlayerSession } from '../../cluster/contract/api/edge-routes.ts';
import { ReactionSums } from '../../cluster/contract/audience/reactions.ts';
import { BootId, NodeId, StreamId, type RegionId } from '../../cluster/model/ids.ts';

const sender = { node: NodeId, bootId: BootId };
const count = z.number().int().nonnegative();

/** One window of one node. */
export const WindowEvent = z.object({ ...sender, ...ReactionSums.shape });
export type WindowEvent = z.infer<typeof WindowEvent>;

/** The numbers of one edge, by stream. */
export const CountsEvent = z.object({
  ...sender,
  streams: z.record(
    StreamId,
    // An older node tells of no robots.
    z.object({ players: count, sockets: count, users: count, suspectedRobots: count.default(0) }),
  ),
});
export type CountsEvent = z.infer<typeof CountsEvent>;

/** Players that one node counts now, and another has counted so far. */
export const MovedEvent = z.object({ ...sender, sessions: z.array(PlayerSession) });
export type MovedEvent = z.infer<typeof MovedEvent>;

export interface ReactionEvents {
  /** @returns false where NATS is away, or the message is longer than it takes; so do the others */
  publishWindow(stream: StreamId, event: WindowEvent): boolean;
  /** Hears windows of this region, and of others, which come with their region. @returns a function that ends it */
  listen(stream: StreamId, listener: (event: WindowEvent, from?: RegionId) => void): () => void;
  publishCounts(event: CountsEvent): boolean;
  /** As `listen`. */
  onCounts(listener: (event: CountsEvent, from?: RegionId) => void): () => void;
  publishMoved(to: NodeId, event: MovedEvent): boolean;
  /** What others tell this node. */
  onMoved(node: NodeId, listener: (event: MovedEvent) => void): () => void;
}
