/**
 * The cluster's core under a simulated clock and network (of what must always hold, in `cluster/README.md`: 1, 3 and 7; of 2, that each source is decided once): seeds
 * hold, replay, and find sabotage.
 *
 * What runs is the product's own failure detector, membership view with its compare-and-set, placement, lines of succession,
 * epochs, take-over, and the fold of the index log. Models are NATS, the owner (written.ts, simulated-owner.ts: no media, no
 * renditions), and when a node looks for orphans (simulated-node.ts).
 */
import { expect, test } from 'vitest';
import {
  simulate,
  type SimulationOptions,
  type SimulationResult,
} from '../../scripts/simulation/simulate.ts';
import { newEdgeFold } from '../../scripts/commands/simulation/edge-fold.ts';

const hour = { nodes: 12, streams: 60, hours: 1 };
const run = (options: Omit<SimulationOptions, 'newFold'>): Promise<SimulationResult> =>
  simulate({ ...options, newFold: newEdgeFold });

test.each(Array.from({ length: 12 }, (_, index) => index + 1))(
  'seed %i: whatever dies, freezes or is cut, no invariant breaks and all heals',
  async (seed) => {
    const { violations, faults, deaths, folded, ignored } = await run({ ...hour, seed });
    expect(violations).toEqual([]);
    expect(faults).toBeGreaterThan(5);
    expect(deaths).toBeGreaterThan(0);
    // With the log's fence nothing that is written is for an edge to refuse.
    expect(folded).toBeGreaterThan(500);
    expect(ignored).toBe(0);
  },
);

test.each([2, 3])('a region of %i nodes holds as well', async (nodes) => {
  for (const seed of [1, 2, 3]) expect((await run({ ...hour, nodes, seed })).violations).toEqual([]);
});

// Goal: what is kept between questions (monitors, lines, who holds what) is right where it matters. Method: a region of which
// about half is killed at once, with twenty streams for each node.
test('a region of 150 nodes, half of which die at once, heals: streams move, and no node ends with a twentieth of them', async () => {
  const large = await run({ nodes: 150, streams: 3000, hours: 0.3, seed: 2 });
  expect(large.violations).toEqual([]);
  expect(large.deaths).toBeGreaterThan(100);
  expect(large.moves).toBeGreaterThan(1000);
  expect(large.mostOwned).toBeLessThan(150);
});

test('the same seed is the same run, another seed is not', async () => {
  const hashes = await Promise.all(
    [7, 7, 8].map(async (seed) => (await run({ ...hour, hours: 0.3, seed })).traceHash),
  );
  expect(hashes[0]).toBe(hashes[1]);
  expect(hashes[2]).not.toBe(hashes[0]);
});

// Goal: no fencing decision reads a wall clock, and the simulator would notice one that did (C6). Method: an owner whose clock
// stands 10 s behind the asker's counts as gone, as with a lease in UTC. Where all clocks are right that does nothing.
test('where fencing trusts wall clocks some of the first seeds are caught taking streams from the living', async () => {
  const found: string[] = [];
  for (let seed = 1; seed <= 12 && found.length === 0; seed += 1)
    found.push(...(await run({ ...hour, seed, breaks: 'clock' })).violations);
  expect(found[0]).toMatch(/I3: n\d+ took s\d+ from n\d+, which is well/);
});

// Goal: the simulator would notice. Method: the log takes every append, whatever it expects.
test('without the fence of the log some of the first seeds are caught writing from a stale epoch', async () => {
  const found: string[] = [];
  for (let seed = 1; seed <= 12 && found.length === 0; seed += 1)
    found.push(...(await run({ ...hour, seed, breaks: 'fencing' })).violations);
  expect(found[0]).toMatch(/I1: s\d+ went back from epoch/);
});
