/** `/steering` and `/edges`: which edges this viewer should use. The order is the viewer's own (edge-order.ts). */
import {
  playbackRoutes,
  type PlaybackParams,
  type SteeringQuery,
} from '../../cluster/contract/api/edge-routes.ts';
import { streamEdges, type EdgeList } from '../../cluster/contract/api/control-routes.ts';
import type { RouteInput } from '../../cluster/contract/api/routes.ts';
import type { NodeId, RegionId, StreamId, UserId } from '../../cluster/model/ids.ts';
import type { EdgeAddress, EdgeSet } from '../media/timeline/manifest-options.ts';
import type { Clock } from '../../cluster/time/clock.ts';
import { basePathway, steeringReply } from '../media/timeline/steering.ts';
import {
  baseOf,
  currentEdge,
  edgesFor,
  edgeToAsk,
  isStaying,
  lineName,
  pathwaysFor,
  unheardEdge,
  whyThere,
  type Viewpoint,
} from './edge-order.ts';
import { callerAddress, frontOrigin, networkOf, type IsTrustedProxy } from './http/caller.ts';
import { defineRoute, type LocalRoute } from './http/define-route.ts';
import { jsonReply, messageReply, type HttpRequest } from './http/http.ts';
import type { Playback } from './playback/playback.ts';
import { namedEdges } from './region-edges.ts';
import type { PlayerSessions } from './public/player-sessions.ts';

/** Steering's part of an edge. */
export interface SteeringPart extends Pick<Viewpoint, 'isSound' | 'loadOf'> {
  readonly node: NodeId;
  readonly region: RegionId;
  /** The edges that serve viewers: of this region, sorted by id (M14), then of others. It is called often, so it must be cheap. */
  readonly listEdges: () => EdgeSet;
  readonly isTrustedProxy: IsTrustedProxy;
}

/** What the steering server needs beside. */
interface ServerPart extends SteeringPart {
  readonly clock: Clock;
  readonly sessions: PlayerSessions;
  readonly newSession: () => string;
  readonly isSteady: (edge: string) => boolean;
}

/** What the list of edges needs beside. */
interface EdgesPart extends SteeringPart {
  /** The user whose token came with a request, if one did. */
  readonly userOf: (request: HttpRequest, stream: StreamId, origin: string) => Promise<UserId | undefined>;
}

/** Whether this edge is about to leave. */
export interface Leaving {
  readonly isLeaving: boolean;
}

export function steeringRoutes(
  part: EdgesPart & ServerPart,
  playback: Playback,
  state: Leaving,
): readonly LocalRoute[] {
  return [steeringRoute(part, playback, state), edgesRoute(part, playback, state)];
}

/** Orders the edges for this viewer. It never answers 404 while the stream lives (M14). */
function steeringRoute(part: ServerPart, playback: Playback, state: Leaving): LocalRoute {
  return defineRoute(playbackRoutes.steering, async (request, input) => {
    const streamId = input.params.id;
    const timeline = await playback.steered(request, streamId);
    const reply = steeringReply({ streamId, timeline, ...steerFrom(part, request, input, state) });
    return messageReply(200, 'application/json', reply);
  });
}

function steerFrom(
  part: ServerPart,
  request: HttpRequest,
  { query, params, origin }: RouteInput<PlaybackParams, SteeringQuery>,
  state: Leaving,
) {
  const { node, isTrustedProxy } = part;
  const all = part.listEdges().edges;
  const ownUrl = all.find(({ id }) => id === node)?.baseUrl ?? origin;
  const base = baseOf(query, node, frontOrigin(request, ownUrl, isTrustedProxy));
  const viewpoint = {
    ...viewpointOf(part, request, state, query.region),
    current: currentEdge(query, base),
    isBeginning: query.base === basePathway,
    isSteady: part.isSteady,
  };
  const edges = edgesFor(namedEdges(all, viewpoint.region, params.id), viewpoint);
  const server = edgeToAsk(edges, viewpoint)?.baseUrl ?? origin;
  const session = sessionOf(part, request, { query, params });
  const from = regionToSay(edges, part.region, query);
  const urlOf = (at: string, asked: object): string =>
    `${at}/live/${params.id}/steering?${new URLSearchParams({ ...asked, ...from, ...session }).toString()}`;
  const unheard = unheardEdge(all, viewpoint);
  if (base === undefined) return { edges, ...aheadOf(edges, unheard), reloadUrl: urlOf(server, {}) };
  const ahead =
    unheard === undefined ? [] : [base.kind === 'edge' && base.id === unheard ? basePathway : unheard];
  const pathways = [...ahead, ...pathwaysFor(edges, base, viewpoint)];
  // Edges behind a front may have no address that this viewer reaches, so it asks the front again.
  const reloadUrl =
    base.kind === 'front' ? urlOf(base.origin, { base: basePathway }) : urlOf(server, { base: base.id });
  return { edges, pathways, reloadUrl };
}

/** What a player is to say of its region the next time: nothing where there is one region. */
function regionToSay(
  edges: readonly EdgeAddress[],
  own: RegionId,
  { region }: SteeringQuery,
): { readonly region?: RegionId } {
  const isOneOfSeveral = region !== undefined || edges.some((edge) => edge.region !== own);
  return isOneOfSeveral ? { region: region ?? own } : {};
}

/** The edges of a DASH player, where one that is not heard of here goes before them. */
function aheadOf(edges: readonly EdgeAddress[], unheard: string | undefined) {
  return unheard === undefined ? {} : { pathways: [unheard, ...edges.map(({ id }): string => id)] };
}

/** Counts a player that comes back (A10). @returns what it is to bring the next time */
function sessionOf(
  { node, clock, sessions, newSession, isTrustedProxy, listEdges }: ServerPart,
  request: HttpRequest,
  { query, params }: Pick<RouteInput<PlaybackParams, SteeringQuery>, 'query' | 'params'>,
): { readonly session: string; readonly counted?: NodeId } {
  const { session, counted, leaves, _DASH_pathway: dash, _HLS_pathway: hls } = query;
  if (session === undefined) return { session: newSession() };
  if (counted !== undefined && counted !== node && listEdges().edges.some(({ id }) => id === counted))
    sessions.letGo(counted, session);
  if (leaves !== undefined) {
    sessions.left(session);
    return { session };
  }
  const network = networkOf(callerAddress(request, isTrustedProxy));
  const asking = { session, stream: params.id, network, hasPathway: (dash ?? hls) !== undefined };
  return sessions.asked(asking, clock.runningMs()) ? { session, counted: node } : { session };
}

/**
 * Serves viewers whose player is not steered yet: the same order, but only edges that are worth a try. For a user it is the order in which
 * edges stand for their live socket (A9).
 */
function edgesRoute(part: EdgesPart, playback: Playback, state: Leaving): LocalRoute {
  return defineRoute(streamEdges, async (request, { params, query, origin }) => {
    await playback.steered(request, params.id);
    const user = query.user ?? (await part.userOf(request, params.id, origin));
    const { edges: all, revision } = part.listEdges();
    const seen = viewpointOf(part, request, state, query.region);
    const viewpoint = user === undefined ? seen : { ...seen, viewer: lineName(user) };
    const edges = namedEdges(all, viewpoint.region, params.id);
    const items = edgesFor(edges, viewpoint)
      .filter((edge) => isStaying(edge, viewpoint))
      .map((edge) => ({ edge, why: whyThere(edge, edges, viewpoint) }))
      .map(({ edge: { id, region, baseUrl: url }, why }) => ({ id, region, url, why }));
    return jsonReply(200, { items, revision } satisfies EdgeList);
  });
}

/** Where the viewer stands that sent this request. @param told the region that it says it is of: it counts before the one that is asked */
function viewpointOf(
  part: SteeringPart,
  request: HttpRequest,
  { isLeaving }: Leaving,
  told: RegionId | undefined,
): Viewpoint & { readonly region: RegionId } {
  const { node: self, region, isSound, loadOf } = part;
  const viewer = callerAddress(request, part.isTrustedProxy);
  return { self, region: told ?? region, isLeaving, isSound, loadOf, viewer };
}
