/**
 * What regions ask each other before a stream that is not on air begins in one of them (R7): whether it begins elsewhere at this moment, and how
 * far it ever came there.
 */
import { z } from 'zod';
import { Epoch, NodeId, PeriodId, RegionId, StreamId } from '../../model/ids.ts';
import type { RegionCall, RegionEvent } from './crossing.ts';
import { StreamOnAir } from './on-air.ts';

export const Claiming = z.object({
  stream: StreamId,
  /** It has begun or was given up: nobody need wait for it. */
  isOver: z.boolean(),
  /** Which node claims it: another one of its region may claim it as well, until the record decides. Absent: one that is not known. */
  node: NodeId.optional(),
});
export type Claiming = z.infer<typeof Claiming>;

/** A node of this region is about to claim a stream. It tells that before it asks the other regions, so that of two one hears of the other. */
export const claiming: RegionEvent<Claiming> = {
  name: 'claiming',
  event: Claiming,
  maxBytes: 300,
  perSecond: 200,
};

export const StreamParams = z.object({ stream: StreamId });
export type StreamParams = z.infer<typeof StreamParams>;

/** How far somebody has come with a stream: a region's log, one of its edges, or a checkpoint. */
export const StreamHead = z.object({
  epoch: Epoch,
  nextNumber: z.number().int().nonnegative(),
  /** The last period, which may have no segment yet. */
  period: PeriodId.optional(),
});
export type StreamHead = z.infer<typeof StreamHead>;

export const StreamHeads = z.object({
  /** As the region's owner told it last; absent where it never had one. */
  home: StreamOnAir.optional(),
  /** Whether a node of that region is about to claim it. */
  isClaiming: z.boolean(),
  /** The furthest of that region; absent where nobody there knows the stream. */
  head: StreamHead.optional(),
});
export type StreamHeads = z.infer<typeof StreamHeads>;

/** Answered from what a node of that region hears in 200 ms of its log, its edges and its store. */
export const streamHeads: RegionCall<StreamParams, StreamHeads> = {
  name: 'stream-heads',
  params: StreamParams,
  result: StreamHeads,
  maxBytes: 200,
  maxResultBytes: 2000,
  perSecond: 100,
};

export const StreamFold = z.object({
  region: RegionId,
  /** A snapshot of a fold (`actors/media/timeline/snapshot.ts`); null where nobody there knows the stream. */
  fold: z.unknown(),
});
export type StreamFold = z.infer<typeof StreamFold>;

/** The fold that `stream-heads` told of. */
export const streamFold: RegionCall<StreamParams, StreamFold> = {
  name: 'stream-fold',
  params: StreamParams,
  result: StreamFold,
  maxBytes: 200,
  maxResultBytes: 900_000,
  perSecond: 10,
};
