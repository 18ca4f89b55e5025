/** A demo cluster for tests: the same code as `tangaza up`, on free ports and in a temporary folder. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDemoCluster, type DemoCluster, type DemoOptions } from '../../scripts/demo/demo-cluster.ts';

export interface TestCluster extends DemoCluster {
  readonly dataDir: string;
  /** `http://127.0.0.1:PORT` of the first node. */
  readonly url: string;
  /** Reads the log file of one of its processes. */
  log(name: string): Promise<string>;
}

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
    ...options,
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
