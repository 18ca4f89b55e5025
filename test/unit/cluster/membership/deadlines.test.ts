/** Deadlines are the caller's, and checked by the callee (C6). */
import { expect, test } from 'vitest';
import { z } from 'zod';
import { errorCodeOf } from '../../../../cluster/errors/tangaza-error.ts';
import { actionsInTime, deadlineCheck } from '../../../../cluster/membership/deadlines.ts';
import { NodeId } from '../../../../cluster/model/ids.ts';

const check = deadlineCheck({
  self: NodeId.parse('here'),
  nowMs: () => 10_000,
  clockOffsetMs: (node) => (node === 'fast' ? 3000 : node === 'slow' ? -3000 : undefined),
});
const outcome = (meta: unknown, isLocal = false): string => {
  try {
    check(meta, isLocal);
    return 'fine';
  } catch (error) {
    return errorCodeOf(error);
  }
};

test.each([
  { from: 'here', deadlineMs: 10_001, expected: 'fine' },
  { from: 'here', deadlineMs: 10_000, expected: 'DEADLINE_EXCEEDED' },
  { from: 'fast', deadlineMs: 13_001, expected: 'fine' },
  { from: 'fast', deadlineMs: 12_999, expected: 'DEADLINE_EXCEEDED' },
  { from: 'slow', deadlineMs: 7001, expected: 'fine' },
  { from: 'slow', deadlineMs: 6999, expected: 'DEADLINE_EXCEEDED' },
  { from: 'unknown', deadlineMs: 1e9, expected: 'DEADLINE_UNKNOWN' },
])('a call of $from until $deadlineMs by its clock: $expected', ({ from, deadlineMs, expected }) => {
  expect(outcome({ from, deadlineMs })).toBe(expected);
});

test('a call without a deadline is taken from this process alone', () => {
  expect({
    whole: outcome({}, true),
    empty: outcome({}),
    nonsense: outcome({ from: 'fast', deadlineMs: 'soon' }),
  }).toEqual({ whole: 'fine', empty: 'BAD_REQUEST', nonsense: 'BAD_REQUEST' });
});

test('an action runs in time alone, and with what can be parsed', () => {
  const ran: unknown[] = [];
  const { action, inTime } = actionsInTime(check);
  const actions = [
    action(z.object({ n: z.number() }), ({ n }) => ran.push(n)),
    inTime((params: unknown) => ran.push(params)),
  ];
  const outcomes = (meta: unknown, params: unknown): readonly string[] =>
    actions.map((run) => {
      try {
        run({ params, meta, nodeID: 'there', broker: { nodeID: 'here' } });
        return 'ran';
      } catch (error) {
        return errorCodeOf(error);
      }
    });
  expect(outcomes({ from: 'here', deadlineMs: 10_000 }, { n: 1 })).toEqual([
    'DEADLINE_EXCEEDED',
    'DEADLINE_EXCEEDED',
  ]);
  expect(outcomes({}, { n: 1 })).toEqual(['BAD_REQUEST', 'BAD_REQUEST']);
  expect(ran).toEqual([]);
  expect(outcomes({ from: 'here', deadlineMs: 10_001 }, { n: 'one' })).toEqual(['BAD_REQUEST', 'ran']);
  expect(ran).toEqual([{ n: 'one' }]);
});
