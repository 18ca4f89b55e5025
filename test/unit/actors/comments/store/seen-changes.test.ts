import { expect, test } from 'vitest';
import { SeenChanges } from '../../../../../actors/comments/store/cassandra/seen-changes.ts';
import { Stamps } from '../../../../../actors/comments/store/cassandra/stamps.ts';
import { StreamId } from '../../../../../cluster/model/ids.ts';
import { news, storedComment } from '../../../../support/audience/written.ts';

const changed = (...times: readonly number[]) =>
  times.map((changedAtMs) => storedComment(changedAtMs, { changedAtMs }));
const timesOf = (comments: readonly { readonly changedAtMs: number }[]) =>
  comments.map(({ changedAtMs }) => changedAtMs);

test('who asks for the first time hears nothing from before', () => {
  const chosen = new SeenChanges().choose(news, changed(1, 5, 9), { sinceMs: 5, limit: 10 });
  expect(timesOf(chosen)).toEqual([5, 9]);
});

test('what appears behind a place that was read is told once', () => {
  const seen = new SeenChanges();
  seen.choose(news, changed(1, 5, 9), { sinceMs: 0, limit: 10 });
  const late = changed(1, 5, 7, 9);
  expect(timesOf(seen.choose(news, late, { sinceMs: 9, limit: 10 }))).toEqual([7, 9]);
  expect(timesOf(seen.choose(news, late, { sinceMs: 9, limit: 10 }))).toEqual([9]);
});

test('a comment that changes again is news again', () => {
  const seen = new SeenChanges();
  const first = storedComment(1, { changedAtMs: 5 });
  seen.choose(news, [first], { sinceMs: 0, limit: 10 });
  expect(seen.choose(news, [{ ...first, changedAtMs: 6 }], { sinceMs: 8, limit: 10 })).toHaveLength(1);
});

test('what a full page has no room for is told by the next', () => {
  const seen = new SeenChanges();
  const all = changed(1, 2, 3, 4);
  expect(timesOf(seen.choose(news, all, { sinceMs: 0, limit: 2 }))).toEqual([1, 2]);
  expect(timesOf(seen.choose(news, all, { sinceMs: 2, limit: 3 }))).toEqual([2, 3, 4]);
});

test('what appears behind a place is told of each stream of a full node, which reads them in turn', () => {
  const seen = new SeenChanges();
  const streams = Array.from({ length: 2000 }, (_, index) => StreamId.parse(`stream-${index}`));
  for (const stream of streams) seen.choose(stream, changed(9), { sinceMs: 0, limit: 10 });
  const told = streams.map((stream) => seen.choose(stream, changed(7, 9), { sinceMs: 9, limit: 10 }).length);
  expect({ behind: told.filter((count) => count === 2).length }).toEqual({ behind: 2000 });
});

test('times of changes only grow, and stay behind what was read', () => {
  const stamps = new Stamps();
  const times = [stamps.next(10), stamps.next(10), stamps.next(7)];
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(new Set(times).size).toBe(times.length);
  stamps.saw(12, 10);
  expect(stamps.next(10)).toBeGreaterThan(12);
});

test('a time that is far ahead is not followed', () => {
  const stamps = new Stamps();
  stamps.saw(1e9, 10);
  expect(stamps.next(10)).toBe(10);
});
