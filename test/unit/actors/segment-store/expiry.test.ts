import { expect, test } from 'vitest';
import { fateOf, sweep, uncommittedMs, type ExpiryRules } from '../../../../actors/segment-store/expiry.ts';
import type { SegmentStore, StoredObject } from '../../../../actors/segment-store/segment-store.ts';

const hash = 'a'.repeat(16);
const nowMs = 1_800_000_000_000;
const hourMs = 3_600_000;
const segment = `demo/7/h264-720p/90000-${hash}`;
const init = `demo/7/h264-720p/init-${hash}`;

const rules = (committed: readonly string[] | undefined): ExpiryRules => ({
  nowMs,
  retentionMs: 24 * hourMs,
  uncommittedMs,
  committedKeys: () => (committed === undefined ? undefined : new Set(committed)),
});
const object = (key: string, ageMs: number): StoredObject => ({ key, bytes: 10, storedAtMs: nowMs - ageMs });

test.each([
  ['a committed segment within retention stays', segment, 23 * hourMs, [segment], 'keep'],
  ['a committed segment past retention goes', segment, 24 * hourMs + 1, [segment], 'expired'],
  ['a segment that waits for its commit stays', segment, uncommittedMs, [], 'keep'],
  ['a segment without a commit goes after ten minutes', segment, uncommittedMs + 1, [], 'uncommitted'],
  ['an init segment that is named stays for ever', init, 1000 * hourMs, [init], 'keep'],
  ['an init segment that nothing names goes', init, uncommittedMs + 1, [], 'uncommitted'],
  [
    'another rendition of the same start and hash is another object',
    segment,
    hourMs,
    [segment.replace('720', '360')],
    'uncommitted',
  ],
  ['of a stream whose log is not known all stays', segment, 1000 * hourMs, undefined, 'keep'],
  ['a checkpoint is not media', 'index/demo/3-000010.json', 1000 * hourMs, [], 'keep'],
  ['what is not named as media is left alone', 'demo/7/h264-720p/notes.txt', 1000 * hourMs, [], 'keep'],
  ['an object from the future of a wrong clock stays', segment, -hourMs, [], 'keep'],
])('%s', (_, key, ageMs, committed, fate) => {
  expect(fateOf(object(key, ageMs), rules(committed))).toBe(fate);
});

test('the log of the stream that the key names is asked', () => {
  const asked: string[] = [];
  fateOf(object(segment, hourMs), { ...rules([]), committedKeys: (stream) => void asked.push(stream) });
  expect(asked).toEqual(['demo']);
});

const nothing = (): Promise<never> => Promise.reject(new Error('not used'));

/** A store of listed objects that takes note of what is deleted. */
function storeOf(objects: readonly StoredObject[]): { store: SegmentStore; batches: string[][] } {
  const batches: string[][] = [];
  const store: SegmentStore = {
    putIfAbsent: nothing,
    get: nothing,
    range: nothing,
    list: async function* list() {
      yield* objects;
    },
    delete: async (keys) => void batches.push([...keys]),
    close: async () => {},
  };
  return { store, batches };
}

const numbered = (count: number): readonly StoredObject[] =>
  Array.from({ length: count }, (_, index) => object(`demo/7/h264-720p/${index}-${hash}`, hourMs));

test('a sweep deletes what is not kept, in batches, and counts it', async () => {
  const { store, batches } = storeOf([...numbered(2300), object(init, hourMs), object(segment, 25 * hourMs)]);
  const result = await sweep(store, (one) => fateOf(one, rules([init, segment])));
  expect(batches.map((batch) => batch.length)).toEqual([1000, 1000, 301]);
  expect(batches.flat()).not.toContain(init);
  expect(result).toEqual({
    listed: 2302,
    deleted: { expired: 1, uncommitted: 2300 },
    deletedBytes: 23_010,
    isCut: false,
  });
});

test('a sweep stops at its bound and says so', async () => {
  const { store, batches } = storeOf(numbered(30));
  const result = await sweep(store, () => 'uncommitted', { maxDeletes: 20 });
  expect(batches.flat()).toHaveLength(20);
  expect(result).toMatchObject({ isCut: true, deleted: { uncommitted: 20 } });
});

test('a sweep of exactly its bound is not cut', async () => {
  const { store } = storeOf(numbered(20));
  expect(await sweep(store, () => 'expired', { maxDeletes: 20 })).toMatchObject({
    isCut: false,
    deleted: { expired: 20 },
  });
});
