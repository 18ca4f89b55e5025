/** NATS comes back with an older copy of its files: viewers lose nothing that they have seen (C7). */
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startTestCluster } from '../support/cluster/demo.ts';
import { breaksIn, foldOf, grownBy, healthUntil, playing } from '../support/cluster/live-cluster.ts';
import { makeFeed, temporaryFolder } from '../support/media/media-feed.ts';
import type { readPlaylist } from '../support/media/playlists.ts';
import { TwinEncoder } from '../support/media/twin-encoder.ts';

const urlsOf = ({ segments }: Awaited<ReturnType<typeof readPlaylist>>): ReadonlyMap<number, string> =>
  new Map(segments.map(({ number, uri }) => [number, uri]));

// Goal: what a restore from a backup takes out of the log, its living owner puts back. Method: the server's folder is copied; four
// segments later the server is killed and started on the copy. Both edges must go on with the same numbers for the same media,
// and a fold of the log alone must know all of it. Then the owner is killed, so that its successor starts from that log.
test('a log restored from a backup gets back what it lost, and the stream goes on', async () => {
  const feed = await makeFeed({ seconds: 180, size: '426x240', fps: 12, gop: 24 });
  await using cluster = await startTestCluster({ nodes: 2 });
  await using backup = await temporaryFolder();
  const [one, two] = cluster.nodes;
  const [region] = cluster.regions;
  if (one === undefined || two === undefined || region === undefined) throw new Error('two nodes are needed');
  const store = join(region.dataDir, 'nats');
  const encoder = new TwinEncoder(feed);
  await using _first = await encoder.connect(cluster, one);
  await using _second = await encoder.connect(cluster, two);
  await playing(two);

  await region.nats.kill('SIGKILL');
  await cp(store, backup.path, { recursive: true });
  region.nats.start();
  const before = urlsOf(await grownBy(two, 4));
  await region.nats.kill('SIGKILL');
  await rm(store, { recursive: true });
  await cp(backup.path, store, { recursive: true });
  region.nats.start();

  for (const node of [one, two]) {
    const after = await grownBy(node, 3);
    expect(breaksIn(after)).toEqual({ gaps: 0, discontinuities: 0 });
    const again = urlsOf(after);
    expect([...before].filter(([number, url]) => (again.get(number) ?? url) !== url)).toEqual([]);
  }
  expect(await cluster.log(one.node)).toContain('this owner writes the lost records again as a snapshot');
  const { periods, nextNumber } = await foldOf(cluster);
  expect(periods.map(({ segments }) => segments.map(({ number }) => number))).toEqual([
    Array.from({ length: nextNumber }, (_, index) => index),
  ]);
  expect(nextNumber).toBeGreaterThan(Math.max(...before.keys()));

  await one.process.kill('SIGKILL');
  await healthUntil(cluster, two, ({ owner }) => owner === two.node);
  expect(breaksIn(await grownBy(two, 3))).toEqual({ gaps: 0, discontinuities: 0 });
});

// Method: as above, with an empty folder: log, ownership records, view and tasks are all gone.
test('NATS loses its disk under a live stream: log and records are made again from what the nodes know', async () => {
  const feed = await makeFeed({ seconds: 180, size: '426x240', fps: 12, gop: 24 });
  await using cluster = await startTestCluster({ nodes: 2 });
  const [one, two] = cluster.nodes;
  const [region] = cluster.regions;
  if (one === undefined || two === undefined || region === undefined) throw new Error('two nodes are needed');
  const encoder = new TwinEncoder(feed);
  await using _first = await encoder.connect(cluster, one);
  await using _second = await encoder.connect(cluster, two);
  const before = urlsOf(await playing(two));

  await region.nats.kill('SIGKILL');
  await rm(join(region.dataDir, 'nats'), { recursive: true });
  region.nats.start();
  const after = await grownBy(two, 4);
  expect(breaksIn(after)).toEqual({ gaps: 0, discontinuities: 0 });
  expect([...before].filter(([number, uri]) => urlsOf(after).get(number) !== uri)).toEqual([]);
  const { nextNumber, periods } = await foldOf(cluster);
  expect({ periods: periods.length, isFurther: nextNumber > after.lastNumber }).toEqual({
    periods: 1,
    isFurther: true,
  });
});
