/** The Cassandra of a region of the demo: a data centre of one node, its settings, and the demo's stream in it. */
import { join } from 'node:path';
import { openCassandraStreamRegistry } from '../../../actors/control/stream-registry.cassandra.ts';
import type { StreamRegistry } from '../../../actors/control/stream-registry.ts';
import { openCassandra } from '../../../cluster/cassandra/database.cassandra.ts';
import { migrate } from '../../../cluster/cassandra/migrate.cassandra.ts';
import { readMigrations } from '../../../cluster/cassandra/migrations.disk.ts';
import type { CassandraSettings } from '../../../cluster/cassandra/settings.ts';
import { silentLogger } from '../../../cluster/observe/logger.ts';
import { noMetrics } from '../../../cluster/observe/metrics.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import { keptPorts } from './kept-ports.disk.ts';
import { loopbackOf, type CassandraPlace } from './place.ts';

const migrations = join(import.meta.dirname, '../../../config/cassandra');
const keyspace = 'tangaza';

/** @param dataDir of the region. @throws UnusableError as `keptPorts` */
export async function placeOfRegion(region: string, dataDir: string): Promise<CassandraPlace> {
  const address = loopbackOf(0);
  const ports = await keptPorts(dataDir);
  return { dataCentre: region, address, seeds: [address], ports, dir: join(dataDir, 'cassandra') };
}

const pointOf = ({ address, ports }: CassandraPlace): string => `${address}:${ports.native}`;

const settingsOf = (place: CassandraPlace): CassandraSettings => ({
  dataCentres: [{ name: place.dataCentre, contactPoints: [pointOf(place)] }],
  keyspace,
  replication: 1,
  user: undefined,
  password: undefined,
});

/** What the nodes of the region get. */
export function databaseEnv(place: CassandraPlace): Record<string, string> {
  return {
    TANGAZA_DATABASE: 'cassandra',
    TANGAZA_CASSANDRA: `${place.dataCentre}/${pointOf(place)}`,
    TANGAZA_CASSANDRA_DATA_CENTRE: place.dataCentre,
    TANGAZA_CASSANDRA_KEYSPACE: keyspace,
    TANGAZA_CASSANDRA_REPLICATION: '1',
  };
}

/** @returns the names of the migrations that were run */
export async function migrateRegion(place: CassandraPlace, clock: Clock): Promise<readonly string[]> {
  return (await migrate(settingsOf(place), readMigrations(migrations), { clock })).ran;
}

/** Gives the registry to `work`, and closes it. */
export async function inRegistry<T>(
  place: CassandraPlace,
  clock: Clock,
  work: (registry: StreamRegistry) => Promise<T>,
): Promise<T> {
  const database = openCassandra(settingsOf(place), { clock, logger: silentLogger, metrics: noMetrics });
  try {
    return await work(openCassandraStreamRegistry(database));
  } finally {
    await database.close();
  }
}
