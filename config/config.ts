/** Makes the checked configuration of one node from the environment and the defaults. */
import { NodeId, RegionId } from '../cluster/model/ids.ts';
import { listOf, parseEnv, type EnvValues } from './env.ts';
import { cassandraOf, type CassandraConfig } from './cassandra.ts';
import { UnusableError } from './unusable.ts';

export const roles = ['ingest', 'transcode-worker', 'edge-delivery', 'control'] as const;
export type Role = (typeof roles)[number];

export interface NodeConfig {
  readonly nodeId: NodeId;
  readonly region: RegionId;
  /** The file that describes the regions. Undefined in a deployment of one. */
  readonly regionsFile: string | undefined;
  /** The file of the secrets that all regions share. Undefined for the region's own in the data folder. */
  readonly secretsFile: string | undefined;
  readonly roles: ReadonlySet<Role>;
  /** The node's share of the region's streams and viewers, relative to the others' (C4). */
  readonly weight: number;
  readonly http: {
    readonly host: string;
    readonly port: number;
    readonly publicUrl: string | undefined;
    /** Addresses and CIDR ranges. */
    readonly trustedProxies: readonly string[];
  };
  readonly rtmp: {
    readonly host: string;
    readonly port: number;
    readonly publicUrl: string | undefined;
    readonly maxPublishers: number;
  };
  readonly drainSeconds: number;
  readonly stopSeconds: number;
  /** The region's own NATS. Names are of files. */
  readonly nats: {
    readonly servers: readonly string[];
    readonly tls:
      | {
          readonly caFile: string | undefined;
          readonly certFile: string | undefined;
          readonly keyFile: string | undefined;
        }
      | undefined;
    readonly credentialsFile: string | undefined;
  };
  readonly natsReplicas: number;
  readonly dataDir: string;
  /** Of streams, keys and comments. */
  readonly database: 'sqlite' | 'cassandra';
  readonly cassandra: CassandraConfig;
  readonly store:
    | { readonly kind: 'disk'; readonly reserveBytes: number }
    | {
        readonly kind: 's3';
        readonly endpoint: string | undefined;
        readonly region: string;
        readonly bucket: string;
        readonly accessKey: string | undefined;
        readonly secretKey: string | undefined;
      };
  readonly ladder: string;
  readonly worker: { readonly slots: number; readonly ffmpeg: string };
  readonly dvrWindowSeconds: number;
  readonly leastHoldBackSeconds: number;
  readonly retentionSeconds: number;
  readonly cacheBytes: number;
  readonly operatorToken: string | undefined;
  readonly metricsToken: string | undefined;
  /** The file of words that are not wanted in comments. Undefined for config/comments/words.json. */
  readonly wordsFile: string | undefined;
  /** The file of the keys that sign tokens. Undefined for the region's own in the data folder. */
  readonly tokenKeysFile: string | undefined;
  /** Whose tokens count as an account's. Undefined where the operator brings no accounts. */
  readonly accounts: AccountSettings | undefined;
  /** The listener for what concerns the machine. On the loopback address it needs no token. */
  readonly operator:
    | { readonly host: string; readonly port: number; readonly isLoopback: boolean }
    | undefined;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
}

export interface AccountSettings {
  /** A file, or a URL. */
  readonly keys: string;
  readonly issuer: string;
  readonly audience: string;
}

/** A configuration that cannot be used. `faults` lists all faults, each as one sentence. */
export class ConfigError extends UnusableError {
  override readonly name = 'ConfigError';
  readonly faults: readonly string[];
  constructor(faults: readonly string[]) {
    super(
      `The configuration has ${faults.length} fault(s):\n${faults.map((fault) => `  ${fault}`).join('\n')}`,
    );
    this.faults = faults;
  }
}

/** @param cores the number of cores of this machine. @throws ConfigError with every fault at once */
export function loadConfig(env: Readonly<Record<string, string | undefined>>, cores: number): NodeConfig {
  const parsed = parseEnv(env);
  if ('faults' in parsed) throw new ConfigError(parsed.faults);
  const { values } = parsed;
  const faults: string[] = [];
  const nodeId = NodeId.safeParse(values.TANGAZA_NODE_ID);
  if (!nodeId.success) faults.push('TANGAZA_NODE_ID: lower-case letters, digits, - and _, 64 at most');
  const region = RegionId.safeParse(values.TANGAZA_REGION);
  if (!region.success) faults.push('TANGAZA_REGION: lower-case letters, digits, - and _, 64 at most');
  const named = listOf(values.TANGAZA_ROLES);
  const known = roles.filter((role) => named.includes(role));
  const strange = named.filter((role) => !roles.some((one) => one === role));
  if (strange.length > 0)
    faults.push(`TANGAZA_ROLES: no such role: ${strange.join(', ')}; there are ${roles.join(', ')}`);
  if (known.length === 0) faults.push('TANGAZA_ROLES: a node needs a role');
  faults.push(...faultsTogether(values));
  if (!nodeId.success || !region.success || faults.length > 0) throw new ConfigError(faults);
  return {
    nodeId: nodeId.data,
    region: region.data,
    roles: new Set(known),
    weight: values.TANGAZA_WEIGHT,
    http: {
      host: values.TANGAZA_HTTP_HOST,
      port: values.TANGAZA_HTTP_PORT,
      publicUrl: values.TANGAZA_PUBLIC_URL,
      trustedProxies: listOf(values.TANGAZA_TRUSTED_PROXIES ?? ''),
    },
    rtmp: {
      host: values.TANGAZA_RTMP_HOST,
      port: values.TANGAZA_RTMP_PORT,
      publicUrl: values.TANGAZA_PUBLIC_RTMP_URL,
      maxPublishers: values.TANGAZA_MAX_PUBLISHERS,
    },
    drainSeconds: values.TANGAZA_DRAIN_SECONDS,
    stopSeconds: values.TANGAZA_STOP_SECONDS,
    nats: natsOf(values),
    natsReplicas: values.TANGAZA_NATS_REPLICAS,
    dataDir: values.TANGAZA_DATA_DIR,
    database: values.TANGAZA_DATABASE,
    cassandra: cassandraOf(values),
    store:
      values.TANGAZA_STORE === 'disk'
        ? { kind: 'disk', reserveBytes: values.TANGAZA_DISK_RESERVE_BYTES }
        : {
            kind: 's3',
            endpoint: values.TANGAZA_S3_ENDPOINT,
            region: values.TANGAZA_S3_REGION,
            bucket: values.TANGAZA_S3_BUCKET,
            accessKey: values.TANGAZA_S3_ACCESS_KEY,
            secretKey: values.TANGAZA_S3_SECRET_KEY,
          },
    ladder: values.TANGAZA_LADDER,
    worker: {
      slots: values.TANGAZA_WORKER_SLOTS === 0 ? Math.max(1, cores - 1) : values.TANGAZA_WORKER_SLOTS,
      ffmpeg: values.TANGAZA_FFMPEG,
    },
    dvrWindowSeconds: values.TANGAZA_DVR_WINDOW_SECONDS,
    leastHoldBackSeconds:
      values.TANGAZA_HOLD_BACK_SECONDS ?? defaultHoldBackSeconds(values.TANGAZA_NATS_REPLICAS),
    retentionSeconds: values.TANGAZA_RETENTION_SECONDS,
    cacheBytes: values.TANGAZA_CACHE_BYTES,
    operatorToken: values.TANGAZA_OPERATOR_TOKEN,
    metricsToken: values.TANGAZA_METRICS_TOKEN,
    ...sharedOf(values),
    ...audienceOf(values),
    operator: operatorPortOf(values),
    logLevel: values.TANGAZA_LOG_LEVEL,
  };
}

const sharedOf = (values: EnvValues): Pick<NodeConfig, 'regionsFile' | 'secretsFile'> => ({
  regionsFile: values.TANGAZA_REGIONS,
  secretsFile: values.TANGAZA_SECRETS,
});

function audienceOf(values: EnvValues): Pick<NodeConfig, 'wordsFile' | 'tokenKeysFile' | 'accounts'> {
  return {
    wordsFile: values.TANGAZA_COMMENT_WORDS,
    tokenKeysFile: values.TANGAZA_TOKEN_KEYS,
    accounts: accountsOf(values),
  };
}

function natsOf(values: EnvValues): NodeConfig['nats'] {
  const { TANGAZA_NATS_CA: caFile, TANGAZA_NATS_CERT: certFile, TANGAZA_NATS_KEY: keyFile } = values;
  const isPlain = [caFile, certFile, keyFile].every((file) => file === undefined);
  return {
    servers: listOf(values.TANGAZA_NATS_URL),
    tls: isPlain ? undefined : { caFile, certFile, keyFile },
    credentialsFile: values.TANGAZA_NATS_CREDENTIALS,
  };
}

/** Only programs on this host can reach it. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

interface Listening {
  readonly setting: string;
  readonly host: string;
  readonly port: number;
}

/** Says whether who listens at `a` has the address `b` as well: `::` takes all, 0.0.0.0 those of IPv4. */
const covers = (a: string, b: string): boolean =>
  a === b || a === '::' || (a === '0.0.0.0' && !b.includes(':'));

/** The kernel would say only that the port is taken, and nobody that it is by the node itself. */
function portFaults(values: EnvValues): readonly string[] {
  const { TANGAZA_OPERATOR_PORT: operatorPort } = values;
  const listeners: readonly Listening[] = [
    { setting: 'TANGAZA_HTTP_PORT', host: values.TANGAZA_HTTP_HOST, port: values.TANGAZA_HTTP_PORT },
    ...(listOf(values.TANGAZA_ROLES).includes('ingest')
      ? [{ setting: 'TANGAZA_RTMP_PORT', host: values.TANGAZA_RTMP_HOST, port: values.TANGAZA_RTMP_PORT }]
      : []),
    ...(operatorPort === undefined
      ? []
      : [{ setting: 'TANGAZA_OPERATOR_PORT', host: values.TANGAZA_OPERATOR_HOST, port: operatorPort }]),
  ];
  const meet = (a: Listening, b: Listening): boolean =>
    a.port === b.port && (covers(a.host, b.host) || covers(b.host, a.host));
  return listeners.flatMap((one, index) => {
    const first = listeners.slice(0, index).find((other) => meet(one, other));
    return first === undefined
      ? []
      : [
          `${one.setting}: ${one.port} is that of ${first.setting} as well: give each listener a port of its own`,
        ];
  });
}

/** What is wrong with settings that are right each by itself. */
function faultsTogether(values: EnvValues): readonly string[] {
  const accounts = [
    values.TANGAZA_ACCOUNT_KEYS,
    values.TANGAZA_ACCOUNT_ISSUER,
    values.TANGAZA_ACCOUNT_AUDIENCE,
  ].filter((value) => value !== undefined);
  return [
    ...portFaults(values),
    ...((values.TANGAZA_NATS_CERT === undefined) === (values.TANGAZA_NATS_KEY === undefined)
      ? []
      : ['TANGAZA_NATS_CERT: give TANGAZA_NATS_KEY as well, or none of the two']),
    ...(isLoopback(values.TANGAZA_OPERATOR_HOST) || values.TANGAZA_METRICS_TOKEN !== undefined
      ? []
      : [
          'TANGAZA_OPERATOR_HOST: an address other than the loopback needs TANGAZA_METRICS_TOKEN, which scrapes must then send',
        ]),
    ...(accounts.length === 0 || accounts.length === 3
      ? []
      : [
          'TANGAZA_ACCOUNT_KEYS: give TANGAZA_ACCOUNT_ISSUER and TANGAZA_ACCOUNT_AUDIENCE as well, or none of the three: with keys alone the tokens of other services would count here',
        ]),
  ];
}

function accountsOf({
  TANGAZA_ACCOUNT_KEYS: keys,
  TANGAZA_ACCOUNT_ISSUER: issuer,
  TANGAZA_ACCOUNT_AUDIENCE: audience,
}: EnvValues): AccountSettings | undefined {
  const isWhole = keys !== undefined && issuer !== undefined && audience !== undefined;
  return isWhole ? { keys, issuer, audience } : undefined;
}

function operatorPortOf({
  TANGAZA_OPERATOR_HOST: host,
  TANGAZA_OPERATOR_PORT: port,
}: EnvValues): NodeConfig['operator'] {
  return port === undefined ? undefined : { host, port, isLoopback: isLoopback(host) };
}

/**
 * A single server that is restarted is back within 6 s. Replicas elect a new leader when theirs dies. That takes nats-server 4 to 9 s, in
 * which nothing is committed (C8).
 */
function defaultHoldBackSeconds(natsReplicas: number): number {
  return natsReplicas > 1 ? 10 : 6;
}
