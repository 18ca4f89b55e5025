/** Reactions and numbers of an audience at a real edge: by its socket and by HTTP. */
import { expect, test } from 'vitest';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import type { AudiencePorts } from '../../../cluster/contract/audience/audience-feed.ts';
import { adasToken, startAudienceEdge, type AudienceEdge } from '../../support/audience/audience-edge.ts';
import { MemoryAudienceFeed } from '../../support/audience/memory-audience-feed.ts';
import { welcomedPage, type PageSocket } from '../../support/audience/page-socket.ts';
import { ReactionBus, reactionsAt } from '../../support/audience/reaction-bus.ts';
import type { NodeReactions } from '../../../actors/reactions/reactions.ts';

async function startReactingEdge(
  clock: Clock = systemClock,
): Promise<{ edge: AudienceEdge; reactions: NodeReactions }> {
  const audience: AudiencePorts = { feed: new MemoryAudienceFeed() };
  const reactions = reactionsAt(new ReactionBus(), {
    clock,
    ownCounts: () => audience.ownCounts?.() ?? new Map(),
  });
  audience.reactions = reactions;
  return { edge: await startAudienceEdge({ audience, clock }), reactions };
}

const react = (edge: AudienceEdge, body: object, stream = 'demo'): Promise<Response> =>
  fetch(`${edge.url}/v1/streams/${stream}/reactions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
const heartsOf = (page: PageSocket): number =>
  page.heard.reduce((sum, one) => sum + (one.type === 'reactions' ? (one.counts.heart ?? 0) : 0), 0);

// Goal: a page gets few frames however many react. Method: hearts by HTTP and by socket, over ten windows of a quarter of a second.
test('reactions of all reach every page, in at most five frames a second', async () => {
  const started = await startReactingEdge();
  await using edge = started.edge;
  await using page = await welcomedPage(edge.url);
  await using taps = await welcomedPage(edge.url);
  const stop = systemClock.every(250, () => started.reactions.endWindow());
  const beganMs = performance.now();
  for (let round = 0; round < 30; round += 1) {
    taps.say({ type: 'react', kind: 'heart' });
    expect((await react(edge, { kind: 'heart' })).status).toBe(202);
  }
  await expect.poll(() => heartsOf(page)).toBe(60);
  stop();
  const frames = page.heard.filter(({ type }) => type === 'reactions').length;
  const seconds = (performance.now() - beganMs) / 1000;
  expect(frames).toBeLessThanOrEqual(Math.ceil(seconds * 5) + 1);
});

test('what is no reaction is refused in words', async () => {
  const started = await startReactingEdge();
  await using edge = started.edge;
  expect((await react(edge, { kind: 'bomb' })).status).toBe(400);
  expect((await react(edge, { kind: 'heart' }, 'unknown')).status).toBe(404);
  await using page = await welcomedPage(edge.url);
  page.say({ type: 'react', kind: 'bomb' });
  expect(await page.next('error')).toMatchObject({ problem: { code: 'BAD_REQUEST' } });
});

// Goal: what one network may react is bounded, however it reacts. Method: while no time passes, more than its bucket holds, by HTTP;
// then by a socket of the same host.
test('one network gets 400 reactions at once over HTTP and sockets together; what is over it is refused', async () => {
  const started = await startReactingEdge({ ...systemClock, monotonicMs: () => 0 });
  await using edge = started.edge;
  await using page = await welcomedPage(edge.url);
  const replies = await Promise.all(Array.from({ length: 410 }, () => react(edge, { kind: 'clap' })));
  const statuses = replies.map(({ status }) => status);
  const taken = statuses.filter((status) => status === 202).length;
  expect({ taken, refused: statuses.filter((status) => status === 429).length }).toEqual({
    taken: 400,
    refused: 10,
  });
  page.say({ type: 'react', kind: 'heart' });
  expect(await page.next('error')).toMatchObject({
    to: 'react',
    problem: { code: 'OVERLOADED', retryAfterSeconds: 1 },
  });
  expect(await edge.metric('tangaza_reactions_refused_total')).toBe(11);
});

test('the audience has numbers: of sockets, and of users however many sockets each has', async () => {
  const started = await startReactingEdge();
  await using edge = started.edge;
  const token = { hello: { token: adasToken } };
  await using first = await welcomedPage(edge.url, token);
  await using second = await welcomedPage(edge.url, token);
  await using reader = await welcomedPage(edge.url);
  const counted = async () => (await fetch(`${edge.url}/v1/streams/demo/audience`)).json();
  await expect.poll(counted).toEqual({
    players: 0,
    sockets: 3,
    users: 1,
    suspectedRobots: 0,
    asOf: expect.stringMatching(/^20/),
  });
  started.reactions.tell();
  for (const page of [first, second, reader]) expect(await page.next('viewers')).toMatchObject({ count: 3 });
  expect(await edge.metric('tangaza_stream_users')).toBe(1);
  expect((await fetch(`${edge.url}/v1/streams/unknown/audience`)).status).toBe(404);
});
