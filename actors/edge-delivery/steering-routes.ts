/** `/steering` and `/edges`: which edges this viewer should use. The order is the viewer's own (edge-order.ts). */
import {
  playbackRoutes,
  type PlaybackParams,
  type SteeringQuery,
} from '../../cluster/contract/api/edge-routes.ts';
import { streamEdges, type EdgeList } from '../../cluster/contract/api/control-routes.ts';
import type { RouteInput } from '../../cluster/contract/api/routes.ts';
import type { NodeId, RegionId, StreamId, UserId } from '../../cluster/model/ids.ts';
import type { EdgeSet } from '../media/timeline/manifest-options.ts';
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
  type Viewpoint,
} from './edge-order.ts';
import { callerAddress, frontOrigin, networkOf, type IsTrustedProxy } from './http/caller.ts';
import { defineRoute, type LocalRoute } from './http/define-route.ts';
import { jsonReply, messageReply, type HttpRequest } from './http/http.ts';
import type { Playback } from './playback/playback.ts';
import type { PlayerSessions } from './public/player-sessions.ts';

/** Steering's part of an edge. */
export interface SteeringPart extends Pick<Viewpoint, 'isSound' | 'loadOf'> {
  readonly node: NodeId;
  readonly region: RegionId;
  /** The edges that serve viewers, sorted by id (M14). It is called often, so it must be cheap. */
  readonly listEdges: () => EdgeSet;
  readonly isTrustedProxy: IsTrustedProxy;
}

/** What the steering server needs beside. */
interface ServerPart extends SteeringPart {
  readonly clock: Clock;
  readonly sessions: PlayerSessions;
  readonly newSession: () => string;
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
    ...viewpointOf(part, request, state),
    current: currentEdge(query, base),
    isBeginning: query.base === basePathway,
  };
  const edges = edgesFor(all, viewpoint);
  const server = edgeToAsk(edges, viewpoint)?.baseUrl ?? origin;
  const session = sessionOf(part, request, { query, params });
  const urlOf = (at: string, asked: object): string =>
    `${at}/live/${params.id}/steering?${new URLSearchParams({ ...asked, ...session }).toString()}`;
  if (base === undefined) return { edges, reloadUrl: urlOf(server, {}) };
  const pathways = pathwaysFor(edges, base, viewpoint);
  // Edges behind a front may have no address that this viewer reaches, so it asks the front again.
  const reloadUrl =
    base.kind === 'front' ? urlOf(base.origin, { base: basePathway }) : urlOf(server, { base: base.id });
  return { edges, pathways, reloadUrl };
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
    const { edges, revision } = part.listEdges();
    const seen = viewpointOf(part, request, state);
    const viewpoint = user === undefined ? seen : { ...seen, viewer: lineName(user) };
    const items = edgesFor(edges, viewpoint)
      .filter((edge) => isStaying(edge, viewpoint))
      .map(({ id, region, baseUrl: url }) => ({ id, region, url }));
    return jsonReply(200, { items, revision } satisfies EdgeList);
  });
}

/** Where the viewer stands that sent this request. */
function viewpointOf(part: SteeringPart, request: HttpRequest, { isLeaving }: Leaving): Viewpoint {
  const { node: self, region, isSound, loadOf } = part;
  const viewer = callerAddress(request, part.isTrustedProxy);
  return { self, region, isLeaving, isSound, loadOf, viewer };
}
