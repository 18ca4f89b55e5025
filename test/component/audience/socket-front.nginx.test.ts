/** Live sockets through `config/front/` on a real nginx, as browsers open them: over TLS. */
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { adasToken, commentMessage, startAudienceEdge } from '../../support/audience/audience-edge.ts';
import { openPage, welcomedPage } from '../../support/audience/page-socket.ts';
import { added, commentOf, demo } from '../../support/audience/said.ts';
import { startFront } from '../../support/cluster/front.ts';

// Goal: a front changes nothing for a page but its address. Method: an edge that trusts the front, whose pages come from there: they hear,
// post, and are pinged through it.
test('a page behind a front hears, posts, and is told to come back to the front', async () => {
  await using edge = await startAudienceEdge({ isTrustedProxy: (address) => address === '127.0.0.1' });
  await using front = await startFront([edge.port]);
  const url = `https://127.0.0.1:${front.port}`;
  await using page = await openPage(url, { hello: { token: adasToken } });
  expect(await page.next('welcome')).toMatchObject({
    url: `wss://127.0.0.1:${front.port}/v1/streams/demo/socket`,
  });
  page.say(commentMessage(1));
  await page.next('ack');
  expect(edge.posted[0]).toMatchObject({ origin: url, caller: { network: '127.0.0.1' } });
  edge.feed.tell(demo, added(commentOf(1)));
  await page.comments(1);
  const pinged = once(page.socket, 'ping');
  edge.pass(30_000);
  await pinged;
  await using second = await welcomedPage(url);
  await edge.close(0);
  expect(await second.ended).toMatchObject({ code: 1012 });
});

test('a plain request for the socket through the front is told what to do', async () => {
  await using edge = await startAudienceEdge();
  await using front = await startFront([edge.port]);
  using viewer = front.viewer();
  expect((await viewer.get('/v1/streams/demo/socket')).status).toBe(426);
});
