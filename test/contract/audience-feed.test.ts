/** The port that feeds the sockets: every implementation keeps these. */
import { describe, expect, test } from 'vitest';
import type { Comment } from '../../cluster/contract/api/audience-views.ts';
import type { AudienceFeed } from '../../cluster/contract/audience/audience-feed.ts';
import type { ServerMessage } from '../../cluster/contract/audience/socket-messages.ts';
import { RegionId } from '../../cluster/model/ids.ts';
import { MemoryAudienceFeed } from '../support/audience/memory-audience-feed.ts';
import { added, commentOf, demo, hidden } from '../support/audience/said.ts';

/** A feed, and what makes it speak: what a test says of a comment reaches the feed, as it does in the product. */
export interface FeedUnderTest extends AsyncDisposable {
  readonly feed: AudienceFeed;
  readonly region: RegionId;
  post(comment: Comment): Promise<void>;
  hide(comment: Comment): Promise<void>;
}

const implementations: readonly (readonly [string, () => Promise<FeedUnderTest>])[] = [
  [
    'in memory',
    async () => {
      const feed = new MemoryAudienceFeed();
      return {
        feed,
        region: feed.region,
        post: async (comment) => feed.tell(comment.streamId, added(comment)),
        hide: async (comment) => feed.tell(comment.streamId, hidden(comment)),
        [Symbol.asyncDispose]: async () => {},
      };
    },
  ],
];

function listen(feed: AudienceFeed) {
  const must: ServerMessage[] = [];
  const followed = feed.follow(demo, {
    must: (message) => must.push(message),
    may: () => {},
    replicated: () => {},
  });
  return { must, followed };
}
const textsOf = (messages: readonly ServerMessage[]): readonly string[] =>
  messages.flatMap((message) => (message.type === 'comment' ? [message.comment.text] : []));

describe.each(implementations)('a feed %s', (_name, start) => {
  test('tells each follower what is said, in order, until it is closed', async () => {
    await using under = await start();
    const first = listen(under.feed);
    const second = listen(under.feed);
    await under.post(commentOf(1));
    await under.post(commentOf(2));
    await expect.poll(() => textsOf(first.must)).toEqual(['comment 1', 'comment 2']);
    second.followed.close();
    await under.post(commentOf(3));
    await expect.poll(() => textsOf(first.must)).toHaveLength(3);
    expect(textsOf(second.must)).toEqual(['comment 1', 'comment 2']);
  });

  test('answers who has nothing with the newest comments in order, and all that was told before it was asked', async () => {
    await using under = await start();
    const { must, followed } = listen(under.feed);
    await under.post(commentOf(1));
    await under.post(commentOf(2));
    await expect.poll(() => must).toHaveLength(2);
    const resumed = await followed.resume({});
    expect({ texts: textsOf(resumed.messages), resume: resumed.resume, mode: resumed.mode.mode }).toEqual({
      texts: ['comment 1', 'comment 2'],
      resume: 'complete',
      mode: 'open',
    });
  });

  test('answers who comes back with what arrived since, hides included', async () => {
    await using under = await start();
    const { must, followed } = listen(under.feed);
    const lastAtMs = Date.now();
    await under.post(commentOf(1));
    await under.hide(commentOf(1));
    await expect.poll(() => must).toHaveLength(2);
    const { resume, messages } = await followed.resume({ lastAtMs });
    expect(resume).toBe('complete');
    const told = messages.flatMap((message) => ('comment' in message ? [message.comment] : []));
    expect(told.at(-1)).toMatchObject({ id: commentOf(1).id, hidden: true });
  });

  test('answers who comes back to its region by what that told, and to another region by what was known of all', async () => {
    await using under = await start();
    const { must, followed } = listen(under.feed);
    await under.post(commentOf(1));
    await expect.poll(() => must).toHaveLength(1);
    const [lastAtMs, toMs] = [0, Date.now() + 60_000];
    const back = await followed.resume({ lastAtMs, inRegion: { region: under.region, toMs } });
    const moved = await followed.resume({ lastAtMs, inRegion: { region: RegionId.parse('other'), toMs } });
    expect({ back: textsOf(back.messages), moved: textsOf(moved.messages) }).toEqual({
      back: [],
      moved: ['comment 1'],
    });
  });

  test('tells what was hidden since a time', async () => {
    await using under = await start();
    const { must, followed } = listen(under.feed);
    const atMs = Date.now();
    await under.post(commentOf(1));
    await under.post(commentOf(2));
    await under.hide(commentOf(2));
    await expect.poll(() => must).toHaveLength(3);
    expect(followed.changesSince(atMs)).toMatchObject([
      { type: 'commentUpdated', comment: { hidden: true } },
    ]);
  });
});
