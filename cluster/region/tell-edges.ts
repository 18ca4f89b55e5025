/**
 * Tells other regions which edges this one has, every 2 s (R3). The node does it that is first in rendezvous order of those that live, so a
 * region costs one message, however many nodes it has. When that node dies, the next one goes on as soon as the membership knows it.
 */
import { edges, maxEdgesTold, type EdgeTold } from '../contract/regions/on-air.ts';
import type { ListedMember, MemberDirectory } from '../membership/member-directory.ts';
import type { NodeId } from '../model/ids.ts';
import { head } from '../partition/rendezvous.ts';
import { loadFactor } from '../partition/place.ts';
import type { Clock } from '../time/clock.ts';
import type { OtherRegions } from './other-regions.ts';

export const tellEdgesEveryMs = 2000;
/** An edge takes so many connections however few the others have: the first ones weigh nothing. */
const leastRoom = 32;

export interface TellEdgesPorts {
  readonly node: NodeId;
  readonly others: OtherRegions;
  readonly members: Pick<MemberDirectory, 'list'>;
  readonly loads: { readonly loadOf: (node: NodeId) => number | undefined };
  readonly clock: Clock;
}

/** @returns what ends it */
export function tellEdges({ node, others, members, loads, clock }: TellEdgesPorts): () => void {
  return clock.every(tellEdgesEveryMs, () => {
    const all = members.list().members;
    if (isTeller(node, all)) others.publish(edges, { edges: edgesToTell(all, (id) => loads.loadOf(id)) });
  });
}

function isTeller(node: NodeId, members: readonly ListedMember[]): boolean {
  const alive = members.filter(({ isAlive }) => isAlive).map(({ id }) => ({ id, weight: 1 }));
  return head('edges', alive, 1)[0]?.id === node;
}

/** Sound ones first where there are more than may be told. Equal on all nodes but for the loads. */
export function edgesToTell(
  members: readonly ListedMember[],
  loadOf: (node: NodeId) => number | undefined,
): EdgeTold[] {
  const all = members
    .filter(({ roles }) => roles.includes('edge-delivery'))
    .map(({ id, httpUrl, state, weight }) => {
      return { node: id, httpUrl, isSound: state === 'alive', connections: loadOf(id) ?? 0, weight };
    });
  const sound = all.filter(({ isSound }) => isSound);
  const connections = sound.reduce((sum, one) => sum + one.connections, 0);
  const weights = sound.reduce((sum, { weight }) => sum + weight, 0);
  /** An edge may have a quarter more than its share (C4). */
  const roomOf = (edge: (typeof all)[number]): number => {
    const share = weights > 0 ? Math.ceil((loadFactor * (connections + 1) * edge.weight) / weights) : 0;
    return edge.isSound ? Math.max(0, Math.max(share, leastRoom) - edge.connections) : 0;
  };
  const ranked = [...sound, ...all.filter(({ isSound }) => !isSound)].slice(0, maxEdgesTold);
  return ranked.map((edge) => ({ ...edge, room: roomOf(edge) }));
}
