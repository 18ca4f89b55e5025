/** Weighted rendezvous: the same order everywhere, and nobody moves who need not (C4). */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { head, order, type WeightedMember } from '../../../../cluster/partition/rendezvous.ts';

const named = (count: number, weight = 1): readonly WeightedMember[] =>
  Array.from({ length: count }, (_, index) => ({ id: `n${index}`, weight }));
const ids = (members: readonly WeightedMember[]): string[] => members.map((member) => member.id);

// Changed values here mean that nodes of two versions disagree on who is next: a rolling upgrade would break.
test.each([
  { key: 'demo', expected: ['n3', 'n2', 'n0', 'n1', 'n4'] },
  { key: 'stream-1', expected: ['n1', 'n0', 'n2', 'n3', 'n4'] },
  { key: 'stream-2', expected: ['n3', 'n4', 'n1', 'n0', 'n2'] },
  { key: '', expected: ['n1', 'n2', 'n3', 'n4', 'n0'] },
  { key: 'ünïcode-鍵', expected: ['n4', 'n0', 'n2', 'n1', 'n3'] },
])('the order for $key is what it always was', ({ key, expected }) => {
  expect(ids(order(key, named(5)))).toEqual(expected);
});

const members = fc.uniqueArray(
  fc.record({ id: fc.string({ minLength: 1, maxLength: 12 }), weight: fc.integer({ min: 1, max: 16 }) }),
  { selector: (member) => member.id, minLength: 1, maxLength: 24 },
);

test('the order does not depend on the order of the members', () => {
  fc.assert(
    fc.property(fc.string(), members, fc.infiniteStream(fc.nat()), (key, list, random) => {
      const shuffled = list
        .map((member) => ({ member, at: random.next().value ?? 0 }))
        .toSorted((a, b) => a.at - b.at);
      expect(
        ids(
          order(
            key,
            shuffled.map(({ member }) => member),
          ),
        ),
      ).toEqual(ids(order(key, list)));
    }),
  );
});

test('the head of a line is its beginning, however long', () => {
  fc.assert(
    fc.property(fc.string(), members, fc.integer({ min: 0, max: 30 }), (key, list, count) => {
      expect(head(key, list, count)).toEqual(order(key, list).slice(0, count));
    }),
  );
});

test('a member that leaves changes the place of nobody else', () => {
  fc.assert(
    fc.property(fc.string(), members, fc.nat(), (key, list, pick) => {
      const leaver = list[pick % list.length];
      const before = order(key, list).filter((member) => member !== leaver);
      expect(
        order(
          key,
          list.filter((member) => member !== leaver),
        ),
      ).toEqual(before);
    }),
  );
});

test('a member of weight 0 stands in no line, and an empty cluster has none', () => {
  expect(
    ids(
      order('k', [
        { id: 'a', weight: 0 },
        { id: 'b', weight: 1 },
        { id: 'c', weight: -1 },
      ]),
    ),
  ).toEqual(['b']);
  expect(order('k', [])).toEqual([]);
});

test('keys are shared by weight', () => {
  const list = [
    { id: 'a', weight: 1 },
    { id: 'b', weight: 1 },
    { id: 'c', weight: 2 },
  ];
  const counts = new Map<string, number>();
  const keys = 20_000;
  for (let index = 0; index < keys; index += 1) {
    const first = order(`stream-${index}`, list)[0]?.id ?? '';
    counts.set(first, (counts.get(first) ?? 0) + 1);
  }
  // Deviation of a share p of n keys: sqrt(p (1 - p) / n), here 0.0035; five of them.
  const share = (id: string): number => (counts.get(id) ?? 0) / keys;
  expect(Math.abs(share('a') - 0.25)).toBeLessThan(0.0175);
  expect(Math.abs(share('b') - 0.25)).toBeLessThan(0.0175);
  expect(Math.abs(share('c') - 0.5)).toBeLessThan(0.0175);
});

test('a joiner takes about its share, and from everybody', () => {
  const keys = Array.from({ length: 10_000 }, (_, index) => `stream-${index}`);
  const before = keys.map((key) => order(key, named(9))[0]?.id);
  const after = keys.map((key) => order(key, named(10))[0]?.id);
  const moved = after.filter((id, index) => id !== before[index]);
  expect(new Set(moved)).toEqual(new Set(['n9']));
  expect(Math.abs(moved.length / keys.length - 0.1)).toBeLessThan(0.015);
  expect(new Set(before.filter((id, index) => id !== after[index])).size).toBe(9);
});

test('the second in line is spread over all, so a leaver burdens no single node', () => {
  const seconds = new Map<string, number>();
  for (let index = 0; index < 10_000; index += 1) {
    const [first, second] = order(`stream-${index}`, named(5));
    if (first?.id === 'n0' && second !== undefined) seconds.set(second.id, (seconds.get(second.id) ?? 0) + 1);
  }
  const total = [...seconds.values()].reduce((sum, one) => sum + one, 0);
  for (const count of seconds.values()) expect(Math.abs(count / total - 0.25)).toBeLessThan(0.05);
});
