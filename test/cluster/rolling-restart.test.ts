/** Every node is restarted on real processes, one after another, as an update does: nothing is lost, nobody sees it. */
import { expect, test } from 'vitest';
import type { DemoNode } from '../../scripts/demo/site.ts';
import { readIndexLog, startTestCluster, type TestCluster } from '../support/cluster/demo.ts';
import { publishToAll } from '../support/cluster/dual-publisher.ts';
import {
  accountOf,
  allAlive,
  breaksIn,
  decidedLog,
  grownBy,
  hasJoined,
  healthUntil,
  isFedBy,
  nothingLost,
  playing,
  playlistPath,
} from '../support/cluster/live-cluster.ts';
import { ManifestWatch } from '../support/cluster/manifest-watch.ts';

function nodesOf({ nodes }: TestCluster): readonly [DemoNode, DemoNode, DemoNode] {
  const [one, two, three] = nodes;
  if (one === undefined || two === undefined || three === undefined)
    throw new Error('three nodes are needed');
  return [one, two, three];
}

// Goal: an update of all nodes is not seen. Method: the demo's ffmpeg publishes to the first two of three nodes. Each node gets
// SIGTERM, must exit with 0, and is started again under its own id; the next one's turn comes when it is a live member and both
// publishers feed the stream again. Eyes on every edge: those that stay answer throughout, and numbering never goes back. In
// the end the publisher stops, and the log must have committed all that was received, in one period without a hole.
test('all nodes are restarted in turn under dual ingest: no gap, no hole, no second clock, numbering goes on', async () => {
  await using cluster = await startTestCluster({ nodes: 3 });
  const nodes = nodesOf(cluster);
  const ingests = nodes.slice(0, 2);
  await using publisher = publishToAll(cluster, ingests);
  for (const node of nodes) await playing(node);
  await healthUntil(cluster, nodes[2], (health) => isFedBy(health, ingests));
  await using watch = new ManifestWatch(nodes, playlistPath);

  const boots = new Set(nodes.map(({ process }) => process.pid));
  for (const [index, node] of nodes.entries()) {
    const witness = nodes[(index + 1) % nodes.length] ?? node;
    const from = watch.looks.length;
    expect({ node: node.node, exit: await node.process.kill('SIGTERM') }).toEqual({
      node: node.node,
      exit: '0',
    });
    await grownBy(witness, 1);
    node.process.start();
    await hasJoined(cluster, node, witness);
    const health = await healthUntil(cluster, witness, (now) => isFedBy(now, ingests));
    expect(health.ownedBecause).not.toContain('died');
    await playing(node);
    await grownBy(node, 1);
    const others = watch.looks.slice(from).filter((look) => look.node !== node.node);
    expect(others.filter(({ status }) => status !== 200)).toEqual([]);
    boots.add(node.process.pid);
  }
  expect(boots.size).toBe(2 * nodes.length);
  for (const node of nodes) {
    await allAlive(cluster, node);
    expect(accountOf(await readIndexLog(cluster.regions[0], cluster.stream.id)).why).toEqual([]);
    expect(breaksIn(await grownBy(node, 1))).toEqual({ gaps: 0, discontinuities: 0 });
    expect(node.process.restarts).toBe(0);
    expect(await cluster.log(node.node)).not.toContain('"level":"error"');
  }
  expect(publisher.process.restarts).toBe(0);
  await publisher.process.stop();

  const entries = await decidedLog(cluster, nodes[0]);
  expect(accountOf(entries)).toMatchObject(nothingLost);
  expect(watch.faults).toEqual([]);
}, 300_000);
