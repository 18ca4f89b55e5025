/** Three nats-servers in one cluster on free ports, for what one server alone cannot show: a leader that dies. */
import { mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { freePort } from '../../../scripts/demo/free-port.system.ts';
import { supervise, type SupervisedProcess } from '../../../scripts/demo/supervised-process.system.ts';

export interface NatsTrio extends AsyncDisposable {
  readonly urls: readonly string[];
  /** The server that leads that stream now. */
  leaderOf(connection: NatsConnection, stream: string): Promise<SupervisedProcess>;
  /** Whether that stream has a leader and two followers that are up to date. */
  isWhole(connection: NatsConnection, stream: string): Promise<boolean>;
}

const host = '127.0.0.1';
const readyTries = 50;
const startTries = 3;
const binary = resolve(import.meta.dirname, '../../../.toolchain/bin/nats-server');

/** Their stores are in `trio/` of that folder, their logs in `logs/`. */
export async function startNatsTrio(dataDir: string): Promise<NatsTrio> {
  const dir = join(dataDir, 'trio');
  const logs = join(dataDir, 'logs');
  for (const folder of [dir, logs]) mkdirSync(folder, { recursive: true });
  const names = ['test-nats-1', 'test-nats-2', 'test-nats-3'];
  const ports = await Promise.all(names.map(() => freePort()));
  const routePorts = await Promise.all(names.map(() => freePort()));
  const routes = routePorts.map((port) => `nats://${host}:${port}`).join(',');
  const servers = names.map((name, index) => {
    const cluster = [
      '--cluster_name',
      'test',
      '--cluster',
      `nats://${host}:${routePorts[index]}`,
      '--routes',
      routes,
    ];
    const own = ['-a', host, '-p', String(ports[index]), '-js', '-sd', join(dir, name), '-n', name];
    const args = [...own, ...cluster];
    const logFile = join(logs, `${name}.log`);
    return supervise({ name, command: binary, args: () => args, logFile, stopTimeoutMs: 5000 }, systemClock);
  });
  const stop = async (): Promise<void> => {
    for (const server of servers) await server.stop();
  };
  const urls = ports.map((port) => `nats://${host}:${port}`);
  try {
    for (let tries = startTries; !(await startTogether(servers, urls)); tries -= 1) {
      if (tries <= 1) throw new Error(`three NATS servers have not become one cluster: see ${logs}`);
      for (const server of servers) await server.kill('SIGKILL');
      await rm(dir, { recursive: true });
    }
  } catch (error) {
    await stop();
    throw error;
  }
  const infoOf = async (connection: NatsConnection, stream: string) =>
    (await (await jetstreamManager(connection, { timeout: 2000, checkAPI: false })).streams.info(stream))
      .cluster;
  return {
    urls,
    leaderOf: async (connection, stream) => {
      const name = (await infoOf(connection, stream))?.leader;
      const found = servers.find((server) => server.name === name);
      if (found === undefined) throw new Error(`${stream} has no leader`);
      return found;
    },
    isWhole: async (connection, stream) => {
      const cluster = await infoOf(connection, stream).catch(() => undefined);
      const followers = cluster?.replicas ?? [];
      return (
        cluster?.leader !== undefined && followers.length === 2 && followers.every(({ current }) => current)
      );
    },
    [Symbol.asyncDispose]: stop,
  };
}

/**
 * @returns false when a stream of three replicas cannot be placed: nats-server 2.10.27 leaves one of three new servers out of its
 * metadata group at times (about one start in fifty), and never mends that
 */
async function startTogether(
  servers: readonly SupervisedProcess[],
  urls: readonly string[],
): Promise<boolean> {
  for (const server of servers) server.start();
  for (const url of urls) await waitForJetStream(url);
  const connection = await connect({ servers: [...urls] });
  try {
    const { streams } = await jetstreamManager(connection, { timeout: 1000, checkAPI: false });
    const probe = { name: 'PROBE', subjects: ['probe'], num_replicas: servers.length };
    for (let tries = 0; tries < readyTries; tries += 1) {
      if (await streams.add(probe).catch(() => undefined)) return await streams.delete(probe.name);
      await delay(200);
    }
    return false;
  } finally {
    await connection.close();
  }
}

/** Until the servers have elected who places streams, every one of them refuses. */
async function waitForJetStream(url: string): Promise<void> {
  const connection = await connect({ servers: url, waitOnFirstConnect: true, reconnectTimeWait: 100 });
  try {
    for (let tries = 0; tries < readyTries; tries += 1) {
      const manager = await jetstreamManager(connection, { timeout: 1000, checkAPI: false });
      if ((await manager.getAccountInfo().catch(() => undefined)) !== undefined) return;
      await delay(200);
    }
  } finally {
    await connection.close();
  }
  throw new Error(`${url}: JetStream does not answer`);
}
