/**
 * A real Cassandra of two data centres with a node each, on 127.0.0.1 and 127.0.0.2, started by the code that `tangaza up` starts it with.
 * Each can be killed, frozen and started again. Nothing outlives the test process.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
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
import { waitFor } from '../wait.ts';

export interface TestDataCentre {
  readonly name: string;
  /** SIGKILL, as a crash; resolves when the process is gone. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay open and nothing answers. */
  freeze(): void;
  thaw(): void;
  /** Starts it after a kill. Resolves when it takes clients. */
  start(): Promise<void>;
}

export interface TestCassandra extends AsyncDisposable {
  readonly centres: readonly [TestDataCentre, TestDataCentre];
  /** As a node of the first, or of the second data centre has them. */
  settings(own?: 0 | 1, keyspace?: string): CassandraSettings;
}

const readyWithin = { withinMs: 120_000, everyMs: 200 };

/** @throws Error with the last lines of the one that does not come up */
export async function startTwoDataCentres(): Promise<TestCassandra> {
  const dir = await mkdtemp(join(tmpdir(), 'tangaza-cassandra-'));
  const ports = { native: await freePort(), storage: await freePort() };
  const seeds = [0, 1].map(loopbackOf);
  const nodes = [0, 1].map((index) => {
    const name = `region-${index + 1}`;
    const address = loopbackOf(index);
    return nodeOf({ dataCentre: name, address, seeds, ports, dir: join(dir, name) });
  });
  const [first, second] = nodes;
  if (first === undefined || second === undefined) throw new Error('two nodes are two');
  const dispose = async (): Promise<void> => {
    first.thaw();
    second.thaw();
    await stopAll(nodes.map(({ process }) => process));
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
  return {
    centres: [first, second],
    settings: (own = 0, keyspace = 'tangaza') => ({
      dataCentres: [centreOf(own), centreOf(1 - own)],
      keyspace,
      replication: 1,
      user: undefined,
      password: undefined,
    }),
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

function nodeOf(place: CassandraPlace): TestDataCentre & { readonly process: SupervisedProcess } {
  const logFile = join(place.dir, 'cassandra.log');
  const process = supervise(specOfCassandra(place, logFile), systemClock);
  const signal = (name: NodeJS.Signals): void => {
    if (process.pid !== undefined) globalThis.process.kill(process.pid, name);
  };
  return {
    name: place.dataCentre,
    process,
    kill: async () => void (await process.kill('SIGKILL')),
    freeze: () => signal('SIGSTOP'),
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
