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
