/** Which edges a viewer should use, best first: only `/steering` says it, never a manifest (M14). */
import type { SteeringQuery } from '../../cluster/contract/routes-node.ts';
import { order } from '../../cluster/partition/rendezvous.ts';
import type { EdgeAddress } from '../media/timeline/manifest-options.ts';

export interface Viewpoint {
  /** The edge that was asked: it is near, and it works. */
  readonly self: string;
  /** The edge that the viewer plays from, as it says. */
  readonly current?: string | undefined;
  readonly region: string;
  /** This edge is about to leave: it goes last. */
  readonly isLeaving: boolean;
  /** Members that live and stay; the others go last. */
  readonly isSound: (edge: string) => boolean;
  /** Spreads viewers over the edges that are equally near. */
  readonly viewer: string;
}

/**
 * The edge that the viewer plays from while it is sound and of the region, else the asked one; then the region's in the
 * viewer's own order, then the others'. Never fewer than were given.
 *
 * A viewer asks another edge than the one it plays from (RELOAD-URI): an order that began with the asked one would send it
 * to and fro every few seconds.
 */
export function edgesFor(
  edges: readonly EdgeAddress[],
  { self, current, region, isLeaving, isSound, viewer }: Viewpoint,
): readonly EdgeAddress[] {
  const inLine = order(
    viewer,
    edges.map((edge) => ({ ...edge, weight: 1 })),
  ).map(({ weight: _weight, ...edge }) => edge);
  const rank = (edge: EdgeAddress): number => {
    if (!isSound(edge.id)) return 5;
    if (edge.id === self && isLeaving) return 4;
    if (edge.region !== region) return 3;
    if (edge.id === current) return 0;
    return edge.id === self ? 1 : 2;
  };
  return inLine.toSorted((left, right) => rank(left) - rank(right));
}

/**
 * The edge to ask next: one other than the first, so that the steering does not die with the edge that is played from, but
 * never one that is dead or leaves; a player that cannot reach it would ask no other. Undefined: the asked edge, again.
 */
export function edgeToAsk(
  inLine: readonly EdgeAddress[],
  { self, isLeaving, isSound }: Viewpoint,
): EdgeAddress | undefined {
  const stays = ({ id }: EdgeAddress): boolean => isSound(id) && !(isLeaving && id === self);
  const other = inLine.slice(1).find(stays) ?? inLine.find(stays);
  return other?.id === self ? undefined : other;
}

/** What players send of where they are, `n1`, `"n1"` or `"n1,n2"`: the first. */
export function currentEdge({ _DASH_pathway: dash, _HLS_pathway: hls }: SteeringQuery): string | undefined {
  return (hls ?? dash)?.replaceAll('"', '').split(',')[0];
}
