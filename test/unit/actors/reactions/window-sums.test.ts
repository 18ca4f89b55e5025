import { expect, test } from 'vitest';
import { MinuteCounts } from '../../../../actors/reactions/minute-counts.ts';
import { WindowSums } from '../../../../actors/reactions/window-sums.ts';
import { StreamId } from '../../../../cluster/model/ids.ts';
import { demo } from '../../../support/audience/said.ts';

const streamOf = (number: number): StreamId => StreamId.parse(`s${number}`);

test('a sum begins anew once it is taken', () => {
  const sums = new WindowSums(10);
  sums.add(demo, 'heart');
  sums.addSums(demo, { counts: { heart: 4 } });
  expect(sums.take()).toEqual([[demo, { counts: { heart: 5 } }]]);
  expect(sums.take()).toEqual([]);
});

test('reactions are told by the second of media at which they were given, those of all nodes together', () => {
  const sums = new WindowSums(10);
  sums.add(demo, 'heart', 12.9);
  sums.add(demo, 'clap', 12);
  sums.add(demo, 'heart');
  sums.addSums(demo, { counts: { heart: 3 }, bySecond: { 12: { heart: 2 }, 9: { heart: 1 } } });
  expect(sums.take()).toEqual([
    [demo, { counts: { heart: 5, clap: 1 }, bySecond: { 9: { heart: 1 }, 12: { heart: 3, clap: 1 } } }],
  ]);
});

// Goal: what a window costs is bounded, whatever seconds are said, and nothing is lost. Method: 10,000 taps, each at a second of its own.
test('of a window 64 seconds are told apart; what was given at others counts without', () => {
  const sums = new WindowSums(10);
  for (let second = 0; second < 10_000; second += 1) sums.add(demo, 'fire', second);
  const [[, told] = []] = sums.take();
  expect({ fire: told?.counts.fire, seconds: Object.keys(told?.bySecond ?? {}).length }).toEqual({
    fire: 10_000,
    seconds: 64,
  });
});

test('of more streams than the bound nothing is counted, and those that are in go on', () => {
  const sums = new WindowSums(2);
  const added = [1, 2, 3, 1].map((number) => sums.add(streamOf(number), 'heart'));
  expect(added).toEqual([true, true, false, true]);
  expect(sums.take()).toHaveLength(2);
});

test('minutes that no store takes are bounded, and given up after 10 minutes', async () => {
  const minutes = new MinuteCounts('n1.b1');
  const refuse = (): Promise<never> => Promise.reject(new Error('the disk is full'));
  for (let number = 0; number < 10_001; number += 1) minutes.add(streamOf(number), { heart: 2 }, 0);
  expect({ size: minutes.size, left: minutes.add(demo, { heart: 2, clap: 1 }, 0) }).toEqual({
    size: 10_000,
    left: 3,
  });
  expect(await minutes.write(refuse, 60_000)).toBe(10_000);
  await minutes.write(refuse, 700_000);
  expect(minutes.size).toBe(0);
});
