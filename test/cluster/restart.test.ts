/** Processes of a live cluster are killed and come back; the stream goes on, its numbering continued. */
import { expect, test } from 'vitest';
import type { IndexEntry } from '../../cluster/contract/index-records.ts';
import { startTestCluster, type TestCluster } from '../support/cluster/demo.ts';
import { flashAndBeep, publish, x264 } from '../support/media/ffmpeg-publisher.ts';
import { accountOf, breaksIn, decidedLog, grownTo, nothingLost } from '../support/cluster/live-cluster.ts';
import { readPlaylist, waitForPlaylist, type Playlist } from '../support/media/playlists.ts';
import { waitFor } from '../support/wait.ts';

const lowest = 'h264-240p';
const afterMs = 60_000;

async function playing(cluster: TestCluster, edge = 0): Promise<Playlist> {
  return waitForPlaylist(
    `${cluster.nodes[edge]?.url}/live/demo/${lowest}.m3u8`,
    ({ segments }) => segments.length >= 2,
    afterMs,
  );
}

/** Sequences never go back, and what both playlists list is the same. */
function expectContinued(before: Playlist, after: Playlist): void {
  expect(after.mediaSequence).toBeGreaterThanOrEqual(before.mediaSequence);
  expect(after.discontinuitySequence).toBeGreaterThanOrEqual(before.discontinuitySequence);
  expect(after.lastNumber).toBeGreaterThan(before.lastNumber);
  for (const segment of before.segments) {
    const again = after.segments.find(({ number }) => number === segment.number);
    if (again !== undefined) expect(again).toEqual(segment);
  }
}

// Goal: a stream outlives its NATS. Method: SIGKILL nats-server while live, start it again, wait for newer segments.
test('nats-server is killed and restarted while live: no gap, no discontinuity, numbering continues', async () => {
  await using cluster = await startTestCluster();
  await using _publisher = publish(
    `${cluster.nodes[0]?.rtmp}/${cluster.stream.key}`,
    flashAndBeep(),
    x264(25, 2),
  );
  const before = await playing(cluster);
  const nats = cluster.regions[0]?.nats;
  await nats?.kill('SIGKILL');
  const frozen = await fetch(`${cluster.url}/live/demo/${lowest}.m3u8`);
  expect(frozen.status).toBe(200);
  await frozen.arrayBuffer();
  nats?.start();
  const after = await waitForPlaylist(
    `${cluster.url}/live/demo/${lowest}.m3u8`,
    ({ lastNumber }) => lastNumber >= before.lastNumber + 4,
    afterMs,
  );
  expectContinued(before, after);
  expect(after.segments.filter(({ isGap }) => isGap)).toEqual([]);
  expect(after.segments.filter(({ isDiscontinuity }) => isDiscontinuity)).toEqual([]);
});

// Goal: the owner's process may die. Method: SIGKILL its node, start it again, publish anew.
test('the ingest node is killed and restarted: the stream goes on in a new period, numbering continues', async () => {
  await using cluster = await startTestCluster();
  const [node] = cluster.nodes;
  const url = `${node?.rtmp}/${cluster.stream.key}`;
  const first = publish(url, flashAndBeep(), x264(25, 2));
  const before = await playing(cluster, 1);
  await node?.process.kill('SIGKILL');
  await first.ended;
  const meanwhile = await readPlaylist(`${cluster.nodes[1]?.url}/live/demo/${lowest}.m3u8`);
  expect(meanwhile.lastNumber).toBeGreaterThanOrEqual(before.lastNumber);
  node?.process.start();
  await waitUntilReady(`${node?.url}/readyz`);
  await using _second = publish(url, flashAndBeep(), x264(25, 2));
  for (const edge of [0, 1]) {
    const after = await waitForPlaylist(
      `${cluster.nodes[edge]?.url}/live/demo/${lowest}.m3u8`,
      (now) => now.lastNumber >= meanwhile.lastNumber + 2 && breaksIn(now).discontinuities > 0,
      afterMs,
    );
    expectContinued(before, after);
    expect(breaksIn(after).discontinuities).toBe(1);
  }
});

// Goal: edges hold no state that a restart loses. Method: kill the edge that does not ingest, compare bytes after.
test('an edge is killed and restarted: it serves the same bytes as its neighbour', async () => {
  await using cluster = await startTestCluster();
  await using publisher = publish(
    `${cluster.nodes[0]?.rtmp}/${cluster.stream.key}`,
    flashAndBeep(),
    x264(25, 2),
  );
  const before = await playing(cluster, 1);
  const edge = cluster.nodes[1];
  await edge?.process.kill('SIGKILL');
  edge?.process.start();
  await waitUntilReady(`${edge?.url}/readyz`);
  const after = await waitForPlaylist(
    `${edge?.url}/live/demo/${lowest}.m3u8`,
    ({ lastNumber }) => lastNumber > before.lastNumber,
    afterMs,
  );
  expectContinued(before, after);
  await publisher.kill('SIGKILL');
  const [neighbour] = cluster.nodes;
  if (neighbour === undefined || edge === undefined) throw new Error('there are no two nodes');
  const last = lastNumberIn(await decidedLog(cluster, neighbour));
  for (const node of [neighbour, edge]) await grownTo(node, last);
  const [one, other] = await Promise.all(
    cluster.nodes.map(async ({ url }) => (await fetch(`${url}/live/demo/${lowest}.m3u8`)).text()),
  );
  expect(other).toBe(one);
});

const lastNumberIn = (entries: readonly IndexEntry[]): number =>
  Math.max(...entries.map(({ record }) => (record.kind === 'commit' ? record.number : -1)));

async function waitUntilReady(url: string): Promise<void> {
  const statusOf = async (): Promise<number> => (await fetch(url)).status;
  await waitFor(`${url} answers 200`, statusOf, (status) => status === 200, { withinMs: afterMs });
}

// Goal: a planned stop loses nothing that was received. Method: SIGTERM to the live ingest node, whose publisher is a real encoder that
// knows no reconnect request; the node would log what it loses. The other node commits all of it, and the next boot shows the same.
test('a node that is told to stop gives all it has to the other, and its next boot serves it', async () => {
  await using cluster = await startTestCluster();
  const [node, other] = cluster.nodes;
  if (node === undefined || other === undefined) throw new Error('there are no two nodes');
  await using publisher = publish(`${node.rtmp}/${cluster.stream.key}`, flashAndBeep(), x264(25, 2));
  const before = await playing(cluster, 1);
  expect(await node.process.kill('SIGTERM')).toBe('0');
  await publisher.ended;
  const log = await cluster.log(node.node);
  expect(log).toContain('the node has stopped');
  expect(log).not.toContain('"level":"error"');
  const entries = await decidedLog(cluster, other);
  expect(accountOf(entries)).toMatchObject({ ...nothingLost, opens: 2 });
  const settled = await grownTo(other, lastNumberIn(entries));
  expectContinued(before, settled);
  node.process.start();
  const after = await waitForPlaylist(
    `${node.url}/live/demo/${lowest}.m3u8`,
    ({ lastNumber }) => lastNumber === settled.lastNumber,
    afterMs,
  );
  expect(after.segments).toEqual(settled.segments);
});
