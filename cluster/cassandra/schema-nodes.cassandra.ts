/** Looks at all nodes of all data centres before and after a change of the schema: one that is away would get it late, or twice. */
import { types, type Client } from 'cassandra-driver';
import { z } from 'zod';
import { UnusableCluster } from './migrations.ts';
import type { CassandraSettings, DataCentre } from './settings.ts';

export interface Reached {
  readonly centre: DataCentre;
  readonly client: Client;
}

const patient = { consistency: types.consistencies.one, readTimeout: 20_000 };
const Local = z.object({ schema_version: z.instanceof(types.Uuid) });
/** Null for a node of which no more is known yet than that it is there. */
const Peer = z.object({ data_center: z.string().nullable() });

/**
 * Asks every node that there is for the version of its schema.
 *
 * @returns the versions that are in use: one where all agree
 * @throws UnusableCluster where a node does not answer, a data centre has too few, or one is not in the settings
 */
export async function versionsOf(
  reached: readonly Reached[],
  { replication }: Pick<CassandraSettings, 'replication'>,
): Promise<ReadonlySet<string>> {
  const versions = new Set<string>();
  const named = new Set(reached.map(({ centre }) => centre.name));
  for (const { centre, client } of reached) {
    const seen = new Set([centre.name, ...(await dataCentresSeenBy(client))]);
    for (const name of seen)
      if (!named.has(name))
        throw new UnusableCluster(
          `there is a data centre ${name} that TANGAZA_CASSANDRA does not name: add it, as it gets the tables as well`,
        );
    // Nodes that have just started take a second to hear of each other.
    for (const name of named) if (!seen.has(name)) versions.add(`${centre.name} without ${name}`);
    const hosts = client.hosts.values().filter((host) => host.datacenter === centre.name);
    if (hosts.length < replication)
      throw new UnusableCluster(
        `data centre ${centre.name} has ${hosts.length} node(s), and each row is to be on ${replication}: start more, or set TANGAZA_CASSANDRA_REPLICATION`,
      );
    for (const host of hosts) {
      const { rows } = await client
        .execute('SELECT schema_version FROM system.local', [], {
          host,
          consistency: types.consistencies.one,
        })
        .catch((error: unknown) => {
          throw new UnusableCluster(
            `node ${host.address} of data centre ${centre.name} does not answer: migrations are run when all nodes are there`,
            { cause: error },
          );
        });
      for (const row of rows) versions.add(Local.parse(row).schema_version.toString());
    }
  }
  return versions;
}

async function dataCentresSeenBy(client: Client): Promise<readonly string[]> {
  const { rows } = await client.execute('SELECT data_center FROM system.peers', [], patient);
  return rows.flatMap((row) => Peer.parse(row).data_center ?? []);
}
