/** Who is a gateway, and who serves a key (R2). */
import { expect, test } from 'vitest';
import type { ListedMember, MemberState } from '../../../../../cluster/membership/member-directory.ts';
import { BootId, NodeId, RegionId } from '../../../../../cluster/model/ids.ts';
import {
  announcementLastsMs,
  chosenGateways,
  Serving,
  type Announcement,
} from '../../../../../cluster/region/gateways/serving.ts';
import { testMember } from '../../../../support/cluster/members.ts';

const us = RegionId.parse('us');
const listed = (id: string, state: MemberState = 'alive'): ListedMember => ({
  ...testMember(id),
  state,
  isAlive: state !== 'dead',
  incarnation: 1,
});
const says = (node: string, change: Partial<Announcement> = {}): Announcement => ({
  node: NodeId.parse(node),
  bootId: BootId.parse(`boot-${node}`),
  other: us,
  isUp: true,
  bytesIn: 0,
  bytesOut: 0,
  ...change,
});
const keys = Array.from({ length: 100 }, (_, index) => `stream-${index}`);

test('two alive nodes are gateways, draining ones only where no other is there, dead ones never', () => {
  const many = ['a', 'b', 'c', 'd'].map((id) => listed(id));
  expect(chosenGateways(us, many)).toHaveLength(2);
  expect(chosenGateways(us, [listed('a'), listed('b', 'draining'), listed('c', 'dead')])).toEqual(['a']);
  expect(chosenGateways(us, [listed('b', 'draining'), listed('c', 'dead')])).toEqual(['b']);
  expect(chosenGateways(us, [])).toEqual([]);
});

test('a node that joins takes the place of one gateway at most', () => {
  const before = chosenGateways(
    us,
    ['a', 'b', 'c'].map((id) => listed(id)),
  );
  const after = chosenGateways(
    us,
    ['a', 'b', 'c', 'd'].map((id) => listed(id)),
  );
  expect(after.filter((id) => !before.includes(id)).length).toBeLessThanOrEqual(1);
});

test('two gateways share the keys, and one that is down or silent leaves all to the other', () => {
  const serving = new Serving();
  serving.note(says('a'), 0);
  serving.note(says('b'), 0);
  const firsts = (nowMs: number) => new Set(keys.map((key) => serving.line(us, key, nowMs).at(0)?.node));
  expect(firsts(0)).toEqual(new Set(['a', 'b']));
  serving.note(says('b', { isUp: false }), 10);
  expect(firsts(10)).toEqual(new Set(['a']));
  serving.note(says('b'), announcementLastsMs);
  expect(firsts(announcementLastsMs + 1)).toEqual(new Set(['b']));
  expect(firsts(3 * announcementLastsMs)).toEqual(new Set([undefined]));
});

test('a key stays where it is when another gateway comes back, unless it is one of its own', () => {
  const serving = new Serving();
  serving.note(says('a'), 0);
  serving.note(says('b'), 0);
  const before = keys.filter((key) => serving.line(us, key, 0).at(0)?.node === 'a');
  serving.note(says('b', { isUp: false }), 1);
  serving.note(says('b'), 2);
  expect(keys.filter((key) => serving.line(us, key, 2).at(0)?.node === 'a')).toEqual(before);
});

test('a node that is declared dead is forgotten at once, and a new life of it is not', () => {
  const serving = new Serving();
  serving.note(says('a'), 0);
  expect(serving.note(says('a', { bootId: BootId.parse('second') }), 1)).toBe(true);
  serving.forget(NodeId.parse('a'), BootId.parse('boot-a'));
  expect(serving.working(us, 1)).toHaveLength(1);
  serving.forget(NodeId.parse('a'), BootId.parse('second'));
  expect(serving.working(us, 1)).toEqual([]);
});

test('a flood of announcements costs the oldest of them', () => {
  const serving = new Serving();
  for (let index = 0; index < 1000; index++) serving.note(says(`n${index}`), index);
  expect(serving.working(us, 999).length).toBeLessThanOrEqual(16);
});
