import { expect, test } from 'vitest';
import {
  calmRhythm,
  leastGatherMs,
  mostGatherMs,
  nextRhythm,
} from '../../../../../../actors/edge-delivery/socket/frames/frame-rhythm.ts';

const after = (shares: readonly number[]): number => shares.reduce(nextRhythm, calmRhythm).gatherMs;
const times = (count: number, share: number): number[] => Array.from({ length: count }, () => share);

test('messages are gathered for 50 ms while the node is calm, and for up to 200 ms while it is not', () => {
  expect({
    idle: after(times(50, 0)),
    half: after(times(50, 0.5)),
    busy: after(times(50, 0.7)),
    full: after(times(50, 1)),
  }).toEqual({ idle: leastGatherMs, half: leastGatherMs, busy: 125, full: mostGatherMs });
});

test('one long turn changes little, and calm comes back', () => {
  expect(after([...times(50, 0.1), 1])).toBe(leastGatherMs);
  expect(after([...times(50, 1), ...times(20, 0.1)])).toBe(leastGatherMs);
});

test('a share that is none counts as the nearest one', () => {
  expect({ above: after(times(50, 7)), below: after(times(50, -1)) }).toEqual({
    above: mostGatherMs,
    below: leastGatherMs,
  });
});
