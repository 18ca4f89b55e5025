/**
 * Regions whose links fail, under the simulator: the fold of each region's log and the relayer are the product's own.
 *
 * Links are cut both ways and one way; relayers, owners and edges die; logs lose their end; the stream is given away, adopted, ended and
 * begun again elsewhere, and comes back with a longer or a shorter branch.
 */
import { expect, test } from 'vitest';
import { simulateRegions, type RegionSabotage } from '../../scripts/simulation/regions/simulate-regions.ts';

const seeds = Array.from({ length: 15 }, (_, index) => index + 1);

test.each([2, 3])('in %i regions no invariant breaks, and all regions end with one branch', (regions) => {
  const results = seeds.map((seed) => simulateRegions({ seed, regions }));
  expect(
    results.flatMap(({ seed, violations }) => violations.map((what) => `seed ${seed}: ${what}`)),
  ).toEqual([]);
  const changes = results.reduce((sum, one) => sum + one.changes, 0);
  expect(changes).toBeGreaterThan(seeds.length);
});

const nothing = 'nothing was found';

/** What the first seed that finds the sabotage says of it. */
function found(breaks: RegionSabotage, wanted: RegExp): string {
  for (const seed of seeds) {
    const { violations } = simulateRegions({ seed, regions: 2, breaks });
    const what = violations.find((one) => wanted.test(one));
    if (what !== undefined) return what;
  }
  return nothing;
}

test('without the fence of the logs two branches are caught in one of them', () => {
  expect(found('fencing', /V1: the log of r\d went back from epoch/)).not.toBe(nothing);
});

test('edges that take the numbers of another region as they are get caught', () => {
  expect(found('shift', /N2: edge \d of r\d: number \d+ was/)).not.toBe(nothing);
});

test('edges that take the times of another region as they are get caught: programme dates are wrong', () => {
  expect(found('dates', /N3: edge \d of r\d: number \d+ of \d+ ms is shown as of/)).not.toBe(nothing);
});

test('owners that name their periods by the places of their own log alone are caught giving one id to two', () => {
  expect(found('above', /V2: period \d+ is two clocks/)).not.toBe(nothing);
});

test('an owner that comes back and is not relayed to is caught: two branches go on', () => {
  expect(found('return', /V3: 5 s after healing the logs end with the epochs/)).not.toBe(nothing);
});

test('a region that takes back what it gave away below the epoch that it gave is caught', () => {
  expect(found('reclaim', /V5: r\d claims epoch \d+ again, and gave \d+ away/)).not.toBe(nothing);
});

// Goal: a region's wall clock may be wrong; numbers, ids and fences do not depend on it. Method: clocks that are off by up to 3 s. Programme
// dates may then be off by as much as the clocks of two regions differ.
test.each([2, 3])('in %i regions whose clocks differ no invariant breaks', (regions) => {
  const results = seeds.slice(0, 8).map((seed) => simulateRegions({ seed, regions, skewMs: 3000 }));
  expect(
    results.flatMap(({ seed, violations }) => violations.map((what) => `seed ${seed}: ${what}`)),
  ).toEqual([]);
});
