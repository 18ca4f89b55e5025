/** Of three nats-servers the one that leads the index log dies: the stream goes on under the next leader. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { expect, test, vi } from 'vitest';
import { subjects } from '../../cluster/contract/subjects.ts';
import { startTestCluster, type TestCluster } from '../support/cluster/demo.ts';
import { flashAndBeep, publish, x264 } from '../support/media/ffmpeg-publisher.ts';
import {
  accountOf,
  allAlive,
  breaksIn,
  decidedLog,
  grownBy,
  nothingLost,
  playing,
  playlistPath,
} from '../support/cluster/live-cluster.ts';
import { ManifestWatch } from '../support/cluster/manifest-watch.ts';
import { startNatsTrio, type NatsTrio } from '../support/cluster/nats-trio.ts';

const region = 'region-1';
const indexStream = `${subjects.indexStream}-${region}`;
/** An election takes a few seconds; this is only the bound of the wait for it. */
const electedWithinMs = 90_000;

interface OnTrio extends AsyncDisposable {
  readonly cluster: TestCluster;
  readonly trio: NatsTrio;
  readonly connection: NatsConnection;
  /** Where the log is, as `TANGAZA_NATS_URL` says it. */
  readonly natsUrl: string;
}

/** Two nodes on three servers, each stream and bucket on all of them. The demo's own server is stopped: it must not matter. */
async function startOnTrio(): Promise<OnTrio> {
  await using stack = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), 'tangaza-trio-'));
  stack.defer(() => rm(dir, { recursive: true, force: true }));
  const trio = stack.use(await startNatsTrio(dir));
  const natsUrl = trio.urls.join(',');
  const env = { TANGAZA_NATS_URL: natsUrl, TANGAZA_NATS_REPLICAS: '3' };
  const cluster = stack.use(await startTestCluster({ nodes: 2, env }));
  await cluster.regions[0]?.nats.kill('SIGTERM');
  const connection = await connect({ servers: [...trio.urls], maxReconnectAttempts: -1 });
  stack.defer(() => connection.close());
  const all = stack.move();
  return { cluster, trio, connection, natsUrl, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

// Goal: no single nats-server is vital. Method: the log's leader gets SIGKILL with one publisher on air, and stays dead until
// another one leads and segments have come at both edges; then it is started again and must catch up. Ownership never moves,
// every edge answers throughout, and the log has committed all that was received, in one period without a hole.
test('the leader of the index log is killed and comes back: no gap, no change of owner, commits go on', async () => {
  await using onTrio = await startOnTrio();
  const { cluster, trio, connection, natsUrl } = onTrio;
  const [first] = cluster.nodes;
  if (first === undefined) throw new Error('no nodes');
  await using publisher = publish(`${first.rtmp}/${cluster.stream.key}`, flashAndBeep(), x264(25, 2));
  for (const node of cluster.nodes) await playing(node);
  const within = { timeout: electedWithinMs };
  const isInStep = (): Promise<boolean> => trio.isWhole(connection, indexStream);
  await expect.poll(isInStep, within).toBe(true);
  await using watch = new ManifestWatch(cluster.nodes, playlistPath);

  const killed = await vi.waitFor(() => trio.leaderOf(connection, indexStream), within);
  await killed.kill('SIGKILL');
  const leader = async (): Promise<string> =>
    (await trio.leaderOf(connection, indexStream).catch(() => killed)).name;
  await expect.poll(leader, within).not.toBe(killed.name);
  for (const node of cluster.nodes) await grownBy(node, 3);

  killed.start();
  await expect.poll(isInStep, within).toBe(true);
  for (const node of cluster.nodes) {
    await allAlive(cluster, node);
    expect(breaksIn(await grownBy(node, 2))).toEqual({ gaps: 0, discontinuities: 0 });
  }
  expect(watch.looks.filter(({ status }) => status !== 200)).toEqual([]);
  expect(publisher.output()).toBe('');
  await publisher.kill('SIGTERM');
  const entries = await decidedLog(cluster, first, { id: region, natsUrl });
  expect(accountOf(entries)).toEqual({ ...nothingLost, opens: 1 });
  expect(watch.faults).toEqual([]);
});
