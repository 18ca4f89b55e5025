/** What is said of a stream that nobody has on air, by whoever is asked. */
import { expect, test } from 'vitest';
import { offlineHealth } from '../../../../cluster/contract/offline-health.ts';
import { StreamHealth } from '../../../../cluster/contract/stream-health.ts';
import { BootId, Epoch, NodeId } from '../../../../cluster/model/ids.ts';
import { region } from '../../../support/ports/records.ts';

const utcMs = Date.parse('2026-11-24T12:00:14.000Z');
const then = '2026-11-24T12:00:00.000Z';
const record = {
  owner: NodeId.parse('n1'),
  region,
  bootId: BootId.parse('b1'),
  epoch: Epoch.parse(7),
  since: then,
  reason: 'owner died (n3)',
};

test('a stream without a record is offline as of when that was known', () => {
  const stale = { asOf: then, ageMs: 14_000, reason: 'NATS does not answer' };
  const health = offlineHealth('never on air', utcMs, { stale });
  expect(StreamHealth.parse(health)).toEqual(health);
  expect(health).toMatchObject({ state: 'offline', asOf: then, stale });
  expect('owner' in health).toBe(false);
});

test('one with a record names its last owner, and why that owned it, as of now', () => {
  const health = offlineHealth('no publisher', utcMs, { record });
  expect(StreamHealth.parse(health)).toEqual(health);
  expect(health).toMatchObject({
    state: 'offline',
    reason: 'no publisher',
    owner: 'n1',
    epoch: 7,
    ownedBecause: 'owner died (n3)',
    asOf: '2026-11-24T12:00:14.000Z',
  });
  expect('stale' in health).toBe(false);
});
