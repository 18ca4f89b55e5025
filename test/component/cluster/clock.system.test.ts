/** The clock of this system: what its sleeps promise to those who end them early. */
import { expect, test } from 'vitest';
import { systemClock } from '../../../cluster/time/clock.system.ts';

test('a sleep that is aborted rejects with the reason that was given', async () => {
  const over = new AbortController();
  const sleeping = systemClock.sleep(60_000, over.signal);
  over.abort('the work came first');
  await expect(sleeping).rejects.toBe('the work came first');
  await expect(systemClock.sleep(60_000, over.signal)).rejects.toBe('the work came first');
});

// Goal: calls that end in time leave nothing behind, as each of them has such a sleep. Method: the timers of this process before and after.
test('an aborted sleep leaves no timer, and one that was slept out resolves', async () => {
  const timers = (): number => process.getActiveResourcesInfo().filter((one) => one === 'Timeout').length;
  await systemClock.sleep(1);
  const before = timers();
  const over = new AbortController();
  const sleeps = Array.from({ length: 10 }, () => systemClock.sleep(60_000, over.signal));
  const during = timers();
  over.abort('done');
  await Promise.allSettled(sleeps);
  expect({ during: during - before, after: timers() - before }).toEqual({ during: 10, after: 0 });
});
