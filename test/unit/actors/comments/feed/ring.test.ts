import { assert, array, constantFrom, integer, property, record } from 'fast-check';
import { expect, test } from 'vitest';
import { byPlace, changedSize, leftSize, Ring, ringSize } from '../../../../../actors/comments/feed/ring.ts';
import type { StoredComment } from '../../../../../actors/comments/store/comment-store.ts';
import { hiddenAt, shownAt, storedComment } from '../../../../support/ports/stores/stored-comments.ts';

const idsOf = (rows: readonly StoredComment[]): readonly string[] => rows.map(({ id }) => id);
const rows = (count: number): readonly StoredComment[] =>
  Array.from({ length: count }, (_, number) => storedComment({ atMs: 1000 + number, number }));

function ringOf(comments: readonly StoredComment[], completeFromMs = 0): Ring {
  const ring = new Ring();
  for (const comment of comments) ring.put(comment);
  ring.begin(completeFromMs);
  return ring;
}

test('it holds the newest 300, in order, whatever the order in which they came', () => {
  const all = rows(ringSize + 50);
  expect(idsOf(ringOf(all.toReversed()).newest(1000))).toEqual(idsOf(all.slice(50)));
  expect(idsOf(ringOf(all).newest(2))).toEqual(idsOf(all.slice(-2)));
});

test('a comment that comes twice is there once', () => {
  const all = rows(3);
  expect(idsOf(ringOf([...all, ...all]).newest(10))).toEqual(idsOf(all));
});

test('a held comment has a place, and is not among those that everybody sees', () => {
  const held = storedComment({ atMs: 1001, isHeld: true });
  const ring = ringOf([storedComment(), held]);
  expect({ seen: ring.newest(10).length, here: ring.get(held.id)?.isHeld }).toEqual({ seen: 1, here: true });
});

test('what it lost moves the time from which on it is complete', () => {
  const [first, ...others] = rows(ringSize + 1);
  const ring = ringOf(others, 500);
  expect(ring.completeFromMs).toBe(500);
  ring.put(storedComment({ atMs: 100, arrivedAtMs: 900 }));
  expect(ring.completeFromMs).toBe(901);
  expect(idsOf(ringOf([...others, ...(first === undefined ? [] : [first])], 500).since(0))).toEqual(
    idsOf(others),
  );
});

test('what it lost before it began counts', () => {
  expect(ringOf(rows(ringSize + 5), 0).completeFromMs).toBe(1005);
});

test('a change of a comment without a place is kept beside it, and is no loss', () => {
  const ring = ringOf(rows(ringSize), 0);
  const old = hiddenAt(storedComment({ atMs: 10 }), 5000);
  ring.put(old);
  expect({ from: ring.completeFromMs, changed: idsOf(ring.changedSince(5000)) }).toEqual({
    from: 0,
    changed: [old.id],
  });
  ring.put(shownAt(old, 4000));
  expect(ring.get(old.id)?.hidden).toBeDefined();
});

test('more changes than it keeps move the time from which on it is complete', () => {
  const ring = ringOf(rows(ringSize), 0);
  for (let number = 0; number <= changedSize; number += 1)
    ring.put(hiddenAt(storedComment({ atMs: 10, number }), 5000 + number));
  expect({ from: ring.completeFromMs, changed: ring.changedSince(0).length }).toEqual({
    from: 5001,
    changed: changedSize,
  });
});

test('what has left since a moment is kept, and of more than 200 it is known that there were more', () => {
  const ring = ringOf(rows(ringSize + 5), 0);
  const before = ring.leftCount;
  expect(ring.leftSince(before)).toEqual([]);
  const late = Array.from({ length: leftSize + 1 }, (_, number) =>
    storedComment({ atMs: 10, number, arrivedAtMs: 5000 }),
  );
  for (const one of late.slice(0, leftSize)) ring.put(one);
  expect(idsOf(ring.leftSince(before) ?? [])).toEqual(idsOf(late.slice(0, leftSize)));
  for (const one of late.slice(leftSize)) ring.put(one);
  expect({ all: ring.leftSince(before), last: ring.leftSince(before + leftSize)?.length }).toEqual({
    all: undefined,
    last: 1,
  });
});

test('of two changes of one time the one that hides wins', () => {
  const comment = storedComment();
  const both = [hiddenAt(comment, 2000), shownAt(comment, 2000)];
  const hidden = [both, both.toReversed()].map(
    (order) => ringOf(order).get(comment.id)?.hidden !== undefined,
  );
  expect({ hidden }).toEqual({ hidden: [true, true] });
});

const anyVersion = record({
  atMs: integer({ min: 0, max: 500 }),
  lateMs: integer({ min: 0, max: 50 }),
  number: constantFrom(0, 1),
  change: constantFrom('none' as const, 'hidden' as const, 'shown' as const),
  changeMs: integer({ min: 1, max: 100 }),
}).map(({ atMs, lateMs, number, change, changeMs }) => {
  const row = storedComment({ atMs, number, arrivedAtMs: atMs + lateMs });
  if (change === 'none') return row;
  return (change === 'hidden' ? hiddenAt : shownAt)(row, row.arrivedAtMs + changeMs);
});

// Goal: from `completeFromMs` on a page is told everything. Method: any versions in any order, and twice; what the ring gives
// since then is compared with the latest versions of all that came.
test('whatever comes in whatever order, nothing is missing from the time on that it names, and it is in order', () => {
  assert(
    property(array(anyVersion, { maxLength: 900 }), (came) => {
      const ring = ringOf([...came, ...came.toReversed()]);
      const latest = new Map<string, StoredComment>();
      for (const row of came) {
        const there = latest.get(row.id);
        const isHiding = row.changedAtMs === there?.changedAtMs && row.hidden !== undefined;
        if (there === undefined || row.changedAtMs > there.changedAtMs || isHiding) latest.set(row.id, row);
      }
      const wanted = [...latest.values()].filter((row) => row.changedAtMs >= ring.completeFromMs);
      const given = ring.since(ring.completeFromMs);
      expect(given.toSorted(byPlace).map(versionOf)).toEqual(wanted.toSorted(byPlace).map(versionOf));
      const newest = ring.newest(ringSize);
      expect(newest).toEqual(newest.toSorted(byPlace));
    }),
    { numRuns: 60 },
  );
});

const versionOf = ({ id, changedAtMs, hidden }: StoredComment): string =>
  `${id} ${changedAtMs} ${hidden?.atMs ?? ''}`;
