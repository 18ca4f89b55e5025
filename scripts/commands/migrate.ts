/** `tangaza migrate`: brings the schema of Cassandra up to date. Run twice, the second run does nothing. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { UnusableError } from '../../config/unusable.ts';

interface MigrateOptions {
  readonly json?: true;
}

const migrations = join(import.meta.dirname, '../../config/cassandra');

export function migrateCommand(): Command {
  return new Command('migrate')
    .description(
      'Brings the schema of the Cassandra that the TANGAZA_CASSANDRA… variables name up to date, once all of its nodes are there. Run it before nodes of a new version.',
    )
    .option('--json', 'print { keyspace, version, ran: ["NNN-name"] }')
    .action(run);
}

/** Loads the driver only when it is wanted, as every other command would wait for it. */
async function run({ json }: MigrateOptions): Promise<void> {
  const { loadConfig } = await import('../../config/config.ts');
  const { migrate } = await import('../../cluster/cassandra/migrate.cassandra.ts');
  const { readMigrations } = await import('../../cluster/cassandra/migrations.disk.ts');
  const { systemClock: clock } = await import('../../cluster/time/clock.system.ts');
  const { UnusableCluster } = await import('../../cluster/cassandra/migrations.ts');
  const { readCassandraFiles } = await import('../../config/cassandra-files.disk.ts');
  const cassandra = readCassandraFiles(loadConfig(process.env, availableParallelism()).cassandra);
  const say = (line: string): void => void process.stderr.write(`· ${line}\n`);
  try {
    const report = await migrate(cassandra, readMigrations(migrations), { clock, say });
    const { keyspace, version, ran } = report;
    const done = ran.length === 0 ? 'nothing was to be done' : `ran ${ran.join(', ')}`;
    process.stdout.write(
      json ? `${JSON.stringify(report)}\n` : `Keyspace ${keyspace} is of version ${version}; ${done}.\n`,
    );
  } catch (error) {
    if (!(error instanceof UnusableCluster)) throw error;
    throw new UnusableError(error.message, { cause: error });
  }
}
