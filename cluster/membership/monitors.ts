/**
 * Decides who watches whom in a region: the first three other members in the rendezvous order of a live member are its monitors (C3).
 *
 * Drawing the whole table costs the square of the region's size, so it is drawn once and then carried from view to view. A member that
 * leaves changes only the rows of the members that it watched. A member that joins takes at most one place in each row
 * (../partition/rendezvous.ts H1).
 *
 * W1. The table of a view is the same, whichever earlier view it was carried from.
 */
import type { NodeId } from '../model/ids.ts';
import { head } from '../partition/rendezvous.ts';
import { findMember, isLive, type View, type ViewMember } from './view.ts';

/** How many monitors each member has, where there are as many members. */
export const monitorCount = 3;

interface Table {
  /** The monitors of each live member. */
  readonly monitors: ReadonlyMap<NodeId, readonly NodeId[]>;
  /** The same the other way round: whom each monitor watches, in the order of the view. */
  readonly targets: ReadonlyMap<NodeId, readonly ViewMember[]>;
}

const tables = new WeakMap<View, Table>();

/** Who watches a member, or would watch it if it were alive. */
export function monitorsOf(view: View, target: NodeId): readonly NodeId[] {
  return tableOf(view, view).monitors.get(target) ?? choose(target, idsOf(view.members.filter(isLive)));
}

/** Which members a live member watches. @param before an earlier view; the nearer it is, the less must be drawn anew */
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

/** Keeps the monitors of all members that the change does not concern (W1). */
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
