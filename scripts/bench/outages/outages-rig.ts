/** What `outages.ts` breaks and mends: three nodes of a region on two data centres, with a proxy on each link, and simulated users at their edges. */
import { openCassandraStreamRegistry } from '../../../actors/control/stream-registry.cassandra.ts';
import { StreamId } from '../../../cluster/model/ids.ts';
import { systemClock as clock } from '../../../cluster/time/clock.system.ts';
import {
  envOf,
  linkOf,
  openTestDatabase,
  type TestCassandra,
} from '../../../test/support/cassandra/two-data-centres.ts';
import { startTestCluster, type TestCluster } from '../../../test/support/cluster/demo.ts';
import { openStallingProxy, type StallingProxy } from '../../../test/support/cluster/stalling-proxy.ts';
import { startLoad, type AudienceLoad, type LoadOptions } from '../../audience/audience-load.ts';
import type { DemoNode } from '../../demo/site.ts';
import type { SupervisedProcess } from '../../demo/supervised-process.system.ts';

export interface Fault {
  begin(): void | Promise<void>;
  /** Mends it. Resolves when what was broken may be used again. */
  end(): void | Promise<void>;
}

export type FaultKind = 'kill' | 'freeze' | 'cut';
export type Member = 'data centre' | 'node' | 'edge' | 'NATS';

export interface OutagesRig extends AsyncDisposable {
  readonly cluster: TestCluster;
  readonly load: AudienceLoad;
  readonly audience: OutagesAudience;
  /** The node that nothing happens to. */
  readonly witness: DemoNode;
  faultOf(kind: FaultKind, member: Member): Fault;
}

export type OutagesAudience = Pick<LoadOptions, 'watchers' | 'writers' | 'perSecond'>;

/** What one data centre lacks it gets by hints, and likes are counted anew each 10 s (A4). */
const likesWithinMs = 15_000;

/** @param cassandra whose first data centre the nodes ask first */
export async function startOutagesRig(
  cassandra: TestCassandra,
  audience: OutagesAudience,
): Promise<OutagesRig> {
  await using opened = new AsyncDisposableStack();
  const stream = StreamId.parse(`outages-${Date.now().toString(36)}`);
  await makeStream(cassandra, stream);
  const links = { toNats: new Map<string, StallingProxy>(), toViewers: new Map<string, StallingProxy>() };
  const cluster = opened.use(await startCluster(cassandra, links, opened));
  const [node, edge, witness] = cluster.nodes;
  const nats = cluster.regions[0]?.nats;
  if (node === undefined || edge === undefined || witness === undefined || nats === undefined)
    throw new Error('three nodes and their NATS');
  const edges = [...links.toViewers.values()].map(({ port }) => `http://127.0.0.1:${port}`);
  const load = opened.use(
    await startLoad({ stream, edges, ...audience, hasAddresses: true, likesWithinMs }, clock),
  );
  const linksOf = (proxies: ReadonlyMap<string, StallingProxy>, of?: DemoNode): Fault =>
    cutOf(...[...proxies].flatMap(([name, proxy]) => (of === undefined || of.node === name ? [proxy] : [])));
  const faults: Readonly<Record<Member, Readonly<Record<FaultKind, Fault>>>> = {
    'data centre': faultsOfCentre(cassandra),
    node: { ...faultsOf(node.process), cut: linksOf(links.toNats, node) },
    edge: { ...faultsOf(edge.process), cut: linksOf(links.toViewers, edge) },
    NATS: { ...faultsOf(nats), cut: linksOf(links.toNats) },
  };
  const all = opened.move();
  return {
    cluster,
    load,
    audience,
    witness,
    faultOf: (kind, member) => faults[member][kind],
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

type Links = Readonly<Record<'toNats' | 'toViewers', Map<string, StallingProxy>>>;

function startCluster(
  cassandra: TestCassandra,
  { toNats, toViewers }: Links,
  opened: AsyncDisposableStack,
): Promise<TestCluster> {
  const proxied = async (to: Map<string, StallingProxy>, node: string, port: number): Promise<number> => {
    const proxy = opened.use(await openStallingProxy('127.0.0.1', port));
    to.set(node, proxy);
    return proxy.port;
  };
  return startTestCluster({
    nodes: 3,
    env: {
      ...envOf(cassandra.settingsThroughLinks()),
      TANGAZA_DATABASE: 'cassandra',
      TANGAZA_TRUSTED_PROXIES: '127.0.0.1',
    },
    natsOf: async (node, url) => `nats://127.0.0.1:${await proxied(toNats, node, Number(new URL(url).port))}`,
    envOf: async (node, port) => ({
      TANGAZA_PUBLIC_URL: `http://127.0.0.1:${await proxied(toViewers, node, port)}`,
      TANGAZA_PUBLIC_RTMP_URL: 'rtmp://127.0.0.1:1935/live',
    }),
  });
}

/** The first one: it is cut off from the other one and from its clients. */
function faultsOfCentre({ centres: [first], between, toClients }: TestCassandra): Record<FaultKind, Fault> {
  const cut = [between, toClients[0]];
  return {
    kill: { begin: () => first.kill(), end: () => first.start() },
    freeze: { begin: () => first.freeze(), end: () => first.thaw() },
    cut: { begin: () => cut.forEach((link) => link.cut()), end: () => cut.forEach((link) => link.heal()) },
  };
}

function faultsOf(victim: SupervisedProcess): Record<'kill' | 'freeze', Fault> {
  const signal = (name: NodeJS.Signals): void => {
    if (victim.pid !== undefined) process.kill(victim.pid, name);
  };
  return {
    kill: { begin: async () => void (await victim.kill('SIGKILL')), end: () => victim.start() },
    freeze: { begin: () => signal('SIGSTOP'), end: () => signal('SIGCONT') },
  };
}

function cutOf(...proxies: readonly StallingProxy[]): Fault {
  const link = linkOf(proxies);
  return { begin: () => link.cut(), end: () => link.heal() };
}

async function makeStream(cassandra: TestCassandra, id: StreamId): Promise<void> {
  const database = openTestDatabase(cassandra.settings());
  try {
    const registry = openCassandraStreamRegistry(database);
    const more = { title: 'Outages', ladder: 'default', keyHash: id, keySalt: '', nowMs: Date.now() };
    await registry.create({ id, ...more });
  } finally {
    await database.close();
  }
}
