/** A node joins a cluster with streams on air, and one is killed, on real processes: only the killed one's streams move (design 7.7). */
import { expect, test } from 'vitest';
import type { IndexEntry } from '../../cluster/contract/index-records.ts';
import type { StreamHealth } from '../../cluster/contract/stream-health.ts';
import { ClusterView, StreamWithKey } from '../../cluster/contract/api/control-views.ts';
import type { StreamId } from '../../cluster/model/ids.ts';
import type { DemoNode } from '../../scripts/demo/site.ts';
import { controlClient } from '../support/cluster/control-client.ts';
import { readIndexLog, startTestCluster, type TestCluster } from '../support/cluster/demo.ts';
import { accountOf, hasJoined, nothingLost } from '../support/cluster/live-cluster.ts';
import { ManifestWatch } from '../support/cluster/manifest-watch.ts';
import { makeFeed } from '../support/media/media-feed.ts';
import { addNode } from '../support/cluster/more-nodes.ts';
import { waitForPlaylist } from '../support/media/playlists.ts';
import { TwinEncoder, twinsAt } from '../support/media/twin-encoder.ts';
import { waitFor } from '../support/wait.ts';

const withinMs = 60_000;
/** On each of three nodes. */
const streamsOfNode = 2;
/** Segments of 2 s: by then the newcomer has looked for streams to take over, which it does every 5 s. */
const lookedForOrphans = 4;
const noWorkers = { TANGAZA_ROLES: 'ingest,edge-delivery,control' };

interface OnAir {
  readonly id: StreamId;
  readonly owner: DemoNode;
  readonly encoder: TwinEncoder;
  /** Of its only rung, which nobody encodes. */
  readonly path: string;
}

type Placement = ClusterView['placements'][number];

async function placementsOf(cluster: TestCluster, seenBy: DemoNode): Promise<readonly Placement[]> {
  const api = controlClient(seenBy.url, cluster.token);
  const { placements } = await api.call('/v1/cluster', 200, ClusterView);
  return placements.toSorted((a, b) => (a.streamId < b.streamId ? -1 : 1));
}

async function healthUntil(
  { token }: TestCluster,
  { url }: DemoNode,
  { id }: OnAir,
  isWanted: (health: StreamHealth) => boolean,
): Promise<void> {
  const api = controlClient(url, token);
  const what = `the health of ${id} is as wanted: ${isWanted.toString()}`;
  await waitFor(what, () => api.health(id), isWanted, { withinMs, everyMs: 100 });
}

/** All of them have so many segments more at that edge. */
async function allGrow(streams: readonly OnAir[], { url }: DemoNode, segments: number): Promise<void> {
  await Promise.all(
    streams.map(async ({ path }) => {
      const { lastNumber } = await waitForPlaylist(url + path, () => true, withinMs);
      await waitForPlaylist(url + path, (now) => now.lastNumber >= lastNumber + segments, withinMs);
    }),
  );
}

/** Every stream is fed by one encoder at two nodes: at its owner first, and at the next node. */
async function goOnAir(cluster: TestCluster, stack: AsyncDisposableStack): Promise<readonly OnAir[]> {
  const feed = await makeFeed({ seconds: 180, size: '320x180', fps: 12, gop: 24 });
  const streams: OnAir[] = [];
  for (let number = 0; number < streamsOfNode * cluster.nodes.length; number += 1) {
    const [owner, next] = [0, 1].map((step) => cluster.nodes[(number + step) % cluster.nodes.length]);
    if (owner === undefined || next === undefined) throw new Error('no nodes');
    const body = { title: `Stream ${number}`, id: `s${number}`, ladder: 'source' };
    const api = controlClient(owner.url, cluster.token);
    const created = await api.call('/v1/streams', 201, StreamWithKey, { method: 'POST', body });
    const encoder = new TwinEncoder(feed);
    stack.use(await encoder.connect({ stream: { key: created.streamKey } }, owner));
    streams.push({ id: created.id, owner, encoder, path: `/live/${created.id}/h264-180p.m3u8` });
    stack.use(await encoder.connect({ stream: { key: created.streamKey } }, next));
  }
  for (const stream of streams)
    await healthUntil(cluster, stream.owner, stream, (health) => twinsAt(health) === 2);
  return streams;
}

const logOf = (cluster: TestCluster, { id }: OnAir): Promise<readonly IndexEntry[]> =>
  readIndexLog(cluster.regions[0], id);

// Goal: change of membership moves what it must, and nothing else. Method: six streams, two first published at each of three nodes, each
// fed at two. A fourth node joins: every record stays as it is, and streams go on. Then one of the three is killed: its two streams
// have another owner each, in epoch 2, and every other record is still the same. Eyes at a node that stays and at the newcomer: no
// number goes back or names other media, and in every log all is there, once, in one period.
test('a joiner moves no stream on air, and one that is killed exactly its own', async () => {
  await using cluster = await startTestCluster({ nodes: 3, env: noWorkers });
  const [staying, leaving] = cluster.nodes;
  if (staying === undefined || leaving === undefined) throw new Error('three nodes are needed');
  await using publishers = new AsyncDisposableStack();
  const streams = await goOnAir(cluster, publishers);
  const before = await placementsOf(cluster, staying);
  expect(before.map(({ streamId, owner, epoch }) => `${streamId} ${owner} ${epoch}`)).toEqual(
    streams.map(({ id, owner }) => `${id} ${owner.node} 1`),
  );

  await using joining = await addNode(cluster, 'joiner', noWorkers);
  await hasJoined(cluster, joining, staying);
  await using watches = new AsyncDisposableStack();
  const eyes = streams.map(({ path }) => watches.use(new ManifestWatch([staying, joining], path)));
  await allGrow(streams, joining, lookedForOrphans);
  expect(await placementsOf(cluster, joining)).toEqual(before);

  await leaving.process.kill('SIGKILL');
  const moved = streams.filter(({ owner }) => owner === leaving);
  for (const stream of moved)
    await healthUntil(cluster, staying, stream, ({ owner, epoch }) => owner !== leaving.node && epoch === 2);
  await Promise.all([staying, joining].map((edge) => allGrow(streams, edge, 2)));
  const after = await placementsOf(cluster, staying);
  const isMoved = ({ streamId }: Placement): boolean => moved.some(({ id }) => id === streamId);
  expect(after.filter((one) => !isMoved(one))).toEqual(before.filter((one) => !isMoved(one)));
  expect(after.filter(isMoved).map(({ epoch, reason }) => `${epoch} ${reason}`)).toEqual(
    moved.map(() => `2 owner died (${leaving.node})`),
  );

  for (const stream of streams) {
    const opens = stream.owner === leaving ? 2 : 1;
    expect({ id: stream.id, account: accountOf(await logOf(cluster, stream)) }).toEqual({
      id: stream.id,
      account: { ...nothingLost, opens },
    });
  }
  expect(eyes.flatMap(({ faults }) => faults)).toEqual([]);
});
