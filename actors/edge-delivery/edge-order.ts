/** Which edges a viewer should use, best first: `/steering` and `/edges` say it, never a manifest (M14). */
import type { SteeringQuery } from '../../cluster/contract/api/edge-routes.ts';
import { line } from '../../cluster/partition/place.ts';
import { order } from '../../cluster/partition/rendezvous.ts';
import type { EdgeAddress } from '../media/timeline/manifest-options.ts';

export interface Viewpoint {
  /** The edge that was asked: it works. */
  readonly self: string;
  /** The edge that the viewer plays from, as it says. */
  readonly current?: string | undefined;
  readonly region: string;
  /** This edge is about to leave: it goes last. */
  readonly isLeaving: boolean;
  /** Members that live and stay; the others go last. */
  readonly isSound: (edge: string) => boolean;
  /** Open connections of an edge, some seconds old; undefined when they are not known. A hint. */
  readonly loadOf: (edge: string) => number | undefined;
  /** Spreads viewers over the edges that are equally near. */
  readonly viewer: string;
}

/** Below so many connections an edge has room, whatever the others have: a player opens several, and few weigh nothing. */
export const lightLoad = 32;

/**
 * The edge that the viewer plays from while it is sound and of the region; then the region's in the viewer's own order, those
 * that have room before those that have not (C4); then the others'. Never fewer than were given.
 *
 * The asked edge has no precedence. A viewer asks another edge than the one it plays from (RELOAD-URI), and would be sent to
 * and fro every few seconds; and all DASH viewers ask the same edge before they begin, and would all begin there.
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

/** C4, with the loads as a hint: where one of them is not known there is no share to compare with, and the order is the viewer's. */
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
 * The edge to ask next: one other than the first, so that the steering does not die with the edge that is played from, but
 * never one that is dead or leaves; a player that cannot reach it would ask no other. Undefined: the asked edge, again.
 */
export function edgeToAsk(inLine: readonly EdgeAddress[], viewpoint: Viewpoint): EdgeAddress | undefined {
  const mayBeAsked = (edge: EdgeAddress): boolean => isStaying(edge, viewpoint);
  const other = inLine.slice(1).find(mayBeAsked) ?? inLine.find(mayBeAsked);
  return other?.id === viewpoint.self ? undefined : other;
}

/** It lives, and is not about to leave. */
export function isStaying({ id }: EdgeAddress, { self, isLeaving, isSound }: Viewpoint): boolean {
  return isSound(id) && !(isLeaving && id === self);
}

/** What players send of where they are, `n1`, `"n1"` or `"n1,n2"`: the first. */
export function currentEdge({ _DASH_pathway: dash, _HLS_pathway: hls }: SteeringQuery): string | undefined {
  return (hls ?? dash)?.replaceAll('"', '').split(',')[0];
}
