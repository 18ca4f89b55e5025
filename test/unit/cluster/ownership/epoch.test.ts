/** Epochs only grow, and no two regions mint the same (C5). */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Epoch } from '../../../../cluster/model/ids.ts';
import { composeEpoch, nextEpoch, splitEpoch } from '../../../../cluster/ownership/epoch.ts';

const perRegion = 2 ** 20;
const ordinal = fc.integer({ min: 0, max: 63 });

test.each([
  { name: 'nothing seen, first region', seen: [], region: 0, expected: 1 },
  { name: 'nothing seen, third region', seen: [], region: 2, expected: 2 * perRegion + 1 },
  { name: 'one of its own', seen: [7], region: 0, expected: 8 },
  { name: 'the log is ahead of the record', seen: [3, 41], region: 0, expected: 42 },
  { name: 'one of another region', seen: [7], region: 1, expected: (64 + 1) * perRegion },
  {
    name: 'back in the first region',
    seen: [(64 + 1) * perRegion + 5],
    region: 0,
    expected: 128 * perRegion,
  },
  { name: 'n is used up', seen: [perRegion - 1], region: 0, expected: 64 * perRegion },
])('the next epoch: $name', ({ seen, region, expected }) => {
  expect(nextEpoch([undefined, ...seen.map((one) => Epoch.parse(one))], region)).toBe(expected);
});

test('it is above all that was seen, and of the region that mints it', () => {
  const epoch = fc
    .record({
      term: fc.integer({ min: 0, max: 2 ** 20 }),
      regionOrdinal: ordinal,
      n: fc.integer({ min: 0, max: perRegion - 1 }),
    })
    .map(composeEpoch);
  fc.assert(
    fc.property(fc.array(epoch, { maxLength: 5 }), ordinal, (seen, region) => {
      const next = nextEpoch(seen, region);
      for (const one of seen) expect(next).toBeGreaterThan(one);
      expect(splitEpoch(next).regionOrdinal).toBe(region);
      expect(composeEpoch(splitEpoch(next))).toBe(next);
    }),
  );
});

test('two regions that take over from the same epoch never mint the same', () => {
  fc.assert(
    fc.property(fc.array(ordinal, { minLength: 1, maxLength: 30 }), (regions) => {
      const minted = new Set<number>();
      let highest: Epoch | undefined;
      for (const region of regions) {
        const rivals = [...new Set([region, (region + 1) % 64])].map((one) => nextEpoch([highest], one));
        for (const epoch of rivals) {
          expect(minted.has(epoch)).toBe(false);
          minted.add(epoch);
        }
        highest = rivals.reduce((a, b) => (a > b ? a : b));
      }
    }),
  );
});

test.each([
  { term: 2 ** 27, regionOrdinal: 0, n: 0 },
  { term: 0, regionOrdinal: 64, n: 0 },
  { term: 0, regionOrdinal: 0, n: perRegion },
  { term: -1, regionOrdinal: 0, n: 0 },
])('parts that do not fit are refused: %o', (parts) => {
  expect(() => composeEpoch(parts)).toThrow(RangeError);
});
