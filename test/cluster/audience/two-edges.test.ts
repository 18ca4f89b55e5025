/** Pages at the live sockets of two nodes: they hear each other, and come back to the other node when theirs dies or drains. */
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import type { z } from 'zod';
import { Guest } from '../../../cluster/contract/api/audience-views.ts';
import { DrainView } from '../../../cluster/contract/api/control-views.ts';
import type { DemoNode } from '../../../scripts/demo/site.ts';
import { clientIdAt } from '../../../scripts/audience/client-id.ts';
import { welcomedPage, type PageSocket } from '../../support/audience/page-socket.ts';
import { controlClient } from '../../support/cluster/control-client.ts';
import { startTestCluster } from '../../support/cluster/demo.ts';
import { hasJoined } from '../../support/cluster/live-cluster.ts';
import { waitUntil } from '../../support/wait.ts';

async function guestAt({ url }: DemoNode, name: string): Promise<z.infer<typeof Guest>> {
  const headers = { 'content-type': 'application/json' };
  const reply = await fetch(`${url}/v1/guests`, { method: 'POST', headers, body: JSON.stringify({ name }) });
  return Guest.parse(await reply.json());
}

/** @returns the id of the comment, once it is acknowledged */
async function says(page: PageSocket, text: string): Promise<string> {
  page.say({ type: 'comment', text, clientId: clientIdAt(Date.now(), randomBytes(10)) });
  return (await page.next('ack')).id;
}

const idsOf = (page: PageSocket): readonly string[] =>
  page.heard.flatMap((message) => (message.type === 'comment' ? [message.comment.id] : []));

const socketOf = ({ url }: DemoNode): string => `${url.replace('http', 'ws')}/v1/streams/demo/socket`;

// Goal: an edge that dies costs its pages nothing but the way to another one, and one that drains not even the wait. Method: Ada and Bea sit at two nodes
// and hear each other. Ada's node is killed while Bea goes on; Ada comes back at Bea's, says where she left off, and has all. Her node comes
// back, Bea's drains: both are told to go to the other, and lack nothing there.
test('two pages at two nodes hear each other, and lack nothing after a kill and after a drain', async () => {
  await using cluster = await startTestCluster({ nodes: 2 });
  const [one, two] = cluster.nodes;
  if (one === undefined || two === undefined) throw new Error('two nodes are needed');
  const [ada, bea] = [await guestAt(one, 'Ada'), await guestAt(two, 'Bea')];
  await using adasPage = await welcomedPage(one.url, { hello: { token: ada.token } });
  await using beasPage = await welcomedPage(two.url, { hello: { token: bea.token } });
  const first = [await says(adasPage, 'Habari?'), await says(beasPage, 'Nzuri!')];
  for (const page of [adasPage, beasPage])
    expect((await page.comments(2)).map(({ comment }) => comment.id)).toEqual(first);

  const lastAt = new Date().toISOString();
  await one.process.kill('SIGKILL');
  const meanwhile = [await says(beasPage, 'Are you there?'), await says(beasPage, 'Ada?')];
  const hello = { token: ada.token, lastId: first[1], lastAt };
  await using adaAgain = await welcomedPage(two.url, { hello });
  await adaAgain.comments(2 + first.length);
  expect({ welcome: adaAgain.heard[0], has: idsOf(adaAgain) }).toMatchObject({
    welcome: { type: 'welcome', resume: 'complete', me: { user: { name: 'Ada' } } },
    has: [...first, ...meanwhile],
  });

  one.process.start();
  await hasJoined(cluster, one, two);
  await waitUntil(`${one.node} is ready`, async () => (await fetch(`${one.url}/readyz`)).ok);
  const client = controlClient(two.url, cluster.token);
  await client.call(`/v1/nodes/${two.node}/drain`, 202, DrainView, { method: 'POST', body: {} });
  const moves = [await adaAgain.next('move'), await beasPage.next('move')];
  expect({ urls: moves.map(({ url }) => url) }).toEqual({ urls: [socketOf(one), socketOf(one)] });
  const back = { token: bea.token, lastId: meanwhile[1], lastAt: new Date().toISOString() };
  await using beaMoved = await welcomedPage(one.url, { hello: back });
  const last = await says(beaMoved, 'Here I am.');
  await waitUntil('she hears herself', () => idsOf(beaMoved).includes(last));
  expect({
    resume: beaMoved.heard.find(({ type }) => type === 'welcome'),
    has: idsOf(beaMoved).includes(last),
  }).toMatchObject({
    resume: { resume: 'complete' },
    has: true,
  });
});
