/** Time in which a process ran: what it slept through is nobody's fault. */
import { expect, test } from 'vitest';
import { lookEveryMs, longestStepMs, RunningTime } from '../../../../cluster/time/running-time.ts';

test('a process that is looked at in time is counted in full, one that is somewhat late, too', () => {
  const time = new RunningTime(1000);
  let nowMs = 1000;
  for (const stepMs of [lookEveryMs, 1, 0, longestStepMs, lookEveryMs]) time.at((nowMs += stepMs));
  expect(time.at(nowMs)).toBe(nowMs - 1000);
});

test.each([{ frozenMs: 1000 }, { frozenMs: 15_000 }, { frozenMs: 86_400_000 }])(
  'a standstill of $frozenMs ms counts as one step, however many ask at once behind it',
  ({ frozenMs }) => {
    const time = new RunningTime(0);
    time.at(100);
    expect(time.at(100 + frozenMs)).toBe(100 + longestStepMs);
    expect(time.at(100 + frozenMs)).toBe(100 + longestStepMs);
    expect(time.at(110 + frozenMs)).toBe(110 + longestStepMs);
  },
);

test('a clock that goes back takes nothing away', () => {
  const time = new RunningTime(500);
  expect({ first: time.at(700), earlier: time.at(600), later: time.at(650) }).toEqual({
    first: 200,
    earlier: 200,
    later: 250,
  });
});
