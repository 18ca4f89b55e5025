/** One encoder publishes to two nodes, and either may die: no missing segment, no discontinuity (M2, C2). */
import { expect, test } from 'vitest';
import { startTestCluster } from '../support/cluster/demo.ts';
import { breaksIn, foldOf, grownBy, healthUntil, playing } from '../support/cluster/live-cluster.ts';
import { makeFeed } from '../support/media/media-feed.ts';
import { TwinEncoder, twinsAt } from '../support/media/twin-encoder.ts';

// Goal: either ingest of an encoder may die. Method: two connections of one encoder, each with a zero of its own for audio and
// for video, the second joins in the middle. The owner's node is killed: the twin's node goes on alone. A third connection
// comes to the node that is back, is recognised, and then goes on alone when the second node is killed.
test('either of two ingests of one encoder dies: no gap, no discontinuity, no second clock', async () => {
  const feed = await makeFeed({ seconds: 180, size: '426x240', fps: 12, gop: 24 });
  await using cluster = await startTestCluster({ nodes: 2 });
  const [one, two] = cluster.nodes;
  if (one === undefined || two === undefined) throw new Error('two nodes are needed');
  const encoder = new TwinEncoder(feed);
  await using _first = await encoder.connect(cluster, one);
  await playing(two);
  await using _second = await encoder.connect(cluster, two);
  await healthUntil(cluster, two, (health) => twinsAt(health) === 2);

  await one.process.kill('SIGKILL');
  await healthUntil(cluster, two, ({ owner }) => owner === two.node);
  await grownBy(two, 3);

  one.process.start();
  await playing(one);
  await using _third = await encoder.connect(cluster, one);
  await healthUntil(cluster, one, (health) => twinsAt(health) === 2);
  await two.process.kill('SIGKILL');
  await healthUntil(cluster, one, ({ owner }) => owner === one.node);
  const after = await grownBy(one, 3);

  expect(breaksIn(after)).toEqual({ gaps: 0, discontinuities: 0 });
  const timeline = await foldOf(cluster);
  expect({ epoch: timeline.epoch, ignored: timeline.ignored, periods: timeline.periods.length }).toEqual({
    epoch: 3,
    ignored: 0,
    periods: 1,
  });
  const segments = timeline.periods[0]?.segments ?? [];
  const holes = segments.slice(1).map((now, index) => {
    const before = segments[index];
    return before === undefined ? 0 : now.start90k - before.start90k - before.duration90k;
  });
  expect(holes.filter((hole) => Math.abs(hole) > 180)).toEqual([]);
});
