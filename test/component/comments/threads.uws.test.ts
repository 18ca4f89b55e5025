/** Threads and likes through the real server, actor, identity and database. */
import { expect, test } from 'vitest';
import { placeBelow } from '../../../actors/comments/thread-place.ts';
import { CommentPage, OwnComment, Thread } from '../../../cluster/contract/api/audience-views.ts';
import { StreamId } from '../../../cluster/model/ids.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { startCommentsRig, type CommentsRig } from '../../support/audience/comments-rig.ts';
import { storedComment } from '../../support/audience/written.ts';
import { waitFor } from '../../support/wait.ts';

const posted = async (rig: CommentsRig, text: string, parentId?: string) =>
  OwnComment.parse(
    (await rig.post(await rig.guest('Ada'), text, parentId === undefined ? {} : { parentId })).body,
  );
const thread = async (rig: CommentsRig, id: string, query = '', token?: string) =>
  Thread.parse(
    (await rig.ask('GET', `/v1/comments/${id}/thread${query}`, token === undefined ? {} : { token })).body,
  );
const listed = async (rig: CommentsRig, query = '', token?: string) =>
  CommentPage.parse(
    (await rig.ask('GET', `/v1/streams/demo/comments${query}`, token === undefined ? {} : { token })).body,
  );
const textsOf = ({ items }: { items: readonly { text: string }[] }) => items.map(({ text }) => text);

/** root; a, b below it; aa, ab below a. */
async function smallThread(rig: CommentsRig) {
  const root = await posted(rig, 'root');
  const a = await posted(rig, 'a', root.id);
  const b = await posted(rig, 'b', root.id);
  const aa = await posted(rig, 'aa', a.id);
  const ab = await posted(rig, 'ab', a.id);
  return { root, a, b, aa, ab };
}

test('a thread is read level by level, whole or below one of its comments, page by page', async () => {
  await using rig = await startCommentsRig();
  const { root, a, b, ab } = await smallThread(rig);
  const whole = await thread(rig, root.id);
  expect({
    root: whole.root,
    texts: textsOf(whole),
    depths: whole.items.map(({ depth }) => depth),
  }).toMatchObject({
    root: { text: 'root', replies: 4 },
    texts: ['a', 'b', 'aa', 'ab'],
    depths: [1, 1, 2, 2],
  });
  expect(whole.items[0]).toMatchObject({ parentId: root.id, rootId: root.id, replies: 2 });
  expect({
    fromInside: textsOf(await thread(rig, ab.id)),
    siblings: textsOf(await thread(rig, root.id, `?parentId=${root.id}`)),
    below: textsOf(await thread(rig, root.id, `?parentId=${a.id}`)),
    belowLeaf: textsOf(await thread(rig, root.id, `?parentId=${b.id}`)),
  }).toEqual({
    fromInside: ['a', 'b', 'aa', 'ab'],
    siblings: ['a', 'b'],
    below: ['aa', 'ab'],
    belowLeaf: [],
  });
  const first = await thread(rig, root.id, '?limit=3');
  const second = await thread(rig, root.id, `?limit=3&cursor=${first.nextCursor}`);
  expect({ first: textsOf(first), second: textsOf(second), end: second.nextCursor }).toEqual({
    first: ['a', 'b', 'aa'],
    second: ['ab'],
    end: undefined,
  });
});

test('a hidden comment below which something hangs stays in its place without its text; others leave', async () => {
  await using rig = await startCommentsRig();
  const { root, a, aa } = await smallThread(rig);
  for (const { id } of [root, a, aa])
    await rig.ask('DELETE', `/v1/comments/${id}`, { token: rig.operatorToken });
  const others = await thread(rig, root.id);
  expect({
    root: others.root,
    items: others.items.map(({ text, hidden }) => ({ text, hidden })),
  }).toMatchObject({
    root: { text: '', hidden: true, replies: 2 },
    items: [
      { text: '', hidden: true },
      { text: 'b', hidden: false },
      { text: 'ab', hidden: false },
    ],
  });
  expect(textsOf(await thread(rig, root.id, '', rig.operatorToken))).toEqual(['a', 'b', 'aa', 'ab']);
  expect(textsOf(await listed(rig))).toEqual(['ab', 'b', '', '']);
});

test('a held comment below which something hangs keeps its place, and its text for its author and moderators', async () => {
  await using rig = await startCommentsRig();
  const author = await rig.guest('Ada');
  const root = OwnComment.parse((await rig.post(author, 'doubtful')).body);
  await posted(rig, 'an answer', root.id);
  for (const name of ['Bob', 'Eve', 'Dan']) {
    const asked = { token: await rig.guest(name), body: {} };
    await rig.ask('POST', `/v1/comments/${root.id}/report`, asked);
  }
  const seen = async (token?: string) => (await thread(rig, root.id, '', token)).root;
  expect(await seen()).toMatchObject({ text: '', hidden: true });
  expect(await seen()).not.toHaveProperty('isHeld');
  expect(await seen(author)).toMatchObject({ text: 'doubtful', isHeld: true });
  expect(await seen(rig.operatorToken)).toMatchObject({ text: 'doubtful', isHeld: true, reports: 3 });
});

test('a thread whose root nobody may see, and that has no answers, is not there', async () => {
  await using rig = await startCommentsRig();
  const { id } = await posted(rig, 'alone');
  await rig.ask('DELETE', `/v1/comments/${id}`, { token: rig.operatorToken });
  const codeOf = async (path: string) => (await rig.ask('GET', path)).code;
  const other = await posted(rig, 'other');
  expect({
    hidden: await codeOf(`/v1/comments/${id}/thread`),
    none: await codeOf(`/v1/comments/${id.slice(0, -3)}000/thread`),
    foreignParent: await codeOf(`/v1/comments/${other.id}/thread?parentId=${id}`),
    badCursor: await codeOf(`/v1/comments/${other.id}/thread?cursor=t1.x`),
  }).toEqual({
    hidden: 'COMMENT_NOT_FOUND',
    none: 'COMMENT_NOT_FOUND',
    foreignParent: 'COMMENT_NOT_FOUND',
    badCursor: 'BAD_REQUEST',
  });
});

test('likes are a set: liked twice is once, and taken back is none; the caller hears of their own by name', async () => {
  await using rig = await startCommentsRig();
  const { id } = await posted(rig, 'likeable');
  const [ada, bob] = [await rig.guest('Ada'), await rig.guest('Bob')];
  const like = (method: string, token: string) => rig.ask(method, `/v1/comments/${id}/like`, { token });
  const statuses = [];
  for (const token of [ada, ada, bob]) statuses.push((await like('PUT', token)).status);
  expect(statuses).toEqual([204, 204, 204]);
  const counted = () => rig.changes.filter(({ kind }) => kind === 'counts').at(-1);
  const likes = async (count: number) =>
    waitFor(
      `${count} likes are told`,
      async () => counted(),
      (told) => told?.kind === 'counts' && told.counts[0]?.likes === count,
    );
  await likes(2);
  expect((await listed(rig, '?mine=true', ada)).items).toMatchObject([{ id, likes: 2, likedByMe: true }]);
  await like('DELETE', bob);
  await like('DELETE', bob);
  await likes(1);
  expect((await listed(rig, '?mine=true', bob)).items).toMatchObject([{ likes: 1, likedByMe: false }]);
  const [plain] = (await listed(rig, '', ada)).items;
  expect(plain).toMatchObject({ likes: 1 });
  expect(plain).not.toHaveProperty('likedByMe');
  expect(await rig.ask('GET', '/v1/streams/demo/comments?mine=true')).toMatchObject({
    code: 'UNAUTHENTICATED',
  });
});

// Goal: a node that stood still undoes nothing by what it had received before. Method: a like is taken back; then the like arrives once more, with
// its own time.
test('of a like and its taking back the later one counts, whenever each arrives; one of another time is refused', async () => {
  await using rig = await startCommentsRig();
  const { id } = await posted(rig, 'likeable');
  const token = await rig.guest('Ada');
  const atMs = Date.now();
  const act = async (method: string, at: string) =>
    (await rig.ask(method, `/v1/comments/${id}/like?at=${encodeURIComponent(at)}`, { token })).status;
  const iso = (ms: number): string => new Date(ms).toISOString();
  expect({
    taken: await act('DELETE', iso(atMs)),
    late: await act('PUT', iso(atMs - 1000)),
    tooLate: await act('PUT', iso(atMs - 60_000)),
    ahead: await act('PUT', iso(atMs + 60_000)),
    none: await act('PUT', 'yesterday'),
  }).toEqual({ taken: 204, late: 204, tooLate: 409, ahead: 409, none: 400 });
  expect((await listed(rig, '?mine=true', token)).items).toMatchObject([{ likes: 0, likedByMe: false }]);
  expect(await act('PUT', iso(Date.now()))).toBe(204);
  expect((await listed(rig, '?mine=true', token)).items).toMatchObject([{ likedByMe: true }]);
});

// Goal: a region whose clock is off wins nothing. Method: the clock of one region is 10 minutes ahead, and it knows; it takes a like, and another region takes it back.
test.each(['by its own time', 'by the time of its taking'])(
  'a like that was taken by a clock ahead, %s, is taken back',
  async (by) => {
    const aheadMs = 600_000;
    await using right = await startCommentsRig();
    await using ahead = await startCommentsRig({ rig: right, hasSameDatabase: true }, undefined, {
      clock: { ...systemClock, utcMs: () => systemClock.utcMs() + aheadMs },
      times: { common: (ms) => ms - aheadMs, latest: (ms) => ms },
    });
    const { id } = await posted(right, 'likeable');
    const token = await right.guest('Ada');
    const at = encodeURIComponent(new Date(Date.now() + aheadMs).toISOString());
    const path = `/v1/comments/${id}/like`;
    const liked = await ahead.ask('PUT', by === 'by its own time' ? `${path}?at=${at}` : path, { token });
    const before = (await listed(right, '?mine=true', token)).items;
    const unliked = await right.ask('DELETE', path, { token });
    const after = (await listed(right, '?mine=true', token)).items;
    expect({ statuses: [liked.status, unliked.status], before, after }).toMatchObject({
      statuses: [204, 204],
      before: [{ likedByMe: true }],
      after: [{ likedByMe: false }],
    });
  },
);

test('nobody likes without a token, or what is not shown to them', async () => {
  await using rig = await startCommentsRig();
  const [{ id: hidden }, { id: held }] = [await posted(rig, 'rude'), await posted(rig, 'casino')];
  await rig.ask('DELETE', `/v1/comments/${hidden}`, { token: rig.operatorToken });
  const token = await rig.guest('Bob');
  const codeOf = async (id: string, asked: { token?: string } = { token }) =>
    (await rig.ask('PUT', `/v1/comments/${id}/like`, asked)).code;
  expect({
    hidden: await codeOf(hidden),
    held: await codeOf(held),
    none: await codeOf(`${hidden.slice(0, -3)}000`),
    without: await codeOf(hidden, {}),
  }).toEqual({
    hidden: 'COMMENT_NOT_FOUND',
    held: 'COMMENT_NOT_FOUND',
    none: 'COMMENT_NOT_FOUND',
    without: 'UNAUTHENTICATED',
  });
});

// Goal: a chain of answers of any length costs no more than its pages. Method: 10,000 answers, each to the one before it, straight into the
// database; one more by the API below the last of them.
test('of 10,000 levels of answers the deeper ones hang at level 8, and keep their parents', async () => {
  await using rig = await startCommentsRig();
  const beganMs = Date.now() - 100_000;
  const chain = [storedComment(beganMs, { streamId: StreamId.parse('demo') })];
  for (let level = 1; level <= 10_000; level += 1)
    chain.push(
      storedComment(beganMs + level, { streamId: StreamId.parse('demo'), ...placeBelow(chain.at(-1)) }),
    );
  await Promise.all(
    Array.from({ length: 11 }, async (_, part) => {
      for (const comment of chain.slice(part * 1000, (part + 1) * 1000))
        await rig.store.add(comment, { isHeld: false, nowMs: comment.createdAtMs });
    }),
  );
  const [root, last] = [chain[0], chain.at(-1)];
  const deepest = await posted(rig, 'deepest', last?.id);
  expect(deepest).toMatchObject({ parentId: last?.id, rootId: root?.id, depth: 8 });
  const { root: first, items } = await thread(rig, root?.id ?? '', '?limit=10');
  expect({ replies: first.replies, depths: items.map(({ depth }) => depth) }).toEqual({
    replies: 10_001,
    depths: [1, 2, 3, 4, 5, 6, 7, 8, 8, 8],
  });
  expect(items.at(-1)?.parentId).toBe(items.at(-2)?.id);
});
