/** All nodes of a live cluster are stopped at once; what was received is there when they come back. */
import { expect, test } from 'vitest';
import type { IndexEntry } from '../../cluster/contract/index-records.ts';
import { systemClock } from '../../cluster/time/clock.system.ts';
import type { DemoNode } from '../../scripts/demo/site.ts';
import { readIndexLog, startTestCluster, type TestCluster } from '../support/cluster/demo.ts';
import { accountOf, decidedLog, healthUntil, nothingLost } from '../support/cluster/live-cluster.ts';
import { makeFeed } from '../support/media/media-feed.ts';
import { twinsAt } from '../support/media/twin-encoder.ts';
import { RtmpPublisher } from '../support/ingest/rtmp-publisher.ts';
import { waitFor, waitUntil } from '../support/wait.ts';

/** Between the first node's SIGTERM and the second's. */
const apartMs = 100;
/** Ends in the middle of a segment, at a whole second. */
const sentMs = 9000;
const wholeSegments = 4;

const sourcesIn = (entries: readonly IndexEntry[]): number =>
  entries.filter(({ record }) => record.kind === 'source').length;

const committedMs = (entries: readonly IndexEntry[]): number =>
  entries.reduce((sum, { record }) => sum + (record.kind === 'commit' ? record.duration90k / 90 : 0), 0);

/** Until the log has all whole segments of what is sent: then only the unfinished one is on its way. */
async function wholeOnesLogged({ regions, stream }: TestCluster): Promise<void> {
  const sources = async (): Promise<number> => sourcesIn(await readIndexLog(regions[0], stream.id));
  await waitFor('the log has all whole segments', sources, (count) => count >= wholeSegments);
}

async function ready({ url }: DemoNode): Promise<void> {
  const isReady = async (): Promise<boolean> => (await fetch(`${url}/readyz`)).ok;
  await waitUntil(`${url} is ready`, isReady, { withinMs: 90_000 });
}

async function publishTo(node: DemoNode, key: string): Promise<RtmpPublisher> {
  const { publisher, status } = await RtmpPublisher.publish({ port: Number(new URL(node.rtmp).port), key });
  expect(status?.level).toBe('status');
  return publisher;
}

// Goal: C2, no received segment is lost, also not the one under way. Method: a publisher, or two of one encoder at two nodes, send 9 s,
// which end within a segment; SIGTERM to all nodes; all start again, with nobody publishing. What is committed is as long as what was
// received. The second node is told a moment later, so that the first one hands its stream over to it meanwhile: the hardest case.
test.each([
  { what: 'a publisher', publishers: 1 },
  { what: 'twins', publishers: 2 },
])(
  'all that was received when a whole cluster is stopped is committed by its next start: $what',
  async ({ publishers }) => {
    await using cluster = await startTestCluster({ nodes: 2 });
    const [first] = cluster.nodes;
    if (first === undefined) throw new Error('there is no node');
    const feed = await makeFeed({ seconds: 10 });
    const one = await publishTo(first, cluster.stream.key);
    const sendings = [one.send(feed, { speed: 1, untilMs: sentMs })];
    if (publishers === 2) {
      const two = await publishTo(cluster.nodes[1] ?? first, cluster.stream.key);
      sendings.push(two.send(feed, { speed: 1, untilMs: sentMs }));
      await healthUntil(cluster, first, (health) => twinsAt(health) === 2);
    }
    await Promise.all(sendings);
    await wholeOnesLogged(cluster);
    const outcomes = await Promise.all(
      cluster.nodes.map(async ({ process }, index) => {
        await systemClock.sleep(apartMs * index);
        return process.kill('SIGTERM');
      }),
    );
    const logs = await Promise.all(cluster.nodes.map(({ node }) => cluster.log(node)));
    expect(outcomes).toEqual(cluster.nodes.map(() => '0'));
    for (const log of logs) {
      expect(log).toContain('the node has stopped');
      expect(log).not.toContain('"level":"error"');
    }
    for (const { process } of cluster.nodes) process.start();
    await Promise.all(cluster.nodes.map(ready));
    const entries = await decidedLog(cluster, first);
    expect(committedMs(entries)).toBe(sentMs);
    expect(accountOf(entries)).toMatchObject(nothingLost);
  },
);
