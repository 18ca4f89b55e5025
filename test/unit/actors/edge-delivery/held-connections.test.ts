/** Lines of Linux's tables of connections. */
import { expect, test } from 'vitest';
import { networkIn } from '../../../../actors/edge-delivery/held-connections.system.ts';
import { canonicalAddress, networkOf } from '../../../../actors/edge-delivery/http/caller.ts';

const port = 8080;
const after = '00000000:00000000 00:00000000 00000000     0        0 41 1 0000000000000000 100 0 0 10 0';

test.each([
  ['an address of IPv4', '0100007F:1F90 0A0200C0:D431 01', '192.0.2.10'],
  [
    'one that IPv6 carries',
    '0000000000000000FFFF00000100007F:1F90 0000000000000000FFFF00000A0200C0:D431 01',
    '192.0.2.10',
  ],
  [
    'an address of IPv6',
    '00000000000000000000000001000000:1F90 B80D0120020001000000000001000000:D431 01',
    '2001:db8:1:2::1',
  ],
  [
    'one whose network ends in zeros',
    '00000000000000000000000001000000:1F90 B80D0120000000000000000001000000:D431 01',
    '2001:db8::1',
  ],
  ['one that its other end has closed', '0100007F:1F90 0A0200C0:D431 08', '192.0.2.10'],
])('%s is of the network that requests of it are of', (_, line, address) => {
  expect(networkIn(`   0: ${line} ${after}`, port)).toBe(networkOf(canonicalAddress(address) ?? ''));
});

test.each([
  [
    'the head of the table',
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid',
  ],
  ['a listener', `   0: 0100007F:1F90 00000000:0000 0A ${after}`],
  ['a connection of another port', `   0: 0100007F:1F91 0A0200C0:D431 01 ${after}`],
  ['one that this process has closed', `   0: 0100007F:1F90 0A0200C0:D431 06 ${after}`],
  ['an empty line', ''],
])('%s is not counted', (_, line) => {
  expect(networkIn(line, port)).toBeUndefined();
});
