/** A member that answers probes but does no work loses its streams, and nothing else (C3: media liveness). */
import { expect, test } from 'vitest';
import { startTestCluster } from '../support/cluster/demo.ts';
import { breaksIn, foldOf, grownBy, healthUntil, isFedBy, playing } from '../support/cluster/live-cluster.ts';
import { makeFeed } from '../support/media/media-feed.ts';
import { openStallingProxy, type StallingProxy } from '../support/cluster/stalling-proxy.ts';
import { TwinEncoder, twinsAt } from '../support/media/twin-encoder.ts';
import { waitFor } from '../support/wait.ts';

const feedOptions = { seconds: 180, size: '426x240', fps: 12, gop: 24 } as const;

/** Two nodes; the way of the first to NATS can stand still. */
async function startScene() {
  const stack = new AsyncDisposableStack();
  const proxies = new Map<string, StallingProxy>();
  const natsOf = async (node: string, url: string): Promise<string> => {
    const { hostname, port } = new URL(url);
    const proxy = stack.use(await openStallingProxy(hostname, Number(port)));
    proxies.set(node, proxy);
    return `nats://${hostname}:${proxy.port}`;
  };
  const cluster = stack.use(await startTestCluster({ nodes: 2, natsOf }));
  const [one, two] = cluster.nodes;
  if (one === undefined || two === undefined) throw new Error('two nodes are needed');
  return {
    cluster,
    one,
    two,
    stall: () => proxies.get(one.node)?.stall(),
    resume: () => proxies.get(one.node)?.resume(),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

// Goal: an owner that lives and does not work is fenced, for its viewers' sake. Method: one encoder publishes to two nodes; the
// owner's way to NATS stands still, so that it answers `/healthz` and nothing else. The twin's node sees that the log stands
// still and takes the stream over. The way opens again: the former owner finds itself fenced, and its session goes on as twin.
test('an owner that answers probes and does no work is fenced: no gap, no discontinuity, its session stays', async () => {
  await using scene = await startScene();
  const { cluster, one, two, stall, resume } = scene;
  const feed = await makeFeed(feedOptions);
  const encoder = new TwinEncoder(feed);
  await using _first = await encoder.connect(cluster, one);
  await playing(two);
  await using _second = await encoder.connect(cluster, two);
  await healthUntil(cluster, two, (health) => twinsAt(health) === 2);

  stall();
  const taken = await healthUntil(cluster, two, ({ owner }) => owner === two.node);
  expect(taken.ownedBecause).toBe(`the log stood still for 6 s (${one.node})`);
  expect((await fetch(`${one.url}/healthz`)).status).toBe(200);
  await grownBy(two, 4);

  resume();
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

// Goal: no session need run for an owner to be found out. Method: the owner's way to NATS stands still, and its publisher comes
// back to the other node, again and again, as an encoder does that is refused.
test('an owner that does no work is fenced for a newcomer, too, which is let in at one of its next tries', async () => {
  await using scene = await startScene();
  const { cluster, one, two, stall, resume } = scene;
  const encoder = new TwinEncoder(await makeFeed(feedOptions));
  {
    await using _first = await encoder.connect(cluster, one);
    await playing(two);
    stall();
  }
  const comeBack = () => encoder.connect(cluster, two);
  const often = { withinMs: 90_000, everyMs: 500 };
  await using _second = await waitFor('the newcomer is let in', comeBack, () => true, often);
  const { owner, ownedBecause } = await healthUntil(cluster, two, (health) => health.owner === two.node);
  expect({ owner, ownedBecause }).toEqual({
    owner: two.node,
    ownedBecause: `the log stood still for 6 s (${one.node})`,
  });
  await grownBy(two, 2);
  resume();
});

// Goal: nobody's silence holds up a stop. Method: a publisher's owner is at another node, which answers nothing any more; calls
// to it are under way, and more follow, while the publisher's node gets SIGTERM.
test('a node stops in its own time though the owner of its publisher does not answer', async () => {
  await using scene = await startScene();
  const { cluster, one, two, stall, resume } = scene;
  const encoder = new TwinEncoder(await makeFeed(feedOptions));
  {
    await using _first = await encoder.connect(cluster, one);
    await playing(two);
  }
  await using _second = await encoder.connect(cluster, two);
  await healthUntil(cluster, two, (health) => health.owner === one.node && isFedBy(health, [two]));
  await grownBy(two, 2);
  stall();
  await healthUntil(cluster, two, ({ reason }) => reason.endsWith('does not answer'));
  expect(await two.process.kill('SIGTERM')).toBe('0');
  expect(await cluster.log(two.node)).not.toMatch(/running context|GracefulStopTimeout/);
  resume();
});
