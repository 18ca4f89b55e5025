/** Bans, reports, what waits for a moderator, the audit and erasure, through the real server, actor, identity and database. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CommentPage, OwnComment } from '../../../cluster/contract/api/audience-views.ts';
import { AuditPage, BanPage } from '../../../cluster/contract/api/moderation-views.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import { newClientId, startCommentsRig, type CommentsRig } from '../../support/audience/comments-rig.ts';

const posted = async (rig: CommentsRig, token: string, text: string, more: object = {}) =>
  OwnComment.parse((await rig.post(token, text, more)).body);
const listed = async (rig: CommentsRig, query = '', token?: string) =>
  CommentPage.parse(
    (await rig.ask('GET', `/v1/streams/demo/comments${query}`, token === undefined ? {} : { token })).body,
  );
const textsOf = ({ items }: CommentPage) => items.map(({ text }) => text);
const act = (rig: CommentsRig, method: string, path: string, body?: object) =>
  rig.ask(method, path, { token: rig.operatorToken, ...(body !== undefined && { body }) });
const auditOf = async (rig: CommentsRig, stream = 'demo') =>
  AuditPage.parse((await act(rig, 'GET', `/v1/streams/${stream}/audit`)).body).items.map((row) => row.act);

test('who is banned neither comments, likes nor reports, hears why and until when, and may again afterwards', async () => {
  await using rig = await startCommentsRig();
  const [ada, bob] = [await rig.guest('Ada'), await rig.guest('Bob')];
  const { id } = await posted(rig, bob, 'hello');
  const { author } = await posted(rig, ada, 'shouting');
  const path = `/v1/streams/demo/bans/${author.id}`;
  expect(await act(rig, 'PUT', path, { seconds: 60, reason: 'Shouting' })).toMatchObject({
    status: 200,
    body: { streamId: 'demo', userId: author.id, by: 'operator', reason: 'Shouting', purged: 0 },
  });
  const banned = {
    status: 403,
    code: 'BANNED',
    retryAfter: '60',
    body: { detail: expect.stringMatching(/until .*Z: Shouting\.$/) },
  };
  expect(await rig.post(ada, 'more')).toMatchObject(banned);
  expect(await rig.ask('PUT', `/v1/comments/${id}/like`, { token: ada })).toMatchObject({ code: 'BANNED' });
  expect(await rig.ask('POST', `/v1/comments/${id}/report`, { token: ada, body: {} })).toMatchObject({
    code: 'BANNED',
  });
  expect(textsOf(await listed(rig))).toEqual(['shouting', 'hello']);
  const bans = BanPage.parse((await act(rig, 'GET', '/v1/streams/demo/bans')).body);
  expect(bans.items.map(({ userId }) => userId)).toEqual([author.id]);
  expect(await act(rig, 'DELETE', path)).toMatchObject({ status: 204 });
  expect(await rig.post(ada, 'sorry')).toMatchObject({ status: 201 });
  expect(await auditOf(rig)).toEqual(['user.unban', 'user.ban']);
});

test('a ban of all streams holds on each, and its purge is of one', async () => {
  await using rig = await startCommentsRig();
  const ada = await rig.guest('Ada');
  const { author } = await posted(rig, ada, 'here');
  const everywhere = `/v1/streams/all-streams/bans/${author.id}`;
  expect(await act(rig, 'PUT', everywhere, { purge: true })).toMatchObject({ code: 'BAD_REQUEST' });
  expect(await act(rig, 'PUT', everywhere, {})).toMatchObject({
    status: 200,
    body: { streamId: 'all-streams' },
  });
  const body = { text: 'there', clientId: newClientId() };
  expect(await rig.ask('POST', '/v1/streams/other/comments', { token: ada, body })).toMatchObject({
    code: 'BANNED',
    retryAfter: '',
  });
  expect({ demo: await auditOf(rig), all: await auditOf(rig, 'all-streams') }).toEqual({
    demo: [],
    all: ['user.ban'],
  });
});

test('a ban with purge hides what its user wrote lately, and nothing else; each is in the audit and can be shown again', async () => {
  await using rig = await startCommentsRig();
  const [ada, bob] = [await rig.guest('Ada'), await rig.guest('Bob')];
  const { author, id } = await posted(rig, ada, 'spam 1');
  await posted(rig, ada, 'spam 2');
  await posted(rig, bob, 'hello');
  expect(await act(rig, 'PUT', `/v1/streams/demo/bans/${author.id}`, { purge: true })).toMatchObject({
    body: { purged: 2 },
  });
  expect(textsOf(await listed(rig))).toEqual(['hello']);
  expect(rig.changes.filter(({ kind }) => kind === 'changed')).toHaveLength(2);
  await act(rig, 'POST', `/v1/comments/${id}/restore`, {});
  expect(textsOf(await listed(rig))).toEqual(['hello', 'spam 1']);
  expect(await auditOf(rig)).toEqual(['comment.restore', 'user.ban', 'comment.hide', 'comment.hide']);
});

test('three reports hold a comment until a moderator releases it; then three more are needed', async () => {
  await using rig = await startCommentsRig();
  const ada = await rig.guest('Ada');
  const { id } = await posted(rig, ada, 'doubtful');
  const report = async (token: string) =>
    (await rig.ask('POST', `/v1/comments/${id}/report`, { token, body: { reason: 'Spam' } })).status;
  const [bob, eve, dan] = [await rig.guest('Bob'), await rig.guest('Eve'), await rig.guest('Dan')];
  expect({
    own: await report(ada),
    first: await report(bob),
    again: await report(bob),
    second: await report(eve),
  }).toEqual({
    own: 400,
    first: 204,
    again: 204,
    second: 204,
  });
  expect((await listed(rig, '?state=reported', rig.operatorToken)).items).toMatchObject([{ id, reports: 2 }]);
  expect(textsOf(await listed(rig))).toEqual(['doubtful']);
  expect((await listed(rig)).items[0]).not.toHaveProperty('reports');
  await report(dan);
  expect({ others: textsOf(await listed(rig)), author: textsOf(await listed(rig, '', ada)) }).toEqual({
    others: [],
    author: ['doubtful'],
  });
  expect((await listed(rig, '?state=held', rig.operatorToken)).items).toMatchObject([
    { id, isHeld: true, reports: 3 },
  ]);
  expect(rig.changes.at(-1)).toMatchObject({ kind: 'changed', comment: { id, isHeld: true } });
  expect(await act(rig, 'POST', `/v1/comments/${id}/release`, { reason: 'It is fine.' })).toMatchObject({
    status: 200,
  });
  await report(bob);
  expect({
    shown: textsOf(await listed(rig)),
    held: textsOf(await listed(rig, '?state=held', rig.operatorToken)),
  }).toEqual({
    shown: ['doubtful'],
    held: [],
  });
  expect(await auditOf(rig)).toEqual(['comment.release']);
});

// Goal: who makes guests as they like holds no comment alone. Method: guests of one address, then of one IPv6 /64, then accounts beside them.
test('the guests of one network hold a comment no sooner than one of them, and the database has no address', async () => {
  await using rig = await startCommentsRig();
  const { id } = await posted(rig, await rig.guest('Ada'), 'doubtful');
  const report = async (network: string) =>
    rig.ask('POST', `/v1/comments/${id}/report`, { token: await rig.guest('Eve'), body: {}, network });
  for (let guest = 0; guest < 4; guest += 1) await report('192.0.2.7');
  for (let guest = 1; guest < 5; guest += 1) await report(`2001:db8:1:2::${guest}`);
  const reported = async () => (await listed(rig, '?state=reported', rig.operatorToken)).items;
  expect(await reported()).toMatchObject([{ id, reports: 2 }]);
  expect(textsOf(await listed(rig))).toEqual(['doubtful']);
  await report('2001:db8:1:3::1');
  expect(await reported()).toMatchObject([{ id, reports: 3, isHeld: true }]);
  const files = await Promise.all(
    ['c.sqlite', 'c.sqlite-wal'].map((file) => readFile(join(rig.folder, file), 'latin1')),
  );
  expect({ hasAddress: /192\.0\.2\.7|2001:db8/.test(files.join('')) }).toEqual({ hasAddress: false });
});

test('a comment that was held for its words is told to everybody when it is released', async () => {
  await using rig = await startCommentsRig();
  const { id } = await posted(rig, await rig.guest('Ada'), 'casino royale');
  await act(rig, 'POST', `/v1/comments/${id}/release`, {});
  expect(rig.changes.at(-1)).toMatchObject({ kind: 'changed', comment: { id, isHeld: false } });
  expect(textsOf(await listed(rig))).toEqual(['casino royale']);
});

test('lists by state go page by page, and are for moderators', async () => {
  await using rig = await startCommentsRig();
  for (const text of ['casino 1', 'casino 2', 'casino 3']) await posted(rig, await rig.guest('Ada'), text);
  const first = await listed(rig, '?state=held&limit=2', rig.operatorToken);
  const second = await listed(rig, `?state=held&limit=2&before=${first.nextCursor}`, rig.operatorToken);
  expect({ first: textsOf(first), second: textsOf(second), end: second.nextCursor }).toEqual({
    first: ['casino 3', 'casino 2'],
    second: ['casino 1'],
    end: undefined,
  });
  await rig.ask('DELETE', `/v1/comments/${first.nextCursor}`, { token: rig.operatorToken });
  expect(textsOf(await listed(rig, '?state=hidden', rig.operatorToken))).toEqual(['casino 2']);
});

test('the audit goes page by page, with who, what, why and when', async () => {
  await using rig = await startCommentsRig();
  for (const slowSeconds of [1, 2, 3])
    await act(rig, 'PUT', '/v1/streams/demo/mode', { mode: 'open', slowSeconds });
  const page = async (query: string) =>
    AuditPage.parse((await act(rig, 'GET', `/v1/streams/demo/audit${query}`)).body);
  const first = await page('?limit=2');
  const second = await page(`?limit=2&cursor=${first.nextCursor}`);
  expect([...first.items, ...second.items]).toEqual(
    [3, 2, 1].map((seconds) => ({
      at: expect.stringMatching(/Z$/),
      by: 'operator',
      act: 'stream.mode',
      on: 'demo',
      reason: `open, ${seconds} s`,
    })),
  );
  expect(second.nextCursor).toBeUndefined();
  const madeUp = [-1, 1.5, 1e300].map((atMs) => JSON.stringify(['a1', atMs, 'operator', 'act', 'on']));
  for (const cursor of ['x', ...madeUp.map((row) => Buffer.from(row).toString('base64url'))])
    expect(await act(rig, 'GET', `/v1/streams/demo/audit?cursor=${cursor}`)).toMatchObject({
      code: 'BAD_REQUEST',
    });
});

test('an erased user leaves nothing but the shape of the threads, at once and for good', async () => {
  await using rig = await startCommentsRig();
  const [ada, bob] = [await rig.guest('Ada'), await rig.guest('Bob')];
  const clientId = newClientId();
  const root = await posted(rig, ada, 'my secret', { clientId });
  await posted(rig, ada, 'another secret');
  await posted(rig, bob, 'an answer', { parentId: root.id });
  expect(
    await act(rig, 'POST', `/v1/users/${root.author.id}/erase`, { reason: 'They asked.' }),
  ).toMatchObject({
    status: 200,
    body: { comments: 2 },
  });
  const pages = [await listed(rig), await listed(rig, '', ada), await listed(rig, '', rig.operatorToken)];
  for (const page of pages)
    expect(page.items).toMatchObject([
      { text: 'an answer' },
      { text: '', author: { name: '' }, hidden: true },
    ]);
  const again = await rig.post(ada, 'my secret', { clientId, receipt: root.receipt });
  expect(JSON.stringify([pages, again])).not.toContain('secret');
  expect(await act(rig, 'POST', `/v1/comments/${root.id}/restore`, {})).toMatchObject({ body: { text: '' } });
  const told = rig.changes.filter(({ kind }) => kind === 'erased' || kind === 'unsure');
  expect(told.slice(0, 2)).toMatchObject([
    { kind: 'erased', userId: root.author.id },
    { kind: 'unsure', streamId: 'demo' },
  ]);
  expect({ audit: await auditOf(rig, 'all-streams') }).toEqual({ audit: ['user.erase'] });
});

test('a guest may do nothing of a moderator', async () => {
  await using rig = await startCommentsRig();
  const [ada, token] = [await rig.guest('Ada'), await rig.guest('Bob')];
  const { id, author } = await posted(rig, ada, 'casino');
  const code = async (method: string, path: string, body?: object) =>
    (await rig.ask(method, path, { token, ...(body !== undefined && { body }) })).code;
  expect({
    ban: await code('PUT', `/v1/streams/demo/bans/${author.id}`, {}),
    unban: await code('DELETE', `/v1/streams/demo/bans/${author.id}`),
    bans: await code('GET', '/v1/streams/demo/bans'),
    held: await code('GET', '/v1/streams/demo/comments?state=held'),
    release: await code('POST', `/v1/comments/${id}/release`, {}),
    audit: await code('GET', '/v1/streams/demo/audit'),
    erase: await code('POST', `/v1/users/${author.id}/erase`, {}),
    report: await code('POST', `/v1/comments/${id}/report`, {}),
  }).toEqual({
    ban: 'FORBIDDEN',
    unban: 'FORBIDDEN',
    bans: 'FORBIDDEN',
    held: 'FORBIDDEN',
    release: 'FORBIDDEN',
    audit: 'FORBIDDEN',
    erase: 'FORBIDDEN',
    report: 'COMMENT_NOT_FOUND',
  });
});

test('neither the operator nor oneself can be banned, and no ban is longer than a year', async () => {
  await using rig = await startCommentsRig();
  const codeOf = async (user: string, body: object) =>
    (await act(rig, 'PUT', `/v1/streams/demo/bans/${user}`, body)).code;
  expect({
    operator: await codeOf('a-operator', {}),
    long: await codeOf('g-x', { seconds: 31_536_001 }),
    none: await codeOf('g-x', { seconds: 0 }),
    noUser: await codeOf('x', {}),
  }).toEqual({ operator: 'BAD_REQUEST', long: 'BAD_REQUEST', none: 'BAD_REQUEST', noUser: 'BAD_REQUEST' });
});

// Goal: a ban at one node holds at another within its memory's time, at once where the feed tells it.
test('a ban at another node holds here once it is told', async () => {
  await using rig = await startCommentsRig();
  await using node = await startCommentsRig({ rig, hasSameDatabase: true });
  const ada = await rig.guest('Ada');
  const { author } = OwnComment.parse((await node.post(ada, 'before')).body);
  await act(rig, 'PUT', `/v1/streams/demo/bans/${author.id}`, {});
  expect(await node.post(ada, 'not told yet')).toMatchObject({ status: 201 });
  const told = rig.changes.find(({ kind }) => kind === 'ban');
  if (told !== undefined) node.hear(told);
  expect(await node.post(ada, 'told')).toMatchObject({ code: 'BANNED' });
});

// Goal: a hide that the store took without saying so is shown to nobody for long. Method: the store takes the write and answers that it is not available; the moderator tries again.
test('after a hide of which the store has not said that it took it, nodes look, and the next try tells it', async () => {
  await using rig = await startCommentsRig();
  const { id } = await posted(rig, await rig.guest('Ada'), 'hello');
  const setHidden = rig.store.setHidden.bind(rig.store);
  rig.store.setHidden = async (...asked) => {
    await setHidden(...asked);
    throw new TangazaError('UNAVAILABLE');
  };
  const told = () => rig.changes.slice(1).map(({ kind }) => kind);
  expect(await act(rig, 'DELETE', `/v1/comments/${id}`)).toMatchObject({ code: 'UNAVAILABLE' });
  expect(told()).toEqual(['unsure']);
  expect(await act(rig, 'DELETE', `/v1/comments/${id}`)).toMatchObject({ status: 200 });
  expect(told()).toEqual(['unsure', 'changed']);
});
