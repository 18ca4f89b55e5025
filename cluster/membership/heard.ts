/**
 * Remembers which accusations a node has heard, as an immutable value: by target, then by accuser (detector.ts D6).
 *
 * In a region of two thousand members a thousand may be accused at once, and each accusation reaches every node. So the targets are spread
 * over shards, and a new accusation copies one shard only. Rejected: one map that is copied each time, with which a second of one fault
 * took minutes to simulate; one map that is changed in place, with which the detector would no longer be a value.
 */
import { z } from 'zod';
import { BootId, NodeId } from '../model/ids.ts';
import { maxMembers } from './view.ts';

/** An accusation as it is published. */
export const Accusation = z.object({
  from: NodeId,
  target: NodeId,
  incarnation: z.number().int(),
  /** False takes the accusation back. */
  holds: z.boolean(),
});
export type Accusation = Readonly<z.infer<typeof Accusation>>;

/** An operator's word that these lives may be declared dead at once, as it is published (C3). It names lives, so it may arrive late. */
export const Release = z.object({
  lives: z
    .array(z.object({ id: NodeId, bootId: BootId, incarnation: z.number().int() }))
    .max(maxMembers)
    .readonly(),
});
export type Release = Readonly<z.infer<typeof Release>>;

export interface Said {
  readonly incarnation: number;
  readonly atMs: number;
}

type Accusers = ReadonlyMap<NodeId, Said>;

export interface Heard {
  /** How many members are accused. */
  readonly size: number;
  readonly shards: readonly ReadonlyMap<NodeId, Accusers>[];
}

const shardCount = 64;

export const nothingHeard: Heard = {
  size: 0,
  shards: Array.from({ length: shardCount }, () => new Map<NodeId, Accusers>()),
};

/** Chooses the shard by the last three characters, as the names of nodes mostly differ there. */
function shardOf(id: NodeId): number {
  const end = id.length;
  // For a short name a character may be missing. It is then NaN, which counts as 0 here.
  return (
    (id.charCodeAt(end - 1) + 10 * id.charCodeAt(end - 2) + 100 * id.charCodeAt(end - 3)) & (shardCount - 1)
  );
}

/** Who accuses a member; undefined when nobody does. */
export const accusersOf = ({ shards }: Heard, target: NodeId): Accusers | undefined =>
  shards[shardOf(target)]?.get(target);

export function hear(heard: Heard, accusation: Accusation, nowMs: number): Heard {
  const { from, target, incarnation, holds } = accusation;
  const accusers = new Map(accusersOf(heard, target));
  if (holds) accusers.set(from, { incarnation, atMs: nowMs });
  else accusers.delete(from);
  return withAccusers(heard, target, accusers);
}

/** Forgets the accusations of these members. @returns the same object when there was none */
export const without = (heard: Heard, targets: readonly NodeId[]): Heard =>
  targets.reduce((kept, target) => withAccusers(kept, target, nobody), heard);

const nobody: Accusers = new Map();

/** The members that anybody accuses. */
export function* accused({ size, shards }: Heard): Generator<NodeId> {
  if (size > 0) for (const shard of shards) yield* shard.keys();
}

function withAccusers(heard: Heard, target: NodeId, accusers: Accusers): Heard {
  const index = shardOf(target);
  const former = heard.shards[index];
  const wasAccused = former?.has(target) === true;
  if (accusers.size === 0 && !wasAccused) return heard;
  const shard = new Map(former);
  if (accusers.size === 0) shard.delete(target);
  else shard.set(target, accusers);
  const change = Number(accusers.size > 0) - Number(wasAccused);
  return { size: heard.size + change, shards: heard.shards.with(index, shard) };
}
