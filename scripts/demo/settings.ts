/** Decides what a demo does with its user's TANGAZA_… variables. Its nodes get them, except those that the demo sets itself. */
import { ConfigError, loadConfig } from '../../config/config.ts';
import { describeUnknown, unknownSettings } from '../../config/env.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** Variables that the demo sets for each node, or for none, with what to use instead. */
const setByDemo: Readonly<Record<string, string>> = {
  TANGAZA_NODE_ID: 'the demo names its nodes',
  TANGAZA_REGION: 'the demo names its regions',
  TANGAZA_REGIONS: 'use --regions',
  TANGAZA_SECRETS: 'the demo makes secrets of its own',
  TANGAZA_HTTP_HOST: 'a demo listens on 127.0.0.1 alone',
  TANGAZA_HTTP_PORT: 'use --port-base',
  TANGAZA_OPERATOR_PORT: 'it lies 100 above --port-base',
  TANGAZA_RTMP_HOST: 'a demo listens on 127.0.0.1 alone',
  TANGAZA_RTMP_PORT: 'use --rtmp-base',
  TANGAZA_PUBLIC_URL: 'it cannot be the address of several nodes',
  TANGAZA_PUBLIC_RTMP_URL: 'it cannot be the address of several nodes',
  TANGAZA_NATS_URL: 'the demo starts its own nats-server',
  TANGAZA_NATS_REPLICAS: 'the demo has one nats-server',
  TANGAZA_DATA_DIR: 'use --data',
  TANGAZA_OPERATOR_TOKEN: 'the demo has a token of its own, which it prints',
  TANGAZA_TOKEN_KEYS: 'the demo makes one file of keys for its regions',
  TANGAZA_DATABASE: 'use --comments',
  TANGAZA_CASSANDRA: 'use --comments cassandra, which starts one',
  TANGAZA_CASSANDRA_DATA_CENTRE: 'use --comments cassandra, which starts one',
  TANGAZA_CASSANDRA_KEYSPACE: 'use --comments cassandra, which starts one',
  TANGAZA_CASSANDRA_REPLICATION: 'use --comments cassandra, which starts one',
  TANGAZA_CASSANDRA_USER: 'use --comments cassandra, which starts one',
  TANGAZA_CASSANDRA_PASSWORD: 'use --comments cassandra, which starts one',
  TANGAZA_CASSANDRA_PASSWORD_FILE: 'use --comments cassandra, which starts one',
  TANGAZA_CASSANDRA_TLS: 'use --comments cassandra, which starts one',
  TANGAZA_CASSANDRA_CA: 'use --comments cassandra, which starts one',
  TANGAZA_CASSANDRA_CERT: 'use --comments cassandra, which starts one',
  TANGAZA_CASSANDRA_KEY: 'use --comments cassandra, which starts one',
  TANGAZA_STORE: 'use --store',
  TANGAZA_S3_ENDPOINT: 'use --store s3, which starts a server',
  TANGAZA_S3_REGION: 'use --store s3, which starts a server',
  TANGAZA_S3_BUCKET: 'use --store s3, which starts a server',
  TANGAZA_S3_ACCESS_KEY: 'use --store s3, which starts a server',
  TANGAZA_S3_SECRET_KEY: 'use --store s3, which starts a server',
};

export interface SettingsReview {
  /** Settings that a node would refuse. */
  readonly faults: readonly string[];
  /** Settings that have no effect. */
  readonly warnings: readonly string[];
}

/** @param cores the number of cores of this machine */
export function reviewSettings(env: Env, cores: number): SettingsReview {
  const unknown = unknownSettings(env);
  const overruled = Object.keys(setByDemo).filter((name) => (env[name] ?? '') !== '');
  return {
    faults: faultsOf({ ...env, ...withoutUseless(env) }, cores),
    warnings: [
      ...unknown.map((name) => `${describeUnknown(name)}; it is ignored`),
      ...overruled.map((name) => `${name} has no effect on a demo: ${setByDemo[name]}`),
    ],
  };
}

/** Laid over the environment, it removes what a node must not get: unknown names, which it refuses, and what the demo sets. */
export function withoutUseless(env: Env): Readonly<Record<string, undefined>> {
  const names = [...unknownSettings(env), ...Object.keys(setByDemo)];
  return Object.fromEntries(names.map((name) => [name, undefined]));
}

function faultsOf(env: Env, cores: number): readonly string[] {
  try {
    loadConfig(env, cores);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}
