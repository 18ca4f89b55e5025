/**
 * Where a new or an orphaned key goes: rendezvous order, with bounded load at this one moment (C4).
 *
 * P1. The first member in line whose load is below `ceil(1.25 (K + 1) w / W)`, with K keys placed in all: none gets over a
 *     quarter more than its share, and almost every key stays first in its line.
 * P2. The answer is written into the ownership record and never computed again on air.
 */
import { order, type WeightedMember } from './rendezvous.ts';

/** How far above its share a member may be loaded. */
export const loadFactor = 1.25;

export interface LoadedMember extends WeightedMember {
  /** Keys that it holds now. */
  readonly load: number;
}

/** All candidates for a key, best first: those with room in order, then the others in order. */
export function line<M extends LoadedMember>(key: string, members: readonly M[]): readonly M[] {
  const inOrder = order(key, members);
  const keys = members.reduce((sum, { load }) => sum + load, 0);
  const weights = inOrder.reduce((sum, { weight }) => sum + weight, 0);
  const hasRoom = ({ load, weight }: M): boolean =>
    load < Math.ceil((loadFactor * (keys + 1) * weight) / weights);
  return [...inOrder.filter(hasRoom), ...inOrder.filter((member) => !hasRoom(member))];
}

/** P1. @returns undefined only when nobody has a weight */
export function place<M extends LoadedMember>(key: string, members: readonly M[]): M | undefined {
  return line(key, members)[0];
}
