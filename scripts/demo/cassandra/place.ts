/** Decides what a Cassandra node of the demo, or of a test, is: a data centre of its own on a loopback address, and its files. */

export interface CassandraPlace {
  /** One data centre for each region, and one node in each (A3). */
  readonly dataCentre: string;
  readonly address: string;
  /** Of all its nodes, this one among them. */
  readonly seeds: readonly string[];
  readonly ports: CassandraPorts;
  /** Its data, logs and configuration. */
  readonly dir: string;
}

export interface CassandraPorts {
  /** For clients (CQL). */
  readonly native: number;
  /** Between nodes: the same for all of them. */
  readonly storage: number;
}

/** The files of a node's configuration by name. @param template the text of `config/cassandra/cassandra.yaml` */
export function configFilesOf(
  { dataCentre, address, seeds, ports, dir }: CassandraPlace,
  template: string,
): Readonly<Record<string, string>> {
  const values: Readonly<Record<string, string>> = {
    address,
    seeds: seeds.map((seed) => `${seed}:${ports.storage}`).join(','),
    storagePort: String(ports.storage),
    nativePort: String(ports.native),
    dir,
  };
  return {
    'cassandra.yaml': template.replaceAll(/\{ ?(\w+) ?\}/g, (whole, name: string) => values[name] ?? whole),
    'cassandra-rackdc.properties': `dc=${dataCentre}\nrack=r1\n`,
  };
}

/** The loopback address of the region with that place, from 0. Linux has all of 127/8. */
export const loopbackOf = (index: number): string => `127.0.0.${index + 1}`;

/** Where clients reach it. */
export const pointOf = ({ address, ports }: Pick<CassandraPlace, 'address' | 'ports'>): string =>
  `${address}:${ports.native}`;
