/** Reactions and numbers of an audience over the edges of two real nodes. */
import { expect, test } from 'vitest';
import { z } from 'zod';
import { AudienceView } from '../../../cluster/contract/audience/reactions.ts';
import { welcomedPage, type PageSocket } from '../../support/audience/page-socket.ts';
import { startTestCluster } from '../../support/cluster/demo.ts';
import { waitFor, waitUntil } from '../../support/wait.ts';

async function guestToken(url: string, name: string): Promise<string> {
  const reply = await fetch(`${url}/v1/guests`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name }),
  });
  return z.object({ token: z.string() }).parse(await reply.json()).token;
}

const heartsOf = (page: PageSocket): number =>
  page.heard.reduce((sum, one) => sum + (one.type === 'reactions' ? (one.counts.heart ?? 0) : 0), 0);

// Goal: a region's audience is one. Method: a page at each of two nodes, one of them with a name; each reacts; both hear the sum, are told the
// number of viewers, and both nodes tell the same numbers. Then one page goes.
test('pages at two nodes see the reactions of both, and both nodes tell the numbers of both', async () => {
  await using cluster = await startTestCluster({ nodes: 2 });
  const urls = cluster.nodes.map(({ url }) => url);
  const [first = '', second = ''] = urls;
  const token = await guestToken(first, 'Ada');
  const named = await welcomedPage(first, { hello: { token } });
  await using reader = await welcomedPage(second);
  for (let tap = 0; tap < 5; tap += 1)
    for (const page of [named, reader]) page.say({ type: 'react', kind: 'heart' });
  for (const page of [named, reader]) await waitUntil('it hears ten hearts', () => heartsOf(page) === 10);
  const toldBy = async (url: string): Promise<AudienceView> =>
    AudienceView.parse(await (await fetch(`${url}/v1/streams/demo/audience`)).json());
  for (const url of urls) {
    const told = await waitFor(
      'the numbers are of both',
      () => toldBy(url),
      ({ sockets }) => sockets === 2,
    );
    expect(told).toMatchObject({ sockets: 2, users: 1 });
  }
  await waitUntil('it is told that two watch', () =>
    reader.heard.some((message) => message.type === 'viewers' && message.count === 2),
  );
  await named[Symbol.asyncDispose]();
  await waitFor(
    'one is left',
    () => toldBy(second),
    ({ sockets, users }) => sockets === 1 && users === 0,
  );
});
