/**
 * Opens what a node needs of its cluster: index log, ownership, task queue, membership, loads. Each actor's composition file gets these
 * parts.
 */
import { createHash } from 'node:crypto';
import { openNatsEdgeLoads, type EdgeLoads } from '../load/edge-loads.nats.ts';
import { openNatsIndexLog } from '../log/index-log.nats.ts';
import type { IndexLog } from '../log/index-log.ts';
import { notingIds } from '../log/noted-ids.ts';
import type { Member, Membership } from '../membership/member-directory.ts';
import { openNatsMembership } from '../membership/membership.nats.ts';
import type { BootId, NodeId, RegionId } from '../model/ids.ts';
import type { NodeConnection } from '../nats/connection.nats.ts';
import type { Logger } from '../observe/logger.ts';
import type { Metrics } from '../observe/metrics.ts';
import { OwnershipMemory, type KnownOwnership } from '../ownership/known-ownership.ts';
import { openNatsOwnershipStore } from '../ownership/ownership-store.nats.ts';
import { openNatsTaskQueue } from '../queue/task-queue.nats.ts';
import type { TaskQueue } from '../queue/task-queue.ts';
import type { Elsewhere } from '../region/elsewhere.ts';
import { openNatsRegions } from '../region/gateways/gateways.nats.ts';
import { openElsewhere } from '../region/open-elsewhere.ts';
import { noOtherRegions, type OtherRegions } from '../region/other-regions.ts';
import type { Topology } from '../region/topology/topology.ts';
import { heardVersions, tellWhenBehind } from '../region/topology/topology-versions.ts';
import type { Clock } from '../time/clock.ts';

/** Who a node is, and what it logs and measures with. */
export interface NodeSelf {
  readonly node: NodeId;
  readonly region: RegionId;
  readonly bootId: BootId;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface ClusterParts extends NodeSelf {
  readonly log: IndexLog;
  readonly ownership: KnownOwnership;
  readonly queue: TaskQueue;
  readonly members: Membership;
  readonly loads: EdgeLoads;
  /** The regions of the deployment, this one among them. */
  readonly topology: Topology;
  /** Calls and events that cross between regions. */
  readonly others: OtherRegions;
  /** What is on air in other regions. */
  readonly elsewhere: Elsewhere;
  /** The fingerprint of this host's ffmpeg. An owner pins it in each period, and a worker must have the same (C9). */
  readonly fingerprint: string;
  /** The node's connection, for the adapters of its actors. */
  readonly nats: NodeConnection;
  /** For how many ms NATS has been gone; 0 while it is there. */
  readonly natsDownMs: () => number;
  /** What operators must know of ids that run out; undefined while there is nothing. */
  readonly idsWarning: () => string | undefined;
}

export interface ClusterOptions extends NodeSelf {
  readonly nats: NodeConnection;
  /** How many servers keep a copy. */
  readonly replicas: number;
  readonly topology: Topology;
  /** This node as the others see it. */
  readonly member: Member;
  /** Equal on all nodes of the cluster. */
  readonly secret: string;
  readonly fingerprint: string;
  /** Ends the process, as the node cannot be a member any more. */
  readonly exit: (why: string) => void;
}

/**
 * Opens the log first and the membership last, as a member must be able to work.
 *
 * @param closing collects what closes each part, also when a later part fails
 * @throws TangazaError `LOG_UNAVAILABLE`; `CONFLICT` when this node may not be a member
 */
export async function openClusterParts(
  options: ClusterOptions,
  closing: AsyncDisposableStack,
): Promise<ClusterParts> {
  const { node, region, bootId, clock, logger, metrics, nats, replicas, fingerprint } = options;
  const shared = { connection: nats.connection, region, replicas, clock, logger, metrics };
  const { log, warning: idsWarning } = notingIds(await openNatsIndexLog(shared));
  const store = await openNatsOwnershipStore(shared);
  const ownership = new OwnershipMemory({ store, clock, isDown: () => nats.downMs() > 0 });
  ownership.start();
  closing.defer(() => ownership.stop());
  const queue = await openNatsTaskQueue({ ...shared, fingerprint });
  const members = await openNatsMembership({
    ...shared,
    self: options.member,
    secretHash: createHash('sha256').update(`membership:${options.secret}`).digest('hex'),
    random: Math.random,
    exit: options.exit,
  });
  closing.defer(() => members.close());
  const loads = openNatsEdgeLoads({ ...shared, node });
  closing.defer(() => loads.close());
  const self = { node, region, bootId, clock, logger, metrics };
  const { topology } = options;
  const others = openOthers(options, members, closing);
  const told = { node, region, topology, others, members, ownership, loads };
  const elsewhere = openElsewhere({ ...told, clock, logger, metrics, random: Math.random }, closing);
  const regions = { topology, others, elsewhere };
  // In a deployment of one region there is nothing to be behind of.
  if (topology.version > 0)
    closing.defer(tellWhenBehind(topology, () => heardVersions(members, others), { clock, logger }));
  const parts = { log, ownership, queue, members, loads, ...regions, fingerprint, nats };
  return { ...self, ...parts, natsDownMs: nats.downMs, idsWarning };
}

/** What a node leaves first: its gateways hand over while it is a member still (R2). */
function openOthers(
  options: ClusterOptions,
  members: Membership,
  closing: AsyncDisposableStack,
): OtherRegions {
  const { nats, topology, region } = options;
  if (topology.regions.every(({ id }) => id === region)) return noOtherRegions;
  const { connection } = nats;
  const others = openNatsRegions({ ...options, connection, isConnected: () => nats.downMs() === 0, members });
  closing.defer(() => others.close());
  return others;
}
