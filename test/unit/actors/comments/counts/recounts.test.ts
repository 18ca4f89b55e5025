import { expect, test } from 'vitest';
import { recountedAtOnce, Recounts } from '../../../../../actors/comments/counts/recounts.ts';
import { storedComment } from '../../../../support/audience/written.ts';

const minuteMs = 60_000;
const ids = (count: number) => Array.from({ length: count }, (_, index) => storedComment(1000 + index).id);
const [one, other] = ids(2);
if (one === undefined || other === undefined) throw new Error('two are two');

test('what is read is counted after 2 s, and then each 10 s, as long as it is read', () => {
  const recounts = new Recounts();
  recounts.used([one], 0);
  expect({ soon: recounts.due(1999), then: recounts.due(2000) }).toEqual({ soon: [], then: [one] });
  recounts.counted(one, 3, 2000);
  recounts.used([one], 3000);
  expect({ soon: recounts.due(11_999), then: recounts.due(12_000) }).toEqual({ soon: [], then: [one] });
  expect({ forgotten: recounts.due(3000 + 10 * minuteMs), size: recounts.size }).toEqual({ forgotten: [], size: 0 });
});

test('what was not counted, as it failed, stays due', () => {
  const recounts = new Recounts();
  recounts.used([one], 0);
  recounts.due(2000);
  expect(recounts.due(3000)).toEqual([one]);
});

test.for([
  [5000, 10_000],
  [50_000, 100_000],
  [5_000_000, 600_000],
] as const)('what %i like is counted each %i ms, as it costs more', ([likes, everyMs]) => {
  const recounts = new Recounts();
  recounts.used([one], 0);
  recounts.counted(one, likes, 0);
  recounts.used([one], everyMs - 1);
  expect({ soon: recounts.due(everyMs - 1), then: recounts.due(everyMs) }).toEqual({ soon: [], then: [one] });
});

test('a few are counted at once, those first that have waited longest', () => {
  const recounts = new Recounts();
  const many = ids(2 * recountedAtOnce);
  recounts.used(many, 0);
  const first = recounts.due(2000);
  expect(first).toEqual(many.slice(0, recountedAtOnce));
  for (const id of first) recounts.counted(id, 1, 2000);
  expect(recounts.due(3000)).toEqual(many.slice(recountedAtOnce));
});

test('at its bound it forgets what was used least lately', () => {
  const recounts = new Recounts();
  recounts.used([one, other], 0);
  recounts.used([one], 1);
  recounts.used(ids(6001).slice(2), 2);
  expect({ size: recounts.size, first: recounts.due(2000)[0] }).toEqual({ size: 6000, first: one });
});
