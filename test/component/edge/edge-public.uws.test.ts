/** What viewers are told of a stream, over a real listener. */
import { expect, test } from 'vitest';
import { PublicStream } from '../../../cluster/contract/api/control-routes.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { Broadcast } from '../../support/media/broadcast.ts';
import { startTestEdge, type TestEdge } from '../../support/ports/test-edge.ts';

const fetchPublic = (edge: TestEdge, id = 'demo') => fetch(`${edge.url}/v1/streams/${id}/public`);
const publicOf = async (edge: TestEdge): Promise<PublicStream> =>
  PublicStream.parse(await (await fetchPublic(edge)).json());
const stateOf = async (edge: TestEdge) => (await publicOf(edge)).state;

/** The system's clock, which a test can put forward. */
function hastyClock() {
  let aheadMs = 0;
  const clock: Clock = {
    ...systemClock,
    monotonicMs: () => systemClock.monotonicMs() + aheadMs,
    runningMs: () => systemClock.runningMs() + aheadMs,
  };
  const pass = (edge: TestEdge, seconds: number): void => {
    aheadMs += seconds * 1000;
    edge.edge.tick();
  };
  return { clock, pass };
}

/** Its segments are of 2023, and kept for long enough. */
const keptForEver = { retentionSeconds: 10_000_000_000 };

// Goal: each state is seen as it comes, by who has the page open. Method: one broadcast from before its first segment to its second life.
test('a stream is not begun, live, interrupted, a recording and live again', async () => {
  const { clock, pass } = hastyClock();
  await using edge = await startTestEdge({ ...keptForEver, clock });
  expect(await publicOf(edge)).toEqual({
    id: 'demo',
    title: 'Title of demo',
    state: 'notBegun',
    since: '2023-11-14T22:13:20.000Z',
    poster: null,
  });
  const stream = await new Broadcast({ log: edge.log, store: edge.store }).open();
  await stream.commit(2);
  await expect
    .poll(() => publicOf(edge))
    .toMatchObject({
      state: 'live',
      since: '1970-01-01T00:00:01.000Z',
      poster: `${edge.url}/live/demo/thumbnail.jpg`,
    });
  pass(edge, 4);
  expect(await stateOf(edge)).toBe('interrupted');
  await stream.end();
  await expect.poll(() => stateOf(edge)).toBe('recording');
  await stream.reopen();
  await stream.commit();
  await expect.poll(() => stateOf(edge)).toBe('live');
});

// As it once was: a clock 3.5 s ahead of the owner's made a stream interrupted for who opened it. Method: the owner's clock says 1970.
test('silence is what this edge has heard by its own clock, however old what it finds at first may look', async () => {
  const { clock, pass } = hastyClock();
  await using edge = await startTestEdge({ ...keptForEver, clock });
  await edge.broadcast(2);
  expect(await stateOf(edge)).toBe('live');
  pass(edge, 4);
  await expect.poll(() => stateOf(edge)).toBe('interrupted');
});

test('an ended stream of which nothing is kept has ended, without a picture', async () => {
  await using edge = await startTestEdge();
  await (await edge.broadcast(1)).end();
  expect(await publicOf(edge)).toMatchObject({ state: 'ended', poster: null });
});

test('with the index log gone the last state stays, however long', async () => {
  let downSeconds = 0;
  const { clock, pass } = hastyClock();
  await using edge = await startTestEdge({ clock, logDownSeconds: () => downSeconds });
  await expect.poll(() => stateOf(edge)).toBe('notBegun');
  await edge.broadcast(1);
  await expect.poll(() => stateOf(edge)).toBe('live');
  downSeconds = 1;
  edge.log.goDown();
  pass(edge, 30);
  expect(await stateOf(edge)).toBe('live');
  const { follows } = edge.log;
  downSeconds = 0;
  edge.log.isDown = false;
  await expect.poll(() => edge.log.follows > follows && edge.log.following === 1).toBe(true);
  await expect.poll(() => (pass(edge, 4), stateOf(edge))).toBe('interrupted');
});

test('a changed title shows, unknown ids are 404, impossible ones too', async () => {
  await using edge = await startTestEdge();
  expect((await publicOf(edge)).title).toBe('Title of demo');
  edge.standings.set('demo', { kind: 'known', title: '<b>Late</b> news', createdAtMs: 0 });
  await expect.poll(async () => (await publicOf(edge)).title).toBe('<b>Late</b> news');
  for (const [id, code] of [
    ['other', 'STREAM_NOT_FOUND'],
    ['No%20name', 'NOT_FOUND'],
  ] as const) {
    const reply = await fetchPublic(edge, id);
    expect({ status: reply.status, 'content-type': reply.headers.get('content-type') }).toEqual({
      status: 404,
      'content-type': 'application/problem+json',
    });
    expect(await reply.json()).toMatchObject({ status: 404, code });
  }
});

test('a thousand viewers cost the registry one question', async () => {
  await using edge = await startTestEdge();
  await edge.broadcast(1);
  const [first] = await Promise.all(Array.from({ length: 1000 }, () => fetchPublic(edge)));
  expect(first?.headers.get('cache-control')).toBe('public, max-age=1');
  expect(edge.lookUps()).toBeLessThanOrEqual(3);
});
