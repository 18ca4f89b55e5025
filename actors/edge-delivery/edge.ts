/** The edge-delivery actor's core: wires routes to what serves them. Time moves it by `tick`. */
import { z } from 'zod';
import type { EdgeHead } from '../../cluster/contract/edge-actions.ts';
import { nodeRoutes, playbackRoutes } from '../../cluster/contract/api/edge-routes.ts';
import type { Readiness } from '../../cluster/contract/api/edge-routes.ts';
import {
  publicStream,
  streamEdges,
  streamRoutes,
  type EdgeList,
} from '../../cluster/contract/api/control-routes.ts';
import type { Route, RouteInput } from '../../cluster/contract/api/routes.ts';
import type { NodeId, RegionId, StreamId } from '../../cluster/model/ids.ts';
import type { Logger } from '../../cluster/observe/logger.ts';
import type { Metrics } from '../../cluster/observe/metrics.ts';
import type { IndexLog } from '../../cluster/log/index-log.ts';
import type { Clock } from '../../cluster/time/clock.ts';
import type { EdgeSet } from '../media/timeline/manifest-options.ts';
import { snapshotOf } from '../media/timeline/bounded-snapshot.ts';
import type { Timeline } from '../media/timeline/timeline.ts';
import { steeringReply } from '../media/timeline/steering.ts';
import type { SegmentStore } from '../segment-store/segment-store.ts';
import { makeApi, type ApiPorts, type LocalHandler } from './http/api.ts';
import { Archives } from './playback/archives.ts';
import { currentEdge, edgesFor, edgeToAsk, isStaying, type Viewpoint } from './edge-order.ts';
import { EntityCache } from './playback/entity-cache.ts';
import { Frames } from './playback/frames.ts';
import { defaultHoldLimits, type HoldLimits } from './playback/holds.ts';
import { callerAddress, type IsTrustedProxy } from './http/caller.ts';
import { jsonReply, messageReply, type HttpRequest, type Reply } from './http/http.ts';
import type { HttpHandlers } from './http/http-server.ts';
import { nodeHandlers } from './http/node-api.ts';
import { KnownStreams, type Standing } from './public/known-streams.ts';
import { MediaSource } from './playback/media-source.ts';
import { MissingMedia } from './playback/missing-media.ts';
import { Playback } from './playback/playback.ts';
import { PublicStreams } from './public/public-streams.ts';
import { makeRouter } from './http/router.ts';
import { Pages } from './site/pages.ts';
import type { Site } from './site/site.ts';
import { StreamFinder } from './playback/stream-finder.ts';
import { StreamFollowers } from './playback/stream-followers.ts';
import { Thumbnails, type MakeThumbnail } from './playback/thumbnails.ts';

export interface EdgePorts {
  readonly node: NodeId;
  readonly region: RegionId;
  readonly clock: Clock;
  readonly log: IndexLog;
  readonly store: SegmentStore;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** The Prometheus text and its content type. */
  readonly renderMetrics: () => Promise<{ readonly text: string; readonly contentType: string }>;
  /** Calls a Moleculer action of `cluster/contract/api/*-routes.ts`. */
  readonly call: (action: string, input: RouteInput) => Promise<unknown>;
  /** The edges that serve viewers, sorted by id (M14). It is called often, so it must be cheap. */
  readonly listEdges: () => EdgeSet;
  /** True for an edge that is alive and does not drain. Steering lists the others last. */
  readonly isSound: (edge: string) => boolean;
  /** How many connections an edge has open, as it was some seconds ago. Undefined when it is not known. */
  readonly loadOf: (edge: string) => number | undefined;
  /** What the registry knows of an id. @throws when it cannot be asked */
  readonly lookUpStream: (id: StreamId) => Promise<Standing>;
  /** Streams that were removed at or after that UTC time. @throws when the registry cannot be asked */
  readonly removedSince: (utcMs: number) => Promise<readonly StreamId[]>;
  /** What this node needs in order to serve. If any part has `isReady: false`, `/readyz` answers 503. */
  readonly health: () => Readiness['parts'];
  /** For how long the index log has been unreachable; 0 while it answers (C8). */
  readonly logDownSeconds: () => number;
  readonly makeThumbnail: MakeThumbnail;
  /** Loads the pages and assets. @throws when they can be neither read nor built */
  readonly loadSite: (signal: AbortSignal) => Promise<Site>;
  readonly operatorToken: string | undefined;
  readonly metricsToken: string | undefined;
  readonly publicUrl: string | undefined;
  readonly isTrustedProxy: IsTrustedProxy;
  readonly cacheBytes: number;
  readonly dvrWindowSeconds: number;
  readonly leastHoldBackSeconds: number;
  readonly retentionSeconds: number;
  /** By default 60 s. */
  readonly idleMs?: number;
  readonly maxStreams?: number;
  /** How long a player waits for the first segment. By default 10 s. */
  readonly firstSegmentMs?: number;
  /** How long a player waits for the segment that comes next. By default 8 s. */
  readonly liveEdgeMs?: number;
  readonly holdLimits?: HoldLimits;
}

export interface Edge extends HttpHandlers {
  /** Ends waits that took too long, drops idle streams, and notices changed edges. To be called every 250 ms. */
  readonly tick: () => void;
  /** Forgets streams that were removed. To be called every second. */
  readonly review: () => Promise<void>;
  /** What `/readyz` says. */
  readonly readiness: () => Readiness['parts'];
  /** How far this edge has folded a stream that it follows (C7). */
  head(stream: StreamId): EdgeHead | undefined;
  /** The fold of a stream, as a snapshot. */
  fold(stream: StreamId): unknown;
  /** `/readyz` answers 503, and steering sends viewers to other edges. Everything else continues. */
  leave(): void;
  /** Stops following every stream. Waiting requests are answered 503. */
  close(): void;
}

const defaultIdleMs = 60_000;
const defaultMaxStreams = 2000;
/** How far back removals are asked for: much more than the time between two questions, and than clocks differ by. */
const removalsToldMs = 60_000;

export const allRoutes: readonly Route[] = [
  ...streamRoutes,
  ...Object.values(playbackRoutes),
  ...Object.values(nodeRoutes),
];

export function makeEdge(ports: EdgePorts): Edge {
  const { clock, store, metrics, cacheBytes, idleMs = defaultIdleMs, maxStreams = defaultMaxStreams } = ports;
  const cache = new EntityCache({ maxBytes: cacheBytes, metrics });
  const followers = new StreamFollowers({
    ...ports,
    idleMs,
    maxStreams,
    holdLimits: ports.holdLimits ?? defaultHoldLimits,
  });
  const knownStreams = new KnownStreams(clock, ports.lookUpStream);
  const finder = new StreamFinder(followers, knownStreams, ports.firstSegmentMs);
  const archives = new Archives({ store, clock });
  const missing = new MissingMedia(ports);
  const tallyOf = (id: StreamId) => followers.get(id)?.viewerMeter;
  const media = new MediaSource({ ...ports, cache, archives, missing, tallyOf });
  const playback = new Playback({ ...ports, followers, finder, knownStreams, media, cache });
  const publicStreams = new PublicStreams({ ...ports, knownStreams, finder });
  const state = { isLeaving: false };
  const access = { ...ports, isLocalPort: false };
  const readiness = () => [...ports.health(), ...mediaPart(missing), ...stayingPart(state)];
  const local = new Map<string, LocalHandler>([
    ...playbackHandlers(playback),
    ...mediaHandlers(
      new Frames({ ...ports, finder, media, cache, archives }),
      new Thumbnails({ ...ports, finder, media }),
    ),
    ...nodeHandlers({ ...ports, access, readiness, routes: allRoutes }),
    steeringHandler(ports, playback, state),
    edgesHandler(ports, playback, state),
    bind(publicStream, publicStream.params, nothing, (_request, input) => publicStreams.serve(input)),
  ]);
  const foldOf = (stream: StreamId): Timeline | undefined => {
    const follower = followers.get(stream);
    return follower?.isCaughtUp === true ? follower.timeline : undefined;
  };
  const pages = new Pages({ ...ports, publicStreams });
  pages.prepare();
  const router = makeRouter(allRoutes);
  const fallback: ApiPorts['fallback'] = (request, origin) => pages.serve(request, origin);
  const handle = makeApi({ ...ports, access, router, local, fallback });
  return {
    hot: playback.hot,
    handle,
    readiness,
    tick: () => {
      playback.refresh();
      followers.sweep();
    },
    review: () => forgetRemoved(ports, playback),
    head: (stream) => {
      const timeline = foldOf(stream);
      if (timeline === undefined) return undefined;
      const { epoch, nextNumber, periods } = timeline;
      return { node: ports.node, epoch, nextNumber, period: periods.at(-1)?.id };
    },
    fold: (stream) => {
      const timeline = foldOf(stream);
      return timeline === undefined ? undefined : snapshotOf(timeline, timeline.firstNumber).state;
    },
    leave: () => {
      state.isLeaving = true;
    },
    close: () => {
      followers.close();
      pages.close();
    },
  };
}

async function forgetRemoved({ clock, removedSince }: EdgePorts, playback: Playback): Promise<void> {
  const sinceMs = clock.utcMs() - removalsToldMs;
  const removed = await removedSince(sinceMs).catch((): readonly StreamId[] => []); // the question is repeated in a second
  for (const id of removed) playback.forget(id);
}

function playbackHandlers(playback: Playback): readonly (readonly [string, LocalHandler])[] {
  const { dash, hlsMain, hlsMedia, init, segment } = playbackRoutes;
  return [
    bind(dash, dash.params, dash.query, (request, input) => playback.dash(request, input)),
    bind(hlsMain, hlsMain.params, hlsMain.query, (request, input) => playback.hlsMain(request, input)),
    bind(hlsMedia, hlsMedia.params, hlsMedia.query, (request, input) => playback.hlsMedia(request, input)),
    bind(init, init.params, nothing, (request, input) => playback.init(request, input)),
    bind(segment, segment.params, nothing, (request, input) => playback.segment(request, input)),
  ];
}

function mediaHandlers(frames: Frames, thumbnails: Thumbnails): readonly (readonly [string, LocalHandler])[] {
  const route = playbackRoutes;
  return [
    bind(route.frames, route.frames.params, route.frames.query, (request, input) =>
      frames.serve(request, input),
    ),
    bind(route.thumbnail, route.thumbnail.params, nothing, (request, input) =>
      thumbnails.serve(request, input),
    ),
  ];
}

interface Leaving {
  readonly isLeaving: boolean;
}

/** Where the viewer stands that sent this request. */
function viewpointOf(ports: EdgePorts, request: HttpRequest, { isLeaving }: Leaving): Viewpoint {
  const { node: self, region, isSound, loadOf } = ports;
  const viewer = callerAddress(request, ports.isTrustedProxy);
  return { self, region, isLeaving, isSound, loadOf, viewer };
}

/** Orders the edges for this viewer. It never answers 404 while the stream lives (M14). */
function steeringHandler(ports: EdgePorts, playback: Playback, state: Leaving) {
  const { params, query } = playbackRoutes.steering;
  return bind(playbackRoutes.steering, params, query, async (request, input) => {
    const streamId = input.params.id;
    const timeline = await playback.steered(streamId);
    const viewpoint = { ...viewpointOf(ports, request, state), current: currentEdge(input.query) };
    const edges = edgesFor(ports.listEdges().edges, viewpoint);
    const reloadUrl = `${edgeToAsk(edges, viewpoint)?.baseUrl ?? input.origin}/live/${streamId}/steering`;
    return messageReply(200, 'application/json', steeringReply({ streamId, edges, reloadUrl, timeline }));
  });
}

/** Serves viewers whose player is not steered yet: the same order, but only edges that are worth a try. */
function edgesHandler(ports: EdgePorts, playback: Playback, state: Leaving) {
  return bind(streamEdges, streamEdges.params, nothing, async (request, { params }) => {
    await playback.steered(params.id);
    const { edges, revision } = ports.listEdges();
    const viewpoint = viewpointOf(ports, request, state);
    const items = edgesFor(edges, viewpoint)
      .filter((edge) => isStaying(edge, viewpoint))
      .map(({ id, region, baseUrl: url }) => ({ id, region, url }));
    return jsonReply(200, { items, revision } satisfies EdgeList);
  });
}

/** Appears once media is missing. The edge stays ready, as every other edge would miss the same. */
function mediaPart({ words }: MissingMedia): Readiness['parts'] {
  return words === undefined ? [] : [{ name: 'media', isReady: true, detail: words }];
}

/** A part of `/readyz` of its own: a node that is told to stop still answers, and says that it leaves. */
function stayingPart({ isLeaving }: Leaving): Readiness['parts'] {
  const detail = isLeaving ? { detail: 'this node is shutting down' } : {};
  return [{ name: 'staying', isReady: !isLeaving, ...detail }];
}

const nothing = z.object({});

/** Gives a handler the types of its route's schemas. The API calls it with validated inputs only. */
function bind<P, Q>(
  { operation }: Route,
  params: z.ZodType<P>,
  query: z.ZodType<Q>,
  serve: (request: HttpRequest, input: RouteInput<P, Q>) => Reply | Promise<Reply>,
): readonly [string, LocalHandler] {
  return [
    operation,
    (request, input) => {
      if (!isValidated(params, input.params) || !isValidated(query, input.query))
        throw new Error(`${operation}: inputs were not validated`);
      return serve(request, { ...input, params: input.params, query: input.query });
    },
  ];
}

/** The API has already parsed this value by the schema. That may have changed it, so it cannot be parsed again. */
function isValidated<T>(_schema: z.ZodType<T>, value: unknown): value is T {
  return typeof value === 'object';
}
