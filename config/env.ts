/** Names every environment variable once, with its type, unit and default. */
import { z } from 'zod';
import { demandOf, given as toldAs } from '../cluster/errors/input-sentences.ts';
import { nearestName } from './nearest.ts';
import { asTold, httpUrlFault, keysPlaceFault, rtmpUrlFault } from './public-url.ts';

/** Whatever the system would choose for 0, others would be told 0. */
const port = z.coerce
  .number()
  .int()
  .refine((given) => given !== 0, {
    error: 'name a port from 1 to 65535: others are told the one that is written here',
    abort: true,
  })
  .min(1)
  .max(65_535);
const positive = z.coerce.number().int().positive();
/** At least three of the shortest target durations (M11). At most what a window always holds (`leastWindowSeconds`). */
const holdBackRange = 'a whole number of seconds from 6 to 30';
const holdBack = z.coerce
  .number(holdBackRange)
  .int(holdBackRange)
  .min(6, holdBackRange)
  .max(30, holdBackRange);

/** The last five seconds are for publishers to end their segment (`lastMs` of a drain). */
const drainRange = 'a whole number of seconds, at least 10';
const drainSeconds = z.coerce.number(drainRange).int(drainRange).min(10, drainRange);
/** The steps of a stop take up to 9.5 s (drain.ts G5 and G6); with less time the end would be cut off. */
const stopRange = 'a number of seconds from 9.5 to 120';
const stopSeconds = z.coerce.number(stopRange).min(9.5, stopRange).max(120, stopRange);
const weightRange = 'a number from 0.1 to 100';
const weight = z.coerce.number(weightRange).min(0.1, weightRange).max(100, weightRange);

const hostForm = 'an IP address without brackets and port, or a host name';
const hostAddress = z.union([z.ipv4(), z.ipv6(), z.hostname()], hostForm);
const bound = z.string().refine((text) => hostAddress.safeParse(text).success, hostForm);
/** @param faultOf says in words what is wrong with a text */
const faultless = (faultOf: (text: string) => string | undefined) =>
  z.string().superRefine((text, context) => {
    const fault = faultOf(text);
    if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
  });
const publicUrl = (faultOf: (text: string) => string | undefined) => faultless(faultOf).overwrite(asTold);
const addressRange = z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()]);
const addresses = z
  .string()
  .refine((text) => listOf(text).every((one) => addressRange.safeParse(one).success), {
    error: 'addresses or CIDR ranges with commas between, e.g. 10.0.0.0/8,fd00::/8',
  });

/** It stands in CQL between quotes. */
const namePattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
const nameForm = '1 to 64 letters, digits, - and _';
const contactPoint = /^(?:[A-Za-z0-9][A-Za-z0-9_-]{0,63}\/)?[A-Za-z0-9.-]+(?::\d{1,5})?$/;
const dataCentres = z
  .string()
  .refine((text) => listOf(text).length > 0 && listOf(text).every((one) => contactPoint.test(one)), {
    error: 'nodes with commas between, e.g. region-1/10.0.0.1,region-2/10.1.0.1:9042',
  });

/** A caller sends it in an Authorization header, so it may hold only what such a header can carry. */
const bearerToken = z
  .string()
  .min(16)
  .max(1000)
  .regex(/^[\x21-\x7e]*$/, 'must have only ASCII letters, digits and signs, without blanks');

/** The description is for config/README.md. The value of a `secret` is never printed. */
const variable = <S extends z.ZodType>(schema: S, description: string): S => schema.meta({ description });
const secret = <S extends z.ZodType>(schema: S, description: string): S =>
  schema.meta({ description, isSecret: true });

const Variables = z.object({
  TANGAZA_NODE_ID: variable(z.string().default('node-1'), 'Name of this node, unique in all regions.'),
  TANGAZA_REGION: variable(z.string().default('local'), 'Region of this node.'),
  TANGAZA_REGIONS: variable(
    z.string().optional(),
    'File that describes the regions: name, ordinal, gateways; the same on every node of all regions, see config/regions/. Without it there is one region.',
  ),
  TANGAZA_SECRETS: variable(
    z.string().optional(),
    'File of the secrets that all nodes of all regions share: the operator token, and the secret that keys of streams and cursors come from; needed where there are several regions. `secrets.json` of the data folder, made on the first start, when absent.',
  ),
  TANGAZA_ROLES: variable(
    z.string().default('ingest,transcode-worker,edge-delivery,control'),
    'Comma-separated roles of this node: ingest, transcode-worker, edge-delivery, control.',
  ),
  TANGAZA_WEIGHT: variable(
    weight.default(1),
    "Share of this node in its region's streams, publishers and viewers, relative to the others', 0.1 to 100; a drain takes a node out.",
  ),
  TANGAZA_HTTP_HOST: variable(bound.default('127.0.0.1'), 'Address the HTTP listener binds.'),
  TANGAZA_HTTP_PORT: variable(
    port.default(8080),
    'Port of the HTTP listener. Nodes of every role have it: without edge-delivery it serves no viewers, and members ask there whether the node lives.',
  ),
  TANGAZA_RTMP_HOST: variable(bound.default('127.0.0.1'), 'Address the RTMP listener binds.'),
  TANGAZA_RTMP_PORT: variable(port.default(1935), 'Port of the RTMP listener.'),
  TANGAZA_PUBLIC_URL: variable(
    publicUrl(httpUrlFault).optional(),
    'URL under which viewers reach this node: scheme, host and port; default http://HTTP_HOST:HTTP_PORT, the loopback for a wildcard. Needed where nodes on several hosts form a cluster and HTTP_HOST is a wildcard or the loopback.',
  ),
  TANGAZA_PUBLIC_RTMP_URL: variable(
    publicUrl(rtmpUrlFault).optional(),
    'URL under which encoders reach this node, its application included; default rtmp://RTMP_HOST:RTMP_PORT/live. Needed where TANGAZA_PUBLIC_URL is.',
  ),
  TANGAZA_TRUSTED_PROXIES: variable(
    addresses.optional(),
    "Comma-separated addresses and CIDR ranges, IPv4 or IPv6, of the proxies in front of this node: their `X-Forwarded-For`, `-Proto` and `-Host` count, nobody else's. One that is not named is taken for a single viewer's network.",
  ),
  TANGAZA_NATS_URL: variable(
    z.string().default('nats://127.0.0.1:4222'),
    "Comma-separated URLs of the region's NATS servers.",
  ),
  TANGAZA_NATS_CA: variable(
    z.string().optional(),
    "PEM file of the authority of these servers' certificates; the authorities that Node.js knows when absent. Only `tls://` URLs are encrypted for sure.",
  ),
  TANGAZA_NATS_CERT: variable(
    z.string().optional(),
    'PEM file of the certificate that nodes show to these servers, where they want one, as those of config/nats do.',
  ),
  TANGAZA_NATS_KEY: variable(z.string().optional(), 'PEM file of the private key of that certificate.'),
  TANGAZA_NATS_CREDENTIALS: variable(
    z.string().optional(),
    'A NATS credentials file, or a file of two lines, user and password, for servers that want one.',
  ),
  TANGAZA_NATS_REPLICAS: variable(
    z.coerce.number().int().min(1).max(5).default(1),
    'NATS servers that keep a copy of each stream and bucket: 3 in a cluster of three.',
  ),
  TANGAZA_DATA_DIR: variable(
    z.string().default('.tangaza'),
    "Folder of the region's data on this host (SQLite, segments on disk, secrets).",
  ),
  TANGAZA_DATABASE: variable(
    z.enum(['sqlite', 'cassandra']).default('sqlite'),
    'Where streams, keys and comments lie: sqlite (files of the data folder, for nodes of one host) or cassandra; the same on every node.',
  ),
  TANGAZA_CASSANDRA: variable(
    dataCentres.default('127.0.0.1'),
    'Comma-separated nodes of Cassandra to begin with, as data-centre/host or data-centre/host:port; one data centre for each region. Without a data centre it is the own one.',
  ),
  TANGAZA_CASSANDRA_DATA_CENTRE: variable(
    z.string().regex(namePattern, nameForm).optional(),
    "The data centre that this node asks first; default the region's name.",
  ),
  TANGAZA_CASSANDRA_KEYSPACE: variable(
    z
      .string()
      .regex(/^[a-z][a-z0-9_]{0,47}$/, '1 to 48 lower-case letters, digits and _')
      .default('tangaza'),
    'Keyspace of Cassandra; `tangaza migrate` makes it.',
  ),
  TANGAZA_CASSANDRA_REPLICATION: variable(
    z.coerce.number().int().min(1).max(9).default(3),
    'Nodes of each data centre that keep a row; used by `tangaza migrate`.',
  ),
  TANGAZA_CASSANDRA_USER: variable(z.string().optional(), 'User of Cassandra; none when absent.'),
  TANGAZA_CASSANDRA_PASSWORD: secret(z.string().optional(), 'Password of that user.'),
  TANGAZA_CASSANDRA_PASSWORD_FILE: variable(
    z.string().optional(),
    'File of that password, where it is not to stand in the environment.',
  ),
  TANGAZA_CASSANDRA_TLS: variable(
    z.enum(['off', 'verify-ca', 'verify-full']).default('off'),
    'Encryption of connections to Cassandra: off, verify-ca (the certificate is signed by the authority) or verify-full (it also names the address of the node).',
  ),
  TANGAZA_CASSANDRA_CA: variable(
    z.string().optional(),
    "PEM file of the authority of Cassandra's certificates; the authorities that Node.js knows when absent.",
  ),
  TANGAZA_CASSANDRA_CERT: variable(
    z.string().optional(),
    'PEM file of the certificate that nodes show to Cassandra, where it wants one.',
  ),
  TANGAZA_CASSANDRA_KEY: variable(z.string().optional(), 'PEM file of the private key of that certificate.'),
  TANGAZA_STORE: variable(z.enum(['disk', 's3']).default('disk'), 'Where segments lie: disk or s3.'),
  TANGAZA_S3_ENDPOINT: variable(z.url().optional(), 'S3 endpoint; AWS when absent.'),
  TANGAZA_S3_REGION: variable(z.string().default('us-east-1'), 'S3 region.'),
  TANGAZA_S3_BUCKET: variable(z.string().default('tangaza'), 'S3 bucket.'),
  TANGAZA_S3_ACCESS_KEY: secret(z.string().optional(), 'S3 access key.'),
  TANGAZA_S3_SECRET_KEY: secret(z.string().optional(), 'S3 secret key.'),
  TANGAZA_DISK_RESERVE_BYTES: variable(
    positive.default(1_073_741_824),
    'Free bytes the disk store leaves alone before it refuses.',
  ),
  TANGAZA_COMMENT_WORDS: variable(
    z.string().optional(),
    'File of the words that are replaced, held for a moderator or refused in comments; config/comments/words.json, which has none, when absent.',
  ),
  TANGAZA_LADDER: variable(
    z.string().default('default'),
    'Ladder of streams that name none: a file under config/ladders/.',
  ),
  TANGAZA_WORKER_SLOTS: variable(
    z.coerce.number().int().min(0).default(0),
    'Tasks encoded at once; 0 is one for each core but one.',
  ),
  TANGAZA_FFMPEG: variable(z.string().default('ffmpeg'), 'Path of ffmpeg, 5.1 or newer.'),
  TANGAZA_DVR_WINDOW_SECONDS: variable(
    positive.default(1800),
    'How far back a manifest reaches, in seconds; the same on every node of a region.',
  ),
  TANGAZA_HOLD_BACK_SECONDS: variable(
    holdBack.optional(),
    'How far players stay behind the newest segment at least, 6 to 30 s (three target durations where that is more); default 6, with more than one NATS replica 10; the same on every node of a region.',
  ),
  TANGAZA_RETENTION_SECONDS: variable(positive.default(86_400), 'How long segments are kept, in seconds.'),
  TANGAZA_CACHE_BYTES: variable(positive.default(33_554_432), 'Bytes of segments an edge keeps in memory.'),
  TANGAZA_DRAIN_SECONDS: variable(
    drainSeconds.default(30),
    'How long a drained node may take to hand everything over, in seconds, at least 10; its process ends within `TANGAZA_STOP_SECONDS` after that.',
  ),
  TANGAZA_STOP_SECONDS: variable(
    stopSeconds.default(9.5),
    'How long a node that is told to stop may take to end, in seconds, 9.5 to 120; then it gives up, with exit code 1. Less than what its supervisor grants it; more where machines are slow.',
  ),
  TANGAZA_MAX_PUBLISHERS: variable(positive.default(200), 'RTMP connections at once.'),
  TANGAZA_OPERATOR_TOKEN: secret(
    bearerToken.optional(),
    'Bearer token of the control API; generated on first start when absent.',
  ),
  TANGAZA_METRICS_TOKEN: secret(
    bearerToken.optional(),
    'Bearer token that opens `/metrics` and the details of `/readyz`, and nothing else; the operator token opens them as well.',
  ),
  TANGAZA_TOKEN_KEYS: variable(
    z.string().optional(),
    "File with the keys that sign guests' tokens, a JWK set of Ed25519 keys: the private one of this region, the public ones of all, and one secret that all share; made in the data folder when absent.",
  ),
  TANGAZA_ACCOUNT_KEYS: variable(
    faultless(keysPlaceFault).optional(),
    "File or https URL of the keys that sign accounts' tokens, a JWK set; without it there are no accounts but those of `tangaza token create`.",
  ),
  TANGAZA_ACCOUNT_ISSUER: variable(
    z.string().optional(),
    "The claim `iss` that an account's token must have; wanted with `TANGAZA_ACCOUNT_KEYS`.",
  ),
  TANGAZA_ACCOUNT_AUDIENCE: variable(
    z.string().optional(),
    "The claim `aud` that an account's token must have, so that a token for another service opens nothing here; wanted with `TANGAZA_ACCOUNT_KEYS`.",
  ),
  TANGAZA_OPERATOR_PORT: variable(
    port.optional(),
    'Port of a second listener for `/metrics`, `/readyz` and the like, which asks callers of this host for no token; none when absent.',
  ),
  TANGAZA_OPERATOR_HOST: variable(
    bound.default('127.0.0.1'),
    'Address the operator port binds; another one than the loopback needs `TANGAZA_METRICS_TOKEN`, and asks for it.',
  ),
  TANGAZA_LOG_LEVEL: variable(
    z.enum(['debug', 'info', 'warn', 'error']).default('info'),
    'Least level logged.',
  ),
});
export type EnvValues = z.output<typeof Variables>;

export interface Variable {
  readonly schema: z.ZodType;
  readonly help: string;
  readonly isSecret: boolean;
}

export const envSpec: Readonly<Record<string, Variable>> = Object.fromEntries(
  Object.entries(Variables.shape).map(([name, schema]) => {
    const { description, isSecret } = schema.meta() ?? {};
    return [name, { schema, help: description ?? '', isSecret: isSecret === true }];
  }),
);

/** Says what a variable must be. The value of a secret is not repeated. */
function faultWords(env: Readonly<Record<string, string | undefined>>) {
  return (fault: z.core.$ZodRawIssue): string => {
    const name = String(fault.path?.[0] ?? '');
    const demand = demandOf(fault);
    return envSpec[name]?.isSecret === false ? `${demand}; ${toldAs(env[name])} was given` : demand;
  };
}

/** The parts of a comma-separated list, trimmed and without empty ones. */
export function listOf(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/**
 * Reads and checks all variables.
 *
 * @returns the values, or every fault at once, each as one sentence that names the variable
 */
export function parseEnv(
  env: Readonly<Record<string, string | undefined>>,
): { values: EnvValues } | { faults: readonly string[] } {
  const given = Object.entries(env).filter(([name, value]) => name.startsWith('TANGAZA_') && value !== '');
  const unknown = unknownSettings(env).map(describeUnknown);
  const result = Variables.safeParse(Object.fromEntries(given), { error: faultWords(env) });
  const wrong = result.success
    ? []
    : result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  const faults = [...wrong, ...unknown];
  return result.success && faults.length === 0 ? { values: result.data } : { faults };
}

/** Names that begin like a setting and are none. */
export function unknownSettings(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  return Object.entries(env)
    .filter(([name, value]) => name.startsWith('TANGAZA_') && value !== undefined && value !== '')
    .map(([name]) => name)
    .filter((name) => !Object.hasOwn(envSpec, name));
}

/** Settings of earlier versions, with what has taken their place. */
const retired: Readonly<Record<string, string>> = {
  TANGAZA_REGION_ORDINAL:
    'is no setting any more: write it as the ordinal of the region into the file of TANGAZA_REGIONS, see config/regions/; a deployment of one region, which has ordinal 0, leaves it out',
};

export function describeUnknown(name: string): string {
  const instead = retired[name];
  if (instead !== undefined) return `${name}: ${instead}`;
  const meant = nearestName(name, Object.keys(envSpec));
  return `${name}: no such setting${meant === undefined ? '' : `; ${meant} is one`}`;
}
