/** RTMP time unwrapped at 24, 31 and 32 bits (M15). */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TimestampUnwrapper, wrapWindowMs } from '../../../../../actors/media/flv/timestamp-unwrapper.ts';

const unwrapAll = (wire: readonly number[]): readonly number[] => {
  const unwrapper = new TimestampUnwrapper();
  return wire.map((ms) => unwrapper.unwrap(ms));
};

test.each([24, 31, 32])(
  'a clock that wraps at 2^%i runs on, also where audio and video straddle the wrap',
  (bits) => {
    const top = 2 ** bits;
    expect(unwrapAll([top - 40, top - 20, 3, top - 2, 20, 60])).toEqual([
      top - 40,
      top - 20,
      top + 3,
      top - 2,
      top + 20,
      top + 60,
    ]);
  },
);

test.each([24, 31, 32])('a feed of an hour across 2^%i keeps every step, wherever it wraps', (bits) => {
  fc.assert(
    fc.property(
      fc.nat(3_600_000),
      fc.array(fc.integer({ min: -200, max: 5000 }), { minLength: 1, maxLength: 800 }),
      (before, steps) => {
        const start = 2 ** bits - 1 - before;
        const times = steps
          .reduce((all, step) => [...all, (all.at(-1) ?? 0) + step], [start])
          .filter((ms) => ms >= 0);
        const out = unwrapAll(times.map((ms) => ms % 2 ** bits));
        expect(out).toEqual(times);
      },
    ),
    { numRuns: 100 },
  );
});

test('a clock of 24 bits may wrap again and again', () => {
  const times = Array.from({ length: 2000 }, (_, i) => 1000 + i * 20_000);
  expect(unwrapAll(times.map((ms) => ms % 2 ** 24))).toEqual(times);
});

test('what is no wrap is a jump, and taken as told', () => {
  expect(unwrapAll([3_600_000, 0, 40])).toEqual([3_600_000, 0, 40]);
  expect(unwrapAll([1000, 500_000])).toEqual([1000, 500_000]);
  expect(unwrapAll([2 ** 31 + 5, 10])).toEqual([2 ** 31 + 5, 10]);
});

// Found by reading: 5 and then 2^32 - 5, neither of them near the clock, were a wrap, and the clock was 49 days off.
test('times that mean nothing, on both sides of a wrap, leave the clock where it is', () => {
  const nonsense = fc.constantFrom(
    ...[24, 31, 32].flatMap((bits) => [2 ** bits - 5, 2 ** bits - 4000, 2 ** (bits % 32) - 1 + 5]),
  );
  fc.assert(
    fc.property(fc.array(nonsense, { minLength: 1, maxLength: 3 }), fc.nat(5), (wrong, good) => {
      const startMs = 100_000_000;
      const isApart = wrong.every((ms, i) => i === 0 || Math.abs(ms - (wrong[i - 1] ?? ms)) > wrapWindowMs);
      fc.pre(isApart);
      const before = Array.from({ length: good + 1 }, (_, i) => startMs + i * 20);
      const after = Array.from({ length: 5 }, (_, i) => startMs + 200 + i * 20);
      const out = unwrapAll([...before, ...wrong, ...after]);
      expect(out.slice(-after.length)).toEqual(after);
    }),
    { numRuns: 200 },
  );
});
