/**
 * Regions on real nats-servers, joined by gateways whose links go through proxies of the test: one for each direction, which can stand still.
 * A node here is a NATS connection and the port of the other regions, without the rest.
 */
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { allowList, type AllowList } from '../../../cluster/contract/regions/allow-list.ts';
import { BootId, NodeId, RegionId } from '../../../cluster/model/ids.ts';
import type { GoneMember, ListedMember } from '../../../cluster/membership/member-directory.ts';
import { accessOptions, type NatsAccess } from '../../../cluster/nats/access.nats.ts';
import { silentLogger, type Logger } from '../../../cluster/observe/logger.ts';
import { noMetrics, type Metrics } from '../../../cluster/observe/metrics.ts';
import { openNatsRegions } from '../../../cluster/region/gateways/gateways.nats.ts';
import type { OtherRegions } from '../../../cluster/region/other-regions.ts';
import type { GatewayAccess, Region, Topology } from '../../../cluster/region/topology/topology.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { testMember } from '../cluster/members.ts';
import { openStallingProxy, type StallingProxy } from '../cluster/stalling-proxy.ts';
import { startNats, type TestNats } from '../cluster/start-nats.ts';
import { waitUntil } from '../wait.ts';

export interface JoinOptions {
  /** The nodes of each region, such as `{ eu: ['n1', 'n2'], us: ['n1'] }`. */
  readonly nodes: Readonly<Record<string, readonly string[]>>;
  readonly allowed?: AllowList;
  readonly logger?: (region: string) => Logger;
  readonly metrics?: (region: string) => Metrics;
  readonly clock?: (region: string) => Clock;
  readonly secret?: (region: string) => string;
  readonly version?: (region: string) => number;
  /** The regions in that region's file, in the order of their ordinals; by default all of them, the same everywhere. */
  readonly file?: (region: string) => readonly string[];
  /** Servers that run already, of some of the regions. */
  readonly servers?: Readonly<Record<string, TestNats>>;
  /** What a gateway connects with to that region, beside its address. */
  readonly gateway?: (to: string) => Partial<GatewayAccess>;
  /** What nodes connect with to their own NATS, beside its address. */
  readonly own?: (region: string) => Partial<NatsAccess>;
  /** Whether to wait until each region can call each other one. */
  readonly waitsForLinks?: boolean;
}

interface JoinedNode {
  readonly others: OtherRegions & { close(): Promise<void> };
  readonly connection: NatsConnection;
}

export interface JoinedRegions extends AsyncDisposable {
  of(region: string, node?: string): OtherRegions;
  nats(region: string): TestNats;
  /** Resolves when the servers know what nodes serve and listen to by now. */
  settled(): Promise<void>;
  /** The link that `from` holds to `to` swallows everything from now on; `heal` cuts it off, so that it is made anew. */
  cut(from: string, to: string): void;
  heal(from: string, to: string): void;
  /** The node ends in good order. */
  leave(region: string, node: string): Promise<void>;
  /** The node's process is gone: its connections are cut, and nobody is told by it. @param isDeclared whether the members say so, too */
  kill(region: string, node: string, isDeclared?: boolean): Promise<void>;
}

export async function joinRegions(options: JoinOptions): Promise<JoinedRegions> {
  const stack = new AsyncDisposableStack();
  const ids = Object.keys(options.nodes);
  const servers = new Map<string, TestNats>();
  for (const id of ids) servers.set(id, options.servers?.[id] ?? stack.use(await startNats()));
  const proxies = new Map<string, StallingProxy>();
  for (const from of ids)
    for (const to of ids.filter((id) => id !== from))
      proxies.set(`${from}>${to}`, stack.use(await openStallingProxy('127.0.0.1', portOf(servers, to))));
  const nodes = new Map<string, JoinedNode>();
  const members = new Map(ids.map((id) => [id, new TestMembers(options.nodes[id] ?? [])]));
  for (const id of ids)
    for (const node of options.nodes[id] ?? []) {
      const url = servers.get(id)?.url ?? '';
      const topology = topologyFor(id, ids, proxies, options);
      const joined = await openNode({ id, node, url, topology, members: members.get(id), options });
      nodes.set(`${id}/${node}`, joined);
      stack.defer(() => end(joined));
    }
  const isJoined = ([key, { others }]: readonly [string, JoinedNode]): boolean => {
    const count = Math.min(2, options.nodes[key.split('/')[0] ?? '']?.length ?? 0);
    return others.links().every(({ isUp, gateways }) => isUp && gateways.length === count);
  };
  if (options.waitsForLinks !== false)
    await waitUntil('all gateways work, and all nodes know it', () => [...nodes].every(isJoined));
  const gone = async (region: string, node: string, isDeclared: boolean): Promise<void> => {
    if (isDeclared) members.get(region)?.remove(node);
    nodes.delete(`${region}/${node}`);
  };
  return {
    of: (region, node) => known(nodes, `${region}/${node ?? options.nodes[region]?.[0] ?? ''}`).others,
    nats: (region) => known(servers, region),
    settled: async () => {
      for (const { connection } of nodes.values()) await connection.flush();
    },
    cut: (from, to) => known(proxies, `${from}>${to}`).stall(),
    heal: (from, to) => known(proxies, `${from}>${to}`).resume(),
    leave: async (region, node) => {
      const { others } = known(nodes, `${region}/${node}`);
      await others.close();
      await gone(region, node, true);
    },
    kill: async (region, node, isDeclared = false) => {
      const { connection, others } = known(nodes, `${region}/${node}`);
      await connection.close();
      void others.close();
      await gone(region, node, isDeclared);
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

interface NodeOptions {
  readonly id: string;
  readonly node: string;
  readonly url: string;
  readonly topology: Topology;
  readonly members: TestMembers | undefined;
  readonly options: JoinOptions;
}

async function openNode({ id, node, url, topology, members, options }: NodeOptions): Promise<JoinedNode> {
  const access = accessOptions({ servers: [url], ...options.own?.(id) });
  const connection = await connect({ ...access, reconnectTimeWait: 50, maxReconnectAttempts: -1 });
  if (members === undefined) throw new Error(`no members of ${id}`);
  const others = openNatsRegions({
    connection,
    isConnected: () => true,
    node: NodeId.parse(node),
    bootId: BootId.parse(`boot-${node}`),
    region: RegionId.parse(id),
    topology,
    members,
    secret: options.secret?.(id) ?? 'a secret',
    clock: options.clock?.(id) ?? systemClock,
    logger: options.logger?.(id) ?? silentLogger,
    metrics: options.metrics?.(id) ?? noMetrics,
    allowed: options.allowed ?? allowList,
  });
  return { others, connection };
}

async function end({ others, connection }: JoinedNode): Promise<void> {
  await others.close();
  await connection.close();
}

/** The topology as nodes of `from` see it: they reach each other region through the proxy of that direction. */
function topologyFor(
  from: string,
  ids: readonly string[],
  proxies: ReadonlyMap<string, StallingProxy>,
  options: JoinOptions,
): Topology {
  const regions = (options.file?.(from) ?? ids).map((id, ordinal): Region => {
    const port = proxies.get(`${from}>${id}`)?.port;
    const natsUrls = port === undefined ? [] : [`nats://127.0.0.1:${port}`];
    const gateway = { natsUrls, tls: undefined, credentialsFile: undefined, ...options.gateway?.(id) };
    return { id: RegionId.parse(id), ordinal, gateway, position: undefined, weight: 1 };
  });
  return { version: options.version?.(from) ?? 1, regions };
}

const portOf = (servers: ReadonlyMap<string, TestNats>, id: string): number => known(servers, id).port;

function known<T>(map: ReadonlyMap<string, T>, key: string): T {
  const found = map.get(key);
  if (found === undefined) throw new Error(`there is no ${key}`);
  return found;
}

/** The members of one region: those that were started, until the test says that one is gone. */
class TestMembers {
  #members: readonly ListedMember[];
  readonly #listeners = new Set<(gone: GoneMember) => void>();

  constructor(names: readonly string[]) {
    this.#members = names.map((name) => ({
      ...testMember(name, { bootId: BootId.parse(`boot-${name}`) }),
      state: 'alive',
      isAlive: true,
      incarnation: 1,
    }));
  }

  list() {
    return { revision: 1, members: this.#members, readAtMs: 0 };
  }

  onGone(listener: (gone: GoneMember) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  clockOffsetMs(): number {
    return 0;
  }

  remove(name: string): void {
    const gone = this.#members.find(({ id }) => id === NodeId.parse(name));
    this.#members = this.#members.filter((member) => member !== gone);
    if (gone === undefined) return;
    for (const listener of this.#listeners) listener({ node: gone.id, bootId: gone.bootId, why: 'died' });
  }
}
