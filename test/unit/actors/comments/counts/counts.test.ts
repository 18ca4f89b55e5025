import { expect, test } from 'vitest';
import { Counts } from '../../../../../actors/comments/counts/counts.ts';
import type { CommentId } from '../../../../../cluster/model/ids.ts';
import { news, storedComment } from '../../../../support/audience/written.ts';
import { JumpingClock } from '../../../../support/ports/jumping-clock.ts';

const { id } = storedComment(1000);
const other = storedComment(2000).id;

function rig() {
  const clock = new JumpingClock();
  const likes = new Map<CommentId, number>();
  const asked: (readonly CommentId[])[] = [];
  const state: { isGone: boolean; bad: CommentId | undefined } = { isGone: false, bad: undefined };
  const recounted: (readonly CommentId[])[] = [];
  const counts = new Counts({
    clock,
    recountLikes: async (ids) => {
      if (state.isGone || ids.some((one) => one === state.bad)) throw new Error('gone');
      recounted.push(ids);
      return new Map(likes);
    },
    store: {
      likes: async (ids) => {
        asked.push(ids);
        if (state.isGone) throw new Error('gone');
        return new Map(likes);
      },
      replies: async () => new Map(),
    },
  });
  return { clock, likes, asked, recounted, state, counts };
}

test('a crowd that reads the same page costs one count in two seconds', async () => {
  const { clock, likes, asked, counts } = rig();
  likes.set(id, 3);
  await counts.of([id, other]);
  likes.set(id, 4);
  expect((await counts.of([id])).get(id)).toMatchObject({ likes: 3, replies: 0 });
  clock.nowMs = 2001;
  expect((await counts.of([id])).get(id)?.likes).toBe(4);
  expect(asked).toEqual([[id, other], [id]]);
});

// Goal: a page that a crowd reads at once is counted once, and nobody is told less than they did. Method: readers ask while a count is under
// way, and one more after a change.
test('a crowd that asks at once has one count, and who asks after a change has another', async () => {
  const { asked, counts } = rig();
  const crowd = [counts.of([id, other]), counts.of([id]), counts.of([other])];
  const together = [...asked];
  counts.changed([id]);
  await Promise.all([...crowd, counts.of([id, other])]);
  expect({ together, all: asked }).toEqual({ together: [[id, other]], all: [[id, other], [id]] });
});

// Goal: a number that is older than a like is not taken for a fresh one. Method: a count is under way when somebody likes; the store answers it
// with what it found before.
test('a count that was under way when somebody liked is not fresh, and hides no newer one', async () => {
  const { likes, asked, counts } = rig();
  likes.set(id, 1);
  const before = counts.of([id]);
  likes.set(id, 2);
  counts.changed([id]);
  expect({ shown: (await before).get(id)?.likes }).toEqual({ shown: 1 });
  expect({ later: (await counts.of([id])).get(id)?.likes, times: asked.length }).toEqual({
    later: 2,
    times: 2,
  });
  const late = counts.of([other]);
  counts.changed([other]);
  counts.heard({ streamId: news, counts: [{ id: other, likes: 9, replies: 0 }] });
  await late;
  expect(counts.known(other).likes).toBe(9);
});

test('what changed is counted anew and told once; meanwhile it is as last known', async () => {
  const { likes, counts } = rig();
  likes.set(id, 1);
  await counts.of([id]);
  likes.set(id, 2);
  counts.changed([id, id]);
  expect(counts.known(id).likes).toBe(1);
  expect(await counts.recount()).toEqual([
    { streamId: news, counts: [{ id, likes: 2, replies: 0 }], changedHere: [id] },
  ]);
  expect({ known: counts.known(id).likes, again: await counts.recount() }).toEqual({ known: 2, again: [] });
});

test('what was not counted, as the store was gone, is counted the next time', async () => {
  const { state, likes, counts } = rig();
  likes.set(id, 1);
  counts.changed([id]);
  state.isGone = true;
  await expect(counts.recount()).rejects.toThrow('gone');
  state.isGone = false;
  expect(await counts.recount()).toMatchObject([{ counts: [{ id, likes: 1 }] }]);
});

test('what another node has counted is known here', () => {
  const { counts } = rig();
  counts.heard({ streamId: news, counts: [{ id, likes: 7, replies: 2 }] });
  expect(counts.known(id)).toMatchObject({ likes: 7, replies: 2 });
});

test('of very many changed comments some are left for who reads them, and counted', async () => {
  const { counts } = rig();
  counts.changed(Array.from({ length: 5010 }, (_, index) => storedComment(index).id));
  const [first] = await counts.recount();
  expect({ leftOut: counts.leftOut, atOnce: first?.counts.length }).toEqual({ leftOut: 10, atOnce: 500 });
});

// Goal: after a cut all that changed in the other region is counted, and what changes here meanwhile waits for none of it. Method: more of both than one turn counts.
test('of very many comments that changed in another region all are counted; what changed here comes first, and takes not all of a turn', async () => {
  const { counts } = rig();
  const many = (from: number, length: number) =>
    Array.from({ length }, (_, index) => storedComment(from + index).id);
  counts.changedElsewhere(many(10_000, 6000));
  counts.changed(many(1000, 600));
  const turns: { readonly all: number; readonly here: number }[] = [];
  for (const _ of Array.from({ length: 15 })) {
    const [one] = await counts.recount();
    turns.push({ all: one?.counts.length ?? 0, here: one?.changedHere.length ?? 0 });
  }
  expect({ leftOut: counts.leftOut, counted: turns.reduce((sum, { all }) => sum + all, 0) }).toEqual({
    leftOut: 0,
    counted: 6600,
  });
  expect(turns.slice(0, 3)).toEqual([
    { all: 500, here: 400 },
    { all: 500, here: 200 },
    { all: 500, here: 0 },
  ]);
});

test('more than 20,000 that changed in another region are left for who reads them, and counted', () => {
  const { counts } = rig();
  counts.changedElsewhere(Array.from({ length: 20_010 }, (_, index) => storedComment(10_000 + index).id));
  counts.changed([id]);
  expect({ leftOut: counts.leftOut }).toEqual({ leftOut: 10 });
});

test('what changed in another region is counted and told here, and not told to the other regions again', async () => {
  const { counts } = rig();
  counts.changedElsewhere([id, other]);
  counts.changed([other]);
  counts.changedElsewhere([other]);
  expect(await counts.recount()).toMatchObject([{ counts: [{ id: other }, { id }], changedHere: [other] }]);
});

// Goal: likes that came to another data centre are told here. Method: a comment is read; its set grows, and nobody here changes it.
test('what is read is counted in turn, and told where it is another number', async () => {
  const { clock, likes, counts } = rig();
  likes.set(id, 1);
  await counts.of([id, other]);
  clock.nowMs = 2000;
  expect(await counts.recountRead()).toEqual({ found: [], failures: [] });
  likes.set(id, 2);
  clock.nowMs = 11_999;
  expect(await counts.recountRead()).toEqual({ found: [], failures: [] });
  clock.nowMs = 12_000;
  expect(await counts.recountRead()).toEqual({
    found: [{ streamId: news, counts: [{ id, likes: 2, replies: 0 }] }],
    failures: [],
  });
  expect(counts.known(id).likes).toBe(2);
});

test('what could not be counted in turn is said, tells nothing, and is counted again 10 s later', async () => {
  const { clock, state, counts, recounted } = rig();
  state.isGone = true;
  await expect(counts.of([id])).rejects.toThrow('gone');
  clock.nowMs = 2000;
  expect(await counts.recountRead()).toEqual({ found: [], failures: [new Error('gone')] });
  state.isGone = false;
  clock.nowMs = 11_999;
  await counts.recountRead();
  expect({ recounted }).toEqual({ recounted: [] });
  clock.nowMs = 12_000;
  await counts.recountRead();
  expect({ recounted }).toEqual({ recounted: [[id]] });
});

test('one comment that cannot be counted stops no other', async () => {
  const { clock, likes, state, counts } = rig();
  await counts.of([id, other]);
  state.bad = id;
  likes.set(other, 2);
  clock.nowMs = 2000;
  expect(await counts.recountRead()).toEqual({
    found: [{ streamId: news, counts: [{ id: other, likes: 2, replies: 0 }] }],
    failures: [new Error('gone')],
  });
});

test('a store that counts the sets each time is not asked in turn', async () => {
  const clock = new JumpingClock();
  const store = { likes: async () => new Map(), replies: async () => new Map() };
  const counts = new Counts({ clock, store });
  await counts.of([id]);
  clock.nowMs = 2000;
  expect(await counts.recountRead()).toEqual({ found: [], failures: [] });
});
