import { expect, test } from 'vitest';
import { nearestName } from '../../../config/nearest.ts';

const known = ['TANGAZA_HTTP_PORT', 'TANGAZA_RTMP_PORT', 'TANGAZA_STORE'];

test.each([
  ['TANGAZA_HTTP_PROT', 'TANGAZA_HTTP_PORT'],
  ['TANGAZA_HTTPPORT', 'TANGAZA_HTTP_PORT'],
  ['TANGAZA_STORES', 'TANGAZA_STORE'],
  ['TANGAZA_WHATEVER_ELSE', undefined],
])('%s is meant for %s', (given, meant) => {
  expect(nearestName(given, known)).toBe(meant);
});

test('of nothing nothing is near', () => {
  expect(nearestName('up', [])).toBeUndefined();
});
