/** People who comment, moderate and attack, at a whole cluster: what each of them gets, by HTTP and by the CLI (A11, A12, A13). */
import { expect, test as plain } from 'vitest';
import { CommentPage, Guest, OwnComment } from '../../../cluster/contract/api/audience-views.ts';
import { runCli } from '../../support/cluster/cli.ts';
import { startTestCluster, type TestCluster } from '../../support/cluster/demo.ts';
import { clientIdAt } from '../../support/audience/written.ts';

/** Who stands before the nodes says for whom it asks, so that one machine can be many networks. */
async function startScene(onCleanup: (end: () => PromiseLike<void>) => void) {
  const cluster = await startTestCluster({ env: { TANGAZA_TRUSTED_PROXIES: '127.0.0.1' } });
  onCleanup(() => cluster[Symbol.asyncDispose]());
  return cluster;
}

const test = plain
  // oxlint-disable-next-line no-empty-pattern -- vitest reads from the pattern what the fixture needs: nothing
  .extend('cluster', { scope: 'file' }, ({}, { onCleanup }) => startScene(onCleanup));

interface Sent {
  readonly node?: 0 | 1;
  readonly network?: string;
  readonly token?: string;
  readonly method?: string;
  readonly body?: object;
}

function ask(cluster: TestCluster, path: string, sent: Sent = {}): Promise<Response> {
  const { node = 0, network = '192.0.2.1', token, method, body } = sent;
  return fetch(`${cluster.nodes[node]?.url ?? ''}${path}`, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      'x-forwarded-for': network,
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

let serial = 0;
const comments = '/v1/streams/demo/comments';
const say = (cluster: TestCluster, text: string, sent: Sent): Promise<Response> =>
  ask(cluster, comments, { ...sent, body: { text, clientId: clientIdAt(Date.now(), (serial += 1)) } });

async function guestOf(cluster: TestCluster, name: string, network: string): Promise<Guest> {
  return Guest.parse(await (await ask(cluster, '/v1/guests', { network, body: { name } })).json());
}

async function textsAt(cluster: TestCluster, node: 0 | 1): Promise<readonly string[]> {
  const page = CommentPage.parse(await (await ask(cluster, `${comments}?limit=200`, { node })).json());
  return page.items.map(({ text }) => text);
}

const countOf = (replies: readonly Response[]) =>
  Object.fromEntries(
    Map.groupBy(replies, ({ status }) => status)
      .entries()
      .map(([status, all]) => [status, all.length]),
  );

/** One after the other a flood would be none. */
async function flood(size: number, send: (at: number) => Promise<Response>): Promise<readonly Response[]> {
  const replies: Response[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let at = next++; at < size; at = next++) {
      const reply = await send(at);
      await reply.arrayBuffer();
      replies.push(reply);
    }
  };
  await Promise.all(Array.from({ length: 50 }, worker));
  return replies;
}

// Goal: a flood costs its network, and nobody else. Method: one network makes guests, comments and forges tokens as fast as it can, while
// somebody of another network comments, and reads at the other node what was said.
test('while a network floods, comments of others are taken, and no node fails', async ({ cluster }) => {
  const ann = await guestOf(cluster, 'Ann', '203.0.113.1');
  const mallory = await guestOf(cluster, 'Mallory', '198.51.100.1');
  const network = '198.51.100.1';
  const attacks = Promise.all([
    flood(600, () => ask(cluster, '/v1/guests', { network, body: { name: 'x' } })),
    flood(600, (at) => say(cluster, `spam ${at}`, { network, token: mallory.token })),
    flood(600, (at) =>
      ask(cluster, '/v1/me', { network, token: `${mallory.token.slice(0, -6)}${at + 100_000}` }),
    ),
  ]);
  const said = ['one', 'two', 'three', 'four'];
  for (const text of said)
    expect((await say(cluster, text, { network: '203.0.113.1', token: ann.token })).status).toBe(201);
  const [guests, spam, forged] = await attacks;
  expect({ guests: countOf(guests)['429'], spam: countOf(spam)['429'] }).toEqual({
    guests: expect.any(Number),
    spam: expect.any(Number),
  });
  expect(countOf(spam)['201'] ?? 0).toBeLessThan(100);
  // How many are not even looked at depends on how fast they come.
  expect(forged.filter(({ status }) => status !== 401 && status !== 429).length).toBe(0);
  await expect.poll(() => textsAt(cluster, 1)).toEqual(expect.arrayContaining(said));
  for (const node of [0, 1] as const)
    await expect.poll(async () => (await ask(cluster, '/readyz', { node })).status).toBe(200);
});

test('a moderator whom the CLI made hides at one node what nobody sees at the other', async ({ cluster }) => {
  const made = await runCli(
    ['token', 'create', '--name', 'Mo', '--moderator', '--data', cluster.dataDir],
    '',
  );
  const token = made.stdout.trim();
  const eve = await guestOf(cluster, 'Eve', '203.0.113.2');
  const posted = await say(cluster, 'something nasty', { network: '203.0.113.2', token: eve.token });
  const { id } = OwnComment.parse(await posted.json());
  await expect.poll(() => textsAt(cluster, 1)).toContain('something nasty');
  expect((await ask(cluster, `/v1/comments/${id}`, { method: 'DELETE', token })).status).toBe(200);
  await expect.poll(() => textsAt(cluster, 1)).not.toContain('something nasty');
});

test('the mode that the CLI sets counts at every node', async ({ cluster }) => {
  const mode = (...args: readonly string[]) =>
    runCli(['mode', 'demo', '--data', cluster.dataDir, '--json', ...args], '');
  const guest = await guestOf(cluster, 'Gus', '203.0.113.3');
  expect(JSON.parse((await mode('accounts', '--slow', '5')).stdout)).toEqual({
    mode: 'accounts',
    slowSeconds: 5,
  });
  const at = (node: 0 | 1) =>
    say(cluster, `hello ${node}`, { node, network: '203.0.113.3', token: guest.token });
  for (const node of [0, 1] as const) await expect.poll(async () => (await at(node)).status).toBe(403);
  expect(JSON.parse((await mode('open', '--slow', '0')).stdout)).toEqual({ mode: 'open', slowSeconds: 0 });
  for (const node of [0, 1] as const) await expect.poll(async () => (await at(node)).status).toBe(201);
});
test('the CLI shows what moderators did, and erases a user at every node', async ({ cluster }) => {
  const cli = (...args: readonly string[]) => runCli([...args, '--data', cluster.dataDir, '--json'], '');
  const { token, user } = await guestOf(cluster, 'Una', '203.0.113.4');
  const posted = await say(cluster, 'my address is 1 High Street', { network: '203.0.113.4', token });
  expect(posted.status).toBe(201);
  await expect.poll(() => textsAt(cluster, 1)).toContain('my address is 1 High Street');
  const erased = await cli('users', 'erase', user.id, '--reason', 'They asked for it.');
  expect(JSON.parse(erased.stdout)).toEqual({ comments: 1 });
  for (const node of [0, 1] as const)
    await expect.poll(() => textsAt(cluster, node)).not.toContain('my address is 1 High Street');
  await cli('mode', 'demo', 'open');
  const { items } = JSON.parse((await cli('audit', 'demo')).stdout);
  expect(items[0]).toMatchObject({ act: 'stream.mode', by: 'operator', on: 'demo' });
  const everywhere = JSON.parse((await cli('audit', 'all-streams')).stdout);
  expect(everywhere.items[0]).toMatchObject({ act: 'user.erase', on: user.id, reason: 'They asked for it.' });
  const wrong = await cli('users', 'erase', 'nobody');
  expect({ code: wrong.code }).toEqual({ code: 2 });
});
