/** Placement with bounded load: nobody gets much more than its share, and almost every key stays first in its line (C4). */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  headOfLine,
  line,
  loadFactor,
  place,
  type LoadedMember,
} from '../../../../cluster/partition/place.ts';
import { order } from '../../../../cluster/partition/rendezvous.ts';

const empty = (count: number, weight = 1): LoadedMember[] =>
  Array.from({ length: count }, (_, index) => ({ id: `n${index}`, weight, load: 0 }));

/** Places keys one after the other, each on what the ones before have left. */
function placeAll(keys: number, members: LoadedMember[]): readonly LoadedMember[] {
  let now = members;
  for (let index = 0; index < keys; index += 1) {
    const chosen = place(`stream-${index}`, now);
    now = now.map((one) => (one === chosen ? { ...one, load: one.load + 1 } : one));
  }
  return now;
}

// Changed values here mean that nodes of two versions place differently while a cluster is upgraded.
test('the places of ten streams on five nodes are what they always were', () => {
  let members = empty(5);
  const places = Array.from({ length: 10 }, (_, index) => {
    const chosen = place(`stream-${index}`, members);
    members = members.map((one) => (one === chosen ? { ...one, load: one.load + 1 } : one));
    return chosen?.id;
  });
  expect(places).toEqual(['n1', 'n0', 'n3', 'n4', 'n4', 'n3', 'n1', 'n2', 'n0', 'n3']);
});

test('an empty cluster is placed by rendezvous alone', () => {
  for (let index = 0; index < 100; index += 1)
    expect(place(`k${index}`, empty(7))?.id).toBe(order(`k${index}`, empty(7))[0]?.id);
});

test('nobody has more than a quarter above its share, whatever the weights', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 1, max: 200 }),
      (weights, keys) => {
        const members = weights.map((weight, index) => ({ id: `n${index}`, weight, load: 0 }));
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        for (const { load, weight } of placeAll(keys, members))
          expect(load).toBeLessThanOrEqual(Math.ceil((loadFactor * keys * weight) / total));
      },
    ),
    { numRuns: 30 },
  );
});

test('the line has everyone, those with room first, each part in rendezvous order', () => {
  const members = empty(6).map((one, index) => ({ ...one, load: index % 2 === 0 ? 50 : 0 }));
  const ids = line('demo', members).map(({ id }) => id);
  const inOrder = order('demo', members).map(({ id }) => id);
  const isFull = (id: string): boolean => ['n0', 'n2', 'n4'].includes(id);
  expect(ids).toEqual([...inOrder.filter((id) => !isFull(id)), ...inOrder.filter(isFull)]);
});

test('the head of a line with bounded load is its beginning, whoever has room', () => {
  const members = fc.array(fc.record({ weight: fc.nat({ max: 4 }), load: fc.nat({ max: 20 }) }), {
    maxLength: 16,
  });
  fc.assert(
    fc.property(fc.string(), members, fc.integer({ min: 1, max: 18 }), (key, list, count) => {
      const named = list.map((one, index) => ({ id: `n${index}`, ...one }));
      expect(headOfLine(key, named, count)).toEqual(line(key, named).slice(0, count));
    }),
  );
});

test('a member of weight 0 is never placed on, and nobody is chosen from nobody', () => {
  expect(place('demo', [{ id: 'a', weight: 0, load: 0 }])).toBeUndefined();
  expect(place('demo', [])).toBeUndefined();
});
