/** What viewers and moderators do with comments, through the real server, actor, identity and database. */
import { expect, test } from 'vitest';
import { noReplication } from '../../../actors/comments/replication/replication.ts';
import { CommentPage, OwnComment } from '../../../cluster/contract/api/audience-views.ts';
import {
  newClientId,
  newNetwork,
  startCommentsRig,
  type CommentsRig,
} from '../../support/audience/comments-rig.ts';
import { storedComment } from '../../support/audience/written.ts';

const comments = '/v1/streams/demo/comments';
const posted = async (rig: CommentsRig, token: string, text: string, more: object = {}) =>
  OwnComment.parse((await rig.post(token, text, more)).body);
const page = async (rig: CommentsRig, query = '', token?: string) =>
  CommentPage.parse((await rig.ask('GET', comments + query, token === undefined ? {} : { token })).body);
const textsOf = ({ items }: CommentPage) => items.map(({ text }) => text);
const kindsOf = ({ changes }: CommentsRig) => changes.map(({ kind }) => kind);

test('a guest comments, and everybody reads it, newest first and from a place on', async () => {
  await using rig = await startCommentsRig();
  const token = await rig.guest('Ada');
  const first = await posted(rig, token, ' caf\u0065\u0301 ', { mediaTime: 12.5 });
  expect(first).toMatchObject({
    author: { name: 'Ada' },
    text: 'café',
    mediaTime: 12.5,
    hidden: false,
    region: 'eu',
    acknowledged: 'accepted',
  });
  for (const text of ['two', 'three']) await posted(rig, await rig.guest('Bob'), text);
  const newest = await page(rig, '?limit=2');
  expect(textsOf(newest)).toEqual(['three', 'two']);
  expect(textsOf(await page(rig, `?before=${newest.nextCursor}`))).toEqual(['café']);
  expect(textsOf(await page(rig, `?after=${first.id}`))).toEqual(['two', 'three']);
  expect(textsOf(await page(rig, '?after=2020-01-01T00:00:00Z&limit=1'))).toEqual(['café']);
  expect(textsOf(await page(rig, '?before=2020-01-01T00:00:00Z'))).toEqual([]);
  expect(kindsOf(rig)).toEqual(['added', 'added', 'added']);
});

// Goal: an answer that was lost is had by asking again. Method: in slow mode, which would refuse a second comment; also late, with the receipt.
test('pages say that another region keeps copies, where one does, and which comments it has', async () => {
  const isThere = { ...noReplication, isOn: true, has: () => true };
  await using linked = await startCommentsRig(undefined, undefined, { replication: isThere });
  await using alone = await startCommentsRig();
  for (const rig of [linked, alone]) await posted(rig, await rig.guest('Ada'), 'text');
  const said = async (rig: CommentsRig) => {
    const { items, replication } = await page(rig);
    return { replication, acknowledged: items.map(({ acknowledged }) => acknowledged) };
  };
  expect({ linked: await said(linked), alone: await said(alone) }).toEqual({
    linked: { replication: true, acknowledged: ['replicated'] },
    alone: { replication: undefined, acknowledged: ['accepted'] },
  });
});

test('pages say since when another region is not known, where one is not', async () => {
  const cutAtMs = Date.now() - 60_000;
  await using cut = await startCommentsRig(undefined, undefined, { lag: { knownToMs: () => cutAtMs } });
  await using linked = await startCommentsRig(undefined, undefined, { lag: { knownToMs: () => Date.now() } });
  const said = async (rig: CommentsRig) => (await page(rig)).knownTo;
  expect({ cut: await said(cut), linked: await said(linked) }).toEqual({
    cut: new Date(cutAtMs).toISOString(),
    linked: undefined,
  });
});

test('a comment that is sent again is still one comment, and gets the first answer', async () => {
  await using rig = await startCommentsRig();
  const token = await rig.guest('Ada');
  await rig.ask('PUT', '/v1/streams/demo/mode', {
    token: rig.operatorToken,
    body: { mode: 'open', slowSeconds: 60 },
  });
  const clientId = newClientId();
  const { receipt, ...first } = await posted(rig, token, 'once', { clientId });
  const { receipt: _, ...second } = await posted(rig, token, 'once', { clientId });
  const { receipt: __, ...third } = await posted(rig, token, 'once', { clientId, receipt });
  expect({ second, third }).toEqual({ second: first, third: first });
  expect({ page: textsOf(await page(rig)), told: kindsOf(rig) }).toEqual({
    page: ['once'],
    told: ['mode', 'added'],
  });
  expect(await rig.post(token, 'another text', { clientId })).toMatchObject({
    status: 409,
    code: 'CONFLICT',
  });
  expect(await rig.post(token, 'twice')).toMatchObject({ status: 429, code: 'SLOW_MODE', retryAfter: '60' });
});

// Goal: an answer that was lost is had at any node. Method: in slow mode, at a node that has not heard of the comment, after another one there.
test('a comment that is sent again to another node gets the first answer', async () => {
  await using rig = await startCommentsRig();
  await using node = await startCommentsRig({ rig, hasSameDatabase: true });
  const token = await rig.guest('Ada');
  const body = { mode: 'open', slowSeconds: 60 };
  await rig.ask('PUT', '/v1/streams/demo/mode', { token: rig.operatorToken, body });
  const clientId = newClientId();
  const first = await posted(rig, token, 'once', { clientId });
  await posted(node, token, 'meanwhile');
  expect((await posted(node, token, 'once', { clientId })).id).toBe(first.id);
  expect(await node.post(token, 'other', { clientId })).toMatchObject({ status: 409, code: 'CONFLICT' });
  expect(await node.post(token, 'another')).toMatchObject({ code: 'SLOW_MODE' });
  expect(textsOf(await page(node))).toEqual(['meanwhile', 'once']);
});

// Goal: what a region acknowledged is taken by another one, which lacks its parent and whose guards would refuse it.
test('a comment with its receipt is taken in another region as it was, whatever the guards there say', async () => {
  await using rig = await startCommentsRig();
  await using region = await startCommentsRig({ rig, hasSameDatabase: false });
  const token = await rig.guest('Ada');
  const root = await posted(rig, token, 'root');
  const clientId = newClientId();
  const { receipt, ...answer } = await posted(rig, token, 'darn answer', { clientId, parentId: root.id });
  const body = { mode: 'closed', slowSeconds: 0 };
  await region.ask('PUT', '/v1/streams/demo/mode', { token: rig.operatorToken, body });
  const again = { clientId, parentId: root.id };
  expect(await region.post(token, 'darn answer', again)).toMatchObject({ code: 'COMMENTS_CLOSED' });
  expect(await posted(region, token, 'darn answer', { ...again, receipt })).toMatchObject(answer);
  expect(await region.post(token, 'another', { ...again, receipt })).toMatchObject({ code: 'CONFLICT' });
});

// Method: the ring's comments have other texts than the database's, so that it shows where a page is from.
test('the newest page of a reader without a token is from the ring, where it is full of what everybody sees', async () => {
  await using rig = await startCommentsRig();
  const token = await rig.guest('Ada');
  for (const text of ['one', 'two', 'three']) await posted(rig, token, text);
  const rows = rig.changes.flatMap((change) =>
    change.kind === 'added' ? [{ ...change.comment, text: `ring ${change.comment.text}` }] : [],
  );
  rig.ring.rows = rows;
  const first = await page(rig, '?limit=2');
  expect({
    first: textsOf(first),
    next: textsOf(await page(rig, `?limit=2&before=${first.nextCursor}`)),
    withToken: textsOf(await page(rig, '?limit=2', token)),
    longer: textsOf(await page(rig, '?limit=3')),
  }).toEqual({
    first: ['ring three', 'ring two'],
    next: ['one'],
    withToken: ['three', 'two'],
    longer: ['three', 'two', 'one'],
  });
  rig.ring.rows = rows.with(1, { ...storedComment(1), hidden: { by: 'operator', atMs: 1 } });
  expect(textsOf(await page(rig, '?limit=2'))).toEqual(['three', 'two']);
});

test('an author hides a comment and shows it again; nobody else does', async () => {
  await using rig = await startCommentsRig();
  const [ada, bob] = [await rig.guest('Ada'), await rig.guest('Bob')];
  const { id } = await posted(rig, ada, 'a slip');
  const hide = (token: string) => rig.ask('DELETE', `/v1/comments/${id}`, { token });
  const restore = (token: string) => rig.ask('POST', `/v1/comments/${id}/restore`, { token, body: {} });
  expect(await hide(bob)).toMatchObject({ status: 403, code: 'FORBIDDEN' });
  expect(await hide(ada)).toMatchObject({ status: 200, body: { hidden: true, text: '' } });
  expect(await hide(ada)).toMatchObject({ status: 200, body: { hidden: true } });
  expect(await restore(bob)).toMatchObject({ status: 404, code: 'COMMENT_NOT_FOUND' });
  expect({ items: textsOf(await page(rig)), of: await restore(ada) }).toMatchObject({
    items: [],
    of: { status: 200 },
  });
  expect(textsOf(await page(rig))).toEqual(['a slip']);
  // The second hide is told again: the answer to the first one may have been lost, and with it what it told.
  expect(kindsOf(rig)).toEqual(['added', 'changed', 'changed', 'changed']);
});

test('what a moderator hid, moderators alone see and show again', async () => {
  await using rig = await startCommentsRig();
  const ada = await rig.guest('Ada');
  const { id } = await posted(rig, ada, 'rude');
  const restore = (token: string) =>
    rig.ask('POST', `/v1/comments/${id}/restore`, { token, body: { reason: 'It was fine.' } });
  await rig.ask('DELETE', `/v1/comments/${id}`, { token: rig.operatorToken });
  await rig.ask('DELETE', `/v1/comments/${id}`, { token: ada });
  expect({
    author: textsOf(await page(rig, '', ada)),
    moderator: textsOf(await page(rig, '', rig.operatorToken)),
  }).toEqual({
    author: [],
    moderator: ['rude'],
  });
  expect(await restore(ada)).toMatchObject({ status: 403, code: 'FORBIDDEN' });
  expect(await restore(rig.operatorToken)).toMatchObject({
    status: 200,
    body: { hidden: false, text: 'rude' },
  });
  expect(textsOf(await page(rig))).toEqual(['rude']);
});

test('a hide of a comment that is not here yet is kept for it, and told', async () => {
  await using rig = await startCommentsRig();
  const { id } = await posted(rig, await rig.guest('Ada'), 'known elsewhere');
  const unseen = `${id.slice(0, -3)}000`;
  expect(await rig.ask('DELETE', `/v1/comments/${unseen}`, { token: rig.operatorToken })).toMatchObject({
    status: 404,
    code: 'COMMENT_NOT_FOUND',
    body: { detail: expect.stringContaining('If it arrives within 10 minutes, it is hidden.') },
  });
  expect(rig.changes.at(-1)).toMatchObject({ kind: 'hiding', id: unseen, hiding: { by: 'operator' } });
});

test('held comments are for their author and for moderators; words are replaced or refused', async () => {
  await using rig = await startCommentsRig();
  const [ada, bob] = [await rig.guest('Ada'), await rig.guest('Bob')];
  expect(await posted(rig, ada, 'darn CASINOS')).toMatchObject({ text: '**** CASINOS', isHeld: true });
  expect(await rig.post(ada, 'a forbidden word')).toMatchObject({ status: 422, code: 'TEXT_REFUSED' });
  expect({
    author: textsOf(await page(rig, '', ada)),
    other: textsOf(await page(rig, '', bob)),
    nobody: textsOf(await page(rig)),
    moderator: textsOf(await page(rig, '', rig.operatorToken)),
  }).toEqual({ author: ['**** CASINOS'], other: [], nobody: [], moderator: ['**** CASINOS'] });
  const clientId = newClientId();
  const { receipt } = await posted(rig, bob, 'darn it', { clientId });
  expect(await posted(rig, bob, 'darn it', { clientId, receipt })).toMatchObject({ text: '**** it' });
});

// Goal: what was accepted comes through again after its region was lost, and a made-up receipt opens no door. Method: the comments are
// switched off meanwhile.
test('with its receipt a comment passes the guards of others, and a receipt that is none passes nothing', async () => {
  await using rig = await startCommentsRig();
  const token = await rig.guest('Ada');
  const clientId = newClientId();
  const { receipt } = await posted(rig, token, 'said before', { clientId });
  const closed = { mode: 'closed', slowSeconds: 60 };
  await rig.ask('PUT', '/v1/streams/demo/mode', { token: rig.operatorToken, body: closed });
  const forged = { clientId: newClientId(), receipt: 'a.b.c' };
  expect({
    again: (await rig.post(token, 'said before', { clientId, receipt })).status,
    otherText: (await rig.post(token, 'another text', { clientId, receipt })).code,
    otherAuthor: (await rig.post(await rig.guest('Bob'), 'said before', { clientId, receipt })).code,
    forged: (await rig.post(token, 'never said', forged)).code,
  }).toEqual({
    again: 201,
    otherText: 'CONFLICT',
    otherAuthor: 'COMMENTS_CLOSED',
    forged: 'COMMENTS_CLOSED',
  });
});

test('a stream is for accounts, or for nobody; its mode is told at once', async () => {
  await using rig = await startCommentsRig();
  const token = await rig.guest('Ada');
  const setMode = (mode: string, by = rig.operatorToken) =>
    rig.ask('PUT', '/v1/streams/demo/mode', { token: by, body: { mode, slowSeconds: 0 } });
  expect(await setMode('closed', token)).toMatchObject({ status: 403, code: 'FORBIDDEN' });
  expect((await rig.ask('GET', '/v1/streams/demo/mode')).body).toEqual({ mode: 'open', slowSeconds: 0 });
  await setMode('accounts');
  expect(await rig.post(token, 'hi')).toMatchObject({ status: 403, code: 'ACCOUNT_NEEDED' });
  expect(await rig.post(rig.operatorToken, 'hi')).toMatchObject({
    status: 201,
    body: { author: { isStaff: true } },
  });
  await setMode('closed');
  expect(await rig.post(rig.operatorToken, 'hi again')).toMatchObject({
    status: 403,
    code: 'COMMENTS_CLOSED',
  });
  rig.hear({ kind: 'mode', streamId: rig.demo, mode: { mode: 'open', slowSeconds: 0 } });
  expect(await rig.post(token, 'hi')).toMatchObject({ status: 201 });
});

test('an answer hangs below its parent, which must be shown, on this stream, and here', async () => {
  await using rig = await startCommentsRig();
  const token = await rig.guest('Ada');
  const root = await posted(rig, token, 'root');
  const answer = await posted(rig, token, 'answer', { parentId: root.id });
  expect(answer).toMatchObject({ parentId: root.id, rootId: root.id, depth: 1 });
  const bob = await rig.guest('Bob');
  const answered = (parentId: string) => rig.post(bob, 'what?', { parentId });
  expect(await answered(root.id.replace('demo', 'other'))).toMatchObject({
    status: 400,
    code: 'BAD_REQUEST',
  });
  expect(await answered(`${root.id.slice(0, -3)}000`)).toMatchObject({
    status: 425,
    code: 'PARENT_NOT_HERE',
    retryAfter: '2',
  });
  await rig.ask('DELETE', `/v1/comments/${root.id}`, { token });
  expect(await answered(root.id)).toMatchObject({ status: 404, code: 'COMMENT_NOT_FOUND' });
  expect(await answered(answer.id)).toMatchObject({ status: 201, body: { rootId: root.id, depth: 2 } });
});

test('a stream must exist to be commented on and to be read', async () => {
  await using rig = await startCommentsRig();
  const token = await rig.guest('Ada');
  const on = async (stream: string) => {
    const body = { text: 'hi', clientId: newClientId() };
    const { code: post } = await rig.ask('POST', `/v1/streams/${stream}/comments`, { token, body });
    const { code: list } = await rig.ask('GET', `/v1/streams/${stream}/comments`);
    const { code: mode } = await rig.ask('GET', `/v1/streams/${stream}/mode`);
    return { post, list, mode };
  };
  const all = (code: string) => ({ post: code, list: code, mode: code });
  expect({ none: await on('none'), gone: await on('gone') }).toEqual({
    none: all('STREAM_NOT_FOUND'),
    gone: all('STREAM_REMOVED'),
  });
});

test('who a token stands for is told; without one, nobody comments or moderates', async () => {
  await using rig = await startCommentsRig();
  const token = await rig.guest('Ada');
  expect((await rig.ask('GET', '/v1/me', { token })).body).toMatchObject({
    user: { name: 'Ada', kind: 'guest' },
    permissions: [],
  });
  expect((await rig.ask('GET', '/v1/me', { token: rig.operatorToken })).body).toMatchObject({
    user: { id: 'a-operator' },
    permissions: expect.arrayContaining(['comment.hide', 'stream.mode']),
  });
  const { id } = await posted(rig, token, 'hi');
  const codes = async (asked: { token?: string }) => [
    (await rig.ask('POST', comments, { ...asked, body: { text: 'x', clientId: newClientId() } })).code,
    (await rig.ask('DELETE', `/v1/comments/${id}`, asked)).code,
    (await rig.ask('PUT', '/v1/streams/demo/mode', { ...asked, body: { mode: 'closed', slowSeconds: 0 } }))
      .code,
    (await rig.ask('GET', '/v1/me', asked)).code,
  ];
  const refused = Array.from({ length: 4 }, () => 'UNAUTHENTICATED');
  expect({ without: await codes({}), bad: await codes({ token: 'no-token' }) }).toEqual({
    without: refused,
    bad: refused,
  });
  expect(textsOf(await page(rig, '', 'no-token'))).toEqual(['hi']);
});

test('a name that nothing is seen of, or that is not allowed, makes no guest', async () => {
  await using rig = await startCommentsRig();
  const named = async (name: string) => (await rig.ask('POST', '/v1/guests', { body: { name } })).code;
  expect({
    empty: await named(''),
    unseen: await named('\u200b\u2800'),
    long: await named('x'.repeat(41)),
    refused: await named('Forbidden Word'),
    held: await named('Best Casino'),
  }).toEqual({
    empty: 'BAD_REQUEST',
    unseen: 'TEXT_REFUSED',
    long: 'BAD_REQUEST',
    refused: 'TEXT_REFUSED',
    held: 'TEXT_REFUSED',
  });
  expect((await rig.ask('POST', '/v1/guests', { body: { name: 'Darn Joe' } })).body).toMatchObject({
    user: { name: '**** Joe' },
  });
});

// Goal: slow mode holds over all nodes. Method: another node tells of a comment of this author.
test('a comment at another node counts here', async () => {
  await using rig = await startCommentsRig();
  const token = await rig.guest('Ada');
  await posted(rig, token, 'first');
  const [added] = rig.changes;
  await using other = await startCommentsRig();
  const slow = { mode: 'open', slowSeconds: 60 } as const;
  await other.ask('PUT', '/v1/streams/demo/mode', { token: other.operatorToken, body: slow });
  if (added?.kind !== 'added') throw new Error('the comment was told');
  const operator = { ...added.comment, author: { id: other.operatorId, name: 'Operator' } };
  other.hear({ kind: 'added', comment: operator });
  // Staff is exempt, so its bucket shows nothing: the same text again does.
  expect(await other.post(other.operatorToken, 'FIRST', {}, newNetwork())).toMatchObject({
    code: 'DUPLICATE_TEXT',
  });
});
