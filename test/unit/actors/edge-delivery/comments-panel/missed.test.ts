/** What a page without a socket reads again after another region was cut off (A8). */
import { expect, test } from 'vitest';
import {
  missedAfter,
  nothingMissed,
} from '../../../../../actors/edge-delivery/comments-panel/conversation/missed.ts';

/** What begins the poll behind each of these, which say until when the other region is known. */
function dueAfter(...known: readonly (number | undefined)[]): readonly (number | undefined)[] {
  let missed = nothingMissed;
  return known.map((knownToMs) => {
    missed = missedAfter(missed, knownToMs);
    return missed.due?.createdAtMs;
  });
}

test('while all regions are known, no poll reads from an earlier place', () => {
  expect(dueAfter(undefined, undefined)).toEqual([undefined, undefined]);
});

test('after a cut one poll reads from two minutes before it, once the other region is known again', () => {
  const cutAtMs = 500_000;
  expect(dueAfter(undefined, cutAtMs, cutAtMs, undefined, undefined, undefined)).toEqual([
    ...[undefined, undefined, undefined],
    380_000,
    ...[undefined, undefined],
  ]);
});

test('of two regions that were cut off the longer cut counts, and a cut that comes at once again counts by itself', () => {
  expect(dueAfter(500_000, 400_000, 450_000, undefined, 600_000, undefined)).toEqual([
    ...[undefined, undefined, undefined],
    280_000,
    undefined,
    480_000,
  ]);
});
