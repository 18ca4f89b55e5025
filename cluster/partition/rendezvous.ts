/**
 * Weighted rendezvous hashing: who stands where in line for a key (C4).
 *
 * Every member draws a number for the key; the smallest draw is first. A draw is exponential with the member's weight
 * as its rate (`-ln(u) / weight`), so a member is first for a share of keys equal to its share of the weight.
 *
 * R1. The draw of a member depends on the key and on that member alone: a leaver moves exactly its keys, a joiner takes
 *     keys only to itself, and none moves between two others.
 * R2. Equal inputs give an equal order on every node, whatever order the members come in.
 *
 * Rejected: load in the hash (bounded load recomputed over all keys moved keys between unaffected nodes in 148 of 200
 * trials: C4); a ring of virtual nodes (uneven with few nodes, and slow to rebuild).
 */
export interface WeightedMember {
  readonly id: string;
  /** Relative share of keys; a member of weight 0 or less stands in no line. */
  readonly weight: number;
}

/** The members in line for a key, best first; also the order of fail-over. */
export function order<M extends WeightedMember>(key: string, members: readonly M[]): readonly M[] {
  return members
    .filter((member) => member.weight > 0)
    .map((member) => ({ member, draw: -Math.log(uniform(key, member.id)) / member.weight }))
    .toSorted((a, b) => a.draw - b.draw || (a.member.id < b.member.id ? -1 : 1))
    .map(({ member }) => member);
}

/** A number in (0, 1) that looks random, from 53 bits of a hash of both texts; pinned by golden vectors. */
function uniform(key: string, member: string): number {
  const text = `${key.length}:${key}${member}`;
  let low = 0x9e3779b9;
  let high = 0x85ebca6b;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    low = Math.imul(low ^ unit, 0x01000193) ^ (high >>> 15);
    high = Math.imul(high ^ unit, 0x5bd1e995) ^ (low >>> 13);
  }
  const a = avalanche(low ^ Math.imul(high, 0x27d4eb2f));
  const b = avalanche(high ^ Math.imul(a, 0x165667b1));
  return ((a >>> 0) * 2 ** 21 + (b >>> 11) + 0.5) / 2 ** 53;
}

/** MurmurHash3's 32-bit finaliser: every bit of the input changes every bit of the output half of the time. */
function avalanche(value: number): number {
  const once = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  const twice = Math.imul(once ^ (once >>> 13), 0xc2b2ae35);
  return twice ^ (twice >>> 16);
}
