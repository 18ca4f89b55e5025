/** Makes the driver's client of one data centre. Its defaults are for patient programs; these are for a live page. */
import type { ConnectionOptions } from 'node:tls';
import { Client, policies, types } from 'cassandra-driver';
import { defaultPort, type CassandraSettings, type DataCentre, type TlsSettings } from './settings.ts';

/** A request that is not answered by then has failed. Less than what a call between nodes may take. */
const readMs = 3000;
const connectMs = 2000;
const heartbeatMs = 5000;
/** The driver's own longest pause is 10 minutes. */
const reconnect = { firstMs: 250, mostMs: 10_000 };
/** A read that takes longer than this is asked of a second node as well. */
const speculativeMs = 200;
const requestsPerConnection = 1024;

type Login = Pick<CassandraSettings, 'user' | 'password' | 'tls'>;

/** @param keyspace absent for who is to make it */
export function clientOf(
  { name, contactPoints }: DataCentre,
  { user, password, tls, keyspace }: Login & { readonly keyspace?: string },
): Client {
  return new Client({
    contactPoints: contactPoints.map(withPort),
    localDataCenter: name,
    // Who changes the schema looks itself whether all agree, and needs no copy of it: the driver would take a second for both each time.
    ...(keyspace === undefined
      ? { isMetadataSyncEnabled: false, protocolOptions: { maxSchemaAgreementWaitSeconds: 0 } }
      : { keyspace }),
    ...(user === undefined ? {} : { credentials: { username: user, password: password ?? '' } }),
    ...(tls === undefined ? {} : { sslOptions: sslOptionsOf(tls) }),
    policies: {
      reconnection: new policies.reconnection.ExponentialReconnectionPolicy(
        reconnect.firstMs,
        reconnect.mostMs,
        false,
      ),
      speculativeExecution: new ReadsTwice(speculativeMs, 1),
    },
    pooling: {
      coreConnectionsPerHost: { [types.distance.local]: 1 },
      heartBeatInterval: heartbeatMs,
      maxRequestsPerConnection: requestsPerConnection,
    },
    socketOptions: { readTimeout: readMs, connectTimeout: connectMs },
    queryOptions: { consistency: types.consistencies.localQuorum, prepare: true, isIdempotent: true },
  });
}

/** The driver itself takes any certificate. */
function sslOptionsOf({ ca, cert, key, isNameChecked }: TlsSettings): ConnectionOptions {
  return {
    rejectUnauthorized: true,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(isNameChecked ? {} : { checkServerIdentity: () => undefined }),
  };
}

/** Only reads are asked of a second node: a write would only add to the load. */
class ReadsTwice extends policies.speculativeExecution.ConstantSpeculativeExecutionPolicy {
  readonly #never = { nextExecution: () => -1 };

  override newPlan(keyspace: string, query: string | object[]) {
    const isRead = typeof query === 'string' && query.trimStart().startsWith('SELECT');
    return isRead ? super.newPlan(keyspace, query) : this.#never;
  }
}

const withPort = (point: string): string => (/:\d+$/.test(point) ? point : `${point}:${defaultPort}`);
