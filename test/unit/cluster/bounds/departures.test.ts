import { expect, test } from 'vitest';
import { Departures } from '../../../../cluster/bounds/departures.ts';

/** Sleeps end when they are told to. */
function handClock() {
  const sleeps: PromiseWithResolvers<void>[] = [];
  const sleep = (): Promise<void> => {
    const sleeping = Promise.withResolvers<void>();
    sleeps.push(sleeping);
    return sleeping.promise;
  };
  return { sleeps, sleep };
}

test('while few are under way, one begins at once', async () => {
  const clock = handClock();
  const departures = new Departures({ clock, waitMs: 1, fewest: 3 });
  await departures.wait(2);
  expect({ sleeps: clock.sleeps.length }).toEqual({ sleeps: 0 });
});

test('those that come while one waits begin with it, and the next one waits anew', async () => {
  const clock = handClock();
  const departures = new Departures({ clock, waitMs: 1, fewest: 3 });
  const begun: number[] = [];
  const begin = (number: number): Promise<void> => departures.wait(3).then(() => void begun.push(number));
  const first = [begin(1), begin(2)];
  expect({ begun, sleeps: clock.sleeps.length }).toEqual({ begun: [], sleeps: 1 });
  clock.sleeps[0]?.resolve();
  await Promise.all(first);
  const second = begin(3);
  expect({ begun, sleeps: clock.sleeps.length }).toEqual({ begun: [1, 2], sleeps: 2 });
  clock.sleeps[1]?.resolve();
  await second;
  expect(begun).toEqual([1, 2, 3]);
});
