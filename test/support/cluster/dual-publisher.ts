/** The demo's publisher in small: one ffmpeg that feeds several nodes, and comes back to each for as long as it takes (C2). */
import { join } from 'node:path';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import type { DemoNode } from '../../../scripts/demo/site.ts';
import { supervise, type SupervisedProcess } from '../../../scripts/demo/supervised-process.system.ts';
import { publisherArguments } from '../../../scripts/demo/test-publisher.ts';
import type { TestCluster } from './demo.ts';

export interface DualPublisher extends AsyncDisposable {
  readonly process: SupervisedProcess;
}

export function publishToAll(cluster: TestCluster, nodes: readonly DemoNode[]): DualPublisher {
  const args = publisherArguments({
    urls: nodes.map(({ rtmp }) => `${rtmp}/${cluster.stream.key}`),
    width: 640,
    height: 360,
    framesPerSecond: 25,
    bitrateKbps: 800,
  });
  const logFile = join(cluster.dataDir, 'logs/publisher.log');
  const spec = { name: 'publisher', command: 'ffmpeg', args: () => args, logFile, stopTimeoutMs: 3000 };
  const process = supervise(spec, systemClock);
  process.start();
  return { process, [Symbol.asyncDispose]: () => process.stop() };
}
