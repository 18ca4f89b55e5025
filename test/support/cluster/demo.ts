/** A demo cluster for tests: the same code as `tangaza up`, on free ports and in a temporary folder. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NatsConnection } from '@nats-io/transport-node';
import type { IndexEntry } from '../../../cluster/contract/index-records.ts';
import { connectNats } from '../../../cluster/nats/connection.nats.ts';
import { RegionId, type StreamId } from '../../../cluster/model/ids.ts';
import { silentLogger } from '../../../cluster/observe/logger.ts';
import { noMetrics } from '../../../cluster/observe/metrics.ts';
import { openNatsIndexLog } from '../../../cluster/log/index-log.nats.ts';
import { systemClock as clock } from '../../../cluster/time/clock.system.ts';
import { startDemoCluster, type DemoCluster } from '../../../scripts/demo/demo-cluster.ts';
import type { DemoOptions, DemoRegion } from '../../../scripts/demo/site.ts';
import { waitFor } from '../wait.ts';

export interface TestCluster extends DemoCluster {
  readonly dataDir: string;
  /** `http://127.0.0.1:PORT` of the first node. */
  readonly url: string;
  /** Reads the log file of one of its processes. */
  log(name: string): Promise<string>;
}

/** No test asserts a time: a machine that is busy may take long to start or stop what does either at all. */
const readyWithinMs = 120_000;
const stopSeconds = 60;
/** For whoever starts a node as a test cluster does. */
export const patience = {
  stopWithinMs: (stopSeconds + 1) * 1000,
  env: { TANGAZA_STOP_SECONDS: String(stopSeconds) },
};

export async function startTestCluster(options: Partial<DemoOptions> = {}): Promise<TestCluster> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tangaza-cluster-'));
  const cluster = await startDemoCluster({
    regions: 1,
    nodes: 2,
    hasPublisher: false,
    store: 'disk',
    portBase: 0,
    rtmpBase: 0,
    dataDir,
    readyWithinMs,
    stopWithinMs: patience.stopWithinMs,
    ...options,
    env: { ...patience.env, ...options.env },
  }).catch(async (error: unknown) => {
    await rm(dataDir, { recursive: true, force: true });
    throw error;
  });
  return {
    ...cluster,
    dataDir,
    url: cluster.nodes[0]?.url ?? '',
    log: (name) => readFile(join(dataDir, 'logs', `${name}.log`), 'utf8'),
    [Symbol.asyncDispose]: async () => {
      await cluster[Symbol.asyncDispose]();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Where a region's log is; `natsUrl` may list several servers, as `TANGAZA_NATS_URL` does. */
export type LogOfRegion = Pick<DemoRegion, 'id' | 'natsUrl'>;

const askAgain = { withinMs: 90_000, everyMs: 200 };

/** All that the region's log has of the stream. A log that answers late is asked again. */
export async function readIndexLog(
  region: LogOfRegion | undefined,
  stream: StreamId,
): Promise<readonly IndexEntry[]> {
  if (region === undefined) throw new Error('there is no such region');
  const common = { logger: silentLogger, metrics: noMetrics, clock };
  const nats = await connectNats({ ...common, servers: region.natsUrl.split(','), name: 'test' });
  try {
    const read = () => readLog(nats.connection, RegionId.parse(region.id), stream);
    return await waitFor(`the log of ${stream} answers`, read, () => true, askAgain);
  } finally {
    await nats.close();
  }
}

async function readLog(
  connection: NatsConnection,
  region: RegionId,
  stream: StreamId,
): Promise<readonly IndexEntry[]> {
  const log = await openNatsIndexLog({ logger: silentLogger, metrics: noMetrics, connection, region });
  return log.read(stream);
}
