/** What a node must know to reach the database of its cluster. */

export interface DataCentre {
  readonly name: string;
  /** `host:port` of some of its nodes. The driver finds the others. */
  readonly contactPoints: readonly string[];
}

export interface CassandraSettings {
  /** One for each region (A3): the own one first, then those that are asked when it fails. */
  readonly dataCentres: readonly DataCentre[];
  readonly keyspace: string;
  /** How many nodes of each data centre keep a row. */
  readonly replication: number;
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** Undefined: connections are not encrypted. */
  readonly tls?: TlsSettings | undefined;
}

/** PEM texts. */
export interface TlsSettings {
  /** Undefined: the authorities that Node.js knows. */
  readonly ca: string | undefined;
  /** What the node shows to Cassandra, where that wants a certificate. */
  readonly cert: string | undefined;
  readonly key: string | undefined;
  /** The certificate must name the address of the node. */
  readonly isNameChecked: boolean;
}

export const defaultPort = 9042;
