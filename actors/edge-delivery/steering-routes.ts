/** `/steering` and `/edges`: which edges this viewer should use. The order is the viewer's own (edge-order.ts). */
import { playbackRoutes } from '../../cluster/contract/api/edge-routes.ts';
import { streamEdges, type EdgeList } from '../../cluster/contract/api/control-routes.ts';
import type { NodeId, RegionId } from '../../cluster/model/ids.ts';
import type { EdgeSet } from '../media/timeline/manifest-options.ts';
import { steeringReply } from '../media/timeline/steering.ts';
import { currentEdge, edgesFor, edgeToAsk, isStaying, type Viewpoint } from './edge-order.ts';
import { callerAddress, type IsTrustedProxy } from './http/caller.ts';
import { defineRoute, withoutQuery, type LocalRoute } from './http/define-route.ts';
import { jsonReply, messageReply, type HttpRequest } from './http/http.ts';
import type { Playback } from './playback/playback.ts';

/** Steering's part of an edge. */
export interface SteeringPart extends Pick<Viewpoint, 'isSound' | 'loadOf'> {
  readonly node: NodeId;
  readonly region: RegionId;
  /** The edges that serve viewers, sorted by id (M14). It is called often, so it must be cheap. */
  readonly listEdges: () => EdgeSet;
  readonly isTrustedProxy: IsTrustedProxy;
}

/** Whether this edge is about to leave. */
export interface Leaving {
  readonly isLeaving: boolean;
}

export function steeringRoutes(
  part: SteeringPart,
  playback: Playback,
  state: Leaving,
): readonly LocalRoute[] {
  return [steeringRoute(part, playback, state), edgesRoute(part, playback, state)];
}

/** Orders the edges for this viewer. It never answers 404 while the stream lives (M14). */
function steeringRoute(part: SteeringPart, playback: Playback, state: Leaving): LocalRoute {
  return defineRoute(playbackRoutes.steering, async (request, input) => {
    const streamId = input.params.id;
    const timeline = await playback.steered(streamId);
    const viewpoint = { ...viewpointOf(part, request, state), current: currentEdge(input.query) };
    const edges = edgesFor(part.listEdges().edges, viewpoint);
    const reloadUrl = `${edgeToAsk(edges, viewpoint)?.baseUrl ?? input.origin}/live/${streamId}/steering`;
    return messageReply(200, 'application/json', steeringReply({ streamId, edges, reloadUrl, timeline }));
  });
}

/** Serves viewers whose player is not steered yet: the same order, but only edges that are worth a try. */
function edgesRoute(part: SteeringPart, playback: Playback, state: Leaving): LocalRoute {
  return defineRoute(withoutQuery(streamEdges), async (request, { params }) => {
    await playback.steered(params.id);
    const { edges, revision } = part.listEdges();
    const viewpoint = viewpointOf(part, request, state);
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
