import { expect, test } from 'vitest';
import { InputMeter } from '../../../../actors/ingest/input-meter.ts';

// Found by hand: on a node that was up for 98 s a new publisher was told to be silent for 98 s, which makes it a ghost (C2).
test('a publisher that has not sent a packet yet is silent since it was first asked about, not since the start of time', () => {
  const meter = new InputMeter();
  expect(meter.lastPacketMs(98_000)).toBe(98_000);
  expect(meter.lastPacketMs(99_000)).toBe(98_000);
  meter.note(99_500, 10, 1);
  expect(meter.lastPacketMs(100_000)).toBe(99_500);
});
