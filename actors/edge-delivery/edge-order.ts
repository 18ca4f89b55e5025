/** Orders the edges for one viewer, best first. `/steering` and `/edges` show the order; a manifest never does (M14). */
import type { SteeringQuery } from '../../cluster/contract/api/edge-routes.ts';
import { line } from '../../cluster/partition/place.ts';
import { order } from '../../cluster/partition/rendezvous.ts';
import type { EdgeAddress } from '../media/timeline/manifest-options.ts';

export interface Viewpoint {
  /** The edge that was asked. It works, as it answers. */
  readonly self: string;
  /** The edge that the viewer plays from, as the viewer says. */
  readonly current?: string | undefined;
  readonly region: string;
  /** True while this edge is about to leave. It then comes last. */
  readonly isLeaving: boolean;
  /** True for members that are alive and do not leave. The others come last. */
  readonly isSound: (edge: string) => boolean;
  /** How many connections an edge has open, as it was some seconds ago. Undefined when it is not known. It is only a hint. */
  readonly loadOf: (edge: string) => number | undefined;
  /** Names the viewer, so that viewers spread over edges that are equally near. */
  readonly viewer: string;
}

/** An edge with fewer connections than this always has room: a player opens several connections, and a few weigh nothing. */
export const lightLoad = 32;

/**
 * First comes the edge that the viewer plays from, if it is sound and in this region. Then come the region's edges in the viewer's own
 * order, those with room before those without (C4), and last the edges of other regions. No edge is left out.
 *
 * The asked edge is not preferred. A viewer asks another edge than the one it plays from (RELOAD-URI), so it would be sent back and forth
 * every few seconds. And all DASH viewers ask the same edge before they begin, so all of them would begin there.
 */
export function edgesFor(edges: readonly EdgeAddress[], viewpoint: Viewpoint): readonly EdgeAddress[] {
  const { self, current, region, isLeaving, isSound, loadOf, viewer } = viewpoint;
  const rank = (edge: EdgeAddress): number => {
    if (!isSound(edge.id)) return 4;
    if (edge.id === self && isLeaving) return 3;
    if (edge.region !== region) return 2;
    return edge.id === current ? 0 : 1;
  };
  const near = edges.filter((edge) => rank(edge) <= 1);
  const far = edges.filter((edge) => rank(edge) > 1);
  const inLine = [...byRoom(viewer, near, loadOf), ...byRendezvous(viewer, far)];
  return inLine.toSorted((left, right) => rank(left) - rank(right));
}

/** Uses the loads as a hint (C4). Where one of them is not known there is no share to compare with, so the viewer's own order stays. */
function byRoom(
  viewer: string,
  edges: readonly EdgeAddress[],
  loadOf: Viewpoint['loadOf'],
): readonly EdgeAddress[] {
  const loaded = edges.flatMap((edge) => {
    const load = loadOf(edge.id);
    const { id, weight = 1 } = edge;
    return load === undefined ? [] : [{ id, edge, weight, load: Math.max(0, load - lightLoad) }];
  });
  if (loaded.length < edges.length) return byRendezvous(viewer, edges);
  return line(viewer, loaded).map(({ edge }) => edge);
}

function byRendezvous(viewer: string, edges: readonly EdgeAddress[]): readonly EdgeAddress[] {
  return order(
    viewer,
    edges.map((edge) => ({ id: edge.id, edge, weight: edge.weight ?? 1 })),
  ).map(({ edge }) => edge);
}

/**
 * The edge to ask next. It is another one than the first, so that steering does not die with the edge that is played from. It is never one
 * that is dead or leaves, as a player that cannot reach it asks no other. Undefined: ask this edge again.
 */
export function edgeToAsk(inLine: readonly EdgeAddress[], viewpoint: Viewpoint): EdgeAddress | undefined {
  const mayBeAsked = (edge: EdgeAddress): boolean => isStaying(edge, viewpoint);
  const other = inLine.slice(1).find(mayBeAsked) ?? inLine.find(mayBeAsked);
  return other?.id === viewpoint.self ? undefined : other;
}

/** Says whether an edge is alive and does not leave. */
export function isStaying({ id }: EdgeAddress, { self, isLeaving, isSound }: Viewpoint): boolean {
  return isSound(id) && !(isLeaving && id === self);
}

/** Reads the current edge from what players send, `n1`, `"n1"` or `"n1,n2"`: the first name counts. */
export function currentEdge({ _DASH_pathway: dash, _HLS_pathway: hls }: SteeringQuery): string | undefined {
  return (hls ?? dash)?.replaceAll('"', '').split(',')[0];
}
