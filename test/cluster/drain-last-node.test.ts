/** The last node of a cluster is drained by force, on real processes: it ends by itself and keeps what it was given (C2). */
import { expect, test } from 'vitest';
import type { DemoNode } from '../../scripts/demo/site.ts';
import { runCli } from '../support/cluster/cli.ts';
import { startTestCluster, type TestCluster } from '../support/cluster/demo.ts';
import { accountOf, breaksIn, decidedLog, nothingLost, playing } from '../support/cluster/live-cluster.ts';
import { makeFeed } from '../support/media/media-feed.ts';
import { RtmpPublisher } from '../support/ingest/rtmp-publisher.ts';

const drainSeconds = 10;
/** A bound for the wait for its end, which comes at the bound of the drain or soon after it. */
const endsWithin = { timeout: 90_000 };
const gopMs = 2000;
const feedOptions = { seconds: 120, size: '426x240', fps: 12, gop: 24 } as const;

/** How a process ended first, as its supervisor tells it, which then starts it again. */
async function firstEnd(cluster: TestCluster, { node }: DemoNode): Promise<string | undefined> {
  return /supervisor: \S+ ended \(exit code (\d+)\)/.exec(await cluster.log(node))?.[1];
}

// Goal: the last node may go, too, and loses nothing that it has received. Method: one node, one publisher that does not come back;
// without `--force` nothing happens. With it the publisher is closed at a keyframe, shortly before the bound, and the process ends
// with 0. It must have lost nothing in its own words, and the log must have all whole segments that were sent before the drain began,
// which is seconds before the end; the next boot commits all that is in the log and serves it, with nobody publishing.
test('the last node, drained by force, ends with 0, and its next boot serves all that was received', async () => {
  const feed = await makeFeed(feedOptions);
  const env = { TANGAZA_DRAIN_SECONDS: String(drainSeconds) };
  await using cluster = await startTestCluster({ nodes: 1, env });
  const [only] = cluster.nodes;
  if (only === undefined) throw new Error('no node');
  const { hostname, port } = new URL(only.rtmp.replace('rtmp:', 'http:'));
  const { key } = cluster.stream;
  const { publisher } = await RtmpPublisher.publish({ host: hostname, port: Number(port), key });
  await using _publisher = publisher;
  publisher.send(feed, { speed: 1 }).catch(() => {});
  await playing(only);

  const drain = (...more: readonly string[]) =>
    runCli(['drain', only.node, '--url', only.url, ...more], cluster.token);
  expect(await drain()).toMatchObject({ code: 1, stderr: expect.stringContaining('use --force') });
  const sentMs = publisher.lastPictureMs;
  const drained = drain('--force');
  await publisher.closed;
  await expect.poll(() => firstEnd(cluster, only), endsWithin).toBe('0');
  expect(await cluster.log(only.node)).not.toContain('a source segment is lost');
  expect(await drained).toMatchObject({ code: 0 });

  const entries = await decidedLog(cluster, only);
  const ends = entries.flatMap(({ record }) =>
    record.kind === 'source' ? [(record.start90k + record.duration90k) / 90] : [],
  );
  expect(Math.max(...ends)).toBeGreaterThan(sentMs - gopMs);
  expect(accountOf(entries)).toMatchObject(nothingLost);
  const committed = entries.filter(({ record }) => record.kind === 'commit').length;
  expect(committed).toBe(ends.length);

  const playlist = await playing(only);
  expect({ segments: playlist.segments.length, breaks: breaksIn(playlist) }).toEqual({
    segments: committed,
    breaks: { gaps: 0, discontinuities: 0 },
  });
  const base = `${only.url}/live/demo/`;
  const replies = await Promise.all(playlist.segments.map(({ uri }) => fetch(new URL(uri, base))));
  expect(replies.map(({ status }) => status)).toEqual(playlist.segments.map(() => 200));
});
