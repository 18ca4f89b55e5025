/** Pages that come back while what another region has is not known here (A8). */
import { expect, test } from 'vitest';
import { RegionId } from '../../../../../cluster/model/ids.ts';
import { FeedNode, FeedPage } from '../../../../support/audience/feed-node.ts';
import { MemoryNetwork } from '../../../../support/audience/memory-audience-events.ts';
import { JumpingClock } from '../../../../support/ports/jumping-clock.ts';
import { MemoryComments, MemoryCommentStore } from '../../../../support/ports/stores/memory-comment-store.ts';
import { storedComment } from '../../../../support/ports/stores/stored-comments.ts';

const nowMs = 10_000_000;
const hourMs = 3_600_000;
const most = 700;

/** A node of `eu` with so many comments, a second apart, the last one now. */
async function startNode(elsewhereToMs: number) {
  const clock = new JumpingClock();
  clock.nowMs = nowMs;
  const store = new MemoryCommentStore(new MemoryComments());
  const events = new MemoryNetwork().open();
  const lag = { knownToMs: () => elsewhereToMs };
  const { feed } = new FeedNode({ name: 'n1', clock, store, events, lag });
  for (let number = 1; number <= most; number += 1) {
    const atMs = nowMs - (most - number) * 1000;
    await store.add(storedComment({ atMs, number }), { isHeld: false, nowMs: atMs });
  }
  return { feed, store };
}

// Goal: while another region is not whole here, no page loses what it has because it comes back. Method: nothing is known of it for an hour. A page that
// left a second ago says what the last frame said: to the region that it left, and to another one.
test('a page that comes back to its region lacks only what came since, however long another region is not known there', async () => {
  const { feed, store } = await startNode(nowMs - hourMs);
  const before = new FeedPage(feed);
  await before.resume();
  const { toMs: lastAtMs, inRegion } = before.known();
  store.isDown = true;
  const back = new FeedPage(feed);
  const { resume } = await back.resume({ lastAtMs, inRegion });
  const ofOther = inRegion && { ...inRegion, region: RegionId.parse('us') };
  const moved = await new FeedPage(feed).resume({ lastAtMs, inRegion: ofOther });
  expect({ lastAtMs, inRegion, resume, got: back.added.length, moved: moved.resume }).toEqual({
    lastAtMs: nowMs - hourMs,
    inRegion: { region: 'eu', toMs: nowMs },
    resume: 'complete',
    got: 6,
    moved: { gap: expect.anything() },
  });
});

test('a node that knows all of other regions says nothing of its own', async () => {
  const { feed } = await startNode(nowMs);
  expect(new FeedPage(feed).known()).toEqual({ toMs: nowMs });
});
