/** Moderation where acts meet, fail in part, or come from somebody who may not any more: through the real server, actor, identity and database. */
import { expect, test } from 'vitest';
import { openSigner } from '../../../actors/comments/identity/token-signer.jose.ts';
import { CommentPage, OwnComment } from '../../../cluster/contract/api/audience-views.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { startCommentsRig, type CommentsRig } from '../../support/audience/comments-rig.ts';
import { clientIdAt } from '../../support/audience/written.ts';

const posted = async (rig: CommentsRig, token: string, text: string) =>
  OwnComment.parse((await rig.post(token, text)).body);
const listed = async (rig: CommentsRig, query = '', token?: string) =>
  CommentPage.parse(
    (await rig.ask('GET', `/v1/streams/demo/comments${query}`, token === undefined ? {} : { token })).body,
  );
const textsOf = ({ items }: CommentPage) => items.map(({ text }) => text);
const act = (rig: CommentsRig, method: string, path: string, body?: object) =>
  rig.ask(method, path, { token: rig.operatorToken, ...(body !== undefined && { body }) });

// Goal: a purge of which one write fails hides the others, and nobody goes on showing what may be hidden. Method: the store takes the first hide, and says that it is not
// available for the second one, which it took all the same.
test('a purge whose writes fail in part tells what it hid, and has nodes look for the rest', async () => {
  await using rig = await startCommentsRig();
  const ada = await rig.guest('Ada');
  const [first, second] = [await posted(rig, ada, 'spam 1'), await posted(rig, ada, 'spam 2')];
  const setHidden = rig.store.setHidden.bind(rig.store);
  rig.store.setHidden = async (id, ...asked) => {
    const row = await setHidden(id, ...asked);
    if (id === second.id) throw new TangazaError('UNAVAILABLE');
    return row;
  };
  const path = `/v1/streams/demo/bans/${first.author.id}`;
  expect(await act(rig, 'PUT', path, { purge: true })).toMatchObject({ code: 'UNAVAILABLE' });
  await expect
    .poll(() =>
      rig.changes
        .slice(2)
        .map(({ kind }) => kind)
        .toSorted(),
    )
    .toEqual(['ban', 'changed', 'unsure']);
  expect(rig.changes.find(({ kind }) => kind === 'changed')).toMatchObject({ comment: { id: first.id } });
});

// Goal: an author cannot take over what a moderator hides at the same moment. Method: the moderator hides between the author's read and their write.
test('an author who hides a comment as a moderator does cannot show it again', async () => {
  await using rig = await startCommentsRig();
  const ada = await rig.guest('Ada');
  const { id } = await posted(rig, ada, 'doubtful');
  const withdraw = rig.store.withdraw.bind(rig.store);
  rig.store.withdraw = async (...asked) => {
    await act(rig, 'DELETE', `/v1/comments/${id}`);
    return withdraw(...asked);
  };
  expect(await rig.ask('DELETE', `/v1/comments/${id}`, { token: ada })).toMatchObject({ status: 200 });
  rig.store.withdraw = withdraw;
  const restore = () => rig.ask('POST', `/v1/comments/${id}/restore`, { token: ada, body: {} });
  expect(await restore()).toMatchObject({ code: 'FORBIDDEN' });
  expect((await listed(rig, '?state=hidden', rig.operatorToken)).items).toMatchObject([{ id }]);
});

// The other way round: the author shows it again while a moderator hides it.
test('an author who shows a comment again as a moderator hides it is told so, and it stays hidden', async () => {
  await using rig = await startCommentsRig();
  const ada = await rig.guest('Ada');
  const { id } = await posted(rig, ada, 'doubtful');
  await rig.ask('DELETE', `/v1/comments/${id}`, { token: ada });
  const withdraw = rig.store.withdraw.bind(rig.store);
  rig.store.withdraw = async (...asked) => {
    await act(rig, 'DELETE', `/v1/comments/${id}`);
    return withdraw(...asked);
  };
  const restored = await rig.ask('POST', `/v1/comments/${id}/restore`, { token: ada, body: {} });
  expect(restored).toMatchObject({ code: 'FORBIDDEN', status: 403 });
  expect(textsOf(await listed(rig))).toEqual([]);
});

// Goal: a purge counts, whatever its target did before. Method: the author takes a comment back and is banned with purge; then tries to show it again, during the ban and after it.
test('who is banned shows nothing again that they had taken back, and what was purged stays hidden after the ban', async () => {
  await using rig = await startCommentsRig();
  const ada = await rig.guest('Ada');
  const { id, author } = await posted(rig, ada, 'spam');
  await rig.ask('DELETE', `/v1/comments/${id}`, { token: ada });
  const restore = async () =>
    (await rig.ask('POST', `/v1/comments/${id}/restore`, { token: ada, body: {} })).code;
  const ban = `/v1/streams/demo/bans/${author.id}`;
  expect(await act(rig, 'PUT', ban, { purge: true })).toMatchObject({ body: { purged: 1 } });
  const during = await restore();
  await act(rig, 'DELETE', ban);
  expect({ during, after: await restore(), shown: textsOf(await listed(rig)) }).toEqual({
    during: 'BANNED',
    after: 'FORBIDDEN',
    shown: [],
  });
});

// Goal: an author can undo what they did with a version of before, which wrote it where moderators hide. Method: the store has such a hide; in the second row a moderator
// hides the comment while its author shows it again.
test.each([
  { what: 'shows it again', isHiddenMeanwhile: false, code: '', shown: ['mine'] },
  { what: 'does not undo what a moderator did since', isHiddenMeanwhile: true, code: 'FORBIDDEN', shown: [] },
])(
  'an author whose hide lies among those of moderators $what',
  async ({ isHiddenMeanwhile, code, shown }) => {
    await using rig = await startCommentsRig();
    const ada = await rig.guest('Ada');
    const { id, author } = await posted(rig, ada, 'mine');
    const atMs = Date.now();
    await rig.store.setHidden(id, { by: author.id, atMs }, atMs);
    const setHidden = rig.store.setHidden.bind(rig.store);
    rig.store.setHidden = async (...asked) => {
      rig.store.setHidden = setHidden;
      if (isHiddenMeanwhile) await setHidden(id, { by: 'operator', atMs: atMs + 1 }, atMs + 1);
      return setHidden(...asked);
    };
    const restored = await rig.ask('POST', `/v1/comments/${id}/restore`, { token: ada, body: {} });
    expect({ code: restored.code, shown: textsOf(await listed(rig)) }).toEqual({ code, shown });
  },
);

// Goal: a moderator's token is withdrawn before it ends. Method: the operator bans its user everywhere; everything that it could do is tried, and how it sees what is hidden;
// then the ban ends.
test('a moderator who is banned everywhere has no permission left, on any stream, until the ban ends', async () => {
  await using rig = await startCommentsRig();
  const signer = await openSigner(rig.tokenKeys.signing);
  const grant = { account: 'mo', name: 'Mo', roles: ['administrator'], permissions: [] };
  const token = await signer.accountToken(grant, { nowMs: Date.now(), hours: 1 });
  const [{ id, author }, hidden] = [
    await posted(rig, await rig.guest('Ada'), 'hello'),
    await posted(rig, await rig.guest('Bob'), 'secret'),
  ];
  await act(rig, 'DELETE', `/v1/comments/${hidden.id}`);
  const ask = async (method: string, path: string, body?: object) => {
    const { code, status } = await rig.ask(method, path, { token, ...(body !== undefined && { body }) });
    return code === '' ? status : code;
  };
  const all = async () => ({
    texts: textsOf(await listed(rig, '', token)),
    held: await ask('GET', '/v1/streams/demo/comments?state=held'),
    hide: await ask('DELETE', `/v1/comments/${id}`),
    restore: await ask('POST', `/v1/comments/${id}/restore`, {}),
    release: await ask('POST', `/v1/comments/${id}/release`, {}),
    mode: await ask('PUT', '/v1/streams/demo/mode', { mode: 'open', slowSeconds: 0 }),
    bans: await ask('GET', '/v1/streams/demo/bans'),
    ban: await ask('PUT', `/v1/streams/other/bans/${author.id}`, {}),
    unban: await ask('DELETE', '/v1/streams/all-streams/bans/a-mo'),
    audit: await ask('GET', '/v1/streams/demo/audit'),
    erase: await ask('POST', '/v1/users/g-nobody/erase', {}),
  });
  await act(rig, 'PUT', '/v1/streams/all-streams/bans/a-mo', { reason: 'The token was lost' });
  const banned = 'BANNED';
  expect(await all()).toEqual({
    texts: ['hello'],
    held: banned,
    hide: 'FORBIDDEN',
    restore: 'FORBIDDEN',
    release: banned,
    mode: banned,
    bans: banned,
    ban: banned,
    unban: banned,
    audit: banned,
    erase: banned,
  });
  await act(rig, 'DELETE', '/v1/streams/all-streams/bans/a-mo');
  expect(await all()).toEqual({
    texts: ['secret', 'hello'],
    held: 200,
    hide: 200,
    restore: 200,
    release: 200,
    mode: 200,
    bans: 200,
    ban: 200,
    unban: 204,
    audit: 200,
    erase: 200,
  });
});

/** A node whose clock is ahead, and one whose clock is right; both know how far, and their rows are the same ones. */
async function startApart(aheadMs: number) {
  const right = await startCommentsRig(undefined, undefined, {
    times: { common: (ms) => ms, latest: (ms) => ms + aheadMs },
  });
  const clock = { ...systemClock, utcMs: () => systemClock.utcMs() + aheadMs };
  const times = { common: (ms: number) => ms - aheadMs, latest: (ms: number) => ms };
  const ahead = await startCommentsRig({ rig: right, hasSameDatabase: true }, undefined, { clock, times });
  return {
    right,
    ahead,
    [Symbol.asyncDispose]: async () => {
      await ahead[Symbol.asyncDispose]();
      await right[Symbol.asyncDispose]();
    },
  };
}

// Goal: what a moderator is told is so, whatever the clock of the region in which another one acted before (R12). Method: acts by a node that is 30 s ahead, and
// their counterparts by one that is not.
test('where clocks are 30 s apart, the later act holds: modes, bans, hides', async () => {
  await using regions = await startApart(30_000);
  const { right, ahead } = regions;
  const ada = await right.guest('Ada');
  const { id, author } = await posted(right, ada, 'doubtful');
  const [mode, ban] = ['/v1/streams/demo/mode', `/v1/streams/demo/bans/${author.id}`];
  await act(ahead, 'PUT', mode, { mode: 'closed', slowSeconds: 0 });
  await act(right, 'PUT', mode, { mode: 'open', slowSeconds: 0 });
  await act(ahead, 'PUT', ban, {});
  await act(right, 'DELETE', ban);
  await act(ahead, 'DELETE', `/v1/comments/${id}`);
  await act(right, 'POST', `/v1/comments/${id}/restore`, {});
  await act(ahead, 'DELETE', `/v1/comments/${id}`);
  expect({
    mode: (await right.store.mode(right.demo))?.mode,
    ban: await right.store.banOf(author.id, right.demo, Date.now()),
    hidden: (await right.store.get(id))?.hidden?.by,
  }).toEqual({ mode: 'open', ban: undefined, hidden: 'operator' });
});

// Goal: what a moderator is told is so, also after a clock that was wrong was mended. Method: an hour lies between two nodes, and neither knows it. The one that is ahead acts
// first, then the other one does the opposite. The three who report hold the comment by the clock that is ahead.
test('an act ends one of before that bears a later time', async () => {
  const clock = { ...systemClock, utcMs: () => systemClock.utcMs() + 3_600_000 };
  await using right = await startCommentsRig();
  await using ahead = await startCommentsRig({ rig: right, hasSameDatabase: true }, undefined, { clock });
  const ada = await right.guest('Ada');
  const [one, two, held] = await Promise.all(['one', 'two', 'held'].map((text) => posted(right, ada, text)));
  if (one === undefined || two === undefined || held === undefined) throw new Error('three were posted');
  const [mode, ban] = ['/v1/streams/demo/mode', `/v1/streams/demo/bans/${one.author.id}`];
  const hide = (rig: CommentsRig, id: string) => act(rig, 'DELETE', `/v1/comments/${id}`);
  const restore = (rig: CommentsRig, id: string) => act(rig, 'POST', `/v1/comments/${id}/restore`, {});
  const report = async (rig: CommentsRig, name: string) =>
    rig.ask('POST', `/v1/comments/${held.id}/report`, { token: await right.guest(name), body: {} });
  await act(ahead, 'PUT', mode, { mode: 'closed', slowSeconds: 0 });
  await act(ahead, 'PUT', ban, {});
  for (const { id } of [one, two]) await hide(ahead, id);
  for (const { id } of [one, two]) await restore(ahead, id);
  for (const name of ['Bob', 'Cleo', 'Dan']) await report(ahead, name);
  const wasHeld = (await right.store.get(held.id))?.isHeld;
  await act(right, 'PUT', mode, { mode: 'open', slowSeconds: 0 });
  await hide(right, one.id);
  await act(right, 'POST', `/v1/comments/${held.id}/release`, {});
  await report(right, 'Eve');
  const { isHeld, reports } = (await right.store.get(held.id)) ?? {};
  await act(right, 'DELETE', ban);
  const isBanned = (await right.store.banOf(one.author.id, right.demo, 0)) !== undefined;
  await act(right, 'PUT', ban, { purge: true });
  const rows = await Promise.all([one, two].map(({ id }) => right.store.get(id)));
  expect({
    mode: (await right.store.mode(right.demo))?.mode,
    hidden: rows.map((row) => row?.hidden?.by),
    isBanned,
    isBannedAgain: (await right.store.banOf(one.author.id, right.demo, 0)) !== undefined,
    wasHeld,
    isHeld,
    reports,
  }).toEqual({
    mode: 'open',
    hidden: ['operator', 'operator'],
    isBanned: false,
    isBannedAgain: true,
    wasHeld: true,
    isHeld: false,
    reports: 1,
  });
});

// Method: the clock that acts go by is an hour ahead of the node, and two nodes are two minutes apart.
test('a purge, a hide ahead and the end of a ban go by the clock that they are compared with', async () => {
  await using first = await startCommentsRig(undefined, undefined, {
    times: { common: (ms) => ms + 3_600_000, latest: (ms) => ms + 3_600_000 },
  });
  const spam = await posted(first, await first.guest('Ada'), 'spam');
  const purge = await act(first, 'PUT', `/v1/streams/demo/bans/${spam.author.id}`, { purge: true });
  await act(first, 'DELETE', `/v1/comments/${spam.id.slice(0, -3)}000`);
  const hide = first.changes.at(-1);
  const isAhead = hide?.kind === 'hiding' ? hide.atMs > Date.now() : undefined;
  await using regions = await startApart(120_000);
  const { right, ahead } = regions;
  const token = await right.guest('Bob');
  const { author } = await posted(right, token, 'hello');
  await act(right, 'PUT', `/v1/streams/demo/bans/${author.id}`, { seconds: 60 });
  const clientId = clientIdAt(Date.now() + 120_000);
  const { code } = await ahead.post(token, 'banned', { clientId });
  const bans = await act(ahead, 'GET', '/v1/streams/demo/bans');
  await act(ahead, 'PUT', `/v1/streams/demo/bans/${author.id}`, { seconds: 60 });
  const again = await right.store.banOf(author.id, right.demo, 0);
  const endsLate = (again?.untilMs ?? Infinity) > Date.now() + 60_000;
  expect({ purge, isAhead, code, bans, endsLate }).toMatchObject({
    purge: { body: { purged: 1 } },
    isAhead: false,
    code: 'BANNED',
    bans: { body: { items: [{}] } },
    endsLate: false,
  });
});

test('an erasure takes what was written before it where the clock is 30 s ahead', async () => {
  await using regions = await startApart(30_000);
  const { right, ahead } = regions;
  const token = await right.guest('Ada');
  const clientId = clientIdAt(Date.now() + 30_000);
  const { id, author } = OwnComment.parse((await ahead.post(token, 'by a clock ahead', { clientId })).body);
  await act(right, 'POST', `/v1/users/${author.id}/erase`, {});
  expect((await right.store.get(id))?.text).toBe('');
});
