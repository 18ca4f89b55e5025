/** The cluster that `bench failover` breaks and mends, and what watches it: the log, the membership view and the tasks. */
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { TranscodeTask } from '../../../cluster/contract/transcode-task.ts';
import { subjects } from '../../../cluster/contract/subjects.ts';
import { connectNats, type NodeConnection } from '../../../cluster/nats/connection.nats.ts';
import type { View } from '../../../cluster/membership/view.ts';
import type { ViewStore } from '../../../cluster/membership/view-store.ts';
import { openNatsViewStore } from '../../../cluster/membership/view-store.nats.ts';
import { RegionId, StreamId } from '../../../cluster/model/ids.ts';
import { silentLogger } from '../../../cluster/observe/logger.ts';
import { noMetrics } from '../../../cluster/observe/metrics.ts';
import { openNatsIndexLog } from '../../../cluster/log/index-log.nats.ts';
import type { IndexLog } from '../../../cluster/log/index-log.ts';
import { systemClock as clock } from '../../../cluster/time/clock.system.ts';
import { controlClient } from '../../../test/support/cluster/control-client.ts';
import type { Feed } from '../../../test/support/media/media-feed.ts';
import { startNatsTrio, type NatsTrio } from '../../../test/support/cluster/nats-trio.ts';
import { startDemoCluster, type DemoCluster } from '../../demo/demo-cluster.ts';
import type { DemoNode } from '../../demo/site.ts';
import { startAudience } from './failover-audience.ts';
import { LogWatch } from './failover-log.ts';

export interface RigOptions {
  readonly feed: Feed;
  readonly natsServers: 1 | 3;
  /** Everything that the cluster writes. It is not removed with the cluster. */
  readonly dataDir: string;
  /** How many sockets each stream has, and comments with them. By default none. */
  readonly audience?: number | undefined;
}

export interface BenchStream extends AsyncDisposable {
  readonly id: StreamId;
  readonly key: string;
  readonly log: LogWatch;
}

export interface SeenTask {
  readonly taskId: string;
  readonly attempt: number;
  readonly atMs: number;
}

const region = RegionId.parse('region-1');
const nodes = 3;
const seenTasks = 200;
const requestTimeoutMs = 5000;
/** Short enough that playlists stay small, and longer than any outage, so that segments cut meanwhile come at once. */
const settings = {
  TANGAZA_DVR_WINDOW_SECONDS: '180',
  TANGAZA_LOG_LEVEL: 'info',
  TANGAZA_WORKER_SLOTS: '1',
  TANGAZA_TRUSTED_PROXIES: '127.0.0.1',
};

/** Asks every 20 ms. @throws Error that says what did not happen */
export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  withinMs = 60_000,
): Promise<void> {
  const deadlineMs = performance.now() + withinMs;
  while (!(await isSo())) {
    if (performance.now() > deadlineMs) throw new Error(`not within ${withinMs / 1000} s: ${what}`);
    await delay(20);
  }
}

export class Rig implements AsyncDisposable {
  readonly options: RigOptions;
  readonly cluster: DemoCluster;
  readonly trio: NatsTrio | undefined;
  readonly tasks: SeenTask[] = [];
  readonly #nats: NodeConnection;
  readonly #log: IndexLog;
  readonly #store: ViewStore;
  /** When the benchmark heard of a death, by node and incarnation. */
  readonly #deaths = new Map<string, number>();
  /** The error that ended the watch of the membership view. */
  #blindness: Error | undefined;
  #streams = 0;

  static async start(options: RigOptions): Promise<Rig> {
    const { dataDir } = options;
    await using stack = new AsyncDisposableStack();
    const trio = options.natsServers === 3 ? stack.use(await startNatsTrio(dataDir)) : undefined;
    const env =
      trio === undefined
        ? settings
        : { ...settings, TANGAZA_NATS_URL: trio.urls.join(','), TANGAZA_NATS_REPLICAS: '3' };
    const common = { regions: 1, hasPublisher: false, store: 'disk', portBase: 0, rtmpBase: 0 } as const;
    const cluster = stack.use(await startDemoCluster({ ...common, nodes, dataDir, env }));
    const servers = trio?.urls ?? cluster.regions.map(({ natsUrl }) => natsUrl);
    const ports = { clock, logger: silentLogger, metrics: noMetrics };
    const nats = await connectNats({ ...ports, servers, name: 'bench' });
    stack.defer(() => nats.close());
    const shared = {
      ...ports,
      connection: nats.connection,
      region,
      ...(trio === undefined ? {} : { replicas: 3 }),
    };
    const store = await openNatsViewStore(shared);
    stack.defer(() => store.close());
    const log = await openNatsIndexLog(shared);
    const rig = new Rig(options, { cluster, trio, nats, store, log, stack: stack.move() });
    return rig;
  }

  readonly #stack: AsyncDisposableStack;

  private constructor(
    options: RigOptions,
    parts: {
      readonly cluster: DemoCluster;
      readonly trio: NatsTrio | undefined;
      readonly nats: NodeConnection;
      readonly store: ViewStore;
      readonly log: IndexLog;
      readonly stack: AsyncDisposableStack;
    },
  ) {
    this.options = options;
    this.cluster = parts.cluster;
    this.trio = parts.trio;
    this.#nats = parts.nats;
    this.#store = parts.store;
    this.#log = parts.log;
    this.#stack = parts.stack;
    this.#watchView().catch((cause: unknown) => {
      this.#blindness = new Error('the membership view is no longer watched', { cause });
    });
    this.#watchTasks();
  }

  get nodes(): readonly DemoNode[] {
    return this.cluster.nodes;
  }

  get connection(): NodeConnection['connection'] {
    return this.#nats.connection;
  }

  node(name: string | undefined): DemoNode {
    const found = this.nodes.find(({ node }) => node === name);
    if (found === undefined) throw new Error(`there is no node ${name}`);
    return found;
  }

  /** The first node that is not one of these. */
  other(...names: readonly (string | undefined)[]): DemoNode {
    return this.node(this.nodes.find(({ node }) => !names.includes(node))?.node);
  }

  async addStream(ladder: 'default' | 'source'): Promise<BenchStream> {
    this.#streams += 1;
    const id = StreamId.parse(`bench-${this.#streams}`);
    const headers = { authorization: `Bearer ${this.cluster.token}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ title: id, id, ladder });
    const reply = await fetch(`${this.nodes[0]?.url}/v1/streams`, {
      method: 'POST',
      headers,
      body,
      signal: AbortSignal.timeout(requestTimeoutMs),
    });
    if (!reply.ok) throw new Error(`creating a stream: ${reply.status} ${await reply.text()}`);
    const { streamKey } = z.object({ streamKey: z.string() }).parse(await reply.json());
    await using stack = new AsyncDisposableStack();
    const log = stack.use(new LogWatch(this.#log, id));
    const { audience: sockets = 0 } = this.options;
    const edges = this.nodes.map(({ url }) => url);
    if (sockets > 0) stack.use(await startAudience({ edges, stream: id, sockets }));
    const moved = stack.move();
    return { id, key: streamKey, log, [Symbol.asyncDispose]: () => moved.disposeAsync() };
  }

  /** How many sessions feed the stream, as its owner says. */
  async feeders(stream: BenchStream): Promise<number> {
    const owner = this.node(stream.log.owner);
    const health = await controlClient(owner.url, this.cluster.token)
      .health(stream.id)
      .catch(() => undefined);
    return (health?.sessions ?? []).filter(({ role }) => role === 'active').length;
  }

  /** When the benchmark heard of that node's death after that time. @throws when it cannot hear of any more */
  deathSince(node: string, sinceMs: number): number | undefined {
    if (this.#blindness !== undefined) throw this.#blindness;
    for (const [life, atMs] of this.#deaths) if (life.startsWith(`${node}/`) && atMs >= sinceMs) return atMs;
    return undefined;
  }

  /** Starts the killed nodes, and waits until all nodes are members and ready. */
  async mend(...killed: readonly DemoNode[]): Promise<void> {
    for (const node of killed) node.process.start();
    await until('all nodes are members', async () => {
      const { view } = await this.#store.read().catch(() => ({ view: undefined }));
      return view !== undefined && isWhole(view, this.nodes.length);
    });
    for (const { url } of this.nodes)
      await until(`${url} is ready`, async () => {
        const signal = AbortSignal.timeout(requestTimeoutMs);
        const reply = await fetch(`${url}/readyz`, { signal }).catch(() => undefined);
        await reply?.arrayBuffer().catch(() => undefined);
        return reply?.ok === true;
      });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack[Symbol.asyncDispose]();
  }

  async #watchView(): Promise<void> {
    for await (const { view } of this.#store.watch()) {
      for (const { id, incarnation, state } of view?.members ?? []) {
        const life = `${id}/${incarnation}`;
        if (state === 'dead' && !this.#deaths.has(life)) this.#deaths.set(life, performance.now());
      }
    }
  }

  #watchTasks(): void {
    this.#nats.connection.subscribe(subjects.allTasks(region), {
      callback: (error, message) => {
        if (error !== null) return;
        const task = TranscodeTask.safeParse(message.json());
        if (!task.success) return;
        const { taskId, attempt } = task.data;
        this.tasks.push({ taskId, attempt, atMs: performance.now() });
        if (this.tasks.length > seenTasks) this.tasks.shift();
      },
    });
  }
}

function isWhole({ members }: View, count: number): boolean {
  return members.length === count && members.every(({ state }) => state === 'alive');
}
