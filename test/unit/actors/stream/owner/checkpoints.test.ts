/** Checkpoints of an owner's fold, and a successor that goes on from one when the log has lost its end (C7). */
import { expect, test } from 'vitest';
import { applyEntry, emptyTimeline } from '../../../../../actors/media/timeline/fold.ts';
import { fromSnapshot } from '../../../../../actors/media/timeline/snapshot.ts';
import type { FoldedTimeline } from '../../../../../actors/media/timeline/timeline.ts';
import { headsOf, type HeadPorts } from '../../../../../actors/stream/owner/heads.ts';
import type { IndexEntry } from '../../../../../cluster/contract/index-records.ts';
import { TangazaError } from '../../../../../cluster/errors/tangaza-error.ts';
import { Epoch, NodeId } from '../../../../../cluster/model/ids.ts';
import { silentLogger } from '../../../../../cluster/observe/logger.ts';
import { systemClock } from '../../../../../cluster/time/clock.system.ts';
import { MemorySegmentStore } from '../../../../support/ports/memory-segment-store.ts';
import { OwnerHarness } from '../../../../support/ingest/owner-harness.ts';
import { stream } from '../../../../support/ports/records.ts';

const fold = (entries: readonly IndexEntry[]): FoldedTimeline =>
  entries.reduce<FoldedTimeline>(applyEntry, emptyTimeline());

function committed(segments: number, settings = {}) {
  const owner = new OwnerHarness({ settings });
  const period = owner.begin();
  for (let index = 0; index < segments; index += 1) commit(owner, period, index);
  return { owner, period };
}

function commit(owner: OwnerHarness, period: ReturnType<OwnerHarness['begin']>, index: number): void {
  const from = owner.tasks.length;
  owner.offer(owner.segment(period, index));
  owner.finishTasks(from);
  owner.pass(100);
}

const keysAsked = (owner: OwnerHarness): readonly string[] =>
  owner.effects.flatMap((effect) => (effect.kind === 'checkpoint' ? [effect.key] : []));

test('there is one at the open, with a period’s first commit, and at every tenth; each takes the place of the last', () => {
  const { owner } = committed(25);
  expect(keysAsked(owner)).toEqual([0, 1, 11, 21].map((number) => `index/demo/1-${number}.json`));
  expect([...owner.stored.keys()]).toEqual(['index/demo/1-21.json']);
  expect(fromSnapshot(JSON.parse(JSON.stringify(owner.stored.get('index/demo/1-21.json'))))).toMatchObject({
    nextNumber: 21,
    state: 'live',
  });
});

test('the end of a broadcast is the last one', () => {
  const { owner } = committed(3, { endAfterMs: 1000 });
  const { sessionId } = owner.segment(owner.state.timeline.periods[0]?.id ?? (1 as never), 0);
  owner.do({ kind: 'detach', params: { streamId: stream, sessionId, reason: 'gone' } });
  owner.pass(2000);
  expect(keysAsked(owner).at(-1)).toBe('index/demo/1-3.json');
  expect(fromSnapshot(owner.stored.get('index/demo/1-3.json'))?.state).toBe('ended');
});

test('a store that is down is asked every five seconds, and nothing else suffers', () => {
  const { owner, period } = committed(0);
  owner.isStoreDown = true;
  for (let index = 0; index < 12; index += 1) commit(owner, period, index);
  const before = keysAsked(owner).length;
  owner.pass(10_000);
  expect(keysAsked(owner).length - before).toBeLessThanOrEqual(3);
  expect(owner.ofKind('commit')).toHaveLength(12);
  owner.isStoreDown = false;
  owner.pass(5000);
  expect([...owner.stored.keys()]).toContain('index/demo/1-12.json');
});

test('one that has become the archive of what left the log is not superseded', () => {
  const { owner } = committed(60, { maxLogRecords: 40 });
  const archived = owner.effects.flatMap((effect) => (effect.kind === 'archive' ? [effect.key] : []));
  expect(archived.length).toBeGreaterThan(0);
  expect([...owner.stored.keys()]).toEqual(expect.arrayContaining(archived));
});

test('while a checkpoint is under way nothing is archived: of one name it must be known whose it is', () => {
  const { owner, period } = committed(2, { maxLogRecords: 60 });
  owner.isStoreSilent = true;
  for (let index = 2; index < 45; index += 1) commit(owner, period, index);
  expect(owner.has('archive')).toBe(false);
});

// Goal: no number means two things, however much the log has lost (C5, C7). Method: a successor finds an empty log, or one
// without its end; a fold that knows more is put before it, and its first record says so to everybody.
test.each([
  ['has lost its end', 8],
  ['is empty', 0],
])('a successor whose log %s goes on behind what is known elsewhere', (_, kept) => {
  const { owner, period } = committed(12);
  const known = fold(owner.log);
  const heir = new OwnerHarness({ entries: owner.log.slice(0, kept), epoch: 2, bootId: 'b2', beyond: known });
  const again = fold(heir.log);
  expect({ nextNumber: again.nextNumber, periods: again.periods.length, epoch: again.epoch }).toEqual({
    nextNumber: 12,
    periods: 1,
    epoch: 2,
  });
  expect(again.periods[0]?.segments.map(({ number }) => number)).toEqual(
    Array.from({ length: 12 }, (_one, index) => index),
  );
  heir.attach('s1');
  const from = heir.tasks.length;
  heir.offer(heir.segment(period, 12));
  heir.finishTasks(from);
  expect(heir.ofKind('commit').at(-1)).toMatchObject({ number: 12, period, start90k: 12 * 180_000 });
});

function ports(change: Partial<HeadPorts> = {}): HeadPorts {
  return {
    clock: systemClock,
    logger: silentLogger,
    store: new MemorySegmentStore(),
    askEdges: async () => [],
    askFold: async () => undefined,
    ...change,
  };
}

async function stored(owner: OwnerHarness): Promise<MemorySegmentStore> {
  const store = new MemorySegmentStore();
  for (const [key, body] of owner.stored) await store.putIfAbsent(key, Buffer.from(JSON.stringify(body)));
  return store;
}

test('what is known: the epochs of edges and of the newest checkpoint; beyond the log the furthest of them', async () => {
  const { owner } = committed(25);
  const node = NodeId.parse('n7');
  const edges = [{ node, epoch: Epoch.parse(5), nextNumber: 25 }];
  const store = await stored(owner);
  const shared = { store, askEdges: async () => edges };
  const heads = await headsOf(stream, ports({ ...shared, askFold: async () => owner.snapshot() }));
  expect(heads.epochs).toEqual([5, 1]);
  expect((await heads.beyond(owner.log.slice(0, 10)))?.nextNumber).toBe(25);
  expect(await heads.beyond(owner.log)).toBeUndefined();
  const last = owner.snapshot();
  const period = fromSnapshot(last)?.periods.at(-1)?.id;
  const empty = await headsOf(
    stream,
    ports({
      askEdges: async () => [{ node, epoch: Epoch.parse(5), nextNumber: 0, period }],
      askFold: async () => last,
    }),
  );
  expect((await empty.beyond([]))?.periods.at(-1)?.id).toBe(period);
  const mute = await headsOf(
    stream,
    ports({ ...shared, askFold: () => Promise.reject(new TangazaError('UNAVAILABLE')) }),
  );
  expect((await mute.beyond([]))?.nextNumber).toBe(21);
});

test('edges that do not answer, a store that is down and a damaged checkpoint hold nobody up', async () => {
  const store = new MemorySegmentStore();
  await store.putIfAbsent('index/demo/3-9.json', Buffer.from('{'));
  const silent = await headsOf(stream, ports({ store, askEdges: () => new Promise(() => {}) }));
  expect(silent.epochs).toEqual([3]);
  expect(await silent.beyond([])).toBeUndefined();
});
