/** What two regions tell each other of audiences and streams, on real processes, and what a cut of the link does to it (A6, A7, A12, A14, R12). */
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { startLoad, type AudienceLoad } from '../../../scripts/audience/audience-load.ts';
import { CommentPage, Guest, OwnComment } from '../../../cluster/contract/api/audience-views.ts';
import { StreamView, StreamWithKey } from '../../../cluster/contract/api/control-views.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { clientIdAt } from '../../../scripts/audience/client-id.ts';
import type { DemoNode } from '../../../scripts/demo/site.ts';
import { controlClient } from '../../support/cluster/control-client.ts';
import { firstOf, startTwoRegions, type TwoRegions } from '../../support/cluster/two-regions.ts';
import { flashAndBeep, publish, x264, type FfmpegPublisher } from '../../support/media/ffmpeg-publisher.ts';
import { waitFor, waitUntil } from '../../support/wait.ts';

const perSecond = 20;
const cutMs = 10_000;

const PublicState = z.object({ state: z.string() });

let regions: TwoRegions;
beforeAll(async () => {
  regions = await startTwoRegions({ env: { TANGAZA_TRUSTED_PROXIES: '127.0.0.1' } });
});
afterAll(() => regions[Symbol.asyncDispose]());
afterEach(() => regions.heal());

const urlsOf = (region: TwoRegions['near']) => region.nodes.map(({ url }) => url);
const askOf = (url: string, token?: string) => controlClient(url, token ?? regions.token);

async function acknowledges(load: AudienceLoad, more: number): Promise<void> {
  const wanted = load.counts.acknowledged + more;
  await waitUntil(`${wanted} comments are acknowledged`, () => load.counts.acknowledged >= wanted);
}

/** The stream is made in the near region and known in the far one. */
async function makeStream(id: string): Promise<void> {
  const [near = '', far = ''] = [urlsOf(regions.near)[0], urlsOf(regions.far)[0]];
  await askOf(near).call('/v1/streams', 201, StreamWithKey, { method: 'POST', body: { id, title: id } });
  await waitUntil(
    'the far region knows it',
    async () => (await fetch(`${far}/v1/streams/${id}/comments`)).ok,
  );
}

// Goal: a cut loses, doubles and takes back nothing, on either side. Method: 20 comments a second at the edges of each region; the link is cut
// for 10 s, and both go on. After the heal everybody has heard everything, and each edge of both regions has all of it.
test('a link that is cut for 10 s costs no comment on either side, none comes twice, and nothing goes back', async () => {
  await makeStream('cut');
  const byRegion = [urlsOf(regions.near), urlsOf(regions.far)];
  await using all = await startLoad(
    {
      stream: 'cut',
      edges: byRegion.flat(),
      regions: byRegion,
      watchers: 8,
      writers: 32,
      perSecond: 2 * perSecond,
      hasAddresses: true,
      hideWithinMs: 60_000,
    },
    systemClock,
  );
  await acknowledges(all, 6 * perSecond);
  regions.cut();
  await systemClock.sleep(cutMs);
  regions.heal();
  await acknowledges(all, 6 * perSecond);
  const { counts, faults, examples } = await all.end();
  expect({ faults, examples }).toEqual({
    faults: Object.fromEntries(Object.keys(faults).map((fault) => [fault, 0])),
    examples: [],
  });
  expect(counts).toMatchObject({ users: 40, edges: 4, open: 0 });
});

/** A guest of the far region, who is the same guest in the near one. */
async function guestOf(url: string): Promise<string> {
  const call = { method: 'POST', body: { name: 'Ada' } };
  return (await askOf(url).call('/v1/guests', 201, Guest, call)).token;
}

test('a comment of one region is in the other, is said to be replicated, and is hidden there once it is hidden here', async () => {
  await makeStream('across');
  const [near = '', far = ''] = [urlsOf(regions.near)[0], urlsOf(regions.far)[1]];
  const token = await guestOf(far);
  const body = { text: 'hello from near', clientId: clientIdAt(Date.now(), randomBytes(10)) };
  const { id } = await askOf(near, token).call('/v1/streams/across/comments', 201, OwnComment, {
    method: 'POST',
    body,
  });
  const inFar = () => askOf(far, token).call('/v1/streams/across/comments', 200, CommentPage);
  await waitFor('it is in the far region', inFar, ({ items }) => items.some((one) => one.id === id));
  const inNear = () => askOf(near, token).call('/v1/streams/across/comments', 200, CommentPage);
  await waitFor('the near region knows that', inNear, ({ items }) =>
    items.some((one) => one.id === id && one.acknowledged === 'replicated'),
  );
  await askOf(near).status('DELETE', `/v1/comments/${encodeURIComponent(id)}`);
  await waitFor('it is hidden in the far region', inFar, ({ items }) => items.every((one) => one.id !== id));
});

const publicState = async (url: string, id: string): Promise<unknown> =>
  (await fetch(`${url}/v1/streams/${id}/public`)).json();

/** A publisher of a small picture that is on air. */
async function onAir({ url, rtmp }: DemoNode, id: string, key: string): Promise<FfmpegPublisher> {
  const publisher = publish(`${rtmp}/${key}`, flashAndBeep(320, 180), x264(25, 2));
  await waitFor(
    `${id} is on air`,
    () => publicState(url, id),
    (seen) => PublicState.parse(seen).state === 'live',
  );
  return publisher;
}

// Goal: what ends a key or a stream in one region ends it in the other, however long that did not hear of it. Method: two streams are on air in the far region.
// During a cut the near one gives one a new key and deletes the other.
test('a key that is replaced and a stream that is deleted during a cut are over in the other region after the heal', async () => {
  const [near, far] = [firstOf(regions.near), firstOf(regions.far)];
  const client = askOf(near.url);
  const rotated = await client.create({ id: 'rotated', title: 'Rotated' });
  const deleted = await client.create({ id: 'deleted', title: 'Deleted' });
  await using first = await onAir(far, 'rotated', rotated.streamKey);
  await using second = await onAir(far, 'deleted', deleted.streamKey);
  regions.cut();
  const { streamKey } = await client.call('/v1/streams/rotated/key', 200, StreamWithKey, { method: 'POST' });
  expect(await client.status('DELETE', '/v1/streams/deleted')).toBe(204);
  expect((await fetch(`${far.url}/live/deleted/main.m3u8`)).status).toBe(200);
  regions.heal();
  await Promise.all([first.ended, second.ended]);
  await waitFor(
    'the far region knows that it is deleted',
    async () => (await fetch(`${far.url}/live/deleted/main.m3u8`)).status,
    (status) => status === 410,
  );
  await using again = await onAir(far, 'rotated', streamKey);
  expect(again.output()).not.toContain('Error');
  await using old = publish(`${far.rtmp}/${rotated.streamKey}`, flashAndBeep(320, 180), x264(25, 2));
  expect(await old.ended).not.toBe(0);
});

// Goal: of two streams of one id the one that was created first stays, in both regions, and the other one's publisher is closed. Method: both are created during a cut.
test('one id that both regions create during a cut is the stream of the earlier creation after the heal', async () => {
  const [near, far] = [firstOf(regions.near), firstOf(regions.far)];
  regions.cut();
  const earlier = await askOf(near.url).create({ id: 'twice', title: 'Earlier' });
  const later = await askOf(far.url).create({ id: 'twice', title: 'Later' });
  await using publisher = await onAir(far, 'twice', later.streamKey);
  regions.heal();
  await publisher.ended;
  for (const { url } of regions.nodes)
    await waitFor(
      'the earlier one stays',
      async () => (await askOf(url).call('/v1/streams/twice', 200, StreamView)).title,
      (title) => title === 'Earlier',
    );
  for (const { rtmp } of [near, far]) {
    await using refused = publish(`${rtmp}/${later.streamKey}`, flashAndBeep(320, 180), x264(25, 2));
    expect(await refused.ended).not.toBe(0);
    expect(refused.output()).toContain('another region had made one of that id before');
  }
  await using taken = await onAir(far, 'twice', earlier.streamKey);
  expect(taken.output()).not.toContain('Error');
});

/** How many calls the far region's gateways have carried. */
async function callsOut(): Promise<number> {
  const texts = regions.far.nodes.map(async ({ operator }) => (await fetch(`${operator}/metrics`)).text());
  const lines = (await Promise.all(texts)).join('\n').split('\n');
  return lines
    .filter(
      (line) =>
        line.startsWith('tangaza_region_crossings_total{') && line.includes('what="call",direction="out"'),
    )
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

// Goal: invented ids cost the other region nothing. Method: 10,000 requests of as many senders for as many streams at both far edges. Gateways carry calls of their
// own meanwhile, but not one for twenty requests.
test('10,000 requests for streams that exist nowhere cross nowhere', async () => {
  const edges = urlsOf(regions.far);
  const before = await callsOut();
  const statuses = new Map<number, number>();
  const ask = async (index: number): Promise<void> => {
    const forwarded = { 'x-forwarded-for': `10.${index >> 8}.${index & 255}.1` };
    const url = `${edges[index % 2]}/live/nowhere-${index}/main.m3u8`;
    const reply = await fetch(url, { headers: forwarded });
    await reply.arrayBuffer();
    statuses.set(reply.status, (statuses.get(reply.status) ?? 0) + 1);
  };
  const from = Array.from({ length: 64 }, (_, first) => first);
  await Promise.all(
    from.map(async (first) => {
      for (let index = first; index < 10_000; index += 64) await ask(index);
    }),
  );
  const crossed = (await callsOut()) - before;
  expect({ statuses: Object.fromEntries(statuses), isFew: crossed < 500, crossed }).toEqual({
    statuses: { 404: 10_000 },
    isFew: true,
    crossed,
  });
});
