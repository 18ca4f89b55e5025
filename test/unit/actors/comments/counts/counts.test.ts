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
  const state = { isGone: false };
  const counts = new Counts({
    clock,
    store: {
      likes: async (ids) => {
        asked.push(ids);
        if (state.isGone) throw new Error('gone');
        return new Map(likes);
      },
      replies: async () => new Map(),
    },
  });
  return { clock, likes, asked, state, counts };
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

test('what changed in another region is counted and told here, and not told to the other regions again', async () => {
  const { counts } = rig();
  counts.changedElsewhere([id, other]);
  counts.changed([other]);
  counts.changedElsewhere([other]);
  expect(await counts.recount()).toMatchObject([{ counts: [{ id }, { id: other }], changedHere: [other] }]);
});
