/** The Cassandra of a demo as a database: its settings, its tables, and the registry of streams in it. */
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
import { fillFrom } from './fill.cassandra.ts';
import { isFilled, noteFilled } from './places.disk.ts';
import { pointOf, type CassandraPlace } from './place.ts';

const migrations = join(import.meta.dirname, '../../../config/cassandra');
const keyspace = 'tangaza';

type Places = readonly CassandraPlace[];

/** @param own the place of the data centre that is asked first */
function settingsOf(places: Places, own = 0): CassandraSettings {
  const inOrder = [...places.slice(own), ...places.slice(0, own)];
  return {
    dataCentres: inOrder.map((place) => ({ name: place.dataCentre, contactPoints: [pointOf(place)] })),
    keyspace,
    replication: 1,
    user: undefined,
    password: undefined,
  };
}

/** What the nodes of a region get. @param own the place of the region's data centre */
export function databaseEnv(places: Places, own: number): Record<string, string> {
  const { dataCentres } = settingsOf(places, own);
  return {
    TANGAZA_DATABASE: 'cassandra',
    TANGAZA_CASSANDRA: dataCentres.map(({ name, contactPoints }) => `${name}/${contactPoints[0]}`).join(','),
    TANGAZA_CASSANDRA_DATA_CENTRE: dataCentres[0]?.name ?? '',
    TANGAZA_CASSANDRA_KEYSPACE: keyspace,
    TANGAZA_CASSANDRA_REPLICATION: '1',
  };
}

interface Ports {
  readonly clock: Clock;
  readonly say: (line: string) => void;
}

/** Makes the tables, and gives what there is to data centres that are new in the folder. All of them must answer. */
export async function migrateAll(places: Places, { clock, say }: Ports): Promise<void> {
  const settings = settingsOf(places);
  const { ran } = await migrate(settings, readMigrations(migrations), { clock });
  if (ran.length > 0) say(`its tables are made: ${ran.join(', ')}`);
  const fresh = places.filter((place) => !isFilled(place));
  if (fresh.length === 0) return;
  const rows = await fillFrom(settings);
  for (const place of fresh) noteFilled(place);
  if (fresh.length < places.length)
    say(`${fresh.map(({ dataCentre }) => dataCentre).join(', ')} got what there was: ${rows} rows`);
}

/** Gives the registry to `work`, and closes it. */
export async function inRegistry<T>(
  places: Places,
  clock: Clock,
  work: (registry: StreamRegistry) => Promise<T>,
): Promise<T> {
  const database = openCassandra(settingsOf(places), { clock, logger: silentLogger, metrics: noMetrics });
  try {
    return await work(openCassandraStreamRegistry(database));
  } finally {
    await database.close();
  }
}
