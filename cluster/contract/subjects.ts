/** Names on NATS. Every subject starts `tz.{region}.` (C10); streams and buckets carry the region too. */
import type { NodeId, RegionId, StreamId } from '../model/ids.ts';

export const subjects = {
  indexStream: 'IDX',
  taskStream: 'TASKS',
  index: (region: RegionId, stream: StreamId): string => `tz.${region}.idx.${stream}`,
  allIndexes: (region: RegionId): string => `tz.${region}.idx.>`,
  /** `lowest` tasks have a subject of their own, so that workers pull them first. */
  task: (region: RegionId, group: 'lowest' | 'upper'): string => `tz.${region}.task.${group}`,
  allTasks: (region: RegionId): string => `tz.${region}.task.>`,
  probe: (region: RegionId, node: NodeId): string => `tz.${region}.probe.${node}`,
  ownershipBucket: 'ownership',
  memberBucket: 'members',
} as const;
