import { expect, test } from 'vitest';
import { Buckets } from '../../../../cluster/bounds/buckets.ts';

test('a full bucket gives a burst, then a turn as often as its rate says', () => {
  const buckets = new Buckets({ burst: 3, perSecond: 2, most: 10 });
  expect([1, 2, 3, 4].map(() => buckets.take('a', 1000))).toEqual([0, 0, 0, 500]);
  expect(buckets.take('a', 1400)).toBe(100);
  expect({ first: buckets.take('a', 1500), second: buckets.take('a', 1500) }).toEqual({
    first: 0,
    second: 500,
  });
  expect([1, 2, 3, 4].map(() => buckets.take('a', 9000))).toEqual([0, 0, 0, 500]);
});

test('each sender has a bucket of its own', () => {
  const buckets = new Buckets({ burst: 1, perSecond: 1, most: 10 });
  expect(['a', 'b', 'a'].map((sender) => buckets.take(sender, 0))).toEqual([0, 0, 1000]);
});

test('what a refused sender tries costs it nothing more', () => {
  const buckets = new Buckets({ burst: 1, perSecond: 1, most: 10 });
  expect(Array.from({ length: 50 }, (_, index) => buckets.take('a', index)).at(-1)).toBe(951);
  expect(buckets.take('a', 1000)).toBe(0);
});

test('a clock that goes back empties no bucket', () => {
  const buckets = new Buckets({ burst: 1, perSecond: 1, most: 10 });
  buckets.take('a', 3_600_000);
  expect({ first: buckets.take('a', 0), second: buckets.take('a', 0) }).toEqual({ first: 0, second: 1000 });
});

test('of too many senders those are forgotten whose bucket is full, then those of longest ago; the latter are counted', () => {
  const buckets = new Buckets({ burst: 2, perSecond: 1, most: 2 });
  buckets.take('early', 0);
  buckets.take('a', 5000);
  buckets.take('b', 5000);
  expect({ size: buckets.size, forgotten: buckets.forgotten }).toEqual({ size: 2, forgotten: 0 });
  buckets.take('a', 5000);
  buckets.take('c', 5000);
  expect({ size: buckets.size, forgotten: buckets.forgotten }).toEqual({ size: 2, forgotten: 1 });
  expect(buckets.take('a', 5000)).toBe(1000);
});
