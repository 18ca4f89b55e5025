/** A member that answers probes but does no work loses its streams, and nothing else (C3: media liveness). */
import { expect, test } from 'vitest';
import { startTestCluster } from '../support/demo.ts';
import { breaksIn, foldOf, grownBy, healthUntil, playing } from '../support/live-cluster.ts';
import { makeFeed } from '../support/media-feed.ts';
import { openStallingProxy, type StallingProxy } from '../support/stalling-proxy.ts';
import { TwinEncoder, twinsAt } from '../support/twin-encoder.ts';

// Goal: an owner that lives and does not work is fenced, for its viewers' sake. Method: one encoder publishes to two nodes; the
// owner's way to NATS stands still, so that it answers `/healthz` and nothing else. The twin's node sees that the log stands
// still and takes the stream over. The way opens again: the former owner finds itself fenced, and its session goes on as twin.
test('an owner that answers probes and does no work is fenced: no gap, no discontinuity, its session stays', async () => {
  const feed = await makeFeed({ seconds: 120, size: '426x240', fps: 25, gop: 50 });
  await using stack = new AsyncDisposableStack();
  const proxies = new Map<string, StallingProxy>();
  const natsOf = async (node: string, url: string): Promise<string> => {
    const { hostname, port } = new URL(url);
    const proxy = stack.use(await openStallingProxy(hostname, Number(port)));
    proxies.set(node, proxy);
    return `nats://${hostname}:${proxy.port}`;
  };
  await using cluster = await startTestCluster({ nodes: 2, natsOf });
  const [one, two] = cluster.nodes;
  if (one === undefined || two === undefined) throw new Error('two nodes are needed');
  const encoder = new TwinEncoder(feed);
  await using _first = await encoder.connect(cluster, one);
  await playing(two);
  await using _second = await encoder.connect(cluster, two);
  await healthUntil(cluster, two, (health) => twinsAt(health) === 2);

  proxies.get(one.node)?.stall();
  const taken = await healthUntil(cluster, two, ({ owner }) => owner === two.node);
  expect(taken.ownedBecause).toBe(`the log stood still for 6 s (${one.node})`);
  expect((await fetch(`${one.url}/healthz`)).status).toBe(200);
  await grownBy(two, 4);

  proxies.get(one.node)?.resume();
  await healthUntil(cluster, two, (health) => health.owner === two.node && twinsAt(health) === 2);
  const playlist = await grownBy(two, 3);
  const { periods, ignored } = await foldOf(cluster);
  expect({ ...breaksIn(playlist), clocks: periods.length, ignored }).toEqual({
    gaps: 0,
    discontinuities: 0,
    clocks: 1,
    ignored: 0,
  });
});
