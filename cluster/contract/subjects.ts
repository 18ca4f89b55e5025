/** Names on NATS. Every subject starts `tz.{region}.` (C10); streams and buckets carry the region too. */
import type { BootId, NodeId, RegionId, StreamId } from '../model/ids.ts';

export const subjects = {
  indexStream: 'IDX',
  taskStream: 'TASKS',
  index: (region: RegionId, stream: StreamId): string => `tz.${region}.idx.${stream}`,
  allIndexes: (region: RegionId): string => `tz.${region}.idx.>`,
  /** `lowest` tasks have a subject of their own, so that workers pull them first. */
  task: (region: RegionId, group: 'lowest' | 'upper'): string => `tz.${region}.task.${group}`,
  allTasks: (region: RegionId): string => `tz.${region}.task.>`,
  /** One life of one node, so that its death is answered with `no responders` at once. */
  probe: (region: RegionId, node: NodeId, boot: BootId): string => `tz.${region}.probe.${node}.${boot}`,
  /** What monitors say of members (C3). */
  accusations: (region: RegionId): string => `tz.${region}.accuse`,
  /** An operator's word on whom they accuse (C3). */
  releases: (region: RegionId): string => `tz.${region}.release`,
  /** How loaded each edge is, said by itself (C4). */
  edgeLoads: (region: RegionId): string => `tz.${region}.load`,
  ownershipBucket: 'ownership',
  memberBucket: 'members',
} as const;
