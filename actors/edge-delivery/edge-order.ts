/** Orders the edges for one viewer, best first. `/steering` and `/edges` show the order; a manifest never does (M14). */
import type { EdgeList } from '../../cluster/contract/api/control-routes.ts';
import type { SteeringQuery } from '../../cluster/contract/api/edge-routes.ts';
import type { UserId } from '../../cluster/model/ids.ts';
import { line, roomAmong, type LoadedMember } from '../../cluster/partition/place.ts';
import { order } from '../../cluster/partition/rendezvous.ts';
import type { EdgeAddress } from '../media/timeline/manifest-options.ts';
import { basePathway } from '../media/timeline/steering.ts';

export interface Viewpoint {
  /** The edge that was asked. It works, as it answers. */
  readonly self: string;
  /** The edge that the viewer plays from, as the viewer says. */
  readonly current?: string | undefined;
  /** It has only asked there, and plays nothing yet: it may still be sent where there is room. */
  readonly isBeginning?: boolean;
  /** The viewer's region: the one that it says, or that of the edge that was asked. */
  readonly region: string;
  /** Whether an edge is sound for long enough to come back to from another region (R11). By default it is. */
  readonly isSteady?: (edge: string) => boolean;
  /** True while this edge is about to leave. It then comes last. */
  readonly isLeaving: boolean;
  /** True for members that are alive and do not leave. The others come last. */
  readonly isSound: (edge: string) => boolean;
  /** How many connections an edge has open, as it was some seconds ago. Undefined when it is not known. It is only a hint. */
  readonly loadOf: (edge: string) => number | undefined;
  /** Names the viewer, so that viewers spread over edges that are equally near. */
  readonly viewer: string;
}

/** The name under which a user stands in line (A9), beside viewers who go by their address. */
export const lineName = (user: UserId): string => `user ${user}`;

/** An edge with fewer connections than this always has room: a player opens several connections, and a few weigh nothing. */
export const lightLoad = 32;

/**
 * First comes the edge that the viewer plays from, if it is sound and in the viewer's region. Then come the region's edges in the viewer's own
 * order, those with room before those without (C4), and last the edges of other regions. No edge is left out. A viewer who plays from another
 * region stays there until an edge of its own region is steady (R11).
 *
 * No edge is preferred because it was asked. A viewer asks another edge than the one it plays from (RELOAD-URI), so it would be sent back and forth
 * every few seconds. And all DASH viewers ask the same edge before they begin, so all of them would begin there.
 */
export function edgesFor(edges: readonly EdgeAddress[], viewpoint: Viewpoint): readonly EdgeAddress[] {
  const { self, current, region, isLeaving, isSound, loadOf, viewer, isBeginning = false } = viewpoint;
  const { isSteady = () => true } = viewpoint;
  const staysAt = (edge: EdgeAddress): boolean =>
    edge.id === current && !(isBeginning && isFull(edge, edges, viewpoint));
  const isAway = edges.some((edge) => edge.id === current && edge.region !== region);
  const rank = (edge: EdgeAddress): number => {
    if (!isSound(edge.id)) return 6;
    if (edge.id === self && isLeaving) return 5;
    if (edge.region !== region) return edge.id === current ? 2 : 3;
    if (isAway && !isSteady(edge.id)) return 4;
    return staysAt(edge) ? 0 : 1;
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
  const loaded = withLoads(edges, loadOf);
  return loaded === undefined ? byRendezvous(viewer, edges) : line(viewer, loaded).map(({ edge }) => edge);
}

interface LoadedEdge extends LoadedMember {
  readonly edge: EdgeAddress;
}

/** Undefined where the load of one is not known. */
function withLoads(
  edges: readonly EdgeAddress[],
  loadOf: Viewpoint['loadOf'],
): readonly LoadedEdge[] | undefined {
  const loaded = edges.flatMap((edge) => {
    const load = loadOf(edge.id);
    const { id, weight = 1 } = edge;
    return load === undefined ? [] : [{ id, edge, weight, load: Math.max(0, load - lightLoad) }];
  });
  return loaded.length < edges.length ? undefined : loaded;
}

/** Has it no room beside the sound edges of its region (C4)? */
function isFull({ id }: EdgeAddress, edges: readonly EdgeAddress[], viewpoint: Viewpoint): boolean {
  const near = edges.filter((edge) => edge.region === viewpoint.region && isStaying(edge, viewpoint));
  const loaded = withLoads(near, viewpoint.loadOf) ?? [];
  const hasRoom = roomAmong(loaded);
  return loaded.some((member) => member.id === id && !hasRoom(member));
}

function byRendezvous(viewer: string, edges: readonly EdgeAddress[]): readonly EdgeAddress[] {
  return order(
    viewer,
    edges.map((edge) => ({ id: edge.id, edge, weight: edge.weight ?? 1 })),
  ).map(({ edge }) => edge);
}

/** Why an edge stands where it stands in the order of a viewer. */
export function whyThere(
  edge: EdgeAddress,
  edges: readonly EdgeAddress[],
  viewpoint: Viewpoint,
): EdgeList['items'][number]['why'] {
  if (edge.region !== viewpoint.region) return 'inAnotherRegion';
  return isFull(edge, edges, viewpoint) ? 'inYourRegionWithoutRoom' : 'inYourRegion';
}

/**
 * The edge the viewer plays from, where nothing is heard of the viewer's region here. It is in front of all others then: if it is dead the
 * player notices by itself, and if only the regions cannot hear each other, it is no reason to move (R11).
 */
export function unheardEdge(
  edges: readonly EdgeAddress[],
  { current, region }: Viewpoint,
): string | undefined {
  const isUnheard = edges.every((edge) => edge.region !== region && edge.id !== current);
  return isUnheard ? current : undefined;
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

/** What the base pathway of an HLS main playlist is: the edge that it came from, or a front that has edges behind it. */
export type Base =
  | { readonly kind: 'edge'; readonly id: string }
  /** It spreads viewers over its edges by itself. */
  | { readonly kind: 'front'; readonly origin: string };

/**
 * Undefined for DASH, which names every edge by its id, and for HLS players that have a main playlist of an older version.
 *
 * @param front where a proxy was asked under a name that is not this edge's own
 */
export function baseOf({ base }: SteeringQuery, self: string, front: string | undefined): Base | undefined {
  if (base === undefined) return undefined;
  if (base !== basePathway) return { kind: 'edge', id: base };
  return front === undefined ? { kind: 'edge', id: self } : { kind: 'front', origin: front };
}

/**
 * The pathways of an HLS player, best first: its order of edges, with the base pathway for the edge that it is, so that no
 * player is moved from an edge to itself. It is left out once that edge is dead or leaves, while another stays. A front goes
 * before all edges but the one that the viewer plays from, which it has gone to when the front failed.
 */
export function pathwaysFor(
  inLine: readonly EdgeAddress[],
  base: Base,
  viewpoint: Viewpoint,
): readonly string[] {
  const isNamed = (edge: EdgeAddress): boolean =>
    base.kind === 'front' || edge.id !== base.id || isStaying(edge, viewpoint);
  const named = inLine.some((edge) => isStaying(edge, viewpoint)) ? inLine.filter(isNamed) : inLine;
  if (base.kind === 'edge') return named.map(({ id }) => (id === base.id ? basePathway : id));
  const ids = named.map(({ id }) => id);
  const ahead = ids[0] !== undefined && ids[0] === viewpoint.current ? 1 : 0;
  return [...ids.slice(0, ahead), basePathway, ...ids.slice(ahead)];
}

/** Where a player is by what it sends, `n1`, `"n1"` or `"n1,n2"`: the first; in HLS it begins at the base. */
export function currentEdge(query: SteeringQuery, base?: Base): string | undefined {
  const { _DASH_pathway: dash, _HLS_pathway: hls } = query;
  const pathway = (hls ?? dash)?.replaceAll('"', '').split(',')[0];
  const isAtBase = pathway === undefined || pathway === basePathway;
  return isAtBase && base?.kind === 'edge' ? base.id : pathway;
}
