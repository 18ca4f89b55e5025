/** Which edges a viewer should use, best first: only `/steering` says it, never a manifest (M14). */
import { order } from '../../cluster/partition/rendezvous.ts';
import type { EdgeAddress } from '../media/timeline/manifest-options.ts';

export interface Viewpoint {
  /** The edge that was asked: it is near, and it works. */
  readonly self: string;
  readonly region: string;
  /** This edge is about to leave: it goes last. */
  readonly isLeaving: boolean;
  /** Members that live and stay; the others go last. */
  readonly isSound: (edge: string) => boolean;
  /** Spreads viewers over the edges that are equally near. */
  readonly viewer: string;
}

/** The asked edge, then its region's in the viewer's own order, then the others'. Never fewer than were given. */
export function edgesFor(
  edges: readonly EdgeAddress[],
  { self, region, isLeaving, isSound, viewer }: Viewpoint,
): readonly EdgeAddress[] {
  const inLine = order(
    viewer,
    edges.map((edge) => ({ ...edge, weight: 1 })),
  ).map(({ weight: _weight, ...edge }) => edge);
  const rank = (edge: EdgeAddress): number => {
    if (!isSound(edge.id)) return 4;
    if (edge.id === self) return isLeaving ? 3 : 0;
    return edge.region === region ? 1 : 2;
  };
  return inLine.toSorted((left, right) => rank(left) - rank(right));
}
