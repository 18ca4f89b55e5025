/**
 * Gives a data centre that was added to a demo's database what the others have. Every row is read with all copies of it asked: a copy that
 * lacks it is written before the answer (read repair). That suits the amounts of a demo; in production it is `nodetool rebuild`.
 */
import { types } from 'cassandra-driver';
import { z } from 'zod';
import { clientOf } from '../../../cluster/cassandra/client.cassandra.ts';
import type { CassandraSettings } from '../../../cluster/cassandra/settings.ts';

const rowsAtOnce = 500;
const readMs = 20_000;
const Table = z.object({ table_name: z.string() });

/** @returns how many rows there are. @throws the driver's error when a data centre does not answer: then it is to be done again */
export async function fillFrom(settings: CassandraSettings): Promise<number> {
  const [first] = settings.dataCentres;
  if (first === undefined || settings.dataCentres.length < 2) return 0;
  const client = clientOf(first, settings);
  const all = { consistency: types.consistencies.all, fetchSize: rowsAtOnce, readTimeout: readMs };
  try {
    const query = 'SELECT table_name FROM system_schema.tables WHERE keyspace_name = ?';
    const tables = (await client.execute(query, [settings.keyspace])).rows;
    let count = 0;
    for (const row of tables) {
      let pageState: string | undefined;
      do {
        const asked = `SELECT * FROM ${Table.parse(row).table_name}`;
        const page = await client.execute(asked, [], {
          ...all,
          ...(pageState !== undefined && { pageState }),
        });
        count += page.rows.length;
        pageState = page.pageState ?? undefined;
      } while (pageState !== undefined);
    }
    return count;
  } finally {
    await client.shutdown();
  }
}
