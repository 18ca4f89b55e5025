/** The membership view: its transitions, and which lives end by them (C3). */
import { expect, test } from 'vitest';
import {
  declareDead,
  endedLives,
  findMember,
  forgetDead,
  join,
  leave,
  maxMembers,
  misfit,
  renewed,
  startDraining,
  withKnown,
  type Life,
  View,
} from '../../../../cluster/membership/view.ts';
import { BootId, NodeId } from '../../../../cluster/model/ids.ts';
import { testMember, viewOf } from '../../../support/cluster/members.ts';

const n1 = NodeId.parse('n1');
const n2 = NodeId.parse('n2');
const lifeOf = (view: View, id: NodeId): Life => {
  const member = findMember(view, id);
  if (member === undefined) throw new Error(`no ${id}`);
  return member;
};

test('members are listed in order of id, and each change is a version', () => {
  const view = viewOf('n2', 'n1', 'n3');
  expect(view.members.map(({ id }) => id)).toEqual(['n1', 'n2', 'n3']);
  expect(view.version).toBe(3);
});

test('a transition that changes nothing returns the same view', () => {
  const view = viewOf('n1', 'n2');
  const dead = declareDead(view, lifeOf(view, n1), 0);
  expect(join(view, testMember('n1'))).toBe(view);
  expect(declareDead(dead, lifeOf(view, n1), 0)).toBe(dead);
  expect(leave(view, NodeId.parse('n9'), BootId.parse('b'))).toBe(view);
  expect(leave(view, n1, BootId.parse('another-boot'))).toBe(view);
  expect(startDraining(dead, n1, BootId.parse('boot-n1'))).toBe(dead);
  expect(forgetDead(view, 1e12, 1)).toBe(view);
});

test('a verdict about a life that is over changes nothing', () => {
  const view = viewOf('n1', 'n2');
  const old = lifeOf(view, n1);
  const rebooted = join(view, testMember('n1', { bootId: BootId.parse('boot-2') }));
  expect(declareDead(rebooted, old, 0)).toBe(rebooted);
  const rejoined = join(declareDead(view, old, 0), testMember('n1'));
  expect(findMember(rejoined, n1)).toMatchObject({ state: 'alive', incarnation: 2 });
  expect(declareDead(rejoined, old, 0)).toBe(rejoined);
});

test('the edge revision moves with the edges and their URLs alone', () => {
  const view = viewOf('n1', 'n2');
  const revisions = [
    declareDead(view, lifeOf(view, n1), 0),
    startDraining(view, n1, BootId.parse('boot-n1')),
    join(view, testMember('n1', { bootId: BootId.parse('boot-2') })),
    join(view, testMember('n3', { roles: ['ingest'] })),
    join(view, testMember('n4')),
    leave(view, n1, BootId.parse('boot-n1')),
  ].map(({ edgeRevision }) => edgeRevision - view.edgeRevision);
  expect(revisions).toEqual([0, 0, 0, 0, 1, 1]);
});

test('each life that ended is told once, with why', () => {
  const view = viewOf('n1', 'n2', 'n3');
  const dead = declareDead(view, lifeOf(view, n1), 0);
  expect(endedLives(view, dead)).toEqual([{ node: 'n1', bootId: 'boot-n1', why: 'died' }]);
  expect(endedLives(dead, leave(dead, n2, BootId.parse('boot-n2')))).toEqual([
    { node: 'n2', bootId: 'boot-n2', why: 'left' },
  ]);
  expect(endedLives(view, join(view, testMember('n1', { bootId: BootId.parse('boot-2') })))).toEqual([
    { node: 'n1', bootId: 'boot-n1', why: 'replaced' },
  ]);
  expect(endedLives(view, startDraining(view, n1, BootId.parse('boot-n1')))).toEqual([]);
});

test('the dead are forgotten after their time, not before', () => {
  const view = viewOf('n1', 'n2');
  const dead = declareDead(view, lifeOf(view, n1), 1000);
  expect(forgetDead(dead, 1999, 1000)).toBe(dead);
  expect(forgetDead(dead, 2000, 1000).members.map(({ id }) => id)).toEqual(['n2']);
});

test('a member with another secret or another protocol is told what to do', () => {
  const view = viewOf('n1');
  expect(misfit(view, testMember('n2'), 'secret')).toBeUndefined();
  expect(misfit(view, testMember('n2'), 'other')).toMatch(/another secret/);
  expect(misfit(view, testMember('n2', { protocol: 2 }), 'secret')).toMatch(
    /n2 speaks protocol 2, n1 speaks 1/,
  );
});

// Goal: a view that was written can be read. Method: a region is full, its dead included; one more is refused, one that comes back not.
test('a full region takes no further member, says so, and takes its own back', () => {
  const {
    members: [one],
    ...rest
  } = viewOf('n1');
  if (one === undefined) throw new Error('no member');
  const ids = Array.from({ length: maxMembers }, (_, index) => NodeId.parse(`n${index}`));
  const full: View = { ...rest, members: ids.map((id) => ({ ...one, id, httpUrl: `http://${id}` })) };
  expect(View.safeParse(full).success).toBe(true);
  const newcomer = testMember('another');
  const words = /another would be member 2001 of region r1: stop another node first/;
  expect(misfit(full, newcomer, 'secret')).toMatch(words);
  expect(() => join(full, newcomer)).toThrow(words);
  const died = declareDead(full, lifeOf(full, n1), 0);
  expect(misfit(died, testMember('n1'), 'secret')).toBeUndefined();
  expect(join(died, testMember('n1')).members).toHaveLength(maxMembers);
  const left = leave(full, n1, one.bootId);
  expect(View.safeParse(join(left, newcomer)).success).toBe(true);
});

test('a view that is built again lists who was known and is missing, or is there as an earlier life only', () => {
  const backup = viewOf('n1', 'n2');
  const rebooted = join(backup, testMember('n1', { bootId: BootId.parse('boot-2') }));
  const known = join(rebooted, testMember('n3'));
  const shown = withKnown(backup, known);
  expect(shown.members.map(({ id, bootId }) => [id, bootId])).toEqual([
    ['n1', 'boot-2'],
    ['n2', 'boot-n2'],
    ['n3', 'boot-n3'],
  ]);
  const third = join(rebooted, testMember('n1', { bootId: BootId.parse('boot-3') }));
  expect(findMember(withKnown(third, known), n1)?.bootId).toBe('boot-3');
  expect(renewed(backup)).toEqual({ ...backup, version: backup.version + 1 });
});
