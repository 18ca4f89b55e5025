/** Opens the database of a node: it waits until Cassandra answers, and looks whether its schema is the one that this version needs. */
import { errorCodeOf, TangazaError } from '../errors/tangaza-error.ts';
import type { Logger } from '../observe/logger.ts';
import type { Metrics } from '../observe/metrics.ts';
import { sayWhile } from '../observe/say-while.ts';
import type { Clock } from '../time/clock.ts';
import { isOverWithin, unlessAborted } from '../time/within.ts';
import { openCassandra, type OpenedDatabase } from './database.cassandra.ts';
import type { OtherNodes } from './doubt.ts';
import { refusalOf, refusalsOf } from './faults.cassandra.ts';
import { unfitSchema } from './migrate.cassandra.ts';
import { readMigrations } from './migrations.disk.ts';
import { UnusableCluster } from './migrations.ts';
import type { CassandraSettings } from './settings.ts';

interface Ports {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Of the region; absent for who is none of its nodes. */
  readonly others?: OtherNodes | undefined;
}

const pauseMs = 500;
const closeMs = 1000;

/**
 * Waits for the first data centre for ever, as a node may start before its database. The log says that it waits.
 *
 * @param migrations the folder that they are in
 * @param signal the node is told to stop: nobody waits any more
 * @throws UnusableCluster when the schema is another one, or the own data centre lets nobody in, with what to do; the signal's reason
 */
export async function openDatabase(
  settings: CassandraSettings,
  migrations: string,
  ports: Ports,
  signal?: AbortSignal,
): Promise<OpenedDatabase> {
  const known = readMigrations(migrations);
  const database = openCassandra(settings, ports);
  const own = settings.dataCentres[0]?.name;
  const about = { dataCentres: settings.dataCentres.map(({ name }) => name) };
  try {
    const unfit = await sayWhile('Cassandra', about, ports, async (failed) => {
      for (;;) {
        try {
          return await unlessAborted(unfitSchema(database, known), signal);
        } catch (error) {
          signal?.throwIfAborted();
          const refusal = refusalOf(error);
          if (refusal !== undefined && isOf(own, error))
            throw new UnusableCluster(`Cassandra lets nobody in at data centre ${own}: ${refusal}`);
          if (!isPassing(error)) throw error;
          failed(withRefusal(error));
        }
        await ports.clock.sleep(pauseMs, signal);
      }
    });
    if (unfit !== undefined) throw new UnusableCluster(unfit);
    database.doubt();
    return database;
  } catch (error) {
    // The driver waits for a connection that it is making before it closes.
    await isOverWithin(database.close(), { clock: ports.clock, ms: closeMs });
    throw error;
  }
}

/** Another data centre that lets nobody in stops no node: its own one may only be starting. */
const isOf = (dataCentre: string | undefined, error: unknown): boolean =>
  error instanceof TangazaError && error.data['dataCentre'] === dataCentre;

/** Who waits is told what some host refuses. */
function withRefusal(error: unknown): unknown {
  const refusal = refusalsOf(error).find((words) => words !== undefined);
  if (refusal === undefined || !(error instanceof TangazaError)) return error;
  return new Error(`${String(error.data['dataCentre'])}: ${refusal}`, { cause: error });
}

const isPassing = (error: unknown): boolean => ['UNAVAILABLE', 'OVERLOADED'].includes(errorCodeOf(error));
