/** Builds the stream actor of a node from the node's parts. */
import { RegionClock } from '../../cluster/region/region-clock.ts';
import { candidatesOf } from '../../cluster/membership/members-for.ts';
import type { HandOverPorts } from '../../cluster/contract/hand-over.ts';
import type { ClusterParts } from '../../cluster/node/cluster-parts.composition.ts';
import type { MakeService } from '../../cluster/rpc/node-calls.moleculer.ts';
import { ordinalOf } from '../../cluster/region/topology/topology.ts';
import type { NodeConfig } from '../../config/config.ts';
import type { Ladder } from '../media/ladder/ladder.ts';
import type { SegmentStore } from '../segment-store/segment-store.ts';
import { composeAcross } from './succession/across.composition.ts';
import { streamService } from './stream.service.ts';

export interface StreamParts extends ClusterParts {
  readonly config: Pick<NodeConfig, 'dvrWindowSeconds' | 'retentionSeconds' | 'rtmp'>;
  readonly store: SegmentStore;
  readonly ladders: ReadonlyMap<string, Ladder>;
  readonly local: HandOverPorts;
}

/** @param stopAfter a session that closes still offers what it has: its owner, here, stops after it */
export function composeStream(parts: StreamParts, stopAfter: Promise<void>): MakeService {
  const { config, members, logger, node, region, bootId, clock, log, ownership, queue } = parts;
  const { ladders, store, metrics, fingerprint, others } = parts;
  const times = new RegionClock(region, others);
  return ({ closeAllSessions, adopt, askEdges, askFold }) =>
    streamService({
      members,
      checkDeadline: members.checkDeadline,
      node,
      region,
      regionOrdinal: ordinalOf(parts.topology, region),
      bootId,
      clock,
      log,
      ownership,
      queue,
      ladders,
      store,
      metrics,
      logger,
      fingerprint,
      aheadMs: (other) => times.aheadMs(other),
      others,
      stopAfter,
      onMade: (owners) => {
        parts.local.owners = owners;
      },
      dvrWindowSeconds: config.dvrWindowSeconds,
      retentionSeconds: config.retentionSeconds,
      isAlive: (node, boot) => members.isAlive(node, boot),
      refreshMembers: () => members.refresh(),
      candidates: () => candidatesOf(members),
      ...composeAcross(parts, { askEdges, askFold }),
      askToAdopt: adopt,
      askEdges,
      askFold,
      closeSessions: (params) => {
        closeAllSessions(params).catch((error: unknown) =>
          logger.warn({ err: error }, 'sessions could not be told to close'),
        );
      },
    });
}
