/** Builds the edge-delivery actor of a node from the node's parts. */
import { edgesOf, isSound } from '../../cluster/membership/members-for.ts';
import type { ClusterParts } from '../../cluster/node/cluster-parts.composition.ts';
import type { MakeService } from '../../cluster/rpc/node-calls.moleculer.ts';
import type { NodeConfig } from '../../config/config.ts';
import type { SegmentStore } from '../segment-store/segment-store.ts';
import { edgeDeliveryService } from './edge-delivery.service.ts';
import { makeEdge, type EdgePorts } from './edge.ts';
import { uwsServer } from './http/http.uws.ts';
import { trustedProxies } from './http/trusted-proxies.system.ts';
import type { Tells } from './operator-port.composition.ts';
import { ffmpegThumbnail } from './playback/thumbnail.ffmpeg.ts';
import { loadSite } from './site/site.disk.ts';

export interface EdgeDeliveryParts extends ClusterParts {
  readonly config: NodeConfig;
  readonly store: SegmentStore;
  readonly tells: Tells;
  /** What the stream registry knows. */
  readonly lookUpStream: EdgePorts['lookUpStream'];
  readonly removedSince: EdgePorts['removedSince'];
}

export function composeEdgeDelivery(parts: EdgeDeliveryParts): MakeService {
  const { config, clock, logger, metrics, members, loads, tells } = parts;
  const { host, port } = config.http;
  return ({ callAction }) => {
    const edge = makeEdge({ ...edgePorts(parts), call: callAction });
    tells.readiness = edge.readiness;
    const server = uwsServer({ clock, metrics, logger });
    loads.tell(() => server.connections);
    const { checkDeadline } = members;
    return edgeDeliveryService({ checkDeadline, clock, logger, edge, server, host, port });
  };
}

function edgePorts(parts: EdgeDeliveryParts): Omit<EdgePorts, 'call'> {
  const { config, members, loads, tells, clock } = parts;
  return {
    node: parts.node,
    region: parts.region,
    clock,
    log: parts.log,
    store: parts.store,
    logger: parts.logger,
    metrics: parts.metrics,
    ...tells,
    listEdges: () => edgesOf(members),
    lookUpStream: parts.lookUpStream,
    removedSince: parts.removedSince,
    isSound: (edge) => isSound(members, edge),
    loadOf: (edge) => loads.loadOf(edge),
    health: tells.readiness,
    logDownSeconds: () => parts.natsDownMs() / 1000,
    makeThumbnail: ffmpegThumbnail({ ffmpeg: config.worker.ffmpeg }),
    loadSite: (signal) => loadSite(clock, signal),
    publicUrl: config.http.publicUrl,
    isTrustedProxy: trustedProxies(config.http.trustedProxies),
    cacheBytes: config.cacheBytes,
    dvrWindowSeconds: config.dvrWindowSeconds,
    leastHoldBackSeconds: config.leastHoldBackSeconds,
    retentionSeconds: config.retentionSeconds,
  };
}
