/** All names on NATS. Every subject begins with `tz.{region}.` (C10). Streams and buckets carry the region in their names too. */
import type { BootId, NodeId, RegionId, StreamId } from '../model/ids.ts';

export const subjects = {
  indexStream: 'IDX',
  taskStream: 'TASKS',
  index: (region: RegionId, stream: StreamId): string => `tz.${region}.idx.${stream}`,
  allIndexes: (region: RegionId): string => `tz.${region}.idx.>`,
  /** Tasks of the group `lowest` have their own subject, so that workers can pull them first. */
  task: (region: RegionId, group: 'lowest' | 'upper'): string => `tz.${region}.task.${group}`,
  allTasks: (region: RegionId): string => `tz.${region}.task.>`,
  /** Names one life of one node. When that process has died, NATS answers `no responders` at once. */
  probe: (region: RegionId, node: NodeId, boot: BootId): string => `tz.${region}.probe.${node}.${boot}`,
  /** Monitors publish here whom they accuse of being dead (C3). */
  accusations: (region: RegionId): string => `tz.${region}.accuse`,
  /** An operator publishes here that a node which monitors accuse is really dead (C3). */
  releases: (region: RegionId): string => `tz.${region}.release`,
  /** Each edge publishes here how many connections it has (C4). */
  edgeLoads: (region: RegionId): string => `tz.${region}.load`,
  /** Nodes ask each other here which data centres of the database they do without (A3, actors/comments/README.md). */
  doneWithout: (region: RegionId): string => `tz.${region}.without`,
  /** Changes of a stream's comments, told to the nodes with viewers of it (A7). `wan`: gateways may carry it to other regions. */
  audience: (region: RegionId, stream: StreamId): string => `tz.${region}.wan.aud.${stream}`,
  /** Sums of reactions of a stream, a message for each node and window (A5). */
  reactions: (region: RegionId, stream: StreamId): string => `tz.${region}.wan.react.${stream}`,
  /** Each edge publishes here how many of its audience are where (A10). */
  audienceCounts: (region: RegionId): string => `tz.${region}.counts`,
  /** To an edge: players that another one counts by now (A10). */
  playersMoved: (region: RegionId, node: NodeId): string => `tz.${region}.moved.${node}`,
  /** Edges, and nodes with a standby, publish here which streams of other regions they need (R4). */
  relayNeeds: (region: RegionId): string => `tz.${region}.need`,
  /** Relayers publish here how far the log of this region goes (R4). */
  relayed: (region: RegionId): string => `tz.${region}.relayed`,
  /** An event that other regions may hear (R2). What is not below `wan` crosses nowhere. @param topic `name`, or `name.stream` */
  wanEvent: (region: RegionId, topic: string): string => `tz.${region}.wan.${topic}`,
  /** A call of other regions; the nodes that serve it are a queue group (R2). */
  wanCall: (region: RegionId, name: string): string => `tz.${region}.wan.rpc.${name}`,
  /** All inboxes of other regions begin so. Only there may a node answer a call of another region (R2). */
  wanInboxes: (region: RegionId): string => `tz.${region}.wan.inbox.`,
  /** Where a gateway of region `from` gets answers at this region's NATS. */
  wanInbox: (region: RegionId, from: RegionId): string => `tz.${region}.wan.inbox.${from}`,
  /** Gateways tell the nodes of their own region here whether their clients work (R2). */
  gateways: (region: RegionId): string => `tz.${region}.gate.say`,
  /** Nodes tell the gateways of their own region here what they listen to (R2). */
  interests: (region: RegionId): string => `tz.${region}.gate.interest`,
  /** A call to another region, on its way to the gateway that carries it (R2). */
  gatewayCalls: (region: RegionId, node: NodeId, boot: BootId, other: RegionId): string =>
    `tz.${region}.gate.call.${node}.${boot}.${other}`,
  ownershipBucket: 'ownership',
  memberBucket: 'members',
} as const;
