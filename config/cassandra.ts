/** Reads from the settings where the database is: its data centres, the own one first. */
import { listOf, type EnvValues } from './env.ts';

export interface CassandraConfig {
  readonly dataCentres: readonly { readonly name: string; readonly contactPoints: readonly string[] }[];
  readonly keyspace: string;
  readonly replication: number;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly passwordFile: string | undefined;
  /** Files; undefined: connections are not encrypted. */
  readonly tls:
    | {
        readonly ca: string | undefined;
        readonly cert: string | undefined;
        readonly key: string | undefined;
        readonly isNameChecked: boolean;
      }
    | undefined;
}

export function cassandraOf(values: EnvValues): CassandraConfig {
  const own = values.TANGAZA_CASSANDRA_DATA_CENTRE ?? values.TANGAZA_REGION;
  const points = listOf(values.TANGAZA_CASSANDRA).map((one) => {
    const [host = '', dataCentre = own] = one.split('/').toReversed();
    return { host, dataCentre };
  });
  const names = new Set([own, ...points.map(({ dataCentre }) => dataCentre)]);
  const dataCentres = [...names].map((name) => ({
    name,
    contactPoints: points.filter(({ dataCentre }) => dataCentre === name).map(({ host }) => host),
  }));
  return {
    // The own one may be given no node: it is built up later, and the others serve meanwhile.
    dataCentres: dataCentres.filter(({ contactPoints }) => contactPoints.length > 0),
    keyspace: values.TANGAZA_CASSANDRA_KEYSPACE,
    replication: values.TANGAZA_CASSANDRA_REPLICATION,
    user: values.TANGAZA_CASSANDRA_USER,
    password: values.TANGAZA_CASSANDRA_PASSWORD,
    passwordFile: values.TANGAZA_CASSANDRA_PASSWORD_FILE,
    tls: tlsOf(values),
  };
}

function tlsOf(values: EnvValues): CassandraConfig['tls'] {
  const kind = values.TANGAZA_CASSANDRA_TLS;
  if (kind === 'off') return undefined;
  return {
    ca: values.TANGAZA_CASSANDRA_CA,
    cert: values.TANGAZA_CASSANDRA_CERT,
    key: values.TANGAZA_CASSANDRA_KEY,
    isNameChecked: kind === 'verify-full',
  };
}
