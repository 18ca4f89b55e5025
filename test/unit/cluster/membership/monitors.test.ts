/** Who watches whom: the same table, however a view was reached, and its two sides agree (C3). */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { monitorCount, monitorsOf, targetsOf } from '../../../../cluster/membership/monitors.ts';
import {
  declareDead,
  findMember,
  isLive,
  join,
  leave,
  View,
  type ViewMember,
} from '../../../../cluster/membership/view.ts';
import { order } from '../../../../cluster/partition/rendezvous.ts';
import { testMember, viewOf } from '../../../support/cluster/members.ts';

const names = Array.from({ length: 9 }, (_, index) => `n${index + 1}`);
const live = ({ members }: View): readonly ViewMember[] => members.filter(isLive);

/** What the table must say: the first of the others in line. */
const drawn = (view: View, { id }: ViewMember): readonly string[] =>
  order(
    `monitor:${id}`,
    live(view)
      .filter((one) => one.id !== id)
      .map((one) => ({ id: one.id, weight: 1 })),
  )
    .slice(0, monitorCount)
    .map((one) => one.id);

type Step = readonly ['join' | 'die' | 'leave', number];

function take(view: View, [what, index]: Step): View {
  const name = names[index % names.length] ?? 'n1';
  const member = view.members.find(({ id }) => id === name);
  if (what === 'join') return join(view, testMember(name));
  if (member === undefined) return view;
  return what === 'die' ? declareDead(view, member, 0) : leave(view, member.id, member.bootId);
}

// Goal: carrying the table from view to view is not seen (W1). Method: random histories, some views passed over, against
// what the line itself says.
test('whatever joins, dies and leaves, each live member is watched by the first three of the others', () => {
  const step = fc.tuple(fc.constantFrom('join', 'die', 'leave'), fc.nat({ max: 8 }));
  fc.assert(
    fc.property(fc.array(fc.tuple(step, fc.boolean()), { maxLength: 30 }), (history) => {
      let view = viewOf('n1', 'n2', 'n3', 'n4', 'n5');
      let seen = view;
      for (const [one, isSeen] of history) {
        view = take(view, one);
        if (!isSeen) continue;
        for (const member of live(view)) targetsOf(view, member.id, seen);
        seen = view;
        for (const member of live(view)) expect(monitorsOf(view, member.id)).toEqual(drawn(view, member));
      }
    }),
  );
});

test('a member watches exactly those that it is a monitor of, in order of the view', () => {
  const view = viewOf(...names);
  for (const { id } of view.members)
    expect(targetsOf(view, id, view)).toEqual(
      view.members.filter((one) => monitorsOf(view, one.id).includes(id)),
    );
});

test('nobody watches the dead, and the dead watch nobody; who would watch them is still known', () => {
  const before = viewOf('n1', 'n2', 'n3', 'n4');
  const victim = before.members[1];
  if (victim === undefined) throw new Error('no victim');
  const view = declareDead(before, victim, 0);
  expect(targetsOf(view, victim.id, before)).toEqual([]);
  for (const { id } of live(view))
    expect(targetsOf(view, id, before)).not.toContain(findMember(view, victim.id));
  expect(monitorsOf(view, victim.id)).toEqual(drawn(view, victim));
});

test('a parsed copy of a view has the same table', () => {
  const view = viewOf(...names);
  const copy = View.parse(JSON.parse(JSON.stringify(view)));
  for (const { id } of view.members) expect(monitorsOf(copy, id)).toEqual(monitorsOf(view, id));
});
