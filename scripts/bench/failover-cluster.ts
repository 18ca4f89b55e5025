/** What the failover benchmark works on: a demo cluster under a small dual ingest, its index log followed from outside. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IndexEntry } from '../../cluster/contract/index-log.ts';
import { StreamHealth } from '../../cluster/contract/stream.ts';
import { ClusterView } from '../../cluster/contract/streams.ts';
import { connectNats } from '../../cluster/membership/connection.nats.ts';
import { RegionId } from '../../cluster/model/ids.ts';
import { silentLogger } from '../../cluster/observe/logger.ts';
import { noMetrics } from '../../cluster/observe/metrics.ts';
import { openNatsIndexLog } from '../../cluster/ownership/index-log.nats.ts';
import { systemClock as clock } from '../../cluster/time/clock.system.ts';
import { callApi } from '../client/api.ts';
import { startDemoCluster, type DemoCluster, type DemoNode } from '../demo/demo-cluster.ts';
import { supervise, type SupervisedProcess } from '../demo/supervised-process.system.ts';
import { publisherArguments } from '../demo/test-publisher.ts';

/** A record and when it was seen here, monotonic ms. */
export interface SeenEntry extends IndexEntry {
  readonly seenAtMs: number;
}

const waitMs = 60_000;

export class FailoverCluster implements AsyncDisposable {
  readonly entries: SeenEntry[] = [];
  readonly #cluster: DemoCluster;
  readonly #dataDir: string;
  readonly #publisher: SupervisedProcess;
  readonly #close: () => Promise<void>;
  #wakeUps: (() => void)[] = [];

  private constructor(
    cluster: DemoCluster,
    dataDir: string,
    publisher: SupervisedProcess,
    close: () => Promise<void>,
  ) {
    this.#cluster = cluster;
    this.#dataDir = dataDir;
    this.#publisher = publisher;
    this.#close = close;
  }

  static async start(nodes: number): Promise<FailoverCluster> {
    const dataDir = await mkdtemp(join(tmpdir(), 'tangaza-failover-'));
    const ports = { portBase: 0, rtmpBase: 0, dataDir, store: 'disk' } as const;
    const cluster = await startDemoCluster({ regions: 1, nodes, hasPublisher: false, ...ports });
    const args = publisherArguments({
      urls: cluster.nodes.slice(0, 2).map(({ rtmp }) => `${rtmp}/${cluster.stream.key}`),
      ...{ width: 640, height: 360, framesPerSecond: 25, bitrateKbps: 800 },
    });
    const logFile = join(dataDir, 'logs/publisher.log');
    const spec = { name: 'publisher', command: 'ffmpeg', args: () => args, logFile, stopTimeoutMs: 3000 };
    const publisher = supervise(spec, clock);
    publisher.start();
    const common = { logger: silentLogger, metrics: noMetrics, clock };
    const [region] = cluster.regions;
    const nats = await connectNats({ ...common, servers: [region?.natsUrl ?? ''], name: 'bench' });
    const log = await openNatsIndexLog({
      ...common,
      connection: nats.connection,
      region: RegionId.parse(region?.id),
    });
    const ending = new AbortController();
    const close = async (): Promise<void> => {
      ending.abort();
      await nats.close();
    };
    const self = new FailoverCluster(cluster, dataDir, publisher, close);
    void self.#follow(log.follow(cluster.stream.id, 1, ending.signal));
    return self;
  }

  get nodes(): readonly DemoNode[] {
    return this.#cluster.nodes;
  }

  get nats(): SupervisedProcess {
    const [region] = this.#cluster.regions;
    if (region === undefined) throw new Error('there is no region');
    return region.nats;
  }

  node(name: string | undefined): DemoNode {
    const found = this.nodes.find((one) => one.node === name);
    if (found === undefined) throw new Error(`there is no node ${name}`);
    return found;
  }

  /** Resolves with the first record, from place `from` on, that is wanted. @throws Error after a minute */
  async next(from: number, isWanted: (entry: SeenEntry) => boolean): Promise<SeenEntry> {
    const deadlineMs = clock.monotonicMs() + waitMs;
    for (;;) {
      const found = this.entries.slice(from).find(isWanted);
      if (found !== undefined) return found;
      const leftMs = deadlineMs - clock.monotonicMs();
      if (leftMs <= 0) throw new Error('the log did not get what was waited for within a minute');
      const waiting = new AbortController();
      const woken = new Promise<void>((resolve) => this.#wakeUps.push(resolve));
      await Promise.race([woken, clock.sleep(leftMs, waiting.signal).catch(() => {})]);
      waiting.abort();
    }
  }

  /** Waits until all nodes are members, both publishers feed, and segments come. @returns the stream's health */
  async settled(): Promise<StreamHealth> {
    const deadlineMs = clock.monotonicMs() + waitMs;
    let last = 'no answer';
    while (clock.monotonicMs() < deadlineMs) {
      const found = await this.#look().catch((error: unknown) => String(error));
      if (typeof found !== 'string') {
        const from = this.entries.length;
        await this.next(from, ({ record }) => record.kind === 'commit');
        return found;
      }
      last = found;
      await clock.sleep(100);
    }
    throw new Error(`the cluster did not settle within a minute: ${last}`);
  }

  async #look(): Promise<StreamHealth | string> {
    const { token } = this.#cluster;
    for (const { url } of this.nodes) {
      const view = await callApi({ url, token, data: '' }, { path: '/v1/cluster' }, ClusterView);
      const alive = view.nodes.filter(({ state }) => state === 'alive').length;
      if (alive !== this.nodes.length) return `${alive} of ${this.nodes.length} nodes are alive`;
    }
    const [first] = this.nodes;
    const asked = { url: first?.url ?? '', token, data: '' };
    const health = await callApi(asked, { path: '/v1/streams/demo/health' }, StreamHealth);
    const feeding = (health.sessions ?? []).filter(({ role }) => role === 'active').length;
    if (feeding !== 2 || health.state !== 'live')
      return `${feeding} publishers feed a stream that is ${health.state}: ${health.reason}`;
    return health;
  }

  /** Lines of a node's log, parsed; `time` is UTC ms. */
  async logOf(node: DemoNode): Promise<readonly { readonly time: number; readonly msg: string }[]> {
    const text = await readFile(join(this.#dataDir, 'logs', `${node.node}.log`), 'utf8');
    return text.split('\n').flatMap((line) => {
      try {
        const { time, msg } = JSON.parse(line);
        return [{ time: typeof time === 'number' ? time : Date.parse(time), msg: String(msg) }];
      } catch {
        return [];
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
    await this.#publisher.stop();
    await this.#cluster[Symbol.asyncDispose]();
    await rm(this.#dataDir, { recursive: true, force: true });
  }

  async #follow(items: AsyncIterable<IndexEntry | { readonly caughtUp: true }>): Promise<void> {
    for await (const item of items) {
      if ('caughtUp' in item) continue;
      this.entries.push({ ...item, seenAtMs: clock.monotonicMs() });
      const waiting = this.#wakeUps;
      this.#wakeUps = [];
      for (const wake of waiting) wake();
    }
  }
}
