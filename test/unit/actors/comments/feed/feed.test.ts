/** Pages that come to a node's feed and come back, by its ring and by the store (A8). */
import { expect, test } from 'vitest';
import { eventVersion } from '../../../../../actors/comments/feed/audience-events.ts';
import { firstComments, longestWayMs } from '../../../../../actors/comments/feed/resume.ts';
import { StreamId } from '../../../../../cluster/model/ids.ts';
import { FeedNode, FeedPage } from '../../../../support/audience/feed-node.ts';
import { MemoryNetwork } from '../../../../support/audience/memory-audience-events.ts';
import { JumpingClock } from '../../../../support/ports/jumping-clock.ts';
import { MemoryComments, MemoryCommentStore } from '../../../../support/ports/stores/memory-comment-store.ts';
import { storedComment } from '../../../../support/ports/stores/stored-comments.ts';

const nowMs = 10_000_000;

function startNode({
  shared = new MemoryComments(),
  network = new MemoryNetwork(),
  name = 'n1',
  isSharedByRegions = false,
} = {}) {
  const clock = new JumpingClock();
  clock.nowMs = nowMs;
  const store = new MemoryCommentStore(shared);
  const events = network.open();
  const node = new FeedNode({ name, clock, store, events, isSharedByRegions });
  return { clock, store, events, node, feed: node.feed, shared, network };
}

/** Lets what the store answers come. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
}

/** That many comments, a second apart, the last one now. */
async function said({ store }: ReturnType<typeof startNode>, count: number) {
  const all = [];
  for (let number = 1; number <= count; number += 1) {
    const atMs = nowMs - (count - number) * 1000;
    const { comment } = await store.add(storedComment({ atMs, number }), { isHeld: false, nowMs: atMs });
    all.push(comment);
  }
  return all;
}

test('a page that has nothing gets the newest comments that it may see, in order', async () => {
  const node = startNode();
  const all = await said(node, firstComments + 20);
  const [hidden] = all.splice(40, 1);
  if (hidden !== undefined) await node.node.hide(hidden.id, true);
  const page = new FeedPage(node.feed);
  expect((await page.resume()).resume).toBe('complete');
  expect(page.added).toEqual(all.slice(-firstComments).map(({ id }) => id));
});

test('a page that was away shortly gets what has arrived since, from the ring alone', async () => {
  const node = startNode();
  const all = await said(node, 10);
  await new FeedPage(node.feed).resume();
  node.store.isDown = true;
  const page = new FeedPage(node.feed);
  const { resume } = await page.resume({ lastId: all[7]?.id, lastAtMs: nowMs - 2000 });
  expect({ resume, got: page.added }).toEqual({ resume: 'complete', got: all.slice(2).map(({ id }) => id) });
});

test('a page that knows only its last comment goes on from there', async () => {
  const node = startNode();
  const all = await said(node, 20);
  const page = new FeedPage(node.feed);
  await page.resume({ lastId: all[14]?.id });
  expect(page.added).toEqual(all.slice(9).map(({ id }) => id));
});

test('a page that was away for long gets everything from the store, or is told of the gap', async () => {
  const node = startNode();
  const all = await said(node, 700);
  const short = new FeedPage(node.feed);
  const one = await short.resume({ lastAtMs: nowMs - 190_000 });
  expect({ resume: one.resume, got: short.added.length }).toEqual({ resume: 'complete', got: 196 });
  const long = new FeedPage(node.feed);
  const { resume } = await long.resume({ lastAtMs: nowMs - 600_000 });
  expect({ resume, got: long.added }).toEqual({
    resume: {
      gap: {
        from: new Date(nowMs - 605_000 - longestWayMs).toISOString(),
        to: new Date(nowMs - 199_000).toISOString(),
      },
    },
    got: all.slice(-200).map(({ id }) => id),
  });
});

test('a page that was away for more than ten minutes, and lacks more than the ring has, costs no read of the store', async () => {
  const node = startNode();
  await said(node, 700);
  await new FeedPage(node.feed).resume();
  let reads = 0;
  node.store.arrivedSince = async () => {
    reads += 1;
    return [];
  };
  const page = new FeedPage(node.feed);
  const { resume } = await page.resume({ lastAtMs: nowMs - 600_000 });
  expect({ resume, got: page.added.length, reads }).toMatchObject({
    resume: { gap: {} },
    got: 200,
    reads: 0,
  });
  await page.resume({ lastAtMs: nowMs - 590_000 });
  expect({ reads }).toEqual({ reads: 1 });
});

test('a page whose last comment is not here is told that this region is behind, and gets what is here and the gap', async () => {
  const node = startNode();
  await said(node, 3);
  const page = new FeedPage(node.feed);
  const lastId = storedComment({ number: 9999 }).id;
  const { resume } = await page.resume({ lastId, lastAtMs: nowMs });
  expect({ resume, got: page.added.length }).toEqual({ resume: { behind: { region: 'eu' } }, got: 3 });
  const busy = startNode();
  await said(busy, 700);
  const long = await new FeedPage(busy.feed).resume({ lastId, lastAtMs: nowMs - 600_000 });
  const from = new Date(nowMs - 605_000 - longestWayMs).toISOString();
  expect(long.resume).toMatchObject({ behind: { region: 'eu' }, gap: { from } });
});

test('where the store does not answer a page is told of a gap, and refused only where nothing was ever read', async () => {
  const node = startNode();
  node.store.isDown = true;
  await expect(new FeedPage(node.feed).resume()).rejects.toThrow(
    expect.objectContaining({ code: 'UNAVAILABLE' }),
  );
  node.store.isDown = false;
  await said(node, 400);
  await new FeedPage(node.feed).resume();
  node.store.isDown = true;
  const page = new FeedPage(node.feed);
  const { resume } = await page.resume({ lastAtMs: nowMs - 100_000 });
  expect({ resume, got: page.added.length }).toMatchObject({ resume: { gap: {} }, got: 106 });
});

test('a comment that a page has shown and the ring lacks is fetched, with whatever else is missing', async () => {
  const one = startNode();
  const two = startNode({ shared: one.shared, network: one.network, name: 'n2' });
  const page = new FeedPage(two.feed);
  await page.resume();
  one.network.route = () => {};
  for (const number of [1, 2]) await one.node.post(storedComment({ atMs: nowMs, number }));
  const moved = new FeedPage(two.feed);
  await moved.resume({ lastId: storedComment({ atMs: nowMs, number: 1 }).id, lastAtMs: nowMs });
  await expect.poll(() => page.added.length).toBe(2);
  expect(new Set(moved.added).size).toBe(2);
});

test('a slow socket gets the hides and restores since, and nothing that only arrived', async () => {
  const node = startNode();
  const [, second, third] = await said(node, 3);
  if (second === undefined || third === undefined) throw new Error('three were said');
  const page = new FeedPage(node.feed);
  await page.resume();
  node.clock.nowMs = nowMs + 60_000;
  await node.node.hide(second.id, true);
  await node.node.hide(third.id, true);
  node.clock.nowMs += 2000;
  await node.node.hide(third.id, false);
  const changes = page.changesSince(nowMs + 50_000);
  expect(changes).toMatchObject([
    { type: 'commentUpdated', comment: { id: second.id, hidden: true, text: '' } },
    { type: 'commentUpdated', comment: { id: third.id, hidden: false } },
  ]);
});

test('an event of a newer version makes a node read the store, and a bad one nothing', async () => {
  const one = startNode();
  const two = startNode({ shared: one.shared, network: one.network, name: 'n2' });
  const page = new FeedPage(two.feed);
  await page.resume();
  const { comment } = await one.store.add(storedComment({ atMs: nowMs }), { isHeld: false, nowMs });
  one.network.say(comment.streamId, '{"version":1}');
  one.network.say(comment.streamId, 'no JSON');
  two.feed.tick();
  await Promise.resolve();
  expect(page.added).toEqual([]);
  one.network.say(comment.streamId, JSON.stringify({ version: eventVersion + 1 }));
  await expect.poll(() => page.added).toEqual([comment.id]);
});

test('a hide that comes before its comment hides it when it comes', async () => {
  const node = startNode();
  const page = new FeedPage(node.feed);
  await page.resume();
  const comment = storedComment({ atMs: nowMs });
  const hiding = { by: 'operator', atMs: nowMs } as const;
  node.feed.told({ kind: 'hiding', streamId: comment.streamId, id: comment.id, hiding, atMs: nowMs });
  node.feed.told({ kind: 'added', comment });
  expect({ shown: page.shown, told: page.messages.length }).toEqual({ shown: [], told: 1 });
});

test('a stream is kept up with for a minute after its last page, and no longer', async () => {
  const node = startNode();
  const page = new FeedPage(node.feed);
  await page.resume();
  page.leave();
  node.clock.nowMs += 59_000;
  node.feed.tick();
  node.store.isDown = true;
  expect(await new FeedPage(node.feed).resume()).toMatchObject({ resume: 'complete' });
  node.clock.nowMs += 10_000;
  node.feed.tick();
  expect(await new FeedPage(node.feed).resume()).toMatchObject({ resume: 'complete' });
});

test('at the bound of streams an idle one makes room, and where all are in use a page is refused', async () => {
  const node = startNode();
  const pages = Array.from(
    { length: 2000 },
    (_, index) => new FeedPage(node.feed, StreamId.parse(`s${index}`)),
  );
  const more = StreamId.parse('more');
  expect(() => new FeedPage(node.feed, more)).toThrow(expect.objectContaining({ code: 'OVERLOADED' }));
  pages[7]?.leave();
  expect(await new FeedPage(node.feed, more).resume()).toMatchObject({ resume: 'complete' });
});

// Goal: a loss that nothing else shows is found after a reconnect, and costs six reads, beside the two of the routine. Method: an event is lost in a blip that is over before the next
// look at NATS; the reads of two minutes are counted.
test('after a blip of NATS the store is read at once, five more times, and then as it always is', async () => {
  const one = startNode();
  const two = startNode({ shared: one.shared, network: one.network, name: 'n2' });
  const page = new FeedPage(two.feed);
  await page.resume();
  let reads = 0;
  const arrivedSince = two.store.arrivedSince.bind(two.store);
  two.store.arrivedSince = (...asked) => {
    reads += 1;
    return arrivedSince(...asked);
  };
  two.events.setDown(true);
  await one.node.post(storedComment({ atMs: nowMs }));
  two.events.setDown(false);
  await expect.poll(() => page.added.length).toBe(1);
  for (let seconds = 0; seconds < 120; seconds += 1) {
    two.clock.nowMs += 1000;
    two.feed.tick();
    await settle();
  }
  expect({ reads }).toEqual({ reads: 8 });
});

test('what another region wrote into the same database is told within a second', async () => {
  const node = startNode({ isSharedByRegions: true });
  const page = new FeedPage(node.feed);
  await page.resume();
  const { comment } = await node.store.add(storedComment({ atMs: nowMs }), { isHeld: false, nowMs });
  node.clock.nowMs += 1000;
  node.feed.tick();
  await expect.poll(() => page.added).toEqual([comment.id]);
});

test('pages that come get the same objects, so that their text is made once', async () => {
  const node = startNode();
  await said(node, 3);
  const [one, two] = [new FeedPage(node.feed), new FeedPage(node.feed)];
  await one.resume();
  await two.resume();
  expect(new Set([...one.messages, ...two.messages]).size).toBe(3);
});

test('what was there before a node kept up with the stream is not told as new', async () => {
  const node = startNode();
  for (let number = 0; number < 400; number += 1) {
    const atMs = nowMs - 8000 + number;
    await node.store.add(storedComment({ atMs, number }), { isHeld: false, nowMs: atMs });
  }
  const page = new FeedPage(node.feed);
  await page.resume();
  node.feed.doubt('a test');
  await settle();
  const { comment } = await node.store.add(storedComment({ atMs: nowMs }), { isHeld: false, nowMs });
  node.clock.nowMs += 2000;
  node.feed.tick();
  await expect.poll(() => page.added.at(-1)).toBe(comment.id);
  expect(page.added.length).toBe(firstComments + 1);
});

// Goal: guards of one node count what is said at another, also without a page here. Method: node 2 has had one comment of the stream and no page; node 1 takes
// another one, which the network delivers twice.
test('a node where somebody comments hears once of each comment at the others', async () => {
  const one = startNode();
  const two = startNode({ shared: one.shared, network: one.network, name: 'n2' });
  const heard: string[] = [];
  two.feed.onHeard((change) => void heard.push(change.kind === 'added' ? change.comment.id : change.kind));
  await two.node.post(storedComment({ atMs: nowMs, number: 1 }));
  one.network.route = (deliver) => {
    deliver();
    deliver();
  };
  const second = storedComment({ atMs: nowMs, number: 2 });
  await one.node.post(second);
  one.feed.told({ kind: 'mode', streamId: second.streamId, mode: { mode: 'closed', slowSeconds: 0 } });
  expect({ heard, mode: await two.feed.mode(second.streamId) }).toEqual({
    heard: [second.id, 'mode'],
    mode: { mode: 'closed', slowSeconds: 0 },
  });
});

test('a write of which nobody knows whether it was made is looked for at every node', async () => {
  const one = startNode();
  const two = startNode({ shared: one.shared, network: one.network, name: 'n2' });
  const pages = [new FeedPage(one.feed), new FeedPage(two.feed)];
  for (const page of pages) await page.resume();
  const { comment } = await one.store.add(storedComment({ atMs: nowMs }), { isHeld: false, nowMs });
  one.feed.told({ kind: 'unsure', streamId: comment.streamId });
  await expect.poll(() => pages.map(({ added }) => added)).toEqual([[comment.id], [comment.id]]);
});

test('what the store gives for one page, and nobody has told, is told to the others', async () => {
  const node = startNode();
  await said(node, 400);
  const page = new FeedPage(node.feed);
  await page.resume();
  const { comment } = await node.store.add(storedComment({ atMs: nowMs }), { isHeld: false, nowMs });
  await new FeedPage(node.feed).resume({ lastAtMs: nowMs - 100_000 });
  expect(page.added.at(-1)).toBe(comment.id);
});

// Goal: what a data centre took while it was cut off is told, however long ago that was. Method: the store tells a comment of ten minutes ago to
// who reads so far back, as one does that has just got it; a page has been here all the time.
test('what arrives long after it was taken is told when a data centre is back', async () => {
  const node = startNode({ isSharedByRegions: true });
  const page = new FeedPage(node.feed);
  await page.resume();
  const late = storedComment({ atMs: nowMs - 600_000, number: 99 });
  node.store.arrivedSince = async (_, sinceMs) => (sinceMs <= late.changedAtMs ? [late] : []);
  node.clock.nowMs += 1000;
  node.feed.tick();
  await settle();
  expect(page.added).toEqual([]);
  node.feed.doubt('database', nowMs - 660_000);
  await settle();
  expect(page.added).toEqual([late.id]);
});

// Goal: a death does not bring the database down, where comments are to be accepted. Method: 500 streams are in doubt at once; reads under way are counted.
test('however many streams are in doubt, few reads are under way at once, and each stream is read', async () => {
  const node = startNode();
  const pages = Array.from(
    { length: 500 },
    (_, index) => new FeedPage(node.feed, StreamId.parse(`s${index}`)),
  );
  for (const page of pages) await page.resume();
  const seen = { now: 0, most: 0, streams: new Set<string>() };
  const arrivedSince = node.store.arrivedSince.bind(node.store);
  node.store.arrivedSince = async (stream, ...asked) => {
    seen.now += 1;
    seen.most = Math.max(seen.most, seen.now);
    seen.streams.add(stream);
    await settle();
    seen.now -= 1;
    return arrivedSince(stream, ...asked);
  };
  node.feed.doubt('death');
  await expect.poll(() => seen.streams.size).toBe(500);
  expect(seen.most).toBeLessThanOrEqual(4);
});

test('a doubt about streams that nobody follows here opens none of them, and is told to the other nodes', () => {
  const one = startNode();
  const two = startNode({ shared: one.shared, network: one.network, name: 'n2' });
  let opened = 0;
  one.events.listen = () => {
    opened += 1;
    return { isListening: Promise.resolve(true), stop: () => {} };
  };
  const heard: string[] = [];
  const told = StreamId.parse('s1');
  two.events.listen(told, { hear: ({ kind }) => void heard.push(kind) });
  one.feed.told({ kind: 'unsure', streamId: told });
  expect({ opened, heard }).toEqual({ opened: 0, heard: ['event'] });
});

test('that another region has a comment reaches the followers at every node, and opens no stream where nobody follows', async () => {
  const network = new MemoryNetwork();
  const [one, two] = [startNode({ network }), startNode({ network, name: 'n2' })];
  const page = new FeedPage(two.feed);
  await page.resume();
  let opened = 0;
  one.events.listen = () => {
    opened += 1;
    return { isListening: Promise.resolve(true), stop: () => {} };
  };
  const { id, clientId, author, streamId } = storedComment({ atMs: nowMs });
  one.feed.told({ kind: 'replicated', streamId, comments: [{ id, clientId, authorId: author.id }] });
  await settle();
  expect({ told: page.replicated, messages: page.messages, opened }).toEqual({
    told: [id],
    messages: [],
    opened: 0,
  });
});
