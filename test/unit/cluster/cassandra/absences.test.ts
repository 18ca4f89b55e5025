import { expect, test } from 'vitest';
import { Absences } from '../../../../cluster/cassandra/absences.cassandra.ts';

const hourMs = 3_600_000;

function rig() {
  const state = { nowMs: 10 * hourMs };
  const absences = new Absences(() => state.nowMs);
  const told: number[] = [];
  const stop = absences.onBack((sinceMs) => told.push(sinceMs));
  return { state, absences, told, stop };
}

test('what is back is told with the time since when something may come late, once', () => {
  const { state, absences, told, stop } = rig();
  absences.left('a');
  state.nowMs += 5000;
  absences.left('a');
  absences.came('a');
  absences.came('a');
  absences.came('never away');
  expect({ told }).toEqual({ told: [10 * hourMs - 60_000] });
  stop();
  absences.left('a');
  absences.came('a');
  expect(told).toHaveLength(1);
});

test('after days an hour is read again, and not all of it', () => {
  const { state, absences, told } = rig();
  absences.left('a');
  state.nowMs += 50 * hourMs;
  absences.came('a');
  expect({ told }).toEqual({ told: [state.nowMs - hourMs] });
});
