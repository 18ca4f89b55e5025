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

const found = (breaks: RegionSabotage): readonly string[] =>
  seeds.flatMap((seed) => simulateRegions({ seed, regions: 2, breaks }).violations);

test('without the fence of the logs two branches are caught in one of them', () => {
  expect(found('fencing').join('\n')).toMatch(/V1: the log of r\d went back from epoch/);
});

test('edges that take the numbers of another region as they are get caught', () => {
  expect(found('shift').join('\n')).toMatch(/N2: edge \d of r\d: number \d+ was/);
});
