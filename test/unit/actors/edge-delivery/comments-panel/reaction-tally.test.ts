import { expect, test } from 'vitest';
import {
  reactions,
  ReactionsInTime,
  type Floating,
} from '../../../../../actors/edge-delivery/comments-panel/state/reaction-tally.ts';

const heart = (count: number) => ({ kind: 'heart', count });
const given = (count: number, bySecond: Readonly<Record<number, number>>) => ({
  sums: { heart: count },
  bySecond: Object.entries(bySecond).map(([second, hearts]) => ({
    second: Number(second),
    sums: { heart: hearts },
  })),
});
test('a reaction to what the viewer has not seen yet waits until they see it', () => {
  const inTime = new ReactionsInTime();
  expect(inTime.give(given(5, { 104: 2, 107: 3 }), 100.5, 0)).toEqual([]);
  expect(inTime.due(103.9, 3400)).toEqual([]);
  expect(inTime.due(104, 3500)).toEqual([heart(2)]);
  expect(inTime.due(107.5, 7000)).toEqual([heart(3)]);
  expect(inTime.due(111, 9600)).toEqual([]);
});

test('what nobody said a second for, and what the viewer has just seen, floats at once', () => {
  const inTime = new ReactionsInTime();
  expect(inTime.give(given(6, { 98: 2, 100: 3 }), 100.5, 0)).toEqual([heart(6)]);
});

test('a reaction to what lies more than 30 s away floats for others', () => {
  const inTime = new ReactionsInTime();
  expect(inTime.give(given(4, { 69: 2, 131: 2 }), 100, 0)).toEqual([]);
  expect(inTime.due(131, 31_000)).toEqual([]);
});

test('what waits waits on while nobody knows where the viewer is, as when their edge is gone', () => {
  const inTime = new ReactionsInTime();
  inTime.give(given(2, { 110: 2 }), 100, 0);
  expect(inTime.due(undefined, 5000)).toEqual([]);
  expect(inTime.due(110, 10_000)).toEqual([heart(2)]);
});

test('what a viewer skips does not float for them', () => {
  const inTime = new ReactionsInTime();
  inTime.give(given(5, { 104: 2, 118: 3 }), 100, 0);
  expect(inTime.due(120, 1000)).toEqual([heart(3)]);
  expect(inTime.due(104, 2000)).toEqual([]);
});

test('one that waits longer than it lives is forgotten, as when the viewer pauses', () => {
  const inTime = new ReactionsInTime();
  inTime.give(given(2, { 110: 2 }), 100, 0);
  expect(inTime.due(100, 30_001)).toEqual([]);
  expect(inTime.due(110, 30_002)).toEqual([]);
});

test('while nobody knows where the viewer is, all float at once', () => {
  const inTime = new ReactionsInTime();
  expect(inTime.give(given(2, { 110: 2 }), undefined, 0)).toEqual([heart(2)]);
});

// Goal: on a busy stream what is ahead waits until it is seen, however much there is of it. Method: five windows a second for 6 s, each with
// all kinds at each of the 4 s ahead of the viewer.
test('of a busy stream nothing that waits is lost, and all of a kind float as one', () => {
  const inTime = new ReactionsInTime();
  const kinds = reactions.map(({ kind }) => kind);
  const each = Object.fromEntries(kinds.map((kind) => [kind, 1]));
  const four = Object.fromEntries(kinds.map((kind) => [kind, 4]));
  const floated: Floating[] = [];
  for (let window = 0; window < 30; window += 1) {
    const playhead = 100 + window / 5;
    const ahead = [1, 2, 3, 4].map((by) => ({ second: Math.floor(playhead) + by, sums: each }));
    const given = inTime.give({ sums: four, bySecond: ahead }, playhead, window * 200);
    const due = inTime.due(playhead, window * 200);
    expect({ given: given.length, atMost: due.length <= kinds.length }).toEqual({ given: 0, atMost: true });
    floated.push(...due);
  }
  // The seconds 101 to 105 were given to while the viewer was up to 4 s before each: for 1, 2, 3, 4 and 4 s, five times a second.
  expect(floated.filter(({ kind }) => kind === 'fire').map(({ count }) => count)).toEqual([
    5, 10, 15, 20, 20,
  ]);
});

test('those that wait are bounded, where a viewer jumps to and fro: the oldest are forgotten', () => {
  const inTime = new ReactionsInTime();
  for (let second = 1; second <= 300; second += 1) inTime.give(given(1, { [second]: 1 }), second - 1, 0);
  const seconds = Array.from({ length: 300 }, (_, index) => index + 1);
  const first = seconds.find((second) => inTime.due(second, 1000).length > 0);
  expect({ first, next: inTime.due(102, 1000) }).toEqual({ first: 101, next: [heart(1)] });
});
