/** Regions that share a database and have a link: one tells the other what it has written, and that one looks for it at once (A7). */
import { expect, test } from 'vitest';
import { FeedNode, FeedPage } from '../../../../support/audience/feed-node.ts';
import { MemoryNetwork } from '../../../../support/audience/memory-audience-events.ts';
import { JumpingClock } from '../../../../support/ports/jumping-clock.ts';
import { MemoryComments, MemoryCommentStore } from '../../../../support/ports/stores/memory-comment-store.ts';
import { storedComment } from '../../../../support/ports/stores/stored-comments.ts';
import { MemoryRegions } from '../../../../support/regions/memory-regions.ts';

const nowMs = 10_000_000;

/** A data centre of `us` that gets what `eu` writes when a test says so. */
class TwoRegions {
  readonly clock = new JumpingClock();
  readonly links = new MemoryRegions({ regions: ['eu', 'us'], clock: this.clock });
  readonly eu = new MemoryComments();
  readonly us = new MemoryComments();
  readonly #network = new MemoryNetwork();
  readonly author: FeedNode;
  readonly readers: FeedNode[] = [];
  readonly pages: FeedPage[] = [];
  reads = 0;

  constructor() {
    this.clock.nowMs = nowMs;
    const events = new MemoryNetwork().open();
    this.author = this.#node('n1', { store: new MemoryCommentStore(this.eu), events, region: 'eu' });
  }

  async start(names: readonly string[]): Promise<void> {
    for (const name of names) {
      const store = new MemoryCommentStore(this.us);
      const get = store.get.bind(store);
      store.get = (id) => {
        this.reads += 1;
        return get(id);
      };
      const node = this.#node(name, { store, events: this.#network.open(), region: 'us' });
      const page = new FeedPage(node.feed);
      await page.resume();
      this.readers.push(node);
      this.pages.push(page);
    }
    await this.tick(3);
  }

  #node(
    name: string,
    {
      store,
      events,
      region,
    }: { store: MemoryCommentStore; events: ReturnType<MemoryNetwork['open']>; region: string },
  ) {
    const regions = this.links.of(region, name);
    return new FeedNode({ name, clock: this.clock, store, events, isSharedByRegions: true, regions });
  }

  /** Somebody comments in `eu`, and the other region is told. @param isThere it has arrived in the data centre of `us` */
  async says(number: number, isThere: boolean) {
    const comment = storedComment({ atMs: this.clock.nowMs, number });
    await this.author.post(comment);
    if (isThere) this.arrives();
    this.author.feed.tellRegions();
    await settled();
    return comment.id;
  }

  arrives(): void {
    for (const [id, row] of this.eu.rows) this.us.rows.set(id, row);
  }

  async tick(seconds = 1): Promise<void> {
    for (let passed = 0; passed < seconds; passed += 1) {
      this.clock.nowMs += 1000;
      for (const { feed } of this.readers) feed.tick();
      await settled();
    }
  }
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 200; turn += 1) await Promise.resolve();
}

test('what a linked region has written is told before the read of the next second, once, by one node for all', async () => {
  const regions = new TwoRegions();
  await regions.start(['n1', 'n2', 'n3']);
  regions.reads = 0;
  const said = [await regions.says(1, true), await regions.says(2, true)];
  for (const page of regions.pages) expect(page.added).toEqual(said);
  expect({ reads: regions.reads }).toEqual({ reads: 2 });
  await regions.tick(3);
  for (const page of regions.pages) expect(page.added).toEqual(said);
});

// Goal: no page is told of a comment that it would not find in a page of this region. Method: the row has not arrived in this data centre.
test('what has not arrived in the own data centre is not told, and is found by a read once it has', async () => {
  const regions = new TwoRegions();
  await regions.start(['n1']);
  const id = await regions.says(1, false);
  expect(regions.pages.map(({ added }) => added)).toEqual([[]]);
  regions.arrives();
  await regions.tick();
  expect(regions.pages.map(({ added }) => added)).toEqual([[id]]);
});

test('over a link that is cut the read of each second finds it', async () => {
  const regions = new TwoRegions();
  await regions.start(['n1']);
  regions.links.cut('us', 'eu');
  const id = await regions.says(1, true);
  expect(regions.pages.map(({ added }) => added)).toEqual([[]]);
  await regions.tick();
  expect(regions.pages.map(({ added }) => added)).toEqual([[id]]);
});
