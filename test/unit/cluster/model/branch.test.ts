/** Ids of periods: no two regions, and no two terms of one, share any; operators hear early when they run out (M1). */
import { expect, test } from 'vitest';
import { aboveOfClock } from '../../../../cluster/contract/index-records.ts';
import { periodIdsWarning, periodsAbove } from '../../../../cluster/model/branch.ts';
import { PeriodId } from '../../../../cluster/model/ids.ts';
import { composeEpoch } from '../../../../cluster/ownership/epoch.ts';

const epoch = (term: number, regionOrdinal: number) => composeEpoch({ term, regionOrdinal, n: 7 });

test('each branch has 2^36 ids of its own, in the order of their epochs', () => {
  const branches = [epoch(0, 0), epoch(0, 1), epoch(0, 63), epoch(1, 0), epoch(2047, 63)].map(periodsAbove);
  expect(branches).toEqual(branches.toSorted((a, b) => a - b));
  branches
    .slice(1)
    .forEach((id, index) => expect(id - (branches[index] ?? 0)).toBeGreaterThanOrEqual(2 ** 36));
  expect(Number.isSafeInteger((branches.at(-1) ?? 0) + 2 ** 36 - 1)).toBe(true);
});

test("a clock says nothing where its place is its period's id, as in one region", () => {
  expect(aboveOfClock(epoch(0, 0), undefined, 5)).toBeUndefined();
  expect(aboveOfClock(epoch(0, 0), PeriodId.parse(4), 5)).toBeUndefined();
  expect(aboveOfClock(epoch(0, 0), PeriodId.parse(9), 5)).toBe(9);
  expect(aboveOfClock(epoch(0, 1), PeriodId.parse(9), 5)).toBe(2 ** 36);
  expect(aboveOfClock(epoch(0, 1), PeriodId.parse(2 ** 36 + 3), 5)).toBe(2 ** 36 + 3);
});

test('operators are warned when half of the places or half of the terms are used up', () => {
  const used = { lastSequence: 1000, highestEpoch: epoch(3, 1) };
  expect(periodIdsWarning(used)).toBeUndefined();
  expect(periodIdsWarning({ ...used, lastSequence: 2 ** 35 })).toContain('records');
  expect(periodIdsWarning({ ...used, highestEpoch: epoch(1024, 1) })).toContain('1024 times');
});
