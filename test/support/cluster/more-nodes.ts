/** Further `tangaza node` processes beside a test cluster: one that joins it, and one that must not be let in. */
import { join } from 'node:path';
import { secretsFileIn } from '../../../config/secrets.disk.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { nodeEnv } from '../../../scripts/demo/parts/region.ts';
import { tokenKeysOf, type DemoNode, type DemoRegion } from '../../../scripts/demo/site.ts';
import { freePort } from '../../../scripts/demo/free-port.system.ts';
import { supervise } from '../../../scripts/demo/supervised-process.system.ts';
import { runCli, tangazaScript, type CliResult } from './cli.ts';
import { patience, type TestCluster } from './demo.ts';

type Env = Readonly<Record<string, string>>;

export interface AddedNode extends DemoNode, AsyncDisposable {}

/** Starts a node of the cluster's first region on free ports; `hasJoined` tells when it is a member. */
export async function addNode(cluster: TestCluster, node: string, more: Env = {}): Promise<AddedNode> {
  const site = await siteOf(cluster, node);
  const supervised = supervise(
    {
      name: node,
      command: process.execPath,
      args: () => [tangazaScript, 'node'],
      env: { ...nodeEnv(site), ...patience.env, ...more },
      logFile: join(cluster.dataDir, 'logs', `${node}.log`),
      stopTimeoutMs: patience.stopWithinMs,
    },
    systemClock,
  );
  supervised.start();
  return {
    region: site.region,
    node,
    process: supervised,
    url: `http://127.0.0.1:${site.httpPort}`,
    rtmp: `rtmp://127.0.0.1:${site.rtmpPort}/live`,
    operator: `http://127.0.0.1:${site.operatorPort}`,
    [Symbol.asyncDispose]: () => supervised.stop(),
  };
}

/** Runs a node, which is expected to end by itself, as a member of the cluster's first region but for what `more` says. */
export async function runNode(cluster: TestCluster, node: string, more: Env = {}): Promise<CliResult> {
  return runCli(['node'], cluster.token, { ...nodeEnv(await siteOf(cluster, node)), ...more });
}

async function siteOf({ regions, token, dataDir: demoDir }: TestCluster, node: string) {
  const { id, natsUrl, dataDir, regionsFile } = firstOf(regions);
  const [httpPort, rtmpPort, operatorPort] = [await freePort(), await freePort(), await freePort()];
  const tokenKeys = tokenKeysOf({ dataDir: demoDir });
  const ports = { httpPort, rtmpPort, operatorPort };
  const files = { regionsFile, secretsFile: secretsFileIn(dataDir), tokenKeys };
  return { region: id, node, ...ports, natsUrl, dataDir, token, ...files };
}

function firstOf([region]: readonly DemoRegion[]): DemoRegion {
  if (region === undefined) throw new Error('the cluster has no region');
  return region;
}
