/** So many tasks at once, or one alone. */
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Gate } from '../../../../actors/transcode-worker/gate.ts';

/** Asks to enter; `leave` is there once it is in. */
function visitor(gate: Gate, isAlone = false): { leave?: () => void } {
  const state: { leave?: () => void } = {};
  const enter = async (): Promise<void> => {
    state.leave = await gate.enter(isAlone);
  };
  void enter();
  return state;
}

test('no more than its slots are inside, and the next one enters when one leaves', async () => {
  const gate = new Gate(2);
  const [first, second, third] = [visitor(gate), visitor(gate), visitor(gate)];
  await turn();
  expect([first?.leave, second?.leave, third?.leave].map((leave) => leave !== undefined)).toEqual([
    true,
    true,
    false,
  ]);
  first?.leave?.();
  await turn();
  expect(third?.leave).toBeDefined();
  expect(gate.inside).toBe(2);
});

test('one alone waits until all have left, and nobody enters before or beside it', async () => {
  const gate = new Gate(2);
  const [first, alone, late] = [visitor(gate), visitor(gate, true), visitor(gate)];
  await turn();
  expect(alone?.leave).toBeUndefined();
  expect(late?.leave).toBeUndefined();
  first?.leave?.();
  await turn();
  expect(alone?.leave).toBeDefined();
  expect(late?.leave).toBeUndefined();
  alone?.leave?.();
  await turn();
  expect(late?.leave).toBeDefined();
});
