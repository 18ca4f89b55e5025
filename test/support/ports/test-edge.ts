/** A real edge on a free port: the real server and core over a log and a store of the test's choice. */
import { randomUUID } from 'node:crypto';
import { makeEdge, type Edge, type EdgeParts } from '../../../actors/edge-delivery/edge.ts';
import { loadSite } from '../../../actors/edge-delivery/site/site.disk.ts';
import { uwsServer } from '../../../actors/edge-delivery/http/http.uws.ts';
import type { Standing } from '../../../actors/edge-delivery/public/known-streams.ts';
import type { HttpHandlers, HttpLimits } from '../../../actors/edge-delivery/http/http-server.ts';
import type { SocketLimits } from '../../../actors/edge-delivery/socket/admission.ts';
import { NodeId, RegionId, StreamId } from '../../../cluster/model/ids.ts';
import { silentLogger } from '../../../cluster/observe/logger.ts';
import { prometheusMetrics } from '../../../cluster/observe/metrics.prometheus.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { Broadcast, type BroadcastOptions } from '../media/broadcast.ts';
import { MemoryIndexLog } from './memory-index-log.ts';
import { GatedSegmentStore } from './gated-segment-store.ts';

export interface TestEdge extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly edge: Edge;
  readonly log: MemoryIndexLog;
  readonly store: GatedSegmentStore;
  /** Streams that the registry knows. */
  readonly streams: Set<string>;
  /** What it knows of them, and of others. */
  readonly standings: Map<string, Standing>;
  /** How often it was asked. */
  readonly lookUps: () => number;
  /** Value of a metric now, 0 when it has none. */
  metric(name: string): Promise<number>;
  /** A stream on air with `segments` commits. */
  broadcast(segments: number, options?: Partial<BroadcastOptions>): Promise<Broadcast>;
  close(graceMs: number): Promise<void>;
}

export const operatorToken = 'test-token';

/** Whatever a part of an edge has, by its name: a test gives what it is about. */
export type EdgeSettings = EdgeParts['playback'] &
  EdgeParts['registry'] &
  EdgeParts['steering'] &
  EdgeParts['pages'] &
  EdgeParts['node'] &
  Omit<EdgeParts['sockets'], 'limits'> &
  Omit<EdgeParts['api'], 'access'> &
  Omit<EdgeParts['api']['access'], 'isLocalPort'> & { readonly regions: EdgeParts['regions'] };

export async function startTestEdge(
  given: Partial<EdgeSettings> = {},
  limits: Partial<HttpLimits> = {},
  /** Stands between the server and the core. */
  between: (edge: HttpHandlers) => HttpHandlers = (edge) => edge,
  socketLimits: Partial<SocketLimits> = {},
): Promise<TestEdge> {
  const log = new MemoryIndexLog();
  const store = new GatedSegmentStore();
  const streams = new Set(['demo']);
  const standings = new Map<string, Standing>();
  let lookUps = 0;
  const metrics = prometheusMetrics({ node: 'n1', region: 'eu', hasDefaults: false });
  const all: EdgeSettings = {
    node: NodeId.parse('n1'),
    region: RegionId.parse('eu'),
    clock: systemClock,
    log,
    store,
    logger: silentLogger,
    metrics,
    renderMetrics: async () => ({ text: await metrics.render(), contentType: metrics.contentType }),
    call: async () => ({}),
    listEdges: () => ({ revision: 1, edges: [] }),
    publishUrl: () => 'rtmp://ingest.test:1935/live',
    isSound: () => true,
    loadOf: () => undefined,
    lookUpStream: async (id) => {
      lookUps += 1;
      const known: Standing = { kind: 'known', title: `Title of ${id}`, createdAtMs: 1_700_000_000_000 };
      return standings.get(id) ?? (streams.has(id) ? known : { kind: 'unknown' });
    },
    removedSince: async () =>
      [...standings].flatMap(([id, { kind }]) => (kind === 'removed' ? [StreamId.parse(id)] : [])),
    readiness: () => [],
    logDownSeconds: () => 0,
    makeThumbnail: async () => new Uint8Array([1]),
    loadSite: (signal) => loadSite(systemClock, signal),
    operatorToken,
    metricsToken: undefined,
    publicUrl: undefined,
    ownUrl: 'http://own.test:8080',
    isTrustedProxy: () => false,
    cacheBytes: 64_000_000,
    dvrWindowSeconds: 1800,
    leastHoldBackSeconds: 6,
    retentionSeconds: 86_400,
    audience: { feed: undefined },
    busyShare: () => 0,
    newId: () => randomUUID(),
    crossing: undefined,
    regions: undefined,
    ...given,
  };
  const access = { ...all, isLocalPort: false };
  const edge = makeEdge({
    playback: all,
    registry: all,
    steering: all,
    pages: all,
    api: { ...all, access },
    node: all,
    sockets: { ...all, limits: socketLimits },
    regions: all.regions,
  });
  const { isTrustedProxy, clock } = all;
  const server = uwsServer({ clock, metrics, logger: silentLogger, limits, isTrustedProxy });
  const port = await server.listen('127.0.0.1', 0, between(edge));
  const stopTicks = systemClock.every(50, edge.tick);
  const close = async (graceMs: number): Promise<void> => {
    stopTicks();
    edge.leave();
    edge.close();
    await server.close(graceMs);
  };
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    edge,
    log,
    store,
    streams,
    standings,
    lookUps: () => lookUps,
    metric: async (name) =>
      Number(new RegExp(`^${name}(?:{[^}]*})? (\\S+)$`, 'm').exec(await metrics.render())?.[1] ?? 0),
    broadcast: async (segments, options = {}) =>
      (await new Broadcast({ log, store, ...options }).open()).commit(segments),
    close,
    [Symbol.asyncDispose]: () => close(0),
  };
}
