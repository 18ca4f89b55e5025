import { expect, test } from 'vitest';
import { isOnlyHere, unreachableFrom } from '../../../../cluster/membership/reach.ts';
import { misfit } from '../../../../cluster/membership/view.ts';
import { testMember, viewOf } from '../../../support/cluster/members.ts';

test.each([
  ['http://127.0.0.1:8080', true],
  ['http://127.8.0.1:8080', true],
  ['http://localhost:8080', true],
  ['http://a.localhost', true],
  ['http://0.0.0.0:8080', true],
  ['rtmp://[::1]:1935/live', true],
  ['rtmp://[::]:1935/live', true],
  ['http://[::ffff:127.0.0.1]:80', true],
  ['http://192.0.2.7:8080', false],
  ['http://n2', false],
  ['https://127.example.com', false],
  ['https://localhost.example.com', false],
  ['rtmp://[2001:db8::1]/live', false],
  ['n2', false],
])('%s leads only to its own host: %s', (url, expected) => expect(isOnlyHere(url)).toBe(expected));

const loopback = { httpUrl: 'http://127.0.0.1:8080', rtmpUrl: 'rtmp://127.0.0.1/live' };
const onA = (id: string, change = {}) => testMember(id, { host: 'a', ...change });
const onB = (id: string, change = {}) => testMember(id, { host: 'b', ...change });

test.each([
  [
    'loopback on one host',
    onA('n1', loopback),
    [onA('n2', { ...loopback, httpUrl: 'http://127.0.0.1:1' })],
    undefined,
  ],
  ['nobody else', onA('n1', loopback), [], undefined],
  ['its own earlier boot on another host', onA('n1', loopback), [onB('n1')], undefined],
  ['two hosts that are reached', onA('n1'), [onB('n2')], undefined],
  [
    'loopback beside another host',
    onA('n1', loopback),
    [onA('n2'), onB('n3')],
    /n3 runs on another host, b, and cannot reach n1 on a at .*127.*set TANGAZA_PUBLIC_URL/,
  ],
  ['RTMP alone', onA('n1', { rtmpUrl: 'rtmp://[::1]:1/live' }), [onB('n2')], /set TANGAZA_PUBLIC_RTMP_URL/],
  [
    'a worker, which is asked by HTTP whether it lives',
    onA('n1', { ...loopback, roles: ['transcode-worker'] }),
    [onB('n2')],
    /n2 runs on another host, b, and cannot reach n1 on a at http:.*127.*set TANGAZA_PUBLIC_URL/,
  ],
  [
    'the other is not reached',
    onA('n1'),
    [onB('n2', loopback)],
    /n2 runs on another host, b, .*set TANGAZA_PUBLIC_URL there/,
  ],
  [
    'one URL for two edges',
    onA('n1', { httpUrl: 'https://live.example.com' }),
    [onB('n2', { httpUrl: 'https://live.example.com' })],
    /n1 advertises https:.*as n2 does: give each node its own TANGAZA_PUBLIC_URL/,
  ],
  [
    'one URL for an edge and a worker, which would seem to live as long as the edge does',
    onA('n1', { httpUrl: 'https://live.example.com' }),
    [onB('n2', { httpUrl: 'https://live.example.com', roles: ['transcode-worker'] })],
    /n1 advertises https:.*as n2 does/,
  ],
  ['disks of one host', onA('n1', { store: 'disk' }), [onA('n2', { store: 'disk' })], undefined],
  ['one bucket', onA('n1', { store: 's3' }), [onB('n2', { store: 's3' }), onB('n3')], undefined],
  [
    'its own disk beside another host',
    onA('n1', { store: 'disk' }),
    [onA('n2', { store: 'disk' }), onB('n3', { store: 's3' })],
    /^n1 on a keeps segments on its disk \(TANGAZA_STORE=disk\), where n3 on another host, b, .*set TANGAZA_STORE=s3/,
  ],
  [
    "another host's disk",
    onA('n1', { store: 's3' }),
    [onB('n2', { store: 'disk' })],
    /^n2 on b keeps segments on its disk .*where n1 on another host, a, cannot read them: set TANGAZA_STORE=s3/,
  ],
])('%s', (_name, self, others, fault) => {
  const said = unreachableFrom(self, others);
  if (fault === undefined) expect(said).toBeUndefined();
  else expect(said).toMatch(fault);
});

test('who would not be reached is no member, unless all others on other hosts are dead', () => {
  const view = viewOf('n2');
  const self = testMember('n1', { host: 'a', ...loopback });
  expect(misfit(view, self, 'secret')).toMatch(/set TANGAZA_PUBLIC_URL/);
  const dead = { ...view, members: view.members.map((one) => ({ ...one, state: 'dead' as const })) };
  expect(misfit(dead, self, 'secret')).toBeUndefined();
});
