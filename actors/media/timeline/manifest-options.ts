/** What a manifest depends on, apart from the log. Equal options and an equal timeline give equal bytes (M14). */
import type { NodeId, RegionId, StreamId } from '../../../cluster/model/ids.ts';
import type { DeviceType } from './devices.ts';
import type { Timeline } from './timeline.ts';

export interface EdgeAddress {
  /** Also the pathway of HLS and the serviceLocation of DASH. */
  readonly id: NodeId;
  readonly region: RegionId;
  /** `http://host:port`, without a slash at the end. */
  readonly baseUrl: string;
  /** This edge's share of viewers relative to the others' (C4); 1. Only steering uses it; no manifest says it. */
  readonly weight?: number;
}

/** One revision of the edge list, in the same order on every edge. A viewer's own order comes from steering. */
export interface EdgeSet {
  readonly revision: number;
  readonly edges: readonly EdgeAddress[];
}

export interface ManifestOptions {
  readonly streamId: StreamId;
  readonly dvrWindowSeconds: number;
  /** At most 30, so that every window holds it. */
  readonly leastHoldBackSeconds: number;
  readonly edges: EdgeSet;
  readonly device?: DeviceType | undefined;
  /** Whether the deployment has other regions, whose clocks may be off (R12). */
  readonly hasOtherRegions?: boolean | undefined;
}

/** The unit of every delay: the longest segment ever committed, rounded, and at least 2 s (M11). */
export function targetSeconds({ longest90k }: Timeline): number {
  return Math.max(2, Math.round(longest90k / 90_000));
}

/** HOLD-BACK and suggestedPresentationDelay: three targets behind the end (M11), or what an outage takes (C8). */
export function holdBackSeconds(timeline: Timeline, { leastHoldBackSeconds }: ManifestOptions): number {
  return Math.max(3 * targetSeconds(timeline), leastHoldBackSeconds);
}

/** `http://host:port/live/{stream}/` of an edge. */
export function liveUrl({ baseUrl }: EdgeAddress, streamId: StreamId): string {
  return `${baseUrl}/live/${streamId}/`;
}

/** Ticks in microseconds, rounded. Differences of rounded times add up exactly; rounded differences do not. */
export function microseconds(ticks: number, timescale: number): number {
  return Math.round((ticks / timescale) * 1_000_000);
}
