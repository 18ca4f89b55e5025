/** The owner's node and its NATS stand still together, as when a machine is suspended: nobody is held guilty of that (C6). */
import { expect, test } from 'vitest';
import { systemClock } from '../../cluster/time/clock.system.ts';
import type { SupervisedProcess } from '../../scripts/demo/supervised-process.system.ts';
import { startTestCluster } from '../support/cluster/demo.ts';
import { flashAndBeep, publish, x264 } from '../support/media/ffmpeg-publisher.ts';
import {
  accountOf,
  breaksIn,
  decidedLog,
  grownBy,
  nothingLost,
  playing,
} from '../support/cluster/live-cluster.ts';

/** Longer than the silence that ends a publisher, and than every deadline of a segment. */
const frozenMs = 15_000;
/** The live edge has caught up when these are there, and some. */
const segmentsMissed = Math.ceil(frozenMs / 2000) + 3;

/** Stops them, and lets them go on after a while. */
async function freeze(processes: readonly (SupervisedProcess | undefined)[]): Promise<void> {
  const pids = processes.flatMap((one) => one?.pid ?? []);
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  try {
    await systemClock.sleep(frozenMs);
  } finally {
    for (const pid of pids) process.kill(pid, 'SIGCONT');
  }
}

// Goal: no media is lost that waits in a socket. Method: one ffmpeg publishes to one node; that node, then the node and NATS, are stopped for
// longer than any time-out, with the publisher's socket open. ffmpeg goes on sending, into the socket's buffers and then not at all.
test('a node that is frozen, alone or with its NATS, loses nothing, and its publisher stays', async () => {
  await using cluster = await startTestCluster({ nodes: 1 });
  const [node] = cluster.nodes;
  if (node === undefined) throw new Error('one node is needed');
  await using publisher = publish(`${node.rtmp}/${cluster.stream.key}`, flashAndBeep(426, 240), x264(25, 2));
  await playing(node);
  await freeze([node.process]);
  await grownBy(node, segmentsMissed);
  await freeze([node.process, cluster.regions[0]?.nats]);
  const after = await grownBy(node, segmentsMissed);
  await publisher.kill('SIGTERM');
  const { why, ...account } = accountOf(await decidedLog(cluster, node));
  expect({ ...breaksIn(after), ...account, why }).toMatchObject({ gaps: 0, ...nothingLost });
  expect(await cluster.log(node.node)).not.toMatch(/PUBLISHER_SILENT|RTMP connection refused/);
});
