/** The cluster's core under a simulated clock and network (design.md 7: 1, 2, 3, 7): seeds hold, replay, and find sabotage. */
import { expect, test } from 'vitest';
import { simulate } from '../../cluster/simulation/simulate.ts';

const hour = { nodes: 12, streams: 60, hours: 1 };

test.each(Array.from({ length: 12 }, (_, index) => index + 1))(
  'seed %i: whatever dies, freezes or is cut, no invariant breaks and all heals',
  async (seed) => {
    const { violations, faults, deaths } = await simulate({ ...hour, seed });
    expect(violations).toEqual([]);
    expect(faults).toBeGreaterThan(5);
    expect(deaths).toBeGreaterThan(0);
  },
);

test.each([2, 3])('a region of %i nodes holds as well', async (nodes) => {
  for (const seed of [1, 2, 3]) expect((await simulate({ ...hour, nodes, seed })).violations).toEqual([]);
});

// Goal: what is kept between questions (monitors, lines, who holds what) is right where it matters. Method: a region of which
// about half is killed at once, with twenty streams for each node.
test('a region of 150 nodes, half of which die at once, heals: streams move, and no node ends with a twentieth of them', async () => {
  const large = await simulate({ nodes: 150, streams: 3000, hours: 0.3, seed: 2 });
  expect(large.violations).toEqual([]);
  expect(large.deaths).toBeGreaterThan(100);
  expect(large.moves).toBeGreaterThan(1000);
  expect(large.mostOwned).toBeLessThan(150);
});

test('the same seed is the same run, another seed is not', async () => {
  const hashes = await Promise.all(
    [7, 7, 8].map(async (seed) => (await simulate({ ...hour, hours: 0.3, seed })).traceHash),
  );
  expect(hashes[0]).toBe(hashes[1]);
  expect(hashes[2]).not.toBe(hashes[0]);
});

// Goal: the simulator would notice. Method: the log takes every append, whatever it expects.
test('without the fence of the log some of the first seeds are caught writing from a stale epoch', async () => {
  const found: string[] = [];
  for (let seed = 1; seed <= 12 && found.length === 0; seed += 1)
    found.push(...(await simulate({ ...hour, seed, breaks: 'fencing' })).violations);
  expect(found[0]).toMatch(/I1: s\d+ went back from epoch/);
});
