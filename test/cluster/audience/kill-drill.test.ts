/** What viewers said and were acknowledged outlives the deaths of an edge, of a node and of NATS, judged by the checker of scripts/audience. */
import { expect, test } from 'vitest';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { startLoad, type AudienceLoad } from '../../../scripts/audience/audience-load.ts';
import { startTestCluster } from '../../support/cluster/demo.ts';
import { allAlive } from '../../support/cluster/live-cluster.ts';
import { waitUntil } from '../../support/wait.ts';

const perSecond = 50;
const standstillMs = 5000;

/** @throws Error when so many more are not acknowledged within the bound */
async function acknowledges(load: AudienceLoad, more: number): Promise<void> {
  const wanted = load.counts.acknowledged + more;
  await waitUntil(`${wanted} comments are acknowledged`, () => load.counts.acknowledged >= wanted);
}

/** SIGSTOP: connections stay open, and nothing answers. */
async function standStill(pid: number | undefined): Promise<void> {
  if (pid === undefined) throw new Error('it does not run');
  process.kill(pid, 'SIGSTOP');
  try {
    await systemClock.sleep(standstillMs);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}

// Goal: none that was acknowledged is lost, doubled, or goes back for anybody. Method: 120 users say 50 things a second at three edges.
// An edge is killed, then another node, then NATS; then a node stands still, and NATS. The users come back by themselves, and the load goes on
// meanwhile, but where a frozen node may hold the database, and after each. In the end everybody who watches has heard everything, each edge
// has all of it, and likes are the users who like.
test('kill -9 and a standstill of an edge, of a node and of NATS lose, double and take back nothing', async () => {
  await using cluster = await startTestCluster({ nodes: 3, env: { TANGAZA_TRUSTED_PROXIES: '127.0.0.1' } });
  const [node, edge, witness] = cluster.nodes;
  const nats = cluster.regions[0]?.nats;
  if (node === undefined || edge === undefined || witness === undefined || nats === undefined)
    throw new Error('no cluster');
  const edges = cluster.nodes.map(({ url }) => url);
  await using load = await startLoad(
    { stream: cluster.stream.id, edges, watchers: 12, writers: 108, perSecond, hasAddresses: true },
    systemClock,
  );
  await acknowledges(load, 3 * perSecond);
  for (const victim of [edge, node]) {
    await victim.process.kill('SIGKILL');
    await acknowledges(load, 3 * perSecond);
    victim.process.start();
    await allAlive(cluster, witness);
    await acknowledges(load, 2 * perSecond);
  }
  await nats.kill('SIGKILL');
  await acknowledges(load, 5 * perSecond);
  nats.start();
  await allAlive(cluster, witness);
  await acknowledges(load, 2 * perSecond);
  for (const { pid } of [edge.process, nats]) {
    await standStill(pid);
    await acknowledges(load, 2 * perSecond);
  }

  const { counts, faults, examples } = await load.end();
  expect({ faults, examples }).toEqual({
    faults: Object.fromEntries(Object.keys(faults).map((fault) => [fault, 0])),
    examples: [],
  });
  expect(counts).toMatchObject({ users: 120, edges: 3, open: 0 });
  expect(counts.likes).toBeGreaterThan(0);
});
