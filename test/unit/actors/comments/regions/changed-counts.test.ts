/** Whose numbers other regions have changed: what is counted here, and how often. */
import { expect, test } from 'vitest';
import { CountsElsewhere } from '../../../../../actors/comments/regions/changed-counts.ts';
import { storedComment } from '../../../../support/audience/written.ts';

const [one, two] = [storedComment(1000).id, storedComment(2000).id];

test('a change is counted when it is seen, and once more 15 s later, as the like may come after the note of it', () => {
  const counts = new CountsElsewhere();
  const found = [{ id: one, atMs: 1 }];
  expect([0, 1000, 14_999, 15_000, 16_000].map((nowMs) => counts.choose(found, nowMs))).toEqual([
    [one],
    [],
    [],
    [one],
    [],
  ]);
});

// Goal: a rush of changes is counted once, and not anew at each look. Method: more changes than are remembered are found by look after look, in
// any order, and one that comes late.
test('of very many changes each look chooses those that are new, also where more are found than are remembered', () => {
  const counts = new CountsElsewhere();
  const many = Array.from({ length: 25_000 }, (_, index) => ({
    id: storedComment(1000 + index).id,
    atMs: 1 + ((index * 7) % 25_000),
  }));
  const late = { id: storedComment(1).id, atMs: 12_000 };
  const found = [...many, late];
  const chosen = [counts.choose(many, 0), counts.choose(many, 1000), counts.choose(found, 2000)];
  expect(chosen.map(({ length }) => length)).toEqual([25_000, 0, 1]);
  expect(counts.choose(found, 3000)).toEqual([]);
});

test('what no look can find any more is forgotten', () => {
  const counts = new CountsElsewhere();
  counts.choose([{ id: one, atMs: 1 }], 0);
  counts.choose([], 16_000);
  expect(counts.size).toBe(1);
  counts.choose([], 180_001);
  expect(counts.size).toBe(0);
});

test('what changes again is counted again, and what is older than what was seen is not', () => {
  const counts = new CountsElsewhere();
  expect(counts.choose([{ id: one, atMs: 5 }], 0)).toEqual([one]);
  expect(counts.choose([{ id: one, atMs: 4 }], 1)).toEqual([]);
  const found = [
    { id: one, atMs: 6 },
    { id: two, atMs: 6 },
  ];
  expect(counts.choose(found, 2)).toEqual([one, two]);
});
