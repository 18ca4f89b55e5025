import { expect, test } from 'vitest';
import { Gate } from '../../../../cluster/bounds/gate.ts';

const never = (): Promise<never> => new Promise(() => {});

test('as many run as may, the rest in the order they came', async () => {
  const gate = new Gate({ about: 'work', running: 2, waiting: 10 });
  const order: number[] = [];
  const ends: (() => void)[] = [];
  const work = (id: number) => () =>
    new Promise<void>((end) => {
      order.push(id);
      ends.push(end);
    });
  const all = [1, 2, 3, 4].map((id) => gate.run(work(id)));
  await Promise.resolve();
  expect(order).toEqual([1, 2]);
  ends[1]?.();
  await all[1];
  await expect.poll(() => order).toEqual([1, 2, 3]);
  ends[0]?.();
  ends[2]?.();
  await expect.poll(() => order).toEqual([1, 2, 3, 4]);
  ends[3]?.();
  await Promise.all(all);
});

test('one that fails gives its place up', async () => {
  const gate = new Gate({ about: 'work', running: 1, waiting: 1 });
  await expect(gate.run(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  expect(await gate.run(() => Promise.resolve(7))).toBe(7);
});

test('more than may wait are refused as OVERLOADED, and the waiting are counted', async () => {
  const counts: number[] = [];
  const gate = new Gate({ about: 'work', running: 1, waiting: 2, onWaiting: (count) => counts.push(count) });
  const running = [1, 2, 3].map(() => gate.run(never));
  await expect(gate.run(never)).rejects.toThrow(expect.objectContaining({ code: 'OVERLOADED' }));
  expect(counts).toEqual([1, 2]);
  expect(running).toHaveLength(3);
});

test('one that gives up while it waits leaves its place in the line to the next', async () => {
  const gate = new Gate({ about: 'work', running: 1, waiting: 2 });
  const ends: (() => void)[] = [];
  const first = gate.run(() => new Promise<void>((done) => void ends.push(done)));
  const patience = new AbortController();
  const second = gate.run(never, patience.signal);
  const third = gate.run(() => Promise.resolve('third'));
  patience.abort(new Error('impatient'));
  await expect(second).rejects.toThrow('impatient');
  ends[0]?.();
  await first;
  expect(await third).toBe('third');
});
