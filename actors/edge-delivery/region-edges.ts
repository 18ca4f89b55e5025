/**
 * The edges of all regions, and which of them a region's manifests name for a stream (R11). A deployment of one region names all of its edges.
 */
import type { RegionId, StreamId } from '../../cluster/model/ids.ts';
import { head } from '../../cluster/partition/rendezvous.ts';
import type { MemberDirectory } from '../../cluster/membership/member-directory.ts';
import { isSound } from '../../cluster/membership/members-for.ts';
import type { Elsewhere } from '../../cluster/region/elsewhere.ts';
import { withoutEqualNames } from '../../cluster/region/edges/equal-names.ts';
import type { Viewpoint } from './edge-order.ts';
import type { EdgeAddress, EdgeSet } from '../media/timeline/manifest-options.ts';

/** How many edges a manifest names where there are other regions, and how many of each of these. */
const mostNamed = 8;
const ofEachOther = 2;

/** Those of this region first, and each id once (R1): players know an edge by its id. */
export function edgesOfRegions(own: EdgeSet, elsewhere: Pick<Elsewhere, 'edges' | 'edgesRevision'>): EdgeSet {
  const ids = own.edges.map(({ id }) => id);
  const others = withoutEqualNames(ids, elsewhere.edges()).map(
    ({ node: id, region, httpUrl: baseUrl, weight }) => ({ id, region, baseUrl, weight }),
  );
  // Both only grow, so the sum changes whenever one of them does.
  return { revision: own.revision + elsewhere.edgesRevision, edges: [...own.edges, ...others] };
}

interface StandingPorts {
  readonly members: Pick<MemberDirectory, 'list'>;
  readonly loads: { readonly loadOf: (edge: string) => number | undefined };
  readonly elsewhere: Pick<Elsewhere, 'edges'>;
}

/** What is known of the edges that `edgesOfRegions` lists: of this region's own by its members alone, of others by what they tell. */
export function standingOfEdges(ports: StandingPorts): Pick<Viewpoint, 'isSound' | 'loadOf'> {
  const { members, loads, elsewhere } = ports;
  const isOwn = (edge: string): boolean =>
    members.list().members.some(({ id, roles }) => id === edge && roles.includes('edge-delivery'));
  const told = (edge: string) => elsewhere.edges().find(({ node }) => node === edge);
  return {
    isSound: (edge) => (isOwn(edge) ? isSound(members, edge) : told(edge)?.isSound === true),
    loadOf: (edge) => (isOwn(edge) ? loads.loadOf(edge) : told(edge)?.connections),
  };
}

/**
 * The region's own edges first, then two of each other region, eight in all; where there are more, by rendezvous on the stream. Equal lists
 * give equal answers, so manifests are equal within a region (M14).
 */
export function namedEdges(
  edges: readonly EdgeAddress[],
  region: RegionId,
  stream: StreamId,
): readonly EdgeAddress[] {
  const own = edges.filter((edge) => edge.region === region);
  if (own.length === edges.length) return edges;
  const others = [...new Set(edges.map((edge) => edge.region))].filter((one) => one !== region);
  const ofRegions = others.map((one) =>
    chosen(
      stream,
      edges.filter((edge) => edge.region === one),
      ofEachOther,
    ),
  );
  // The first of each region before the second of any, so that no region is left out while another has two.
  const inTurn = Array.from({ length: ofEachOther }, (_, turn) =>
    ofRegions.flatMap((ofRegion) => ofRegion.slice(turn, turn + 1)),
  ).flat();
  const far = inTurn.slice(0, Math.max(ofEachOther, mostNamed - own.length));
  return [...inOrder(own, chosen(stream, own, mostNamed - far.length)), ...inOrder(edges, far)];
}

function chosen(stream: StreamId, edges: readonly EdgeAddress[], count: number): readonly EdgeAddress[] {
  const members = edges.map((edge) => ({ id: edge.id, weight: edge.weight ?? 1, edge }));
  return head(stream, members, count).map(({ edge }) => edge);
}

const inOrder = (all: readonly EdgeAddress[], some: readonly EdgeAddress[]): readonly EdgeAddress[] =>
  all.filter((edge) => some.includes(edge));
