/** What the control API shows of streams in other regions (R3, R7). */
import { expect, test } from 'vitest';
import { regionsSeen } from '../../../../../actors/control/regions/regions-seen.ts';
import { toStreamView } from '../../../../../actors/control/stream-view.ts';
import { RegionId, StreamId } from '../../../../../cluster/model/ids.ts';
import { testMember } from '../../../../support/cluster/members.ts';
import { JumpingClock } from '../../../../support/ports/jumping-clock.ts';
import { MemoryElsewhere, onAirAt } from '../../../../support/regions/memory-elsewhere.ts';

const demo = StreamId.parse('demo');

function seen(isUp: boolean) {
  const clock = new JumpingClock();
  const elsewhere = new MemoryElsewhere(['us', 'eu'], clock);
  elsewhere.tell('eu', onAirAt(1, 'demo'));
  elsewhere.tell('eu', onAirAt(1, 'starts', { nextNumber: 0 }));
  elsewhere.tell('eu', onAirAt(1, 'over', { isOnAir: false }));
  clock.nowMs = 90_000;
  const link = {
    region: RegionId.parse('eu'),
    isUp,
    sinceMs: 30_000,
    roundTripMs: 1,
    offsetMs: 0,
    topologyVersion: 1,
    gateways: [],
    bytesIn: 0,
    bytesOut: 0,
  };
  return regionsSeen(elsewhere, { links: () => [link] }, clock);
}

test('streams on air elsewhere are shown with their region, and since when that is not heard while the link is down', () => {
  const rows = (isUp: boolean) =>
    seen(isUp)
      .onAir()
      .map(({ stream, region, hasBegun, unheard }) => ({ stream, region, hasBegun, since: unheard?.since }));
  expect(rows(true)).toEqual([
    { stream: 'demo', region: 'eu', hasBegun: true, since: undefined },
    { stream: 'starts', region: 'eu', hasBegun: false, since: undefined },
  ]);
  expect(rows(false).map(({ since }) => since)).toEqual([
    '1970-01-01T00:00:30.000Z',
    '1970-01-01T00:00:30.000Z',
  ]);
});

test('a stream that is on air elsewhere names its home’s ingest alone, and one that is over the nodes here', () => {
  const entry = {
    id: demo,
    title: 'Demo',
    ladder: 'default',
    createdAtMs: 0,
    updatedAtMs: 0,
  };
  const regions = seen(true);
  const ingestOf = (stream: string) =>
    toStreamView(
      entry,
      'http://n1',
      regions.homeOf(StreamId.parse(stream)) ?? [testMember('n1'), testMember('n2')],
    ).ingest;
  expect(ingestOf('demo')).toEqual([
    { region: 'eu', url: 'rtmp://region1.example:1935/live', role: 'primary' },
  ]);
  expect(ingestOf('over').map(({ url, role }) => ({ url, role }))).toEqual([
    { url: 'rtmp://n1/live', role: 'primary' },
    { url: 'rtmp://n2/live', role: 'backup' },
  ]);
});
