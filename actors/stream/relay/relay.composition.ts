/** Builds what joins this node's region to the logs of the other regions: its relayers, and the answers to theirs (R4). */
import { pullOnce, silentEdges, type PullPorts } from '../../../cluster/region/ask-to-pull.ts';
import { natsRelayNeeds } from '../../../cluster/region/relay-needs.nats.ts';
import { Gate } from '../../../cluster/bounds/gate.ts';
import { serveLog } from '../../../cluster/log/serve-log.ts';
import type { ClusterParts } from '../../../cluster/node/cluster-parts.composition.ts';
import type { MakeService } from '../../../cluster/rpc/node-calls.moleculer.ts';
import type { NodeConfig } from '../../../config/config.ts';
import type { SegmentStore } from '../../segment-store/segment-store.ts';
import type { ObjectPuller } from './object-puller.ts';
import { Relayers } from './relayers.ts';
import { maxLogRecordsOf } from '../owner/retention.ts';

export interface RelayParts extends ClusterParts {
  readonly config: Pick<NodeConfig, 'dvrWindowSeconds'>;
  readonly store: SegmentStore;
}

/** A commit waits for its objects for a second; what comes later is in the store all the same. */
const pullMs = 2000;

/** For any node: which of them are gateways, and for which streams, changes with the members. */
export function composeRelay(parts: RelayParts): MakeService {
  const { others, nats, region, node, config, members, clock, metrics } = parts;
  return ({ askEdges, askFold, askToPull }) => {
    const edges: PullPorts['edges'] = () =>
      members
        .list()
        .members.filter(({ state, roles }) => state === 'alive' && roles.includes('edge-delivery'));
    const relayers = new Relayers({
      ...parts,
      others,
      needs: natsRelayNeeds({ connection: nats.connection, region, node }),
      puller: edgePuller({ clock, edges, askToPull, onSilent: silentEdges(metrics) }),
      askEdges,
      askFold,
      maxLogRecords: maxLogRecordsOf(config.dvrWindowSeconds),
    });
    let stopServing = (): void => {};
    return {
      name: 'relay',
      started: async () => {
        stopServing = serveLog(parts);
        relayers.start();
      },
      stopped: async () => {
        stopServing();
        relayers.stop();
      },
    };
  };
}

/** Has an edge of this region pull each object. What would wait too long is not pulled: the commit goes without it. */
function edgePuller(ports: PullPorts): ObjectPuller {
  const gate = new Gate({ about: 'objects of another region', running: 256, waiting: 2000 });
  return {
    pull: (object) =>
      gate
        .run(() => pullOnce(ports, object, pullMs))
        .then(({ state }) => state === 'stored' || state === 'unstored')
        .catch(() => false),
  };
}
