/**
 * Actions of the edge-delivery actor. A node that takes a stream over asks each edge what it has folded of the stream's log (C7). Who lacks
 * an object that a log names asks one edge of its own region to fetch it from another region (R5).
 */
import { z } from 'zod';
import { Epoch, NodeId, PeriodId, RegionId, RenditionName, Sha256, StreamId } from '../model/ids.ts';

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

/** The longest time that one call may wait for a pull: a call has 5 s in all. */
export const longestPullWaitMs = 4000;

/** An object that a log names and that this region's store lacks. */
export const PulledObject = z.object({
  streamId: StreamId,
  /** The period under whose name the object is stored. */
  period: PeriodId,
  rendition: RenditionName,
  media: z.object({
    /** The whole hash, as the commit or the clock says it. */
    sha256: Sha256,
    bytes: z.number().int().positive(),
    /** In the timescale of the rendition. Absent: it is the init segment. */
    startTime: z.number().int().nonnegative().optional(),
  }),
  /** The stream's home, as the caller knows it: that region is asked first. */
  home: RegionId.optional(),
});
export type PulledObject = z.infer<typeof PulledObject>;

export const PullParams = PulledObject.extend({
  /** The answer comes when the pull is over, and after this time at the latest. */
  waitMs: z.number().int().min(0).max(longestPullWaitMs),
});
export type PullParams = z.infer<typeof PullParams>;

/**
 * `stored`: it lies in this region's store. `unstored`: the store does not take it; this edge has it in memory for a while. `underWay`: it is
 * being fetched. `notFound`: no region has it. `unreachable`: a region that may have it did not answer.
 */
export const PullState = z.enum(['stored', 'unstored', 'underWay', 'notFound', 'unreachable']);
export type PullState = z.infer<typeof PullState>;

export const PullReply = z.object({ state: PullState });
export type PullReply = z.infer<typeof PullReply>;

export const edgeActions = {
  /** Answers an `EdgeHead`, or null at an edge that does not follow the stream. */
  head: 'edge-delivery.head',
  /** Answers a snapshot of the edge's fold, or null. */
  fold: 'edge-delivery.fold',
  /** Takes `PullParams` and answers a `PullReply` (R5). Asked again it joins the pull that is under way. */
  pull: 'edge-delivery.pull',
} as const;
