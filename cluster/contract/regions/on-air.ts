/**
 * What a region tells the others of its streams and edges (R3). Each owner tells its own streams. One node tells the edges, the first in
 * rendezvous order of those that live.
 */
import { z } from 'zod';
import { Epoch, NodeId, StreamId } from '../../model/ids.ts';
import type { RegionCall, RegionEvent } from './crossing.ts';

const count = z.number().int().nonnegative();

/** A stream as its home knows it. Numbers are those of the home's log. */
export const StreamOnAir = z.object({
  stream: StreamId,
  epoch: Epoch,
  /** Of the next segment; 0 where the node that tells it does not know. So are the two numbers that follow. */
  nextNumber: count,
  /** Of the newest period. */
  discontinuities: count,
  availabilityStartMs: count,
  isOnAir: z.boolean(),
  /** When the owner took it over, by the home's UTC: for people. */
  sinceMs: count,
  /** `rtmp://HOST:PORT/live` of its owner; of a broadcast that is over, its last owner's. */
  rtmpUrl: z.string().max(300),
});
export type StreamOnAir = z.infer<typeof StreamOnAir>;

/** How many streams one message names. */
export const streamsOfPart = 100;

/** Streams that have just begun, changed or ended, or a part of an owner's list: both mean the same. */
export const OnAir = z.object({ streams: z.array(StreamOnAir).max(streamsOfPart) });
export type OnAir = z.infer<typeof OnAir>;

/** How often an owner tells all that it has. */
export const allToldEveryMs = 30_000;

/** What begins, changes and ends, when it happens; and all that an owner has again and again, in parts. */
export const onAir: RegionEvent<OnAir> = {
  name: 'on-air',
  event: OnAir,
  maxBytes: 64_000,
  perSecond: 400,
};

export const OnAirListParams = z.object({
  /** Streams behind this one, in order of id. */
  after: StreamId.optional(),
});
export type OnAirListParams = z.infer<typeof OnAirListParams>;

export const OnAirPage = z.object({
  streams: z.array(StreamOnAir).max(streamsOfPart),
  /** Absent on the last page. */
  next: StreamId.optional(),
});
export type OnAirPage = z.infer<typeof OnAirPage>;

/** All that is on air in a region, and what ended there lately. Each node asks when a link comes up. */
export const onAirList: RegionCall<OnAirListParams, OnAirPage> = {
  name: 'on-air-list',
  params: OnAirListParams,
  result: OnAirPage,
  maxBytes: 200,
  maxResultBytes: 64_000,
  perSecond: 100,
};

/** How many edges of a region the others hear of: the first of its order for the word `edges`. */
export const maxEdgesTold = 200;

export const EdgeTold = z.object({
  node: NodeId,
  /** The base URL for viewers, without a trailing slash. */
  httpUrl: z.string().max(300),
  isSound: z.boolean(),
  connections: count,
  /** How many more connections it takes. */
  room: count,
  weight: z.number().nonnegative(),
});
export type EdgeTold = z.infer<typeof EdgeTold>;

export const EdgesTold = z.object({ edges: z.array(EdgeTold).max(maxEdgesTold) });
export type EdgesTold = z.infer<typeof EdgesTold>;

/** A region's public edges, every 2 s. */
export const edges: RegionEvent<EdgesTold> = {
  name: 'edges',
  event: EdgesTold,
  maxBytes: 100_000,
  perSecond: 4,
};
