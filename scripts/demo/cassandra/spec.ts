/** The command line of a Cassandra node, whose configuration it writes. `tangaza up` and the tests start nodes with it. */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessSpec } from '../supervised-process.system.ts';
import { configFilesOf, type CassandraPlace } from './place.ts';

const root = join(import.meta.dirname, '../../..');
const config = join(root, 'config/cassandra');
const java = join(root, '.toolchain/bin/java-17');
const jars = join(root, '.toolchain/cassandra/lib');
/** What it holds is on disk already; a node that is told to stop only says goodbye to the others. */
const stopMs = 10_000;

export const cassandraNameOf = ({ dataCentre }: Pick<CassandraPlace, 'dataCentre'>): string =>
  `${dataCentre}-cassandra`;

/** Writes the node's configuration, and says how to start it. */
export function specOfCassandra(place: CassandraPlace, logFile: string): ProcessSpec {
  const own = join(place.dir, 'conf');
  mkdirSync(own, { recursive: true });
  const files = configFilesOf(place, readFileSync(join(config, 'cassandra.yaml'), 'utf8'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(own, name), text);
  copyFileSync(join(config, 'logback.xml'), join(own, 'logback.xml'));
  return {
    name: cassandraNameOf(place),
    command: java,
    args: () => [
      `-javaagent:${join(jars, 'jamm-0.4.0.jar')}`,
      `@${join(config, 'jvm17.options')}`,
      `-Dcassandra.config=file://${join(own, 'cassandra.yaml')}`,
      `-Dcassandra.storagedir=${place.dir}`,
      `-Dcassandra.logdir=${join(place.dir, 'logs')}`,
      ...['-cp', `${own}:${join(jars, '*')}`],
      'org.apache.cassandra.service.CassandraDaemon',
    ],
    logFile,
    stopTimeoutMs: stopMs,
    stopTurn: 'last',
  };
}
