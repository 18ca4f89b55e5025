/** Builds the control actor of a node from the node's parts. */
import { randomBytes } from 'node:crypto';
import type { AudiencePorts } from '../../cluster/contract/audience/audience-feed.ts';
import { viewersOf } from '../../cluster/contract/audience/reactions.ts';
import type { ClusterParts } from '../../cluster/node/cluster-parts.composition.ts';
import type { MakeService } from '../../cluster/rpc/node-calls.moleculer.ts';
import type { NodeConfig } from '../../config/config.ts';
import type { SegmentStore } from '../segment-store/segment-store.ts';
import { controlService } from './control.service.ts';
import type { OpenedRegistry } from './regions/registry.composition.ts';
import { regionsSeen } from './regions/regions-seen.ts';
import type { StreamRegistry } from './stream-registry.ts';
import { Sweeper } from './sweeper.ts';

export interface ControlParts extends ClusterParts {
  readonly config: Pick<NodeConfig, 'ladder' | 'retentionSeconds'>;
  readonly registry: StreamRegistry;
  /** Makes what keeps the registry level with other regions. */
  readonly registrySync: OpenedRegistry['sync'];
  readonly store: SegmentStore;
  readonly ladders: ReadonlyMap<string, unknown>;
  /** What stream keys are derived from. */
  readonly keySecret: string;
  /** Where this node has an edge, it hears how many watch. */
  readonly audience: Pick<AudiencePorts, 'reactions'>;
}

export function composeControl(parts: ControlParts): MakeService {
  const { config, clock, registry, registrySync, ownership, members, loads } = parts;
  const { ladders, keySecret, audience, region, topology, others, elsewhere } = parts;
  const sweeper = new Sweeper({ ...parts, retentionSeconds: config.retentionSeconds });
  return (calls) =>
    controlService(
      {
        checkDeadline: members.checkDeadline,
        clock,
        registry,
        ownership,
        members,
        region,
        topology,
        others,
        elsewhere,
        ladders: new Set(ladders.keys()),
        defaultLadder: config.ladder,
        keySecret,
        newId: () => randomBytes(6).toString('hex'),
        newSalt: () => randomBytes(12).toString('base64url'),
        askHealth: calls.askHealth,
        askOnAir: calls.askOnAir,
        connectionsOf: (edge) => loads.loadOf(edge),
        mediaBytesFrom: (from) => loads.bytesFrom(from),
        viewersOf: (stream) =>
          audience.reactions === undefined ? undefined : viewersOf(audience.reactions.countsOf(stream)),
        ...(others.regions.length === 0 ? {} : { regions: regionsSeen(elsewhere, others, clock) }),
        suspects: () => members.suspects(),
        closeSessions: calls.closeAllSessions,
        beginDrain: calls.beginDrain,
        release: () => members.release(),
      },
      [sweeper, ...(registrySync === undefined ? [] : [registrySync(calls.closeAllSessions)])],
    );
}
