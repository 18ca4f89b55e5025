/** Owners of a live stream die and freeze on real processes: another node owns it, and viewers' numbering goes on. */
import { Kvm } from '@nats-io/kv';
import { connect } from '@nats-io/transport-node';
import { expect, test } from 'vitest';
import type { DemoNode } from '../../scripts/demo/site.ts';
import { startTestCluster, type TestCluster } from '../support/cluster/demo.ts';
import { flashAndBeep, publish, x264, type FfmpegPublisher } from '../support/media/ffmpeg-publisher.ts';
import {
  allAlive,
  breaksIn,
  foldOf,
  grownBy,
  healthUntil,
  playing,
} from '../support/cluster/live-cluster.ts';

function publishAt(cluster: TestCluster, node: DemoNode): FfmpegPublisher {
  return publish(`${node.rtmp}/${cluster.stream.key}`, flashAndBeep(426, 240), x264(25, 2));
}

function nodeNamed(cluster: TestCluster, name: string | undefined): DemoNode {
  const node = cluster.nodes.find((one) => one.node === name);
  if (node === undefined) throw new Error(`there is no node ${name}`);
  return node;
}

// Goal: no death of an owner ends a stream. Method: three nodes. The node that ingests and owns is killed: another one owns the
// stream under a higher epoch before anybody has published again. The publisher comes back to a third node, whose session is
// then served from afar. Now that owner freezes: the session's node takes over, without a new period; the owner thaws, and
// nothing that it says changes the log.
test('an owner is killed, the next one is frozen and thaws: the stream goes on, with the one discontinuity of its publisher', async () => {
  await using cluster = await startTestCluster({ nodes: 3 });
  const [first] = cluster.nodes;
  if (first === undefined) throw new Error('no nodes');
  {
    await using publisher = publishAt(cluster, first);
    await playing(first);
    await first.process.kill('SIGKILL');
    await publisher.kill('SIGKILL');
  }
  const witness = nodeNamed(cluster, cluster.nodes[1]?.node);
  const adopted = await healthUntil(
    cluster,
    witness,
    ({ owner, epoch }) => owner !== first.node && epoch === 2,
  );
  expect(adopted.ownedBecause).toBe(`owner died (${first.node})`);
  const owner = nodeNamed(cluster, adopted.owner);
  const third = nodeNamed(cluster, cluster.nodes.find((one) => one !== first && one !== owner)?.node);
  first.process.start();
  await allAlive(cluster, third);

  await using publisher = publishAt(cluster, third);
  await healthUntil(cluster, third, ({ state, epoch }) => state === 'live' && epoch === 2);
  const before = await grownBy(third, 2);
  expect(breaksIn(before)).toEqual({ gaps: 0, discontinuities: 1 });

  process.kill(owner.process.pid ?? 0, 'SIGSTOP');
  await healthUntil(cluster, third, ({ owner: now }) => now === third.node);
  await grownBy(third, 2);
  process.kill(owner.process.pid ?? 0, 'SIGCONT');
  await allAlive(cluster, third);
  const after = await grownBy(third, 2);
  expect(breaksIn(after)).toEqual({ gaps: 0, discontinuities: 1 });
  expect(after.segments.slice(0, before.segments.length)).toEqual(before.segments);
  const timeline = await foldOf(cluster);
  expect({ epoch: timeline.epoch, ignored: timeline.ignored, periods: timeline.periods.length }).toEqual({
    epoch: 3,
    ignored: 0,
    periods: 2,
  });
  expect(publisher.output()).not.toContain('rror');
});

/** Writes garbage over the record of an owner that stands still, which is there and nobody else's, and kills it before it is missed. */
async function garbleAndKill({ regions: [region], stream }: TestCluster, owner: DemoNode): Promise<void> {
  await using connection = await connect({ servers: region?.natsUrl ?? '' });
  const bucket = await new Kvm(connection).open(`ownership-${region?.id}`);
  process.kill(owner.process.pid ?? 0, 'SIGSTOP');
  const entry = await bucket.get(stream.id);
  expect(entry?.json()).toMatchObject({ owner: owner.node });
  await bucket.update(stream.id, '{garbage', entry?.revision ?? 0);
  await owner.process.kill('SIGKILL');
}

// Goal: no broadcast is left that nobody ends. Method: the owner dies with its publisher, and its record becomes garbage before anybody
// has read it.
test('an owner that died and left a record that nobody can read has a successor all the same', async () => {
  await using cluster = await startTestCluster({ nodes: 2 });
  const [first, second] = cluster.nodes;
  if (first === undefined || second === undefined) throw new Error('two nodes are needed');
  await using publisher = publishAt(cluster, first);
  await playing(first);
  await garbleAndKill(cluster, first);
  await publisher.kill('SIGKILL');
  const adopted = await healthUntil(cluster, second, ({ owner }) => owner === second.node);
  expect(adopted).toMatchObject({ epoch: 2, ownedBecause: `owner died (${first.node})` });
});
