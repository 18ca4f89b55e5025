/** The edge over a real listener, with a stream whose home is another region: told when that region is cut off (R4, C8). */
import { expect, test } from 'vitest';
import { Epoch, RegionId, StreamId } from '../../../cluster/model/ids.ts';
import type { StreamElsewhere } from '../../../cluster/region/elsewhere.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { startTestEdge } from '../../support/ports/test-edge.ts';
import { MemoryNeeds } from '../../support/regions/memory-needs.ts';
import { MemoryRegions } from '../../support/regions/memory-regions.ts';

const demo = StreamId.parse('demo');
const inEu: StreamElsewhere = {
  stream: demo,
  region: RegionId.parse('eu'),
  epoch: Epoch.parse(1),
  nextNumber: 0,
  discontinuities: 0,
  availabilityStartMs: 0,
  isOnAir: true,
  sinceMs: 0,
  rtmpUrl: 'rtmp://eu.test/live',
  ageMs: 0,
};

// Goal: viewers of a stream whose home is cut off keep what there is, are told for how long nothing new has come, and go on by themselves.
// Method: an edge of `us` with its own log of a stream of `eu`; the link of `us` to `eu` is cut and healed.
test('while the home is cut off manifests stay 200 with the same bytes and say for how long', async () => {
  const regions = new MemoryRegions({ regions: ['eu', 'us'] });
  const needs = new MemoryNeeds();
  const stop = needs.onNeed(() => needs.tell([{ stream: demo, sequence: 0, isAtHead: true }]));
  const elsewhere = { homeOf: () => inEu, ask: async () => inEu };
  await using edge = await startTestEdge({
    far: { clock: systemClock, elsewhere, others: regions.of('us'), needs },
  });
  await edge.broadcast(2);
  const playlist = async (): Promise<Response> => fetch(`${edge.url}/live/demo/h264-240p.m3u8`);
  const before = await (await playlist()).text();
  regions.cut('us', 'eu');
  await expect.poll(async () => (await playlist()).headers.get('tangaza-log-stale')).toBe('1');
  const frozen = await playlist();
  expect({ status: frozen.status, text: await frozen.text() }).toEqual({ status: 200, text: before });
  regions.heal('us', 'eu');
  await expect.poll(async () => (await playlist()).headers.get('tangaza-log-stale')).toBeNull();
  stop();
});
