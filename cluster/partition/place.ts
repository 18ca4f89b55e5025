/**
 * Places a new or an orphaned key: in rendezvous order, with the load bounded at this one moment (C4).
 *
 * P1. The first member in line is taken whose load is below `ceil(1.25 (K + 1) w / W)`, where K keys are placed in all. No
 *     member gets over a quarter more than its share, and almost every key goes to the first in its line.
 *
 * The caller writes the answer into the ownership record. It is not computed again while the stream is on air.
 */
import { head, order, type WeightedMember } from './rendezvous.ts';

/** How far above its share the load of a member may be. */
export const loadFactor = 1.25;

export interface LoadedMember extends WeightedMember {
  /** How many keys the member holds now. */
  readonly load: number;
}

/** All candidates for a key, best first: in order those that have room, then in order the others. */
export function line<M extends LoadedMember>(key: string, members: readonly M[]): readonly M[] {
  const inOrder = order(key, members);
  const hasRoom = roomAmong(members);
  return [...inOrder.filter(hasRoom), ...inOrder.filter((member) => !hasRoom(member))];
}

/** The first `count` of `line(key, members)`, without sorting the others. */
export function headOfLine<M extends LoadedMember>(
  key: string,
  members: readonly M[],
  count: number,
): readonly M[] {
  const hasRoom = roomAmong(members);
  const first = head(key, members.filter(hasRoom), count);
  if (first.length >= count) return first;
  const others = members.filter((member) => !hasRoom(member));
  return [...first, ...head(key, others, count - first.length)];
}

/** Makes a test that says whether one of these members has room for one more key. */
export function roomAmong(members: readonly LoadedMember[]): (member: LoadedMember) => boolean {
  let keys = 0;
  let weights = 0;
  for (const { load, weight } of members) {
    keys += load;
    weights += Math.max(0, weight);
  }
  return ({ load, weight }) => load < Math.ceil((loadFactor * (keys + 1) * weight) / weights);
}

/** The first member in line that has room (P1). @returns undefined only when no member has a weight */
export function place<M extends LoadedMember>(key: string, members: readonly M[]): M | undefined {
  return headOfLine(key, members, 1)[0];
}
