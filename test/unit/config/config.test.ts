import { expect, test } from 'vitest';
import { ConfigError, loadConfig } from '../../../config/config.ts';

test('an empty environment gives a node with every role', () => {
  const config = loadConfig({}, 4);
  expect([...config.roles]).toEqual(['ingest', 'transcode-worker', 'edge-delivery', 'control']);
  expect(config.worker.slots).toBeGreaterThan(0);
});

test('every fault is told at once, each naming its variable', () => {
  const env = {
    TANGAZA_HTTP_PORT: '99999',
    TANGAZA_STORE: 'tape',
    TANGAZA_LOG_LEVEL: 'loud',
    TANGAZA_TYPO: '1',
  };
  const faults = faultsOf(env);
  for (const name of Object.keys(env))
    expect(faults.filter((fault) => fault.startsWith(`${name}:`))).toHaveLength(1);
});

// As it once was: the system chose a port, and members and encoders were told 0.
test.each(['TANGAZA_HTTP_PORT', 'TANGAZA_RTMP_PORT', 'TANGAZA_OPERATOR_PORT'])(
  '%s: 0 is refused in words',
  (name) => {
    expect(faultsOf({ [name]: '0' })).toEqual([
      `${name}: name a port from 1 to 65535: others are told the one that is written here`,
    ]);
  },
);

// As they once were: "Too big: expected number to be <=65535".
test('a fault says what must be and what was given, but no secret', () => {
  expect(faultsOf({ TANGAZA_HTTP_PORT: '99999' })).toEqual([
    'TANGAZA_HTTP_PORT: must be at most 65535; "99999" was given',
  ]);
  expect(faultsOf({ TANGAZA_RTMP_PORT: 'many' })).toEqual([
    'TANGAZA_RTMP_PORT: must be a number; "many" was given',
  ]);
  expect(faultsOf({ TANGAZA_METRICS_TOKEN: 'hunter2' })).toEqual([
    'TANGAZA_METRICS_TOKEN: must have at least 16 characters',
  ]);
});

// As it once was: the node started, and its token opened nothing.
test.each(['TANGAZA_OPERATOR_TOKEN', 'TANGAZA_METRICS_TOKEN'])('%s is one that a caller can send', (name) => {
  const signs = `${name}: must have only ASCII letters, digits and signs, without blanks`;
  expect(faultsOf({ [name]: 'a token with blanks in it' })).toEqual([signs]);
  expect(faultsOf({ [name]: 'Schlüssel-der-Sendeleitung' })).toEqual([signs]);
  expect(faultsOf({ [name]: 'x'.repeat(1001) })).toEqual([`${name}: must have at most 1000 characters`]);
  expect(loadConfig({ [name]: `${'x'.repeat(999)}~` }, 4).nodeId).toBe('node-1');
});

test('a role that does not exist is refused with the ones that do', () => {
  expect(faultsOf({ TANGAZA_ROLES: 'ingest,juggler' })).toEqual([expect.stringContaining('juggler')]);
});

test('an empty value is the default', () => {
  expect(loadConfig({ TANGAZA_HTTP_PORT: '' }, 4).http.port).toBe(8080);
});

// The election of a leader takes nats-server 4 to 9 s; one server elects none (C8).
test('the least hold-back follows the NATS replicas unless it is set', () => {
  const held = (env: Record<string, string>): number => loadConfig(env, 4).leastHoldBackSeconds;
  expect(held({})).toBe(6);
  expect(held({ TANGAZA_NATS_REPLICAS: '3' })).toBe(10);
  expect(held({ TANGAZA_NATS_REPLICAS: '2' })).toBe(10);
  expect(held({ TANGAZA_NATS_REPLICAS: '3', TANGAZA_HOLD_BACK_SECONDS: '6' })).toBe(6);
  expect(held({ TANGAZA_HOLD_BACK_SECONDS: '30' })).toBe(30);
});

test.for(['5', '31', '7.5', 'long'])('a hold-back of %s is refused in words', (value) => {
  expect(faultsOf({ TANGAZA_HOLD_BACK_SECONDS: value })).toEqual([
    'TANGAZA_HOLD_BACK_SECONDS: a whole number of seconds from 6 to 30',
  ]);
});

test('a drain of less than 10 s, in which nothing could be handed over, is refused in words', () => {
  expect(loadConfig({ TANGAZA_DRAIN_SECONDS: '10' }, 4).drainSeconds).toBe(10);
  for (const value of ['9', '5', '0', '10.5', 'soon'])
    expect(faultsOf({ TANGAZA_DRAIN_SECONDS: value })).toEqual([
      'TANGAZA_DRAIN_SECONDS: a whole number of seconds, at least 10',
    ]);
});

test('a stop in less time than what it does takes is refused in words, and one without end', () => {
  expect(loadConfig({}, 4).stopSeconds).toBe(9.5);
  expect(loadConfig({ TANGAZA_STOP_SECONDS: '30' }, 4).stopSeconds).toBe(30);
  for (const value of ['9', '0', '121', 'soon', 'Infinity'])
    expect(faultsOf({ TANGAZA_STOP_SECONDS: value })).toEqual([
      'TANGAZA_STOP_SECONDS: a number of seconds from 9.5 to 120',
    ]);
});

test('a weight is 1 unless it is set, and is refused in words where it would put a node out of every line', () => {
  expect({
    byDefault: loadConfig({}, 4).weight,
    given: loadConfig({ TANGAZA_WEIGHT: '2.5' }, 4).weight,
  }).toEqual({ byDefault: 1, given: 2.5 });
  for (const value of ['0', '-1', '101', 'heavy', 'NaN', 'Infinity'])
    expect(faultsOf({ TANGAZA_WEIGHT: value })).toEqual(['TANGAZA_WEIGHT: a number from 0.1 to 100']);
});

test('the setting of earlier versions for ordinals is refused, with where it stands now', () => {
  for (const value of ['0', '1'])
    expect(faultsOf({ TANGAZA_REGION_ORDINAL: value })).toEqual([
      expect.stringMatching(/^TANGAZA_REGION_ORDINAL: is no setting any more: .*TANGAZA_REGIONS/),
    ]);
});

// As it once was: the node could not listen, "the address is in use or not ours", and it was in use by the node itself.
test.each([
  [{ TANGAZA_OPERATOR_PORT: '8080' }, 'TANGAZA_OPERATOR_PORT: 8080 is that of TANGAZA_HTTP_PORT as well'],
  [{ TANGAZA_RTMP_PORT: '8080' }, 'TANGAZA_RTMP_PORT: 8080 is that of TANGAZA_HTTP_PORT as well'],
  [
    { TANGAZA_OPERATOR_PORT: '1935', TANGAZA_RTMP_HOST: '0.0.0.0' },
    'TANGAZA_OPERATOR_PORT: 1935 is that of TANGAZA_RTMP_PORT as well',
  ],
])('two listeners of a node on one port are refused: %j', (env, words) => {
  expect(faultsOf(env)).toEqual([`${words}: give each listener a port of its own`]);
});

test('one port on two addresses, or of a listener that the node does not have, is no fault', () => {
  expect(faultsOf({ TANGAZA_OPERATOR_PORT: '8080', TANGAZA_HTTP_HOST: '10.0.0.5' })).toEqual([]);
  expect(faultsOf({ TANGAZA_RTMP_PORT: '8080', TANGAZA_ROLES: 'edge-delivery' })).toEqual([]);
  const both = { TANGAZA_HTTP_HOST: '0.0.0.0', TANGAZA_OPERATOR_HOST: '::1' };
  expect(faultsOf({ ...both, TANGAZA_OPERATOR_PORT: '8080' })).toEqual([]);
});

test('an operator port that others can reach needs a token for scrapes', () => {
  const token = { TANGAZA_METRICS_TOKEN: 'a-token-of-16-letters' };
  const at = (host: string, more = {}) =>
    loadConfig({ TANGAZA_OPERATOR_PORT: '8180', TANGAZA_OPERATOR_HOST: host, ...more }, 4).operator;
  expect(loadConfig({}, 4).operator).toBeUndefined();
  expect(at('')).toEqual({ host: '127.0.0.1', port: 8180, isLoopback: true });
  expect(at('::1')).toMatchObject({ isLoopback: true });
  expect(at('10.0.0.5', token)).toMatchObject({ isLoopback: false });
  for (const host of ['0.0.0.0', '::', '10.0.0.5', 'monitor.example.org'])
    expect(faultsOf({ TANGAZA_OPERATOR_HOST: host })).toEqual([
      expect.stringMatching(/^TANGAZA_OPERATOR_HOST: .*TANGAZA_METRICS_TOKEN/),
    ]);
});

test('trusted proxies are addresses and ranges; what is none is refused in words', () => {
  expect(loadConfig({}, 4).http.trustedProxies).toEqual([]);
  expect(loadConfig({ TANGAZA_TRUSTED_PROXIES: '10.0.0.0/8, ::1,fd00::/8' }, 4).http.trustedProxies).toEqual([
    '10.0.0.0/8',
    '::1',
    'fd00::/8',
  ]);
  for (const value of ['proxy.example.org', '10.0.0.0/33', '*', '10.0.0.1;10.0.0.2'])
    expect(faultsOf({ TANGAZA_TRUSTED_PROXIES: value })).toEqual([
      'TANGAZA_TRUSTED_PROXIES: addresses or CIDR ranges with commas between, e.g. 10.0.0.0/8,fd00::/8',
    ]);
});

function faultsOf(env: Record<string, string>): readonly string[] {
  try {
    loadConfig(env, 4);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}

const accounts = {
  TANGAZA_ACCOUNT_KEYS: 'https://id.example.org/jwks.json',
  TANGAZA_ACCOUNT_ISSUER: 'https://id.example.org',
  TANGAZA_ACCOUNT_AUDIENCE: 'tangaza',
};

test('accounts are settled by their keys, issuer and audience', () => {
  expect(loadConfig(accounts, 4).accounts).toEqual({
    keys: 'https://id.example.org/jwks.json',
    issuer: 'https://id.example.org',
    audience: 'tangaza',
  });
  expect(loadConfig({}, 4).accounts).toBeUndefined();
});

test.each(Object.keys(accounts))('accounts without %s are refused, or foreign tokens would count', (name) => {
  expect(faultsOf({ ...accounts, [name]: '' })).toEqual([expect.stringContaining('TANGAZA_ACCOUNT_KEYS: ')]);
});

test.each([
  'http://id.example.org/jwks',
  'ftp://id.example.org/x',
  'https://me:secret@id.example.org/',
  'https://',
])('keys of accounts do not come from %s', (keys) => {
  expect(faultsOf({ ...accounts, TANGAZA_ACCOUNT_KEYS: keys })).toEqual([
    expect.stringContaining('TANGAZA_ACCOUNT_KEYS: '),
  ]);
});

test.each(['/etc/tangaza/keys.json', 'keys.json', 'http://127.0.0.1:9000/jwks', 'http://localhost/jwks'])(
  'keys of accounts may come from %s',
  (keys) => {
    expect(loadConfig({ ...accounts, TANGAZA_ACCOUNT_KEYS: keys }, 4).accounts?.keys).toBe(keys);
  },
);
