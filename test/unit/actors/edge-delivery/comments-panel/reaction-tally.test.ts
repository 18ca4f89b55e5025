import { expect, test } from 'vitest';
import { ReactionsInTime } from '../../../../../actors/edge-delivery/comments-panel/state/reaction-tally.ts';

const heart = (count: number) => ({ kind: 'heart', count });
const given = (count: number, bySecond: Readonly<Record<number, number>>) => ({
  sums: { heart: count },
  bySecond: Object.entries(bySecond).map(([second, hearts]) => ({
    second: Number(second),
    sums: { heart: hearts },
  })),
});
const shown = (floating: readonly { readonly kind: string; readonly count: number }[]) =>
  floating.map(({ kind, count }) => ({ kind, count }));

test('a reaction to what the viewer has not seen yet waits until they see it', () => {
  const inTime = new ReactionsInTime();
  expect(shown(inTime.give(given(5, { 104: 2, 107: 3 }), 100.5, 0))).toEqual([]);
  expect(shown(inTime.due(103.9, 3400))).toEqual([]);
  expect(shown(inTime.due(104, 3500))).toEqual([heart(2)]);
  expect(shown(inTime.due(110, 9500))).toEqual([heart(3)]);
  expect(shown(inTime.due(111, 9600))).toEqual([]);
});

test('what nobody said a second for, and what the viewer has just seen, floats at once', () => {
  const inTime = new ReactionsInTime();
  expect(shown(inTime.give(given(6, { 98: 2, 100: 3 }), 100.5, 0))).toEqual([heart(1), heart(2), heart(3)]);
});

test('a reaction to what lies more than 30 s away floats for others', () => {
  const inTime = new ReactionsInTime();
  expect(shown(inTime.give(given(4, { 69: 2, 131: 2 }), 100, 0))).toEqual([]);
  expect(shown(inTime.due(131, 31_000))).toEqual([]);
});

test('one that waits longer than it lives is forgotten, as when the viewer pauses', () => {
  const inTime = new ReactionsInTime();
  inTime.give(given(2, { 110: 2 }), 100, 0);
  expect(shown(inTime.due(100, 30_001))).toEqual([]);
  expect(shown(inTime.due(110, 30_002))).toEqual([]);
});

test('while nobody knows where the viewer is, all float at once', () => {
  const inTime = new ReactionsInTime();
  expect(shown(inTime.give(given(2, { 110: 2 }), undefined, 0))).toEqual([heart(2)]);
});

test('those that wait are bounded: the oldest are forgotten', () => {
  const inTime = new ReactionsInTime();
  for (let count = 1; count <= 300; count += 1) inTime.give(given(count, { 110: count }), 100, 0);
  const due = shown(inTime.due(110, 1000));
  expect({ length: due.length, first: due[0] }).toEqual({ length: 200, first: heart(101) });
});
