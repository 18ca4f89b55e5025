/** Pages that are answered by one read of the store, while comments go on coming (A7, A8). */
import { expect, test } from 'vitest';
import { leftSize } from '../../../../../actors/comments/feed/ring.ts';
import { FeedNode, FeedPage } from '../../../../support/audience/feed-node.ts';
import { MemoryNetwork } from '../../../../support/audience/memory-audience-events.ts';
import { JumpingClock } from '../../../../support/ports/jumping-clock.ts';
import { MemoryComments, MemoryCommentStore } from '../../../../support/ports/stores/memory-comment-store.ts';
import { storedComment } from '../../../../support/ports/stores/stored-comments.ts';

const nowMs = 10_000_000;

/** A node that follows a busy stream, and a read of its store for a page that comes back; the read is done, and its answer is still to come. */
async function whileItReads() {
  const clock = new JumpingClock();
  clock.nowMs = nowMs;
  const store = new MemoryCommentStore(new MemoryComments());
  const node = new FeedNode({ name: 'n1', clock, store, events: new MemoryNetwork().open() });
  for (let number = 0; number < 400; number += 1) {
    const atMs = nowMs - (399 - number) * 1000;
    await store.add(storedComment({ atMs, number }), { isHeld: false, nowMs: atMs });
  }
  await new FeedPage(node.feed).resume();
  const answer = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const arrivedSince = store.arrivedSince.bind(store);
  store.arrivedSince = async (...asked) => {
    const rows = await arrivedSince(...asked);
    begun.resolve();
    await answer.promise;
    return rows;
  };
  const comeBack = () => {
    const page = new FeedPage(node.feed);
    return { page, resumed: page.resume({ lastAtMs: nowMs - 100_000 }) };
  };
  const first = comeBack();
  await begun.promise;
  return { node, clock, comeBack, first, answer };
}

/** Older than all that the ring has, as what comes late from elsewhere is. */
const late = (number: number) =>
  storedComment({ atMs: nowMs - 500_000, number: 1000 + number, arrivedAtMs: nowMs });

// Goal: a page lacks nothing that came after the read had begun which answers it. Method: a comment too old for the ring comes while the store
// reads for another page; then the page comes.
test('what finds no place in the ring reaches a page that shares a read from before it', async () => {
  const { node, comeBack, answer } = await whileItReads();
  await node.post(late(1));
  const { page, resumed } = comeBack();
  answer.resolve();
  expect({ resume: (await resumed).resume, got: page.added.length, late: page.added[0] }).toEqual({
    resume: 'complete',
    got: 107,
    late: late(1).id,
  });
});

test('what was hidden while the store read reaches such a page hidden', async () => {
  const { node, clock, comeBack, answer } = await whileItReads();
  await node.post(late(1));
  clock.nowMs += 1;
  await node.hide(late(1).id, true);
  const { page, resumed } = comeBack();
  answer.resolve();
  await resumed;
  expect(page.messages).toContainEqual(
    expect.objectContaining({ comment: expect.objectContaining({ id: late(1).id, hidden: true }) }),
  );
});

test('where more had to leave the ring than is kept, such a page is told of a gap', async () => {
  const { node, comeBack, answer } = await whileItReads();
  for (let number = 0; number <= leftSize; number += 1) await node.post(late(number));
  const { resumed } = comeBack();
  answer.resolve();
  expect((await resumed).resume).toMatchObject({ gap: {} });
});
