/** Migrations on two data centres: once, twice, two at once, and what is refused. */
import { join } from 'node:path';
import { Client } from 'cassandra-driver';
import { describe, expect, test } from 'vitest';
import { migrate, unfitSchema } from '../../cluster/cassandra/migrate.cassandra.ts';
import { openCassandra } from '../../cluster/cassandra/database.cassandra.ts';
import { readMigrations } from '../../cluster/cassandra/migrations.disk.ts';
import { newestOf, parseMigration } from '../../cluster/cassandra/migrations.ts';
import type { CassandraSettings } from '../../cluster/cassandra/settings.ts';
import { silentLogger } from '../../cluster/observe/logger.ts';
import { noMetrics } from '../../cluster/observe/metrics.ts';
import { systemClock as clock } from '../../cluster/time/clock.system.ts';
import { envOf, type TestCassandra } from '../support/cassandra/two-data-centres.ts';
import { runCli } from '../support/cluster/cli.ts';

export const known = readMigrations(join(import.meta.dirname, '../../config/cassandra'));
const version = newestOf(known);
const names = known.map(({ version: one, name }) => `${String(one).padStart(3, '0')}-${name}`);

export function migrationTests(started: () => TestCassandra): void {
  describe('migrations', () => {
    // Goal: of two at once, each statement is run by one, and both data centres have one id for each table. Method: two runs from two data
    // centres on an empty keyspace; then the ids of the tables, as each data centre knows them.
    test('two at once do all of it once, and both data centres have the same tables', async () => {
      const reports = await Promise.all([
        migrate(started().settings(0), known, { clock }),
        migrate(started().settings(1), known, { clock }),
      ]);
      expect(reports.map((report) => report.version)).toEqual([version, version]);
      expect(reports.flatMap(({ ran }) => ran)).toEqual(names);
      const [first, second] = [await tablesOf(started().settings(0)), await tablesOf(started().settings(1))];
      expect(first).toEqual(second);
      expect(first.length).toBeGreaterThan(known.length);
    });

    test('run again does nothing, and says so', async () => {
      const { code, stdout } = await runCli(['migrate', '--json'], '', envOf(started().settings()));
      expect({ code, report: JSON.parse(stdout) }).toEqual({
        code: 0,
        report: { keyspace: 'tangaza', version, ran: [] },
      });
    });

    test('a schema that is newer than this Tangaza is refused, by migrations and by nodes', async () => {
      const settings = started().settings(0, 'later');
      await migrate(settings, [small(900)], { clock });
      await expect(migrate(settings, known, { clock })).rejects.toThrow('of version 900');
      expect(await unfit(settings, known)).toContain('use a later Tangaza');
    });

    test('a migration that was changed after it was run is refused', async () => {
      const [first, ...rest] = known;
      const changed = {
        ...parseMigration('001-comments.cql', 'SELECT now() FROM system.local;'),
        version: first?.version ?? 1,
      };
      await expect(migrate(started().settings(), [changed, ...rest], { clock })).rejects.toThrow(
        'other statements',
      );
    });

    test('a node is told to run migrations where there is no schema, or an older one', async () => {
      expect(await unfit(started().settings(0, 'nothing_here'), known)).toContain('run tangaza migrate');
      const settings = started().settings(0, 'older');
      await migrate(settings, [small(1)], { clock });
      expect(await unfit(settings, [small(1), small(2)])).toContain('run tangaza migrate');
      expect(await unfit(settings, [small(1)])).toBeUndefined();
    });

    test('a data centre that nobody named, or that has too few nodes, is refused with what to do', async () => {
      const { dataCentres, ...rest } = started().settings();
      const alone = { ...rest, dataCentres: dataCentres.slice(0, 1) };
      await expect(migrate(alone, known, { clock })).rejects.toThrow(
        'region-2 that TANGAZA_CASSANDRA does not name',
      );
      const thrice = { ...started().settings(), replication: 3 };
      await expect(migrate(thrice, known, { clock })).rejects.toThrow('TANGAZA_CASSANDRA_REPLICATION');
    });

    test('a data centre that is away is refused, with its name', async () => {
      const { dataCentres, ...rest } = started().settings();
      const [own] = dataCentres;
      const gone = { name: 'region-9', contactPoints: ['127.0.0.9:9'] };
      const settings = { ...rest, dataCentres: [...(own === undefined ? [] : [own]), gone] };
      await expect(migrate(settings, known, { clock })).rejects.toThrow('region-9 does not answer');
      expect(await runCli(['migrate'], '', envOf(settings))).toMatchObject({ code: 2 });
    });
  });
}

const small = (version: number) =>
  parseMigration(
    `${String(version).padStart(3, '0')}-small.cql`,
    `CREATE TABLE IF NOT EXISTS small_${version} (a int PRIMARY KEY) WITH id = {id};`,
  );

async function unfit(settings: CassandraSettings, migrations: typeof known): Promise<string | undefined> {
  const database = openCassandra(settings, { clock, logger: silentLogger, metrics: noMetrics });
  try {
    return await unfitSchema(database, migrations);
  } finally {
    await database.close();
  }
}

/** `name id` of each table, as the own data centre knows it. */
async function tablesOf({ dataCentres, keyspace }: CassandraSettings): Promise<readonly string[]> {
  const [own] = dataCentres;
  const client = new Client({
    contactPoints: [...(own?.contactPoints ?? [])],
    localDataCenter: own?.name ?? '',
  });
  const query = 'SELECT table_name, id FROM system_schema.tables WHERE keyspace_name = ?';
  try {
    const { rows } = await client.execute(query, [keyspace], { prepare: true });
    return rows.map((row) => `${row['table_name']} ${row['id']}`);
  } finally {
    await client.shutdown();
  }
}
