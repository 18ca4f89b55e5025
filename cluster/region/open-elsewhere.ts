/** Opens what a node knows of other regions, and tells them of this one's edges; in a deployment of one region there is nothing of it (R3). */
import { edgeIds } from '../membership/members-for.ts';
import type { MemberDirectory } from '../membership/member-directory.ts';
import type { NodeId, RegionId } from '../model/ids.ts';
import type { Logger } from '../observe/logger.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { KnownOwnership } from '../ownership/known-ownership.ts';
import type { Clock } from '../time/clock.ts';
import { nothingElsewhere, type Elsewhere } from './elsewhere.ts';
import { equalNames, sayEqualNames } from './edges/equal-names.ts';
import { hearElsewhere } from './hear-elsewhere.ts';
import type { OtherRegions } from './other-regions.ts';
import { ownStreams } from './own-streams.ts';
import { tellEdges } from './tell-edges.ts';
import type { Topology } from './topology/topology.ts';

export interface OpenElsewherePorts {
  readonly node: NodeId;
  readonly region: RegionId;
  readonly topology: Topology;
  readonly others: OtherRegions;
  readonly members: Pick<MemberDirectory, 'list'>;
  readonly ownership: Pick<KnownOwnership, 'allKnown'>;
  readonly loads: { readonly loadOf: (node: NodeId) => number | undefined };
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** In [0, 1). */
  readonly random: () => number;
}

/** @param closing collects what ends it */
export function openElsewhere(
  ports: OpenElsewherePorts,
  closing: { defer(end: () => void): void },
): Elsewhere {
  const { others, topology, members, ownership, clock } = ports;
  if (others.regions.length === 0) return nothingElsewhere;
  const heard = hearElsewhere({
    ...ports,
    ordinals: new Map(topology.regions.map(({ id, ordinal }) => [id, ordinal])),
    ownStreams: async () =>
      ownStreams((await ownership.allKnown()).value, members.list().members, clock.utcMs()),
  });
  closing.defer(() => heard.close());
  closing.defer(tellEdges(ports));
  closing.defer(sayEqualNames(ports, () => equalNames(ports.region, edgeIds(members), heard.edges())));
  return heard;
}
