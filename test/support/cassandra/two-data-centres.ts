/**
 * A real Cassandra of two data centres with a node each, on 127.0.0.1 and 127.0.0.2, started by the code that `tangaza up` starts it with.
 * Each can be killed, frozen, cut off and started again. Nothing outlives the test process.
 *
 * They reach each other, and clients that take the settings `throughLinks` reach them, by TCP proxies of the test. A cut is a proxy that lets
 * no byte pass and closes nothing, as a cut cable does. (Network namespaces would need root, and a link that other tests cannot see.)
 */
import { appendFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCassandra, type Database } from '../../../cluster/cassandra/database.cassandra.ts';
import type { CassandraSettings } from '../../../cluster/cassandra/settings.ts';
import { silentLogger } from '../../../cluster/observe/logger.ts';
import { noMetrics } from '../../../cluster/observe/metrics.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { askCql } from '../../../scripts/demo/answers.system.ts';
import { loopbackOf, type CassandraPlace } from '../../../scripts/demo/cassandra/place.ts';
import { specOfCassandra } from '../../../scripts/demo/cassandra/spec.ts';
import { freePort } from '../../../scripts/demo/free-port.system.ts';
import {
  stopAll,
  supervise,
  type SupervisedProcess,
} from '../../../scripts/demo/supervised-process.system.ts';
import { openStallingProxy, type StallingProxy } from '../cluster/stalling-proxy.ts';
import { waitFor, waitUntil } from '../wait.ts';

export interface TestDataCentre {
  readonly name: string;
  /** SIGKILL, as a crash; resolves when the process is gone. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay open and nothing answers. Resolves when all of its threads stand still. */
  freeze(): Promise<void>;
  thaw(): void;
  /** Starts it after a kill. Resolves when it takes clients. */
  start(): Promise<void>;
}

/** The link of one data centre to the other, and to who asks it through the links. */
export interface Link {
  cut(): void;
  heal(): void;
}

export interface TestCassandra extends AsyncDisposable {
  readonly centres: readonly [TestDataCentre, TestDataCentre];
  /** Between the two. */
  readonly between: Link;
  /** To the clients of each. */
  readonly toClients: readonly [Link, Link];
  /** As a node of the first, or of the second data centre has them. */
  settings(own?: 0 | 1, keyspace?: string): CassandraSettings;
  /** As a node of the first data centre has them, behind the links to clients. */
  settingsThroughLinks(): CassandraSettings;
}

const readyWithin = { withinMs: 120_000, everyMs: 200 };

/** @throws Error with the last lines of the one that does not come up */
export async function startTwoDataCentres(): Promise<TestCassandra> {
  const dir = await mkdtemp(join(tmpdir(), 'tangaza-cassandra-'));
  const ports = { native: await freePort(), storage: await freePort() };
  // What the other node is told to connect to: proxies listen there.
  const told = [0, 1].map((index) => loopbackOf(index + 10));
  const placeOf = (index: 0 | 1): CassandraPlace => {
    const dataCentre = `region-${index + 1}`;
    return { dataCentre, address: loopbackOf(index), seeds: told, ports, dir: join(dir, dataCentre) };
  };
  const proxyTo = async (index: 0 | 1) => {
    const at = { host: told[index] ?? '', port: ports.storage };
    return {
      nodes: await openStallingProxy(loopbackOf(index), ports.storage, at),
      clients: await openStallingProxy(loopbackOf(index), ports.native),
    };
  };
  const nodes = [nodeOf(placeOf(0), told[0]), nodeOf(placeOf(1), told[1])] as const;
  const proxies = [await proxyTo(0), await proxyTo(1)] as const;
  const [first, second] = nodes;
  const dispose = async (): Promise<void> => {
    first.thaw();
    second.thaw();
    await stopAll(nodes.map(({ process }) => process));
    for (const one of proxies.flatMap(({ nodes: near, clients }) => [near, clients]))
      await one[Symbol.asyncDispose]();
    await rm(dir, { recursive: true, force: true });
  };
  try {
    await Promise.all(nodes.map((node) => node.start()));
  } catch (error) {
    await dispose();
    throw error;
  }
  const centreOf = (index: number) => ({
    name: `region-${index + 1}`,
    contactPoints: [`${loopbackOf(index)}:${ports.native}`],
  });
  const settingsOf = (
    dataCentres: CassandraSettings['dataCentres'],
    keyspace: string,
  ): CassandraSettings => ({
    dataCentres,
    keyspace,
    replication: 1,
    user: undefined,
    password: undefined,
  });
  return {
    centres: [first, second],
    between: linkOf(proxies.map((one) => one.nodes)),
    toClients: [linkOf([proxies[0].clients]), linkOf([proxies[1].clients])],
    settings: (own = 0, keyspace = 'tangaza') => settingsOf([centreOf(own), centreOf(1 - own)], keyspace),
    settingsThroughLinks: () => {
      const centres = proxies.map(({ clients }, index) => ({
        name: `region-${index + 1}`,
        contactPoints: [`127.0.0.1:${clients.port}`],
      }));
      return settingsOf(centres, 'tangaza');
    },
    [Symbol.asyncDispose]: dispose,
  };
}

export function openTestDatabase(settings: CassandraSettings): Database {
  return openCassandra(settings, { clock: systemClock, logger: silentLogger, metrics: noMetrics });
}

/** The settings as a node, or the CLI, is given them. */
export function envOf({ dataCentres, keyspace, replication }: CassandraSettings): Record<string, string> {
  const points = dataCentres.flatMap(({ name, contactPoints }) =>
    contactPoints.map((one) => `${name}/${one}`),
  );
  return {
    TANGAZA_CASSANDRA: points.join(','),
    TANGAZA_CASSANDRA_DATA_CENTRE: dataCentres[0]?.name ?? '',
    TANGAZA_CASSANDRA_KEYSPACE: keyspace,
    TANGAZA_CASSANDRA_REPLICATION: String(replication),
  };
}

export const linkOf = (proxies: readonly StallingProxy[]): Link => ({
  cut: () => proxies.forEach((one) => one.stall()),
  heal: () => proxies.forEach((one) => one.resume()),
});

/** The kernel stops one thread after the other. The state stands behind the thread's name, which may have brackets of its own. */
async function standsStill(pid: number): Promise<boolean> {
  const threads = await readdir(`/proc/${pid}/task`);
  const stats = await Promise.all(threads.map((one) => readFile(`/proc/${pid}/task/${one}/stat`, 'utf8')));
  return stats.every((stat) => stat.slice(stat.lastIndexOf(')')).startsWith(') T'));
}

/** @param told the address that the other node is told */
function nodeOf(
  place: CassandraPlace,
  told: string | undefined,
): TestDataCentre & { readonly process: SupervisedProcess } {
  const logFile = join(place.dir, 'cassandra.log');
  const spec = specOfCassandra(place, logFile);
  appendFileSync(join(place.dir, 'conf/cassandra.yaml'), `broadcast_address: '${told}'\n`);
  const process = supervise(spec, systemClock);
  const signal = (name: NodeJS.Signals): void => {
    if (process.pid !== undefined) globalThis.process.kill(process.pid, name);
  };
  return {
    name: place.dataCentre,
    process,
    kill: async () => void (await process.kill('SIGKILL')),
    freeze: async () => {
      signal('SIGSTOP');
      await waitUntil(`Cassandra of ${place.dataCentre} stands still`, () => standsStill(process.pid ?? 0), {
        everyMs: 5,
      });
    },
    thaw: () => signal('SIGCONT'),
    start: async () => {
      process.start();
      const ask = () => askCql(place.address, place.ports.native, 2000);
      try {
        await waitFor(
          `Cassandra of ${place.dataCentre} answers`,
          ask,
          ({ kind }) => kind === 'somebody',
          readyWithin,
        );
      } catch (error) {
        const said = await readFile(logFile, 'utf8').catch(() => '');
        throw new Error(`Cassandra did not start:\n${said.split('\n').slice(-20).join('\n')}`, {
          cause: error,
        });
      }
    },
  };
}
