/** The audience across two regions on real processes: comments, moderation, and what a cut of the link does to them (A6, A7, A12, A14). */
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startLoad, type AudienceLoad } from '../../../scripts/audience/audience-load.ts';
import { CommentPage, Guest, OwnComment } from '../../../cluster/contract/api/audience-views.ts';
import { StreamWithKey } from '../../../cluster/contract/api/control-views.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { clientIdAt } from '../../../scripts/audience/client-id.ts';
import { controlClient } from '../../support/cluster/control-client.ts';
import { startTwoRegions, type TwoRegions } from '../../support/cluster/two-regions.ts';
import { waitFor, waitUntil } from '../../support/wait.ts';

const perSecond = 20;
const cutMs = 10_000;

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
