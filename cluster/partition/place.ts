/**
 * Where a new or an orphaned key goes: rendezvous order, with bounded load at this one moment (C4).
 *
 * P1. The first member in line whose load is below `ceil(1.25 (K + 1) w / W)`, with K keys placed in all: none gets over a
 *     quarter more than its share, and almost every key stays first in its line.
 * P2. The answer is written into the ownership record and never computed again on air.
 */
import { head, order, type WeightedMember } from './rendezvous.ts';

/** How far above its share a member may be loaded. */
export const loadFactor = 1.25;

export interface LoadedMember extends WeightedMember {
  /** Keys that it holds now. */
  readonly load: number;
}

/** All candidates for a key, best first: those with room in order, then the others in order. */
export function line<M extends LoadedMember>(key: string, members: readonly M[]): readonly M[] {
  const inOrder = order(key, members);
  const hasRoom = roomAmong(members);
  return [...inOrder.filter(hasRoom), ...inOrder.filter((member) => !hasRoom(member))];
}

/** The first `count` of `line(key, members)`, without putting the others in order. */
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

/** Who of these members has room for one more key; asked about one of them. */
export function roomAmong(members: readonly LoadedMember[]): (member: LoadedMember) => boolean {
  let keys = 0;
  let weights = 0;
  for (const { load, weight } of members) {
    keys += load;
    weights += Math.max(0, weight);
  }
  return ({ load, weight }) => load < Math.ceil((loadFactor * (keys + 1) * weight) / weights);
}

/** P1. @returns undefined only when nobody has a weight */
export function place<M extends LoadedMember>(key: string, members: readonly M[]): M | undefined {
  return headOfLine(key, members, 1)[0];
}
