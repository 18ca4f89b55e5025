/** The file of the regions: what it means, and what is wrong with a bad one (R1). */
import { expect, test } from 'vitest';
import { RegionId } from '../../../../../cluster/model/ids.ts';
import { parseTopology } from '../../../../../cluster/region/topology/topology-file.ts';

const own = RegionId.parse('eu');
const place = { own, folder: '/etc/tangaza' };
const gateway = { nats: ['tls://nats.example:4222'] };
const eu = { id: 'eu', ordinal: 0, gateway };
const us = { id: 'us', ordinal: 1, gateway };

const parse = (file: unknown) => parseTopology(JSON.stringify(file), place);
function faultsOf(file: unknown): readonly string[] {
  const parsed = parse(file);
  return 'faults' in parsed ? parsed.faults : [];
}

test('regions come in the order of their ordinals, with absolute names of files', () => {
  const access = { nats: ['tls://nats.example:4222'], ca: 'tls/ca.pem', cert: 'c.pem', key: '/k.pem' };
  const position = { latitude: 1, longitude: -2 };
  const far = { id: 'us', ordinal: 7, gateway: { ...access, credentials: 'us.creds' }, position, weight: 2 };
  const tls = { caFile: '/etc/tangaza/tls/ca.pem', certFile: '/etc/tangaza/c.pem', keyFile: '/k.pem' };
  const bare = { natsUrls: ['tls://nats.example:4222'], tls: undefined, credentialsFile: undefined };
  expect(parse({ version: 3, regions: [far, eu] })).toEqual({
    version: 3,
    regions: [
      { id: 'eu', ordinal: 0, gateway: bare, position: undefined, weight: 1 },
      {
        id: 'us',
        ordinal: 7,
        gateway: { ...bare, tls, credentialsFile: '/etc/tangaza/us.creds' },
        position,
        weight: 2,
      },
    ],
  });
});

test('a file of one region needs no gateway', () => {
  expect(faultsOf({ version: 1, regions: [{ id: 'eu', ordinal: 0 }] })).toEqual([]);
});

const two = (change: object) => ({ version: 1, regions: [eu, { ...us, ...change }] });
test.each([
  ['two regions of one name', two({ id: 'eu' }), /^regions\[1\]\.id: regions\[0\] is "eu" as well/],
  ['two regions of one ordinal', two({ ordinal: 0 }), /^regions\[1\]\.ordinal: regions\[0\] has 0 as well/],
  ['an ordinal above 63', two({ ordinal: 64 }), /^regions\[1\]\.ordinal: must be at most 63; 64/],
  ['an ordinal below 0', two({ ordinal: -1 }), /^regions\[1\]\.ordinal: must be at least 0/],
  ['half an ordinal', two({ ordinal: 0.5 }), /^regions\[1\]\.ordinal: must be a whole number/],
  ['a region without gateways', two({ gateway: undefined }), /^regions\[1\]\.gateway\.nats: is empty/],
  ['gateways that are none', two({ gateway: 7 }), /^regions\[1\]\.gateway: must be an object/],
  ["no region of one's own", { version: 1, regions: [us] }, /none is "eu", the region of this node .*"us"/],
  ['no regions at all', { version: 1, regions: [] }, /^regions: must have at least 1 element/],
  ['no version', { regions: [eu] }, /^version: must be a number/],
  ['a field that is none', two({ wieght: 1 }), /^regions\[1\]: must not have "wieght"/],
  ['a name that is none', two({ id: 'U S' }), /^regions\[1\]\.id: must be 1 to 64 lower-case letters/],
  ['a key without a certificate', two({ gateway: { ...gateway, key: 'k' } }), /only one of cert and key/],
  ['a certificate without an authority', two({ gateway: { ...gateway, cert: 'c', key: 'k' } }), /no ca/],
  [
    'a position off the globe',
    two({ position: { latitude: 91, longitude: 0 } }),
    /latitude: must be at most 90/,
  ],
  ['a list', [], /^the file: must be an object/],
])('%s is refused, and nothing else', (_, file, words) => {
  expect(faultsOf(file)).toEqual([expect.stringMatching(words)]);
});

test('text that is no JSON is refused in words', () => {
  expect(parseTopology('{', place)).toEqual({ faults: [expect.stringMatching(/^it is no JSON: /)] });
});

test.each([
  ['nats://nats.example:4222', /not encrypted/],
  ['tls://user:password@nats.example', /must not hold a user or a password/],
  ['https://nats.example', /must be a URL of NATS/],
  ['nats.example:4222', /must be a URL of NATS/],
  ['tls://nats.example/path', /must end behind its port/],
])('the NATS server %s is refused', (url, words) => {
  expect(faultsOf(two({ gateway: { nats: [url] } }))).toEqual([expect.stringMatching(words)]);
});

test.each(['nats://127.0.0.1:4222', 'nats://localhost:4222', 'nats://[::1]:4222', 'tls://10.0.0.1:4222'])(
  'the NATS server %s is taken',
  (url) => {
    expect(faultsOf(two({ gateway: { nats: [url] } }))).toEqual([]);
  },
);

test('all faults of a file are said at once', () => {
  const bad = [
    { id: 'us', ordinal: 64, gateway: { nats: ['nats://nats.example:4222'] } },
    { id: 'us', ordinal: 2, weight: 'much' },
  ];
  expect(faultsOf({ version: 0, regions: bad }).map((fault) => fault.split(':')[0])).toEqual([
    'version',
    'regions[0].ordinal',
    'regions[0].gateway.nats[0]',
    'regions[1].weight',
    'regions[1].id',
    'regions[1].gateway.nats',
    'regions',
  ]);
});
