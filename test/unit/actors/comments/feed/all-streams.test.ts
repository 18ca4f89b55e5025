/** What concerns all streams reaches every node of the region: bans, erased users (A12). */
import { expect, test } from 'vitest';
import { allStreams } from '../../../../../cluster/contract/api/moderation-views.ts';
import { UserId } from '../../../../../cluster/model/ids.ts';
import { FeedNode, FeedPage } from '../../../../support/audience/feed-node.ts';
import { MemoryNetwork } from '../../../../support/audience/memory-audience-events.ts';
import { JumpingClock } from '../../../../support/ports/jumping-clock.ts';
import { MemoryComments, MemoryCommentStore } from '../../../../support/ports/stores/memory-comment-store.ts';
import { storedComment } from '../../../../support/ports/stores/stored-comments.ts';

const nowMs = 10_000_000;
const ada = UserId.parse('g-ada');
const ban = { kind: 'ban', streamId: allStreams } as const;
const erased = { kind: 'erased', streamId: allStreams, userId: ada, atMs: nowMs } as const;

function startNodes() {
  const [shared, network] = [new MemoryComments(), new MemoryNetwork()];
  const clock = new JumpingClock();
  clock.nowMs = nowMs;
  const start = (name: string) => {
    const [store, events] = [new MemoryCommentStore(shared), network.open()];
    return { store, events, node: new FeedNode({ name, clock, store, events }) };
  };
  return { one: start('n1'), two: start('n2'), clock, network };
}

test('a ban on all streams is heard at every node, also where nobody watches', () => {
  const { one, two } = startNodes();
  const heard: unknown[] = [];
  two.node.feed.onHeard((change) => void heard.push(change));
  one.node.feed.told(ban);
  expect(heard).toEqual([ban]);
});

// Goal: nobody reads at another node what was erased. Method: that node cannot read the database; a page is there, and another one comes.
test('what an erased user wrote is gone from the ring of every node at once', async () => {
  const { one, two } = startNodes();
  const page = new FeedPage(two.node.feed);
  await page.resume();
  const other = {
    ...storedComment({ atMs: nowMs, number: 2 }),
    author: { id: UserId.parse('g-bob'), name: 'Bob' },
  };
  for (const comment of [
    storedComment({ atMs: nowMs, number: 1 }),
    other,
    storedComment({ atMs: nowMs + 900, number: 3 }),
  ])
    await one.node.post(comment);
  two.store.isDown = true;
  one.node.feed.told(erased);
  const updates = page.messages.filter(({ type }) => type === 'commentUpdated');
  expect(updates).toMatchObject([1, 3].map(() => ({ comment: { text: '', author: { name: '' } } })));
  const late = new FeedPage(two.node.feed);
  await late.resume({ lastAtMs: nowMs });
  const texts = late.messages.flatMap((message) => ('comment' in message ? [message.comment.text] : []));
  expect(new Set(texts)).toEqual(new Set(['', 'text 2']));
});

test('what a user writes after the erasure stays', async () => {
  const { one } = startNodes();
  const page = new FeedPage(one.node.feed);
  await page.resume();
  await one.node.post(storedComment({ atMs: nowMs + 1001, number: 1 }));
  one.node.feed.told(erased);
  expect(page.messages.map(({ type }) => type)).toEqual(['comment']);
});

// Goal: an event of all streams that is lost is made good by the database. Method: it is lost together with a hide; a second later its head comes.
test('a node that missed what concerns all streams reads its streams', async () => {
  const { one, two, network, clock } = startNodes();
  const page = new FeedPage(two.node.feed);
  await page.resume();
  const comment = storedComment({ atMs: nowMs });
  await one.node.post(comment);
  const deliver = network.route;
  network.route = () => {};
  await one.store.setHidden(comment.id, { by: 'operator', atMs: nowMs + 1 }, nowMs + 1);
  one.node.feed.told(ban);
  network.route = deliver;
  clock.nowMs += 1000;
  one.node.feed.tick();
  await expect.poll(() => page.shown).toEqual([]);
});

test('a comment of a stream that is named like all of them reaches none of them', async () => {
  const { one, two } = startNodes();
  const pages = [new FeedPage(one.node.feed), new FeedPage(two.node.feed)];
  for (const page of pages) await page.resume();
  one.node.feed.told({ kind: 'added', comment: storedComment({ stream: allStreams, atMs: nowMs }) });
  expect(pages.map(({ messages }) => messages)).toEqual([[], []]);
});

test('what concerns all streams opens no stream of its own', () => {
  const { one } = startNodes();
  const opened: string[] = [];
  one.events.listen = (stream) => {
    opened.push(stream);
    return { isListening: Promise.resolve(true), stop: () => {} };
  };
  one.node.feed.told(ban);
  one.node.feed.told(erased);
  expect(opened).toEqual([]);
});

// Goal: what was told and forgotten is not told again, and what nobody told is not lost for good. Method: 300 comments a second for 40 s, more than a node remembers;
// one of them is told to nobody; then pages come for which the oldest are read.
test.each([
  [0, 0],
  [1, 1],
])(
  'in a flood of which %d comment is told by nobody, pages are told of %d gap',
  async (lost, gaps) => {
    const { one, clock } = startNodes();
    const page = new FeedPage(one.node.feed);
    await page.resume();
    clock.nowMs = nowMs - 40_000;
    for (let number = 1; number <= 12_000; number += 1) {
      clock.nowMs = nowMs - 40_000 + Math.floor(number / 3) * 10;
      const comment = storedComment({ atMs: clock.nowMs, number });
      const added = await one.store.add(comment, { isHeld: false, nowMs: clock.nowMs });
      if (lost === 0 || number !== 500) one.node.feed.told({ kind: 'added', comment: added.comment });
    }
    for (let read = 0; read < 3; read += 1) {
      clock.nowMs += 2000;
      await new FeedPage(one.node.feed).resume({ lastAtMs: nowMs - 39_000 });
    }
    const told = page.messages.flatMap((message) => (message.type === 'gap' ? [message] : []));
    const lostAt = new Date(nowMs - 40_000 + 1660).toISOString();
    expect({
      gaps: told.length,
      reaches: told.every(({ from, to }) => from <= lostAt && lostAt < to),
    }).toEqual({
      gaps,
      reaches: true,
    });
    expect(new Set(page.added).size).toBe(page.added.length);
  },
  20_000,
);
