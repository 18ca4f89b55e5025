/** What viewers said, and liked, outlives outages: `tangaza bench outages` with short ones, and with fewer users than a machine can bear that tests other things beside it. */
import { expect, test } from 'vitest';
import { runOutages } from '../../scripts/bench/outages/outages.ts';
import type { TestCassandra } from '../support/cassandra/two-data-centres.ts';

const outageMs = 10_000;
const audience = { watchers: 12, writers: 48, perSecond: 25 } as const;
/** It took 90 s on a quiet machine, and twice that on one with twenty processes that wanted to run. */
const timeout = 300_000;

export function outageTests(started: () => TestCassandra): void {
  // Goal: nothing that was acknowledged is lost, doubled, or goes back for anybody, and likes are the set. Method: outages.ts says which members
  // fail in which round; the checker judges what 60 users at three edges asked, were answered and were told.
  const name =
    'kill, freeze and cut of a data centre, a node, an edge and NATS lose, double and take back nothing';
  test(name, { timeout }, async () => {
    const { report } = await runOutages(started(), { outageMs, restMs: 0, audience, progress: () => {} });
    const { counts, faults, examples } = report;
    expect({ faults, examples }).toEqual({
      faults: Object.fromEntries(Object.keys(faults).map((fault) => [fault, 0])),
      examples: [],
    });
    expect(counts).toMatchObject({ users: 60, edges: 3, open: 0 });
    expect(counts.likes).toBeGreaterThan(100);
  });
}
