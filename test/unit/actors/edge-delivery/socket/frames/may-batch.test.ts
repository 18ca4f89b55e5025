import { expect, test } from 'vitest';
import { MayBatch } from '../../../../../../actors/edge-delivery/socket/frames/may-batch.ts';

test('reactions are added up, and of viewers the newest number counts', () => {
  const batch = new MayBatch();
  batch.add({ type: 'reactions', counts: { heart: 2 }, windowMs: 250 });
  batch.add({ type: 'viewers', count: 1 });
  batch.add({ type: 'reactions', counts: { heart: 3, clap: 1 }, windowMs: 250 });
  batch.add({ type: 'viewers', count: 2 });
  expect(batch.take()).toEqual([
    { type: 'reactions', counts: { heart: 5, clap: 1 }, windowMs: 500 },
    { type: 'viewers', count: 2 },
  ]);
  expect(batch.take()).toEqual([]);
});

test('reactions are added up second by second, where they name one', () => {
  const batch = new MayBatch();
  batch.add({ type: 'reactions', counts: { heart: 2 }, bySecond: { 7: { heart: 1 } }, windowMs: 250 });
  batch.add({ type: 'reactions', counts: { heart: 1 }, windowMs: 250 });
  batch.add({
    type: 'reactions',
    counts: { heart: 3 },
    bySecond: { 7: { heart: 2 }, 8: { heart: 1 } },
    windowMs: 250,
  });
  expect(batch.take()).toEqual([
    {
      type: 'reactions',
      counts: { heart: 6 },
      bySecond: { 7: { heart: 3 }, 8: { heart: 1 } },
      windowMs: 750,
    },
  ]);
});
