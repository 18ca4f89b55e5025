/** Builds the edge-delivery actor of a node from the node's parts. */
import { randomBytes } from 'node:crypto';
import type { AudiencePorts } from '../../cluster/contract/audience/audience-feed.ts';
import type { HandOverPorts } from '../../cluster/contract/hand-over.ts';
import { edgesOf, ingestNear, soundEdges } from '../../cluster/membership/members-for.ts';
import type { ClusterParts } from '../../cluster/node/cluster-parts.composition.ts';
import { RegionClock } from '../../cluster/region/region-clock.ts';
import { natsRelayNeeds } from '../../cluster/region/relay-needs.nats.ts';
import type { MakeService, NodeCalls } from '../../cluster/rpc/node-calls.moleculer.ts';
import type { NodeConfig } from '../../config/config.ts';
import { httpUrlOf } from '../../config/public-url.ts';
import type { SegmentStore } from '../segment-store/segment-store.ts';
import { httpFetchAcross } from './crossing/fetch-across.http.ts';
import { passKeyOf } from './crossing/object-pass.ts';
import type { CrossingPart } from './crossing/open-crossing.ts';
import { edgeDeliveryService } from './edge-delivery.service.ts';
import { makeEdge, type EdgeParts } from './edge.ts';
import { uwsServer } from './http/http.uws.ts';
import { trustedProxies } from './http/trusted-proxies.system.ts';
import type { Tells } from './node-ports.composition.ts';
import type { PlaybackPart } from './playback/open-playback.ts';
import { ffmpegThumbnail } from './playback/thumbnail.ffmpeg.ts';
import { edgesOfRegions, standingOfEdges } from './region-edges.ts';
import type { RegistryPart } from './public/known-streams.ts';
import { loadSite } from './site/site.disk.ts';
import { busyShare } from './socket/loop-load.system.ts';

export interface EdgeDeliveryParts extends ClusterParts {
  readonly config: NodeConfig;
  readonly store: SegmentStore;
  readonly tells: Tells;
  readonly local: HandOverPorts;
  /** Filled in by the comments actor of this node. */
  readonly audience: AudiencePorts;
  /** What the stream registry knows. */
  readonly lookUpStream: RegistryPart['lookUpStream'];
  /** The secret that all regions share. */
  readonly keySecret: string;
  readonly removedSince: RegistryPart['removedSince'];
}

export function composeEdgeDelivery(parts: EdgeDeliveryParts): MakeService {
  const { config, clock, logger, metrics, members, loads, tells, local } = parts;
  const { host, port } = config.http;
  return ({ callAction, askToPull }) => {
    const edge = makeEdge(edgeParts(parts, callAction, crossingPart(parts, askToPull)));
    tells.readiness = edge.readiness;
    local.sockets = { count: () => edge.sockets.count, askToMove: (ms) => edge.sockets.move(ms) };
    const isTrustedProxy = trustedProxies(config.http.trustedProxies);
    const server = uwsServer({ clock, metrics, logger, isTrustedProxy });
    loads.tell(() => server.connections, edge.bytesFrom);
    const { checkDeadline } = members;
    return edgeDeliveryService({ checkDeadline, clock, logger, edge, server, host, port });
  };
}

/** A deployment of one region has none, and no paths for other regions. */
function crossingPart(
  { node, region, clock, members, others, elsewhere, keySecret }: EdgeDeliveryParts,
  askToPull: NodeCalls['askToPull'],
): CrossingPart | undefined {
  if (others.regions.length === 0) return undefined;
  const passKey = passKeyOf(keySecret);
  const nearEdges = () => soundEdges(members);
  const fetchAcross = httpFetchAcross({ clock, region, passKey });
  const roundTripMs: CrossingPart['roundTripMs'] = (to) =>
    others.links().find((link) => link.region === to)?.roundTripMs;
  return {
    self: node,
    nearEdges,
    elsewhere,
    regions: others.regions,
    passKey,
    fetchAcross,
    roundTripMs,
    askToPull,
  };
}

function edgeParts(
  parts: EdgeDeliveryParts,
  call: EdgeParts['api']['call'],
  crossing: CrossingPart | undefined,
): EdgeParts {
  const { config, node, clock, logger, members, tells, lookUpStream, removedSince } = parts;
  const { operatorToken, metricsToken, renderMetrics, readiness } = tells;
  const { elsewhere } = parts;
  const aheadMs = clocksOf(parts);
  const listEdges = () => edgesOfRegions(edgesOf(members), elsewhere);
  const isTrustedProxy = trustedProxies(config.http.trustedProxies);
  return {
    playback: { ...playbackPart(parts, listEdges), crossing },
    registry: { clock, lookUpStream, removedSince, isTrustedProxy },
    steering: {
      node,
      region: parts.region,
      listEdges,
      ...standingOfEdges(parts),
      isTrustedProxy,
    },
    pages: {
      clock,
      logger,
      loadSite: (signal) => loadSite(clock, signal),
      publishUrl: () => ingestNear(members, node),
    },
    api: {
      clock,
      call,
      access: { operatorToken, metricsToken, isLocalPort: false },
      publicUrl: config.http.publicUrl,
      ownUrl: httpUrlOf(config.http),
      isTrustedProxy,
    },
    node: { node, clock, readiness, renderMetrics, aheadMs },
    sockets: {
      clock,
      metrics: parts.metrics,
      audience: parts.audience,
      busyShare: busyShare(),
      newId: () => randomBytes(12).toString('base64url'),
    },
    regions: aheadMs === undefined ? undefined : { ...parts, aheadMs },
  };
}

/** Kept from the start on: players may ask for the first time while a link is cut. */
function clocksOf({ region, others }: EdgeDeliveryParts): EdgeParts['node']['aheadMs'] {
  if (others.regions.length === 0) return undefined;
  const times = new RegionClock(region, others);
  return (other) => (other === region ? 0 : times.aheadMs(other));
}

function playbackPart(
  parts: EdgeDeliveryParts,
  listEdges: PlaybackPart['listEdges'],
): Omit<PlaybackPart, 'crossing'> {
  const { config, clock, log, store, logger, metrics, natsDownMs } = parts;
  const { others, elsewhere, nats, region, node } = parts;
  return {
    ...(others.regions.length === 0
      ? {}
      : {
          far: {
            clock,
            elsewhere,
            others,
            needs: natsRelayNeeds({ connection: nats.connection, region, node }),
          },
        }),
    clock,
    log,
    store,
    logger,
    metrics,
    listEdges,
    region,
    logDownSeconds: () => natsDownMs() / 1000,
    makeThumbnail: ffmpegThumbnail({ ffmpeg: config.worker.ffmpeg }),
    cacheBytes: config.cacheBytes,
    dvrWindowSeconds: config.dvrWindowSeconds,
    leastHoldBackSeconds: config.leastHoldBackSeconds,
    hasOtherRegions: others.regions.length > 0,
    retentionSeconds: config.retentionSeconds,
  };
}
