import { expect, test } from 'vitest';
import { recountedAtOnce, Recounts } from '../../../../../actors/comments/counts/recounts.ts';
import { storedComment } from '../../../../support/audience/written.ts';

const minuteMs = 60_000;
const ids = (count: number) => Array.from({ length: count }, (_, index) => storedComment(1000 + index).id);
/** Liked. */
const anybody = (): boolean => true;
const [one, other] = ids(2);
if (one === undefined || other === undefined) throw new Error('two are two');

test('what is read is counted after 2 s, and then each 10 s, as long as it is read', () => {
  const recounts = new Recounts();
  recounts.used([one], 0);
  expect({ soon: recounts.due(1999, anybody), later: recounts.due(2000, anybody) }).toEqual({
    soon: [],
    later: [one],
  });
  recounts.counted(one, 3, 2000);
  recounts.used([one], 3000);
  expect({ soon: recounts.due(11_999, anybody), later: recounts.due(12_000, anybody) }).toEqual({
    soon: [],
    later: [one],
  });
  expect({ forgotten: recounts.due(3000 + 10 * minuteMs, anybody), size: recounts.size }).toEqual({
    forgotten: [],
    size: 0,
  });
});

// Goal: a comment whose count is too much for the database does not take it away each half second. Method: it fails again and again, and is read
// meanwhile; once it is counted, it has its turn as all do.
test('what cannot be counted is put off for 10 s, then for twice as long each time, and at most for 10 minutes', () => {
  const recounts = new Recounts();
  let nowMs = 0;
  const waits: number[] = [];
  recounts.used([one], nowMs);
  for (let times = 0; times < 8; times += 1) {
    recounts.failed(one, nowMs);
    const failedMs = nowMs;
    while (recounts.due(nowMs, anybody).length === 0) {
      nowMs += 5000;
      recounts.used([one], nowMs);
    }
    waits.push((nowMs - failedMs) / 1000);
  }
  expect({ waits }).toEqual({ waits: [10, 20, 40, 80, 160, 320, 600, 600] });
  recounts.counted(one, 1, nowMs);
  recounts.failed(one, nowMs);
  expect({ soon: recounts.due(nowMs + 9999, anybody), later: recounts.due(nowMs + 10_000, anybody) }).toEqual(
    {
      soon: [],
      later: [one],
    },
  );
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
  expect({ soon: recounts.due(everyMs - 1, anybody), later: recounts.due(everyMs, anybody) }).toEqual({
    soon: [],
    later: [one],
  });
});

test('a few are counted at once, those first that have waited longest', () => {
  const recounts = new Recounts();
  const many = ids(2 * recountedAtOnce);
  recounts.used(many, 0);
  const first = recounts.due(2000, anybody);
  expect(first).toEqual(many.slice(0, recountedAtOnce));
  for (const id of first) recounts.counted(id, 1, 2000);
  expect(recounts.due(3000, anybody)).toEqual(many.slice(recountedAtOnce));
});

test('at its bound it forgets what was used least lately', () => {
  const recounts = new Recounts();
  recounts.used([one, other], 0);
  recounts.used([one], 1);
  recounts.used(ids(6001).slice(2), 2);
  expect({ size: recounts.size, first: recounts.due(2000, anybody)[0] }).toEqual({ size: 6000, first: one });
});

test('those that nobody likes get a part of each turn, and what the others leave', () => {
  const recounts = new Recounts();
  const many = ids(2 * recountedAtOnce);
  const isLiked = (id: (typeof many)[number]): boolean => many.indexOf(id) >= recountedAtOnce;
  recounts.used(many, 0);
  const counts = (due: typeof many) => ({ liked: due.filter(isLiked).length, all: due.length });
  const first = recounts.due(2000, isLiked);
  expect(counts([...first])).toEqual({ liked: recountedAtOnce - 5, all: recountedAtOnce });
  for (const id of first) recounts.counted(id, 1, 2000);
  expect(counts([...recounts.due(2000, isLiked)])).toEqual({ liked: 5, all: recountedAtOnce });
});
