/** Nodes of a region whose database other regions write into as well: one reads for all (A7). */
import { expect, test } from 'vitest';
import { order } from '../../../../../cluster/partition/rendezvous.ts';
import { FeedNode, FeedPage } from '../../../../support/audience/feed-node.ts';
import { MemoryNetwork } from '../../../../support/audience/memory-audience-events.ts';
import { JumpingClock } from '../../../../support/ports/jumping-clock.ts';
import { MemoryComments, MemoryCommentStore } from '../../../../support/ports/stores/memory-comment-store.ts';
import { commentStream, storedComment } from '../../../../support/ports/stores/stored-comments.ts';

const nowMs = 10_000_000;
/** In the order in which they read. */
const names = order(
  commentStream,
  ['n1', 'n2', 'n3'].map((id) => ({ id, weight: 1 })),
).map(({ id }) => id);

class CountedStore extends MemoryCommentStore {
  reads = 0;

  override arrivedSince(...asked: Parameters<MemoryCommentStore['arrivedSince']>) {
    this.reads += 1;
    return super.arrivedSince(...asked);
  }
}

interface RegionNode {
  readonly name: string;
  readonly node: FeedNode;
  readonly store: CountedStore;
  readonly page: FeedPage;
  readonly heard: string[];
}

class Region {
  readonly shared = new MemoryComments();
  readonly network = new MemoryNetwork();
  readonly clock = new JumpingClock();
  readonly nodes: RegionNode[] = [];
  /** What another region writes comes from here. */
  readonly elsewhere = new MemoryCommentStore(this.shared);

  constructor() {
    this.clock.nowMs = nowMs;
  }

  async start(name = ''): Promise<RegionNode> {
    const { clock, network } = this;
    const store = new CountedStore(this.shared);
    const node = new FeedNode({ name, clock, store, events: network.open(), isSharedByRegions: true });
    const heard: string[] = [];
    node.feed.onHeard((change) => void heard.push(change.kind));
    const page = new FeedPage(node.feed);
    await page.resume();
    const started = { name, node, store, page, heard };
    this.nodes.push(started);
    return started;
  }

  /** Lets a second pass, and all that follows from it. */
  async tick(seconds = 1): Promise<void> {
    for (let passed = 0; passed < seconds; passed += 1) {
      this.clock.nowMs += 1000;
      for (const { node } of this.nodes) node.feed.tick();
      for (let turn = 0; turn < 100; turn += 1) await Promise.resolve();
    }
  }

  async readsIn(seconds: number): Promise<readonly number[]> {
    for (const { store } of this.nodes) store.reads = 0;
    await this.tick(seconds);
    return this.nodes.map(({ store }) => store.reads);
  }

  /** Another region takes a comment. */
  async saysElsewhere(number: number, isHeld = false) {
    const atMs = this.clock.nowMs;
    const { comment } = await this.elsewhere.add(storedComment({ atMs, number }), { isHeld, nowMs: atMs });
    return comment;
  }

  /** As a process that dies: it reads, hears and says nothing any more. */
  kill(dead: RegionNode): void {
    dead.node.feed.close();
    this.nodes.splice(this.nodes.indexOf(dead), 1);
  }
}

/** Lets a second pass for one node, and all that follows from it. */
async function tickOf({ feed }: FeedNode, clock: JumpingClock): Promise<void> {
  clock.nowMs += 1000;
  feed.tick();
  for (let turn = 0; turn < 100; turn += 1) await Promise.resolve();
}

async function threeNodes(): Promise<Region> {
  const region = new Region();
  for (const name of names) await region.start(name);
  await region.tick(3);
  return region;
}

test('of three nodes with pages one reads each second, and the pages of all are told once, in one order', async () => {
  const region = await threeNodes();
  expect(await region.readsIn(10)).toEqual([10, 0, 0]);
  const said = [await region.saysElsewhere(1), await region.saysElsewhere(2)];
  await region.tick();
  for (const { page } of region.nodes) expect(page.added).toEqual(said.map(({ id }) => id));
  for (const { heard } of region.nodes) expect(heard).toEqual(['added', 'added']);
});

test('hides and the mode of another region reach all pages by the one that reads', async () => {
  const region = await threeNodes();
  const comment = await region.saysElsewhere(1);
  await region.tick();
  const atMs = region.clock.nowMs;
  await region.elsewhere.setHidden(comment.id, { by: 'operator', atMs }, atMs);
  await region.elsewhere.setMode(comment.streamId, { mode: 'accounts', slowSeconds: 5 }, atMs);
  expect(await region.readsIn(1)).toEqual([1, 0, 0]);
  for (const { page } of region.nodes) {
    expect(page.shown).toEqual([]);
    expect(page.messages).toContainEqual({ type: 'mode', mode: { mode: 'accounts', slowSeconds: 5 } });
  }
});

test('a comment that is held elsewhere is told when it is released, as a new one', async () => {
  const region = await threeNodes();
  const held = await region.saysElsewhere(1, true);
  await region.tick();
  expect(region.nodes.map(({ page }) => page.added)).toEqual([[], [], []]);
  const row = region.shared.rows.get(held.id);
  if (row === undefined) throw new Error('it is there');
  region.shared.rows.set(held.id, { ...row, isHeld: false, changedAtMs: region.clock.nowMs });
  await region.tick();
  expect(region.nodes.map(({ page }) => page.added)).toEqual([[held.id], [held.id], [held.id]]);
});

// Goal: nothing is lost between two readers. Method: the one that reads dies just before another region says something.
test('when the one that reads dies, the next one goes on from where it was', async () => {
  const region = await threeNodes();
  const [reader, ...others] = region.nodes;
  if (reader !== undefined) region.kill(reader);
  const comment = await region.saysElsewhere(1);
  await region.tick(3);
  for (const { page } of others) expect(page.added).toEqual([comment.id]);
  await region.tick(2);
  expect(await region.readsIn(5)).toEqual([5, 0]);
});

// Goal: what the new reader found when it began, and told nobody, is not lost for the others. Method: a comment arrives between the last read of the
// former reader and the start of one that comes before it in the order.
test('one that comes and is ahead takes over, and what it knew from its start is read by the others', async () => {
  const region = new Region();
  const former = await region.start(names[1]);
  await region.tick(2);
  const comment = await region.saysElsewhere(1);
  await region.start(names[0]);
  await region.tick(3);
  expect(former.page.added).toEqual([comment.id]);
  expect(await region.readsIn(5)).toEqual([0, 5]);
});

// Goal: reads of a slow database do not pile up before those of other streams. Method: it answers neither for the mode nor for changed counts for ten
// ticks, and then it does.
test('while the database does not answer, a stream asks for its mode and for changed counts once', async () => {
  const { clock, network, shared } = new Region();
  const { promise: answer, resolve: goOn } = Promise.withResolvers<undefined>();
  const asked = { modes: 0, counts: 0 };
  const store = new MemoryCommentStore(shared);
  const changedCounts = {
    note: async () => {},
    elsewhereSince: async () => {
      asked.counts += 1;
      await answer;
      return [];
    },
  };
  const [name = ''] = names;
  const node = new FeedNode({
    name,
    clock,
    store,
    changedCounts,
    events: network.open(),
    isSharedByRegions: true,
  });
  await new FeedPage(node.feed).resume();
  store.mode = async () => {
    asked.modes += 1;
    return answer;
  };
  for (let ticks = 0; ticks < 10; ticks += 1) await tickOf(node, clock);
  const meanwhile = { ...asked };
  goOn(undefined);
  await tickOf(node, clock);
  await tickOf(node, clock);
  expect({ meanwhile, after: asked }).toEqual({
    meanwhile: { modes: 1, counts: 1 },
    after: { modes: 2, counts: 2 },
  });
});

test('without NATS each node reads for itself', async () => {
  const region = await threeNodes();
  region.network.route = () => {};
  await region.tick(3);
  const comment = await region.saysElsewhere(1);
  expect(await region.readsIn(5)).toEqual([5, 5, 5]);
  for (const { page } of region.nodes) expect(page.added).toEqual([comment.id]);
});
