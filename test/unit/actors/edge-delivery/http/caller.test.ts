import { describe, expect, test } from 'vitest';
import {
  callerAddress,
  callerOrigin,
  canonicalAddress,
  maxHops,
} from '../../../../../actors/edge-delivery/http/caller.ts';
import { trustedProxies } from '../../../../../actors/edge-delivery/http/trusted-proxies.system.ts';

const isTrusted = trustedProxies(['10.0.0.0/8', '192.0.2.7', 'fd00::/8', '2001:db8::7']);
const nobody = trustedProxies([]);
const ownUrl = 'https://edge-1.example.org';
const hop = (remoteAddress: string, headers: Readonly<Record<string, string>> = {}) => ({
  remoteAddress,
  header: (name: string) => headers[name] ?? '',
});
const mapped = (last: string): string => `0000:0000:0000:0000:0000:ffff:${last}`;

const callers: readonly (readonly [name: string, peer: string, forwarded: string, caller: string])[] = [
  ['no header', '203.0.113.9', '', '203.0.113.9'],
  ['a stranger who names another', '203.0.113.9', '198.51.100.1', '203.0.113.9'],
  ['a stranger who names a proxy', '203.0.113.9', '198.51.100.1, 10.0.0.1', '203.0.113.9'],
  ['a proxy', '10.0.0.1', '198.51.100.1', '198.51.100.1'],
  ['a proxy without a header', '10.0.0.1', '', '10.0.0.1'],
  ['a proxy named by its address', '192.0.2.7', '198.51.100.1', '198.51.100.1'],
  ['its neighbour', '192.0.2.8', '198.51.100.1', '192.0.2.8'],
  ['a proxy after a made-up chain', '10.0.0.1', '1.1.1.1, 10.9.9.9, 198.51.100.1', '198.51.100.1'],
  ['two proxies', '10.0.0.1', '198.51.100.1, 10.0.0.2', '198.51.100.1'],
  ['proxies alone', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
  ['IPv4 inside IPv6, as the server tells it', mapped('0a00:0001'), '198.51.100.1', '198.51.100.1'],
  ['a stranger inside IPv6', mapped('cb00:7109'), '198.51.100.1', '203.0.113.9'],
  ['an entry inside IPv6', '10.0.0.1', '198.51.100.1, ::ffff:10.0.0.2', '198.51.100.1'],
  ['IPv6', 'fd00::1', '2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
  ['IPv6 through an IPv6 proxy', 'fd00::1', '2001:db8::1, 2001:db8::7', '2001:db8::1'],
  ['ports', '10.0.0.1', '198.51.100.1:4711', '198.51.100.1'],
  ['ports of IPv6', 'fd00::1', '[2001:db8::1]:4711, [fd00::2]', '2001:db8::1'],
  ['garbage on the right', '10.0.0.1', '198.51.100.1, unknown', '10.0.0.1'],
  ['garbage behind a proxy', '10.0.0.1', '198.51.100.1, <script>, 10.0.0.2', '10.0.0.2'],
  ['an empty entry', '10.0.0.1', '198.51.100.1,', '10.0.0.1'],
  ['numbers too large', '10.0.0.1', '999.1.1.1', '10.0.0.1'],
  ['a zone', 'fd00::1', 'fe80::1%eth0', 'fd00::1'],
  ['a very long entry', '10.0.0.1', `${'9'.repeat(100_000)}.1.1.1`, '10.0.0.1'],
  ['a very long chain', '10.0.0.1', `198.51.100.1, ${'10.0.0.2, '.repeat(9000)}10.0.0.3`, '10.0.0.2'],
  ['no address at all', '', '198.51.100.1', ''],
];

test.each(callers)('caller: %s', (_name, peer, forwarded, caller) => {
  expect(callerAddress(hop(peer, { 'x-forwarded-for': forwarded }), isTrusted)).toBe(caller);
});

test('as many proxies as the bound says are followed, and no more', () => {
  const chain = (proxies: number): string =>
    ['198.51.100.1', ...Array.from({ length: proxies }, () => '10.0.0.2')].join(', ');
  const callerBehind = (proxies: number): string =>
    callerAddress(hop('10.0.0.1', { 'x-forwarded-for': chain(proxies) }), isTrusted);
  expect({ fewer: callerBehind(maxHops - 1), most: callerBehind(maxHops) }).toEqual({
    fewer: '198.51.100.1',
    most: '10.0.0.2',
  });
});

const origins: readonly (readonly [name: string, peer: string, headers: object, origin: string])[] = [
  ['the Host header', '203.0.113.9', { host: 'live.example.org:8080' }, 'http://live.example.org:8080'],
  ['IPv6', '203.0.113.9', { host: '[::1]:80' }, 'http://[::1]:80'],
  ['a name with underscores', '203.0.113.9', { host: 'my_edge_1:8080' }, 'http://my_edge_1:8080'],
  ['a name for a service', '203.0.113.9', { host: '_tz._tcp.example.org' }, 'http://_tz._tcp.example.org'],
  ['no Host', '203.0.113.9', {}, ownUrl],
  ['a Host that is none', '203.0.113.9', { host: 'a b"><' }, ownUrl],
  ['a Host that no resolver takes', '203.0.113.9', { host: 'a'.repeat(256) }, ownUrl],
  [
    'a stranger who claims TLS and a host',
    '203.0.113.9',
    { host: 'a.example.org', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'evil.example.org' },
    'http://a.example.org',
  ],
  [
    'a proxy that speaks TLS',
    '10.0.0.1',
    { host: 'inner:8080', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'live.example.org' },
    'https://live.example.org',
  ],
  [
    'a proxy that keeps the Host',
    '10.0.0.1',
    { host: 'live.example.org', 'x-forwarded-proto': 'HTTPS' },
    'https://live.example.org',
  ],
  [
    'a proxy that passes on what its caller made up: the last entry is its own',
    '10.0.0.1',
    { host: 'inner', 'x-forwarded-proto': 'https, http', 'x-forwarded-host': 'evil, live.example.org' },
    'http://live.example.org',
  ],
  ['another scheme', '10.0.0.1', { host: 'a', 'x-forwarded-proto': 'javascript' }, 'http://a'],
];

test.each(origins)('origin: %s', (_name, peer, headers, origin) => {
  expect(callerOrigin(hop(peer, { ...headers }), isTrusted, ownUrl)).toBe(origin);
});

describe('without trusted proxies', () => {
  test('nobody is believed, not even this host', () => {
    const headers = { 'x-forwarded-for': '198.51.100.1', 'x-forwarded-proto': 'https', host: 'a' };
    expect(callerAddress(hop('127.0.0.1', headers), nobody)).toBe('127.0.0.1');
    expect(callerOrigin(hop('127.0.0.1', headers), nobody, ownUrl)).toBe('http://a');
  });
});

test('an address has one spelling', () => {
  const spellings = ['2001:DB8::0:1', '2001:0db8:0000:0000:0000:0000:0000:0001', '2001:db8::1'];
  expect(new Set(spellings.map(canonicalAddress))).toEqual(new Set(['2001:db8::1']));
  expect(canonicalAddress(mapped('7f00:0001'))).toBe('127.0.0.1');
  expect(canonicalAddress('localhost')).toBeUndefined();
});
