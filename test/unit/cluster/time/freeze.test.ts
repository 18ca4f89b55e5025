/** A process notices that it stood still (C6). */
import { expect, test } from 'vitest';
import { watchFreezes } from '../../../../cluster/time/freeze.ts';
import { JumpingClock } from '../../../support/ports/jumping-clock.ts';

test('over a second without a look is a freeze, less is only a busy process', () => {
  const clock = new JumpingClock();
  const frozen: number[] = [];
  const stop = watchFreezes(clock, (ms) => void frozen.push(ms));
  for (const passedMs of [50, 60, 1049, 50, 1052, 50, 30_050]) {
    clock.nowMs += passedMs;
    void clock.ring();
  }
  expect(frozen).toEqual([1002, 30_000]);
  stop();
  clock.nowMs += 60_000;
  void clock.ring();
  expect(frozen).toHaveLength(2);
});

test('a suspended machine is seen by its wall clock, when its monotonic clock stood still as well', () => {
  const clock = new JumpingClock();
  let suspendedMs = 0;
  clock.utcMs = () => clock.nowMs + suspendedMs;
  const frozen: number[] = [];
  watchFreezes(clock, (ms) => void frozen.push(ms));
  clock.nowMs += 50;
  suspendedMs += 15_000;
  void clock.ring();
  suspendedMs -= 60_000; // an operator sets the clock back
  clock.nowMs += 50;
  void clock.ring();
  expect(frozen).toEqual([15_000]);
});

test('who cares for less is told of less', () => {
  const clock = new JumpingClock();
  const late: number[] = [];
  watchFreezes(clock, (ms) => void late.push(ms), 200);
  for (const passedMs of [50, 250, 251, 50, 500]) {
    clock.nowMs += passedMs;
    void clock.ring();
  }
  expect(late).toEqual([201, 450]);
});
