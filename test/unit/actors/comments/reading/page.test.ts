import { expect, test } from 'vitest';
import { cutPage, placeIn, placeOfRow } from '../../../../../actors/comments/reading/page.ts';
import type { Place, StoredComment } from '../../../../../actors/comments/store/comment-store.ts';
import { StreamId } from '../../../../../cluster/model/ids.ts';
import { news, storedComment } from '../../../../support/audience/written.ts';

const rows = Array.from({ length: 20 }, (_, index) =>
  storedComment(100 - index, index % 4 === 3 ? {} : { hidden: { by: 'operator', atMs: 1 } }),
);
const read = async (limit: number, from: Place | undefined) =>
  rows.filter(({ createdAtMs }) => createdAtMs < (from?.createdAtMs ?? Infinity)).slice(0, limit);
const placeOf = placeOfRow;
const shown = async (some: readonly StoredComment[]) =>
  new Set(some.filter(({ hidden }) => hidden === undefined));

test('a page skips what its reader does not see, and the next one goes on behind it', async () => {
  const first = await cutPage({ limit: 2, read, from: undefined, shown, placeOf });
  expect(first.items.map(({ text }) => text)).toEqual(['at 97', 'at 93']);
  const second = await cutPage({ limit: 2, read, from: first.next, shown, placeOf });
  expect(second.items.map(({ text }) => text)).toEqual(['at 89', 'at 85']);
  expect(await cutPage({ limit: 2, read, from: second.next, shown, placeOf })).toMatchObject({
    items: [{ text: 'at 81' }],
  });
});

test('the last page says that nothing follows, also when it is full', async () => {
  const page = await cutPage({
    limit: 20,
    read,
    from: undefined,
    shown: async (some) => new Set(some),
    placeOf,
  });
  expect({ items: page.items.length, next: page.next }).toEqual({ items: 20, next: undefined });
});

// Goal: one request costs a bounded number of reads, and its reader still gets to the end.
test('of a long stretch of hidden comments a page has none, and says where to go on', async () => {
  let reads = 0;
  const hidden = async (limit: number, from: Place | undefined) => {
    reads += 1;
    const below = from?.createdAtMs ?? 1_000_000;
    return Array.from({ length: limit }, (_, index) => storedComment(below - 1 - index));
  };
  const page = await cutPage({
    limit: 10,
    read: hidden,
    from: undefined,
    shown: async () => new Set(),
    placeOf,
  });
  expect({ items: page.items, reads }).toEqual({ items: [], reads: 5 });
  expect(page.next?.createdAtMs).toBe(1_000_000 - 55);
});

test('a page begins at a comment of its stream, or at a time', () => {
  const { id } = storedComment(5000);
  expect(placeIn(news, id)).toEqual({ createdAtMs: 5000, id });
  expect(placeIn(news, '1970-01-01T00:00:05.000Z')).toEqual({ createdAtMs: 5000 });
  expect(placeIn(news, undefined)).toBeUndefined();
  expect(() => placeIn(StreamId.parse('other'), id)).toThrow('is no comment of other');
});
