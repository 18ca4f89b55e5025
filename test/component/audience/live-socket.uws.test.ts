/** The live socket of a real edge, as pages use it: they come, come back, say and hear, and are sent elsewhere. */
import { expect, test } from 'vitest';
import { commentActions } from '../../../cluster/contract/audience/comment-actions.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import { NodeId, RegionId, UserId } from '../../../cluster/model/ids.ts';
import { adasToken, commentMessage, startAudienceEdge } from '../../support/audience/audience-edge.ts';
import { openPage, welcomedPage } from '../../support/audience/page-socket.ts';
import { ada, added, clientIdOf, commentOf, demo, hidden } from '../../support/audience/said.ts';
import { operatorToken } from '../../support/ports/test-edge.ts';

test('whoever says hello is welcomed with the newest comments, and hears what is said from then on', async () => {
  await using edge = await startAudienceEdge();
  edge.feed.tell(demo, added(commentOf(1)));
  await using page = await openPage(edge.url, { hello: {} });
  expect(await page.next('welcome')).toEqual({
    type: 'welcome',
    session: expect.stringMatching(/./),
    viewers: 1,
    replication: false,
    url: `${edge.url.replace('http', 'ws')}/v1/streams/demo/socket`,
    resume: 'complete',
    mode: { mode: 'open', slowSeconds: 0 },
  });
  edge.feed.tell(demo, added(commentOf(2)));
  edge.feed.tell(demo, hidden(commentOf(1)));
  edge.feed.tellIfRead(demo, { type: 'viewers', count: 7 });
  expect((await page.comments(2)).map(({ comment }) => comment.text)).toEqual(['comment 1', 'comment 2']);
  expect((await page.next('commentUpdated')).comment).toMatchObject({ hidden: true });
  expect(await page.next('viewers')).toMatchObject({ count: 7 });
});

// Goal: a page that goes on at another edge is not taken for one that has all. Method: the feed is behind, as it is while NATS and the store are silent.
test('the frames of an edge that is behind say until when it has told everything', async () => {
  await using edge = await startAudienceEdge();
  await using page = await welcomedPage(edge.url);
  edge.feed.behindMs = 20_000;
  edge.feed.tell(demo, added(commentOf(1)));
  await page.comments(1);
  const behindMs = page.times.map(({ now, knownTo = now }) => Date.parse(now) - Date.parse(knownTo));
  expect(behindMs.at(0)).toBe(0);
  expect(behindMs.at(-1)).toBeGreaterThan(15_000);
});

// Goal: a page that comes back to the same region loses nothing while another region is not whole there. Method: the page says what the last frame said.
test('frames say until when an edge knows its own region, and a page that says so gets what came since then', async () => {
  await using edge = await startAudienceEdge();
  const { feed } = edge;
  await using page = await welcomedPage(edge.url);
  feed.tell(demo, added(commentOf(1)));
  await page.comments(1);
  feed.behindMs = 3_600_000;
  feed.inRegion = { region: feed.region, toMs: Date.now() + 60_000 };
  feed.tell(demo, added(commentOf(2)));
  await page.comments(2);
  const { now, knownTo: lastAt, inRegion } = page.times.at(-1) ?? { now: '' };
  expect(inRegion).toEqual({ region: feed.region, knownTo: new Date(feed.inRegion.toMs).toISOString() });
  await using back = await openPage(edge.url, { hello: { lastAt, inRegion } });
  await back.next('welcome');
  await using moved = await openPage(edge.url, {
    hello: { lastAt, inRegion: { region: 'us', knownTo: now } },
  });
  await moved.comments(2);
  expect(back.heard.filter(({ type }) => type === 'comment')).toEqual([]);
});

// Goal: a page that an edge could not welcome lacks nothing at the next one. Method: an edge tells a fault before its welcome, to a page that comes back and to a new one.
test('what an edge says before its welcome bears no later time than the page has said', async () => {
  await using edge = await startAudienceEdge();
  const lastAt = new Date(Date.now() - 20_000).toISOString();
  const inRegion = { region: edge.feed.region, knownTo: new Date(Date.now() - 10_000).toISOString() };
  await using back = await openPage(edge.url, { stream: 'nosuch', hello: { lastAt, inRegion } });
  await using fresh = await openPage(edge.url, { stream: 'nosuch', hello: {} });
  for (const page of [back, fresh]) await page.next('error');
  expect({ back: back.times, fresh: fresh.times }).toMatchObject({
    back: [{ knownTo: lastAt, inRegion }],
    fresh: [{ knownTo: new Date(0).toISOString() }],
  });
});

test('messages that come at once are one frame', async () => {
  await using edge = await startAudienceEdge();
  await using page = await welcomedPage(edge.url);
  const before = page.frames();
  for (let number = 1; number <= 20; number += 1) edge.feed.tell(demo, added(commentOf(number)));
  await page.comments(20);
  expect(page.frames() - before).toBe(1);
});

test('whoever comes back with the time of its last frame gets what it missed, and is told whether that is all', async () => {
  await using edge = await startAudienceEdge();
  await using stays = await welcomedPage(edge.url);
  const lastAt = new Date(Date.now() + 10_000).toISOString(); // the feed's margin for clocks lies before it
  edge.feed.tell(demo, added(commentOf(1)));
  await stays.comments(1);
  await using none = await openPage(edge.url, { hello: { lastAt } });
  expect(await none.next('welcome')).toMatchObject({ resume: 'complete' });
  await using some = await openPage(edge.url, { hello: { lastAt: new Date().toISOString() } });
  expect(await some.comments(1)).toMatchObject([{ comment: { text: 'comment 1' } }]);
  for (let number = 2; number <= 300; number += 1) edge.feed.tell(demo, added(commentOf(number)));
  await using late = await openPage(edge.url, { hello: { lastAt: new Date().toISOString() } });
  expect(await late.next('welcome')).toMatchObject({ resume: { gap: expect.anything() } });
  expect(none.heard.filter(({ type }) => type === 'comment').length).toBeLessThanOrEqual(299);
});

// Goal: what is told while a page joins reaches it, once and in order. Method: the feed's answer is held back while comments are
// told: some are in the answer, some come after it, some are in the batch that waits.
test('a page that joins while much is said gets each comment once, in order', async () => {
  await using edge = await startAudienceEdge();
  const answered = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  await using stays = await welcomedPage(edge.url);
  edge.feed.tell(demo, added(commentOf(1)));
  edge.feed.beforeAnswer = () => {
    edge.feed.tell(demo, added(commentOf(2)));
    asked.resolve();
    return answered.promise;
  };
  await using page = await openPage(edge.url, { hello: {} });
  await asked.promise;
  edge.feed.tell(demo, added(commentOf(3)));
  await stays.comments(3);
  edge.feed.tell(demo, added(commentOf(4)));
  answered.resolve();
  await Promise.resolve();
  edge.feed.tell(demo, added(commentOf(5)));
  await page.comments(5);
  edge.feed.tell(demo, added(commentOf(6)));
  for (const one of [page, stays]) {
    const texts = (await one.comments(6)).map(({ comment }) => comment.text);
    expect(texts).toEqual(['1', '2', '3', '4', '5', '6'].map((number) => `comment ${number}`));
  }
});

test('1,000 pages hear 200 comments each, in order and once', async () => {
  await using edge = await startAudienceEdge();
  await using pages = new AsyncDisposableStack();
  const opened = await Promise.all(
    Array.from({ length: 1000 }, async () => pages.use(await welcomedPage(edge.url))),
  );
  for (let number = 1; number <= 200; number += 1) {
    edge.feed.tell(demo, added(commentOf(number)));
    if (number % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const wanted = Array.from({ length: 200 }, (_, index) => `comment ${index + 1}`);
  const heard = await Promise.all(opened.map((page) => page.comments(200)));
  const wrong = heard.filter(
    (comments) => JSON.stringify(comments.map(({ comment }) => comment.text)) !== JSON.stringify(wanted),
  );
  expect({ pages: heard.length, wrong: wrong.length }).toEqual({ pages: 1000, wrong: 0 });
  await expect.poll(() => edge.metric('tangaza_http_connections')).toBe(1000);
  await pages.disposeAsync();
  await expect.poll(() => edge.metric('tangaza_http_connections')).toBe(0);
});

test('that another region has a comment is told to every socket of its author, and to nobody else', async () => {
  await using edge = await startAudienceEdge();
  edge.feed.hasReplication = true;
  await using one = await openPage(edge.url, { hello: { token: adasToken } });
  await using two = await openPage(edge.url, { hello: { token: adasToken } });
  await using other = await openPage(edge.url, { hello: {} });
  for (const page of [one, two, other])
    expect(await page.next('welcome')).toMatchObject({ replication: true });
  const { id } = commentOf(1);
  const [mine, foreign] = [ada.user.id, UserId.parse('g-bob')];
  edge.feed.tellReplicated(demo, [
    { id: commentOf(2).id, clientId: clientIdOf(2), authorId: foreign },
    { id, clientId: clientIdOf(1), authorId: mine },
  ]);
  for (const page of [one, two])
    expect(await page.next('ack')).toEqual({ type: 'ack', clientId: clientIdOf(1), state: 'replicated', id });
  edge.feed.tell(demo, added(commentOf(3)));
  await other.comments(1);
  expect({ other: other.heard.filter(({ type }) => type === 'ack') }).toEqual({ other: [] });
});

test('a comment is posted for whom the token names, and its author alone is told that it was accepted', async () => {
  await using edge = await startAudienceEdge();
  await using author = await openPage(edge.url, { hello: { token: adasToken } });
  await using other = await welcomedPage(edge.url);
  expect(await author.next('welcome')).toMatchObject({ me: ada });
  author.say(commentMessage(1));
  expect(await author.next('ack')).toEqual({
    type: 'ack',
    clientId: clientIdOf(1),
    state: 'accepted',
    id: commentOf(1).id,
    receipt: 'receipt 1',
  });
  expect(edge.posted).toEqual([
    {
      params: { id: 'demo' },
      query: {},
      body: { clientId: clientIdOf(1), text: 'comment 1' },
      origin: edge.url,
      caller: { network: '127.0.0.1', isOperator: false, bearer: adasToken },
    },
  ]);
  edge.feed.tell(demo, added(commentOf(1)));
  await Promise.all([author.comments(1), other.comments(1)]);
  expect(other.heard.map(({ type }) => type)).toEqual(['welcome', 'comment']);
});

test('what a page says before it is welcome is done once it is', async () => {
  await using edge = await startAudienceEdge();
  const answered = Promise.withResolvers<void>();
  edge.feed.beforeAnswer = () => answered.promise;
  await using page = await openPage(edge.url);
  page.say({ type: 'hello', token: adasToken });
  page.say(commentMessage(1));
  page.say({ type: 'ping' });
  await page.next('pong');
  expect(edge.posted).toEqual([]);
  answered.resolve();
  await page.next('ack');
  expect(page.heard.map(({ type }) => type)).toEqual(['pong', 'welcome', 'ack']);
});

test("the operator's token speaks as the operator", async () => {
  await using edge = await startAudienceEdge({ answers: { [commentActions.identify]: () => ada } });
  await using page = await welcomedPage(edge.url, { hello: { token: operatorToken } });
  page.say(commentMessage(1));
  await page.next('ack');
  expect(edge.posted[0]?.caller).toEqual({ network: '127.0.0.1', isOperator: true });
});

test('a refusal names the comment, the reason, and when to try again', async () => {
  const refuse = (): never => {
    throw new TangazaError('SLOW_MODE', 'Wait for 7 s.', { data: { retryAfterSeconds: 7 } });
  };
  await using edge = await startAudienceEdge({ answers: { [commentActions.post]: refuse } });
  await using page = await welcomedPage(edge.url, { hello: { token: adasToken } });
  page.say(commentMessage(1));
  expect(await page.next('error')).toEqual({
    type: 'error',
    to: 'comment',
    clientId: clientIdOf(1),
    problem: expect.objectContaining({ code: 'SLOW_MODE', status: 429, retryAfterSeconds: 7 }),
  });
});

test('whoever has no token, or a wrong one, reads; a later hello with a good one makes it an author', async () => {
  await using edge = await startAudienceEdge();
  await using page = await openPage(edge.url, { hello: { token: 'forged' } });
  expect(await page.next('error')).toMatchObject({ problem: { code: 'UNAUTHENTICATED' } });
  expect(await page.next('welcome')).not.toHaveProperty('me');
  page.say(commentMessage(1));
  expect(await page.next('error')).toMatchObject({
    clientId: clientIdOf(1),
    problem: { code: 'UNAUTHENTICATED' },
  });
  page.say({ type: 'hello', token: adasToken });
  expect(await page.next('welcome')).toMatchObject({ me: ada, resume: 'complete' });
  page.say(commentMessage(2));
  expect(await page.next('ack')).toMatchObject({ clientId: clientIdOf(2) });
});

test.each([
  ['unknown', 4404, 'STREAM_NOT_FOUND'],
  ['gone', 4410, 'STREAM_REMOVED'],
  ['NO-NAME', 4404, 'STREAM_NOT_FOUND'],
])('a stream that is %s ends the socket with %i, and says why before', async (stream, code, problem) => {
  await using edge = await startAudienceEdge();
  edge.standings.set('gone', { kind: 'removed', removedAtMs: Date.now() });
  await using page = await openPage(edge.url, { stream, hello: {} });
  expect(await page.next('error')).toMatchObject({ problem: { code: problem } });
  expect(await page.ended).toMatchObject({ code });
});

test('a stream that is removed ends its sockets, and no others', async () => {
  await using edge = await startAudienceEdge();
  edge.streams.add('other');
  await using page = await welcomedPage(edge.url);
  await using other = await welcomedPage(edge.url, { stream: 'other' });
  edge.standings.set('demo', { kind: 'removed', removedAtMs: Date.now() });
  await edge.edge.review();
  expect(await page.ended).toMatchObject({ code: 4410 });
  other.say({ type: 'ping' });
  await other.next('pong');
});

test('a node that drains asks its pages to go to another edge, lets nobody in, and ends what is left as it stops', async () => {
  let others: readonly string[] = [];
  const listEdges = () => ({
    revision: 1,
    edges: ['n1', ...others].map((id) => ({
      id: NodeId.parse(id),
      region: RegionId.parse('eu'),
      baseUrl: `https://${id}.test`,
    })),
  });
  await using edge = await startAudienceEdge({ listEdges });
  await using page = await welcomedPage(edge.url, { hello: { token: adasToken } });
  expect({ asked: edge.edge.sockets.move(5000) }).toEqual({ asked: 0 });
  others = ['n2'];
  expect({ asked: edge.edge.sockets.move(5000) }).toEqual({ asked: 1 });
  expect(await page.next('move')).toEqual({
    type: 'move',
    url: 'wss://n2.test/v1/streams/demo/socket',
    withinMs: 5000,
  });
  await expect(openPage(edge.url)).rejects.toThrow(/503/);
  await edge.close(0);
  expect(await page.ended).toMatchObject({ code: 1012 });
});

test('a stream without sockets is not followed for long', async () => {
  await using edge = await startAudienceEdge();
  const page = await welcomedPage(edge.url);
  await using again = await welcomedPage(edge.url);
  expect(edge.feed.followers(demo)).toBe(1);
  await page[Symbol.asyncDispose]();
  await again[Symbol.asyncDispose]();
  await expect.poll(() => edge.metric('tangaza_sockets')).toBe(0);
  edge.pass(20_000);
  await expect.poll(() => edge.feed.followers(demo)).toBe(0);
  await using back = await welcomedPage(edge.url);
  edge.feed.tell(demo, added(commentOf(1)));
  await back.comments(1);
});

test('an edge without an audience refuses sockets and serves everything else', async () => {
  await using edge = await startAudienceEdge({ audience: { feed: undefined } });
  await expect(openPage(edge.url)).rejects.toThrow(/503/);
  expect((await fetch(`${edge.url}/healthz`)).status).toBe(200);
});

test('an edge describes its live socket', async () => {
  await using edge = await startAudienceEdge();
  const reply = await fetch(`${edge.url}/asyncapi.json`);
  expect(await reply.json()).toMatchObject({
    asyncapi: '3.0.0',
    servers: { edge: { host: `127.0.0.1:${edge.port}`, protocol: 'ws' } },
  });
  expect(await (await fetch(`${edge.url}/docs`)).text()).toContain('href="/asyncapi.json"');
});

// Goal: what was only unavailable costs nobody the name. Method: the first time that the comments actor is asked who it is, it cannot tell.
test('a page whose token could not be looked at once keeps it, and comments with it', async () => {
  const identify = (): never => {
    throw new TangazaError('UNAVAILABLE', 'The comments cannot be reached.');
  };
  await using edge = await startAudienceEdge({ answers: { [commentActions.identify]: identify } });
  await using page = await openPage(edge.url, { hello: { token: adasToken } });
  expect(await page.next('error')).toMatchObject({ problem: { code: 'UNAVAILABLE' } });
  await page.next('welcome');
  page.say(commentMessage(1));
  await page.next('ack');
  expect(edge.posted[0]?.caller).toMatchObject({ bearer: adasToken });
});
