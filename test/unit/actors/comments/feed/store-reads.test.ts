import { expect, test } from 'vitest';
import { readSince, readStart } from '../../../../../actors/comments/feed/store-reads.ts';
import { MemoryComments, MemoryCommentStore } from '../../../../support/ports/stores/memory-comment-store.ts';
import { commentStream, storedComment } from '../../../../support/ports/stores/stored-comments.ts';

const nowMs = 10_000_000;

/** A stream of so many comments, so far apart, the last one now. */
async function storeOf(count: number, everyMs: number): Promise<MemoryCommentStore> {
  const store = new MemoryCommentStore(new MemoryComments());
  for (let number = count; number > 0; number -= 1) {
    const atMs = nowMs - (number - 1) * everyMs;
    await store.add(storedComment({ atMs, number }), { isHeld: false, nowMs: atMs });
  }
  return store;
}

test.each([
  ['all of a small stream', 10, 1000, { completeFromMs: 0, oldToMs: -1 }],
  ['the last 20 s of a long one', 400, 1000, { completeFromMs: nowMs - 20_000, oldToMs: nowMs - 5000 }],
  ['nothing before it of a flood', 400, 10, { completeFromMs: nowMs, oldToMs: nowMs - 5000 }],
])('a start knows %s', async (_, count, everyMs, wanted) => {
  const { rows, mode, ...knows } = await readStart(await storeOf(count, everyMs), commentStream, nowMs);
  const lastMs = Math.max(...rows.map(({ createdAtMs }) => createdAtMs));
  expect({ knows, mode, lastMs }).toEqual({
    knows: wanted,
    mode: { mode: 'open', slowSeconds: 0 },
    lastMs: nowMs,
  });
});

test.each([
  [1200, 10_000, 'all', true],
  [500, 1000, 'all', true],
  [5000, 1000, 'some', false],
])('of %i rows a read of at least %i gives %s, each once, and says so', async (count, mostRows, _, isAll) => {
  const read = await readSince(await storeOf(count, 1), commentStream, { fromMs: nowMs - count, mostRows });
  const { length } = read.rows;
  expect({
    isAll: read.isAll,
    isWhole: length === count,
    isEnough: length >= Math.min(count, mostRows),
  }).toEqual({
    isAll,
    isWhole: isAll,
    isEnough: true,
  });
  expect(length).toBeLessThan(mostRows + 500);
  expect(new Set(read.rows.map(({ id }) => id)).size).toBe(length);
});
