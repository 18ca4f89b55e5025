/** Two regions with a file of comments each: what happens in one reaches the other (A14). */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { commentIdOf } from '../../../actors/comments/ids/comment-id.ts';
import { CommentSync, type ToldChanges } from '../../../actors/comments/regions/comment-sync.ts';
import type { CommentBody } from '../../../actors/comments/store/comment-store.ts';
import { openSqliteCommentStore } from '../../../actors/comments/store/comment-store.sqlite.ts';
import type { ChangesQuery } from '../../../cluster/contract/regions/changes.ts';
import { commentChanges } from '../../../cluster/contract/regions/comments.ts';
import { errorCodeOf } from '../../../cluster/errors/tangaza-error.ts';
import { ClientId, RegionId, StreamId, UserId } from '../../../cluster/model/ids.ts';
import { silentLogger as logger } from '../../../cluster/observe/logger.ts';
import { noMetrics as metrics } from '../../../cluster/observe/metrics.ts';
import { systemClock as clock } from '../../../cluster/time/clock.system.ts';
import { MemoryRegions } from '../../support/regions/memory-regions.ts';
import { waitFor, waitUntil } from '../../support/wait.ts';

const [eu, us] = [RegionId.parse('eu'), RegionId.parse('us')];
const streamId = StreamId.parse('show');
const ada = UserId.parse('g-ada');
const moderator = UserId.parse('a-mod');
const startMs = Number.parseInt('018900000000', 16);

function comment(n: number, region: RegionId): CommentBody {
  const clientId = ClientId.parse(`01890000-0000-7000-8000-${String(n).padStart(12, '0')}`);
  const id = commentIdOf({ streamId, authorId: ada, clientId });
  const author = { id: ada, name: 'Ada' };
  return { id, streamId, author, clientId, text: `text ${n}`, createdAtMs: startMs, path: [], region };
}

const likers = ['g-bob', 'g-cyd', 'g-dan'].map((user) => UserId.parse(user));

/** @param before how many comments are there before changes are numbered, the second of them with likes */
async function startRegion(joined: MemoryRegions, region: RegionId, before = 0) {
  const folder = mkdtempSync(join(tmpdir(), `tangaza-${region}-`));
  const told: ToldChanges[] = [];
  const written: (() => void)[] = [];
  const open = (onWritten = () => {}) =>
    openSqliteCommentStore({ file: join(folder, 'comments.sqlite'), clock, metrics, logger, onWritten });
  const store = await open(() => written.forEach((tell) => tell()));
  const old = Array.from({ length: before }, (_, n) => comment(n, region));
  await Promise.all(old.map((one) => store.add(one, { isHeld: false, nowMs: startMs })));
  if (before > 0)
    await Promise.all(likers.map((liker) => store.like(comment(1, region).id, liker, true, startMs)));
  const sync = new CommentSync({
    store,
    others: joined.of(region),
    clock,
    logger,
    metrics,
    isMine: () => true,
    tell: async (taken) => void told.push(taken),
  });
  written.push(() => sync.changed());
  sync.start();
  return {
    store,
    sync,
    told,
    /** The file as another node of the region opens it. */
    open,
    add: (n: number) => store.add(comment(n, region), { isHeld: false, nowMs: clock.utcMs() }),
    addedTexts: () => told.flatMap(({ added }) => added.map(({ text }) => text)),
    [Symbol.asyncDispose]: async () => {
      sync.stop();
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function startTwo({ before = 0 } = {}) {
  const joined = new MemoryRegions({ regions: ['eu', 'us'] });
  const regions = { eu: await startRegion(joined, eu, before), us: await startRegion(joined, us) };
  const sides = [
    ['eu', 'us'],
    ['us', 'eu'],
  ] as const;
  return {
    joined,
    ...regions,
    cut: () => sides.forEach(([from, to]) => joined.cut(from, to)),
    heal: () => sides.forEach(([from, to]) => joined.heal(from, to)),
    [Symbol.asyncDispose]: async () => {
      await regions.eu[Symbol.asyncDispose]();
      await regions.us[Symbol.asyncDispose]();
    },
  };
}

test('a comment of one region is told in the other, which says that it has committed it', async () => {
  await using regions = await startTwo();
  const { store } = regions.eu;
  await regions.eu.add(1);
  await waitUntil('us has told it', () => regions.us.addedTexts().includes('text 1'));
  const taken = () => store.takenBy(us, streamId, startMs, startMs);
  const [id] = await waitFor('eu knows that us has it', taken, (ids) => ids.length === 1);
  expect(id).toBe(comment(1, eu).id);
  await regions.us.store.setHidden(comment(1, eu).id, { by: moderator, atMs: 5 }, 5);
  await waitFor(
    'eu hides it',
    () => store.get(comment(1, eu).id),
    (found) => found?.hidden?.by === moderator,
  );
  await waitFor('that is committed in us as it is now', taken, (ids) => ids.length === 1);
  expect(regions.eu.told.flatMap(({ changed }) => changed.map(({ text }) => text))).toEqual(['text 1']);
});

test('what happened on both sides of a cut is on both sides after it: comments, likes, bans, modes, holds', async () => {
  await using regions = await startTwo();
  const { cut, heal } = regions;
  await regions.eu.add(1);
  await waitUntil('us has it', () => regions.us.addedTexts().length === 1);
  cut();
  const { id } = comment(1, eu);
  await regions.eu.add(2);
  await regions.us.add(3);
  await regions.us.store.like(id, ada, true, 5);
  await regions.eu.store.ban({ streamId, userId: ada, by: moderator, atMs: 6 });
  await regions.us.store.setMode(streamId, { mode: 'closed', slowSeconds: 9 }, 7);
  for (const [region, voice] of [
    ['eu', 'a'],
    ['us', 'b'],
    ['us', 'c'],
  ] as const)
    await regions[region].store.report({ commentId: id, by: UserId.parse(`g-${voice}`), voice, atMs: 8 }, 3);
  heal();
  const stateOf = async ({ store }: typeof regions.eu) => ({
    texts: (await store.newest(streamId, 10)).map(({ text }) => text).toSorted(),
    likes: (await store.likes([id])).get(id),
    isBanned: (await store.banOf(ada, streamId, 9)) !== undefined,
    mode: await store.mode(streamId),
    isHeld: (await store.get(id))?.isHeld,
  });
  const state = {
    texts: ['text 1', 'text 2', 'text 3'],
    likes: 1,
    isBanned: true,
    mode: { mode: 'closed', slowSeconds: 9 },
    isHeld: true,
  };
  for (const region of [regions.eu, regions.us])
    await waitFor(
      'it has all',
      () => stateOf(region),
      (seen) => JSON.stringify(seen) === JSON.stringify(state),
    );
  expect(regions.eu.told.flatMap(({ modes }) => modes)).toEqual([streamId]);
  expect(regions.us.told.flatMap(({ banned }) => banned)).toEqual([streamId]);
});

test('an erasure is done in all regions before it is answered; with a region cut off it names that region, and is done at the heal', async () => {
  await using regions = await startTwo();
  const { cut, heal } = regions;
  await regions.eu.add(1);
  await regions.us.add(2);
  await waitUntil('both have both', () => regions.us.told.length > 0 && regions.eu.told.length > 0);
  await regions.eu.store.eraseUser(ada, clock.utcMs());
  await regions.eu.sync.mustBeEverywhere();
  const textsIn = async ({ store }: typeof regions.eu) =>
    (await store.newest(streamId, 10)).map(({ text }) => text);
  expect(await textsIn(regions.us)).toEqual(['', '']);
  await waitUntil('us tells where, as pages show more than rings hold', () =>
    regions.us.told.some(({ erasedIn }) => erasedIn.includes(streamId)),
  );
  cut();
  const bob = UserId.parse('g-bob');
  await regions.eu.store.eraseUser(bob, clock.utcMs());
  const refused: unknown = await regions.eu.sync.mustBeEverywhere().catch((error: unknown) => error);
  expect({ code: errorCodeOf(refused), names: String(refused).includes('not yet in us') }).toEqual({
    code: 'UNAVAILABLE',
    names: true,
  });
  heal();
  await waitUntil('it is done in us', () =>
    regions.us.told.some(({ erased }) => erased.some(({ userId }) => userId === bob)),
  );
  await regions.eu.sync.mustBeEverywhere();
});

// Goal: an erasure is answered while people go on talking. Method: both regions write as fast as they can meanwhile.
test('an erasure is answered while both regions go on writing', async () => {
  await using regions = await startTwo();
  await regions.eu.add(1);
  await waitUntil('us has it', () => regions.us.addedTexts().length === 1);
  const state = { isOver: false };
  const talk = async ({ store }: typeof regions.eu, user: string): Promise<void> => {
    for (let n = 0; !state.isOver; n += 1)
      await store.like(comment(1, eu).id, UserId.parse(user), n % 2 === 0, n);
  };
  const talking = [talk(regions.eu, 'g-bob'), talk(regions.us, 'g-cyd')];
  await regions.eu.store.eraseUser(ada, clock.utcMs());
  const answer: unknown = await regions.eu.sync.mustBeEverywhere().catch((error: unknown) => error);
  const [inUs] = await regions.us.store.newest(streamId, 1);
  state.isOver = true;
  await Promise.all(talking);
  expect({ answer, inUs: inUs?.text }).toEqual({ answer: undefined, inUs: '' });
});

// Goal: pages hear of an erasure though the node that took it stopped before it told them. Method: it is done in `us` before the answer that brings it.
test('an erasure of another region is told though it was done here before', async () => {
  await using regions = await startTwo();
  regions.cut();
  const atMs = clock.utcMs();
  await regions.eu.store.eraseUser(ada, atMs);
  await regions.us.store.eraseUser(ada, atMs);
  regions.heal();
  await waitUntil('us tells it', () =>
    regions.us.told.some(({ erased }) => erased.some(({ userId }) => userId === ada)),
  );
});

test('a file from before there were regions comes over as a whole, in as many answers as it takes', async () => {
  const before = 2100;
  await using regions = await startTwo({ before });
  const have = async () => (await regions.us.store.takenBy(us, streamId, 0, startMs)).length;
  expect(await have()).toBe(0);
  await waitUntil('us has all', () => regions.us.addedTexts().length === before);
  expect(new Set(regions.us.addedTexts()).size).toBe(before);
  const taken = () => regions.eu.store.takenBy(us, streamId, 0, startMs);
  await waitFor('eu knows it', taken, (ids) => ids.length === before);
});

// Goal: no region is called level while something waits for its number. Method: likes of before wait behind 2,000 comments, a whole part, which all got their
// numbers by a change; the other region asks until an answer says that it was all.
test('no answer says that it is all while something of before has no number', async () => {
  const before = 2000;
  const joined = new MemoryRegions({ regions: ['eu', 'us'] });
  await using here = await startRegion(joined, eu, before);
  await here.store.cursor(us);
  const hide = (_: unknown, n: number) =>
    here.store.setHidden(comment(n, eu).id, { by: moderator, atMs: 6 }, 6);
  await Promise.all(Array.from({ length: before }, hide));
  const came = { comment: 0, like: 0 };
  let query: ChangesQuery = { by: 'us', afterSeq: 0 };
  let isAll = false;
  for (let asked = 0; asked < 10 && !isAll; asked += 1) {
    const options = { key: 'comments', withinMs: 20_000 };
    const answer = await joined.of('us').call(eu, commentChanges, query, options);
    for (const { kind } of answer.changes) if (kind === 'comment' || kind === 'like') came[kind] += 1;
    query = { by: 'us', of: answer.databaseId, afterSeq: answer.toSeq, mark: answer.mark };
    ({ isAll } = answer);
  }
  expect(came).toEqual({ comment: before, like: likers.length });
});

// Goal: what a page was told of another region is true on a node that has just begun, too, and where pulls fail over a link that works. Method: of a file that
// was level both happens in turn; a second node opens the file.
test('until when all of another region is here is in the file: through a cut, for a new node, and while pulls fail', async () => {
  await using regions = await startTwo();
  const { joined, us: here } = regions;
  await regions.eu.add(1);
  const wholeTo = () => here.store.wholeTo([eu]);
  await waitUntil('us has it', () => here.addedTexts().length === 1);
  await waitFor('and that all came', wholeTo, (atMs) => atMs > 0);
  regions.cut();
  const cutMs = clock.utcMs();
  await regions.eu.add(2);
  await waitUntil('more than a pull later', () => clock.utcMs() - cutMs > 2500);
  const another = await here.open();
  const inCut = {
    here: (await wholeTo()) <= cutMs,
    isSame: (await another.wholeTo([eu])) === (await wholeTo()),
  };
  await another.close();
  const stop = joined.of('eu').serve(commentChanges, async () => Promise.reject(new Error('broken')));
  regions.heal();
  const healedMs = clock.utcMs();
  await waitUntil('more than a pull later', () => clock.utcMs() - healedMs > 2500);
  const failing = { here: (await wholeTo()) <= cutMs };
  stop();
  regions.eu.sync.stop();
  regions.eu.sync.start();
  await waitFor('it is level', wholeTo, (atMs) => atMs > healedMs);
  expect({ inCut, failing, texts: here.addedTexts() }).toEqual({
    inCut: { here: true, isSame: true },
    failing: { here: true },
    texts: ['text 1', 'text 2'],
  });
});

test('a change that cannot be read costs itself alone', async () => {
  await using regions = await startTwo();
  const { joined } = regions;
  joined.leave('eu', 'n1');
  joined.of('eu', 'n2').serve({ ...commentChanges, result: z.unknown() }, async () => ({
    databaseId: 'x',
    changes: [
      {
        kind: 'comment',
        id: comment(1, eu).id,
        streamId,
        authorId: ada,
        createdAtMs: startMs,
        body: 'no JSON',
        isErased: false,
        isHeld: false,
        releasedAtMs: null,
        hiding: null,
        withdrawal: null,
      },
      { kind: 'like', commentId: comment(1, eu).id, userId: ada, isOn: true, atMs: 1 },
    ],
    toSeq: 2,
    isAll: true,
  }));
  await waitUntil('it was told', () => regions.us.told.some(({ refused }) => refused === 1));
  expect(regions.us.told.flatMap(({ liked }) => liked)).toEqual([comment(1, eu).id]);
});
