import { expect, test } from 'vitest';
import { MinuteCounts } from '../../../../actors/reactions/minute-counts.ts';
import { WindowSums } from '../../../../actors/reactions/window-sums.ts';
import { StreamId } from '../../../../cluster/model/ids.ts';
import { demo } from '../../../support/audience/said.ts';

const streamOf = (number: number): StreamId => StreamId.parse(`s${number}`);

test('a sum begins anew once it is taken', () => {
  const sums = new WindowSums(10);
  sums.add(demo, 'heart');
  sums.add(demo, 'heart', 4);
  expect(sums.take()).toEqual([[demo, { heart: 5 }]]);
  expect(sums.take()).toEqual([]);
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
