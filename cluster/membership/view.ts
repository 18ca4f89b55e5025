/**
 * The membership of one region as a versioned value: who is a member, in which life, in which state (C3).
 *
 * The view is kept under one key and changed only by compare-and-set, so all nodes pass through the same versions. The functions here are
 * its only transitions. A transition that does not apply returns the same object.
 *
 * V1. A death names one boot in one incarnation. A verdict about a life that is over changes nothing.
 * V2. A member that was declared dead comes back with a higher incarnation, so old accusations do not concern it.
 * V3. `edgeRevision` changes exactly when manifests change: with the edges and their URLs (M14).
 */
import { z } from 'zod';
import { TangazaError } from '../errors/tangaza-error.ts';
import type { BootId, NodeId } from '../model/ids.ts';
import { Member, type GoneMember, type ListedMember } from './member-directory.ts';
import { unreachableFrom } from './reach.ts';
import { regionNamed } from '../model/region-words.ts';

export const ViewMember = Member.extend({
  incarnation: z.number().int().positive(),
  state: z.enum(['alive', 'draining', 'dead']),
  /** When it was declared dead, by the UTC of the node that declared it. It only serves to forget members that are long dead. */
  diedAtMs: z.number().optional(),
});
export type ViewMember = z.infer<typeof ViewMember>;

/** The most members of a region, including the dead that are still listed. */
export const maxMembers = 2000;

export const View = z.object({
  version: z.number().int().nonnegative(),
  edgeRevision: z.number().int().nonnegative(),
  /** The hash of the cluster's secret. A node with another one does not belong to this cluster. */
  secretHash: z.string(),
  /** Sorted by id. */
  members: z.array(ViewMember).max(maxMembers),
});
export type View = z.infer<typeof View>;

/** One life of one member: what a verdict names. */
export interface Life {
  readonly id: NodeId;
  readonly bootId: BootId;
  readonly incarnation: number;
}

export const emptyView = (secretHash: string): View => ({
  version: 0,
  edgeRevision: 0,
  secretHash,
  members: [],
});

export const isLive = ({ state }: ViewMember): boolean => state !== 'dead';

/** An index for each view, as a view never changes and a region of two thousand members is searched too often to walk it. */
const membersById = new WeakMap<View, ReadonlyMap<NodeId, ViewMember>>();

export function findMember(view: View, id: NodeId): ViewMember | undefined {
  const known = membersById.get(view);
  if (known !== undefined) return known.get(id);
  const byId = new Map(view.members.map((one) => [one.id, one]));
  membersById.set(view, byId);
  return byId.get(id);
}

/** Says why a node may not be a member of this cluster, and what to do about it. Undefined when it may. */
export function misfit(view: View, self: Member, secretHash: string): string | undefined {
  if (view.secretHash !== secretHash)
    return `${self.id} has another secret than the cluster in ${regionNamed(self.region)}: give it the secrets of this cluster (its data folder), or another NATS.`;
  if (isFull(view, self.id)) return fullFor(self);
  const others = view.members.filter(isLive);
  const other = others.find(({ protocol }) => protocol !== self.protocol);
  return other === undefined
    ? unreachableFrom(self, others)
    : `${self.id} speaks protocol ${self.protocol}, ${other.id} speaks ${other.protocol}: run the same version on both.`;
}

/** With one more member the view would be too large to be read. */
const isFull = (view: View, newcomer: NodeId): boolean =>
  view.members.length >= maxMembers && findMember(view, newcomer) === undefined;

const fullFor = ({ id, region }: Member): string =>
  `${id} would be member ${maxMembers + 1} of ${regionNamed(region)}: stop another node first (a dead one is forgotten after an hour), or begin another region.`;

/**
 * Makes a boot a member: for the first time, in place of an earlier boot of its node, or again after it was declared dead (V2).
 *
 * @throws TangazaError `CONFLICT` when there are `maxMembers` others
 */
export function join(view: View, member: Member): View {
  const known = findMember(view, member.id);
  if (known !== undefined && known.bootId === member.bootId && isLive(known)) return view;
  if (isFull(view, member.id)) throw new TangazaError('CONFLICT', fullFor(member));
  const incarnation = (known?.incarnation ?? 0) + 1;
  return change(view, { ...member, incarnation, state: 'alive' });
}

/** Declares one life of a node dead. A verdict about a life that is over changes nothing (V1). */
export function declareDead(view: View, life: Life, utcMs: number): View {
  const known = findMember(view, life.id);
  const isMeant = known?.bootId === life.bootId && known.incarnation === life.incarnation;
  if (known === undefined || !isMeant || !isLive(known)) return view;
  return change(view, { ...known, state: 'dead', diedAtMs: utcMs });
}

export function startDraining(view: View, id: NodeId, bootId: BootId): View {
  const known = findMember(view, id);
  if (known?.bootId !== bootId || known.state !== 'alive') return view;
  return change(view, { ...known, state: 'draining' });
}

/** A boot leaves by itself. Another boot of the same node stays. */
export function leave(view: View, id: NodeId, bootId: BootId): View {
  if (findMember(view, id)?.bootId !== bootId) return view;
  return without(view, new Set([id]));
}

/** Stops listing the dead that have not come back for `afterMs`. */
export function forgetDead(view: View, utcMs: number, afterMs: number): View {
  const gone = view.members.filter((one) => !isLive(one) && utcMs - (one.diedAtMs ?? utcMs) >= afterMs);
  return gone.length === 0 ? view : without(view, new Set(gone.map(({ id }) => id)));
}

function without(view: View, ids: ReadonlySet<NodeId>): View {
  return next(
    view,
    view.members.filter(({ id }) => !ids.has(id)),
  );
}

function change(view: View, member: ViewMember): View {
  const others = view.members.filter(({ id }) => id !== member.id);
  return next(
    view,
    [...others, member].toSorted((a, b) => (a.id < b.id ? -1 : 1)),
  );
}

/** Makes the next version. `edgeRevision` changes only when the edges or their URLs do (V3). */
function next(view: View, members: readonly ViewMember[]): View {
  const hasEdgesChanged = edgesOf(members) !== edgesOf(view.members);
  return {
    ...view,
    version: view.version + 1,
    edgeRevision: view.edgeRevision + (hasEdgesChanged ? 1 : 0),
    members: [...members],
  };
}

function edgesOf(members: readonly ViewMember[]): string {
  return members
    .filter(({ roles }) => roles.includes('edge-delivery'))
    .map(({ id, httpUrl }) => `${id} ${httpUrl}`)
    .join('\n');
}

/** Remembered for each pair of views, as every node of a simulated region asks about the same pairs. */
const knownEnds = new WeakMap<View, WeakMap<View, readonly GoneMember[]>>();

/** Which lives ended between two views. Each of them ends only once. */
export function endedLives(before: View, after: View): readonly GoneMember[] {
  const known = knownEnds.get(before) ?? new WeakMap<View, readonly GoneMember[]>();
  knownEnds.set(before, known);
  const ended = known.get(after) ?? findEnded(before, after);
  known.set(after, ended);
  return ended;
}

function findEnded(before: View, after: View): readonly GoneMember[] {
  const ended: GoneMember[] = [];
  for (const member of before.members) {
    const { id, bootId } = member;
    const now = findMember(after, id);
    if (now === member || !isLive(member)) continue;
    if (now === undefined) ended.push({ node: id, bootId, why: 'left' });
    else if (now.bootId !== bootId) ended.push({ node: id, bootId, why: 'replaced' });
    else if (!isLive(now)) ended.push({ node: id, bootId, why: 'died' });
  }
  return ended;
}

/** Rebuilds a view: adds the members of the old view that have not joined the new one yet, or only in an earlier life. */
export function withKnown(view: View, before: View): View {
  const isThere = ({ id, incarnation }: ViewMember): boolean => {
    const there = findMember(view, id);
    return there !== undefined && there.incarnation >= incarnation;
  };
  const kept = before.members.filter((one) => !isThere(one));
  const others = view.members.filter(({ id }) => !kept.some((one) => one.id === id));
  return { ...view, members: [...others, ...kept].toSorted((a, b) => (a.id < b.id ? -1 : 1)) };
}

/** The same members in a next version, for a write whose only purpose is to show that writes work. */
export const renewed = (view: View): View => ({ ...view, version: view.version + 1 });

export const lifeOf = ({ id, bootId, incarnation }: ViewMember): Life => ({ id, bootId, incarnation });

export const listed = (member: ViewMember): ListedMember => ({ ...member, isAlive: isLive(member) });
