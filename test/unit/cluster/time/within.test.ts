/** A wait with a bound: whichever comes first, and no timer is left. */
import { expect, test } from 'vitest';
import { isOverWithin, unlessAborted, within } from '../../../../cluster/time/within.ts';

/** Sleeps until it is told to wake, or aborted. */
class SleepingClock {
  readonly sleeps: { readonly ms: number; isOver: boolean }[] = [];
  wake = (): void => {};

  sleep = async (ms: number, signal?: AbortSignal): Promise<void> => {
    const sleep = { ms, isOver: false };
    this.sleeps.push(sleep);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.wake = resolve;
    signal?.addEventListener('abort', () => reject(signal.reason));
    await promise.finally(() => {
      sleep.isOver = true;
    });
  };
}

const late = (): string => 'late';
const faulty = (): never => {
  throw new Error('not in time');
};
/** Whatever is settled has told so by then. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('work that comes first gives its result, and the timer ends', async () => {
  const clock = new SleepingClock();
  expect(await within(Promise.resolve('done'), { clock, ms: 100, late })).toBe('done');
  await settled();
  expect(clock.sleeps).toEqual([{ ms: 100, isOver: true }]);
});

test('work that fails first fails the wait, and the timer ends', async () => {
  const clock = new SleepingClock();
  const failed = Promise.reject(new Error('broken'));
  await expect(within(failed, { clock, ms: 100, late: faulty })).rejects.toThrow('broken');
  await settled();
  expect(clock.sleeps).toEqual([{ ms: 100, isOver: true }]);
});

test('at the bound the wait gives what the caller says, or fails with its reason', async () => {
  const clock = new SleepingClock();
  const never = new Promise<string>(() => {});
  const given = within(never, { clock, ms: 100, late });
  clock.wake();
  expect(await given).toBe('late');
  const failing = within(never, { clock, ms: 100, late: faulty });
  clock.wake();
  await expect(failing).rejects.toThrow('not in time');
});

// Vitest fails a run in which a rejection is not handled.
test('nobody hears work that fails after the bound', async () => {
  const clock = new SleepingClock();
  const { promise, reject } = Promise.withResolvers<string>();
  const given = within(promise, { clock, ms: 100, late });
  clock.wake();
  expect(await given).toBe('late');
  reject(new Error('too late'));
  await settled();
});

test('whether work was over in time, done or failed', async () => {
  const clock = new SleepingClock();
  const bound = { clock, ms: 100 };
  expect(await isOverWithin(Promise.resolve(), bound)).toBe(true);
  expect(await isOverWithin(Promise.reject(new Error('broken')), bound)).toBe(true);
  const waiting = isOverWithin(new Promise(() => {}), bound);
  clock.wake();
  expect(await waiting).toBe(false);
});

test('who gives up waits no longer, and gets the reason; without a signal the work has all the time', async () => {
  const stop = new AbortController();
  const waiting = unlessAborted(new Promise(() => {}), stop.signal);
  stop.abort(new Error('told to stop'));
  await expect(waiting).rejects.toThrow('told to stop');
  await expect(unlessAborted(Promise.resolve('done'), stop.signal)).rejects.toThrow('told to stop');
  expect(await unlessAborted(Promise.resolve('done'), undefined)).toBe('done');
});
