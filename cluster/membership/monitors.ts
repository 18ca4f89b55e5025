/**
 * Who watches whom in a region: each live member is watched by the first three of the others in its line (C3).
 *
 * The whole table is the region's size squared to draw, so it is drawn once and then carried from view to view: a leaver
 * changes only the members that it watched, a joiner takes at most one place of each (R1 of partition/rendezvous.ts).
 *
 * W1. The table of a view is the same whichever view it was carried from.
 */
import type { NodeId } from '../model/ids.ts';
import { head } from '../partition/rendezvous.ts';
import { findMember, isLive, type View, type ViewMember } from './view.ts';

/** How many watch each member, where there are as many. */
export const monitorCount = 3;

interface Table {
  /** Of each live member. */
  readonly monitors: ReadonlyMap<NodeId, readonly NodeId[]>;
  /** The other way round, in order of the view. */
  readonly targets: ReadonlyMap<NodeId, readonly ViewMember[]>;
}

const tables = new WeakMap<View, Table>();

/** Who watches a member, or would if it lived. */
export function monitorsOf(view: View, target: NodeId): readonly NodeId[] {
  return tableOf(view, view).monitors.get(target) ?? choose(target, idsOf(view.members.filter(isLive)));
}

/** Which members a live member watches. @param before an earlier view: the nearer it is, the less is to be drawn */
export function targetsOf(view: View, self: NodeId, before: View): readonly ViewMember[] {
  return tableOf(view, before).targets.get(self) ?? [];
}

function tableOf(view: View, before: View): Table {
  const known = tables.get(view);
  if (known !== undefined) return known;
  const former = tables.get(before);
  const monitors = former === undefined ? drawAll(view) : carry(former.monitors, view);
  const table = { monitors, targets: turnRound(view, monitors) };
  tables.set(view, table);
  return table;
}

const idsOf = (members: readonly ViewMember[]): readonly { id: NodeId; weight: 1 }[] =>
  members.map(({ id }) => ({ id, weight: 1 }));

function choose(target: NodeId, among: readonly { id: NodeId; weight: 1 }[]): readonly NodeId[] {
  return head(
    `monitor:${target}`,
    among.filter(({ id }) => id !== target),
    monitorCount,
  ).map(({ id }) => id);
}

function drawAll(view: View): Table['monitors'] {
  const live = idsOf(view.members.filter(isLive));
  return new Map(live.map(({ id }) => [id, choose(id, live)]));
}

/** Keeps the monitors of members that the change did not touch (W1). */
function carry(former: Table['monitors'], view: View): Table['monitors'] {
  const members = view.members.filter(isLive);
  const live = idsOf(members);
  const joined = idsOf(members.filter(({ id }) => !former.has(id)));
  const left = new Set([...former.keys()].filter((id) => !isThere(view, id)));
  return new Map(
    live.map(({ id }) => {
      const known = former.get(id);
      if (known === undefined || known.some((monitor) => left.has(monitor))) return [id, choose(id, live)];
      if (joined.length === 0) return [id, known];
      return [id, choose(id, [...known.map((monitor) => ({ id: monitor, weight: 1 as const })), ...joined])];
    }),
  );
}

function isThere(view: View, id: NodeId): boolean {
  const member = findMember(view, id);
  return member !== undefined && isLive(member);
}

function turnRound(view: View, monitors: Table['monitors']): Table['targets'] {
  const targets = new Map<NodeId, ViewMember[]>();
  for (const member of view.members)
    for (const monitor of isLive(member) ? (monitors.get(member.id) ?? []) : []) {
      const known = targets.get(monitor);
      if (known === undefined) targets.set(monitor, [member]);
      else known.push(member);
    }
  return targets;
}
