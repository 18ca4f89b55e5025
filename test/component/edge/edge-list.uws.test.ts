/** The edge list that anybody may ask for, over a real listener. */
import { expect, test } from 'vitest';
import { z } from 'zod';
import { EdgeList } from '../../../cluster/contract/api/control-routes.ts';
import type { RouteInput } from '../../../cluster/contract/api/routes.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import { NodeId, RegionId } from '../../../cluster/model/ids.ts';
import { startTestEdge } from '../../support/ports/test-edge.ts';

const address = (id: string) => ({
  id: NodeId.parse(id),
  region: RegionId.parse('eu'),
  baseUrl: `http://${id}.test`,
});

/** What an HLS player is told. */
const Told = z.object({
  'PATHWAY-PRIORITY': z.array(z.string()),
  'RELOAD-URI': z.string(),
  'PATHWAY-CLONES': z.array(z.object({ ID: z.string() })).optional(),
});
/** Where a player asks the next time, with the session that it was given. */
const askedAt = (origin: string, base: string) =>
  expect.stringMatching(
    new RegExp(`^${RegExp.escape(`${origin}/live/demo/steering?base=${base}&session=`)}[\\w-]{8,}$`),
  );
const Steering = z.object({ 'PATHWAY-PRIORITY': z.tuple([z.string()], z.string()) });

test("the edge list is a viewer's own, by the loads, as it would be steered; the dead and the leaving are not in it", async () => {
  let loads: Readonly<Record<string, number>> = {};
  const far = { ...address('n4'), region: RegionId.parse('us') };
  await using edge = await startTestEdge({
    listEdges: () => ({ revision: 7, edges: [address('n1'), address('n2'), address('n3'), far] }),
    isSound: (id) => id !== 'n3',
    loadOf: (id) => loads[id],
    isTrustedProxy: (address) => address === '127.0.0.1',
  });
  const listFor = async (viewer: string): Promise<EdgeList> => {
    const headers = { 'x-forwarded-for': viewer };
    return EdgeList.parse(await (await fetch(`${edge.url}/v1/streams/demo/edges`, { headers })).json());
  };
  const ordersOf = async (): Promise<ReadonlySet<string>> => {
    const lists = await Promise.all(Array.from({ length: 20 }, (_, index) => listFor(`10.0.0.${index}`)));
    return new Set(lists.map(({ items }) => items.map(({ id }) => id).join(' ')));
  };
  expect((await listFor('10.0.0.1')).revision).toBe(7);
  expect((await listFor('10.0.0.1')).items.at(-1)).toEqual({
    id: 'n4',
    region: 'us',
    url: 'http://n4.test',
    why: 'inAnotherRegion',
  });
  expect(await ordersOf()).toEqual(new Set(['n1 n2 n4', 'n2 n1 n4']));
  loads = { n1: 900, n2: 40, n3: 0 };
  expect(await ordersOf()).toEqual(new Set(['n2 n1 n4']));
  edge.edge.leave();
  expect(await ordersOf()).toEqual(new Set(['n2 n4']));
  const unknown = await fetch(`${edge.url}/v1/streams/other/edges`);
  expect(await unknown.json()).toMatchObject({ status: 404, code: 'STREAM_NOT_FOUND' });
});

// Goal: a page finds the edge of its user's live socket before it connects. Method: users are named in the query and by their tokens; the order is the same
// at every address, and a token that is none counts as none.
test('for a user the list is in the order of their live sockets, named in the query or by a token', async () => {
  const call = async (_: string, { caller }: RouteInput): Promise<unknown> => {
    const id = caller?.bearer?.replace('token-of-', '');
    if (id === 'nobody') throw new TangazaError('UNAUTHENTICATED');
    return { user: { id, name: 'Ada', kind: 'guest' }, permissions: [] };
  };
  const ids = ['n1', 'n2', 'n3', 'n4', 'n5'];
  const listEdges = () => ({ revision: 7, edges: ids.map(address) });
  await using edge = await startTestEdge({ call, listEdges, isTrustedProxy: () => true });
  const orderOf = async (query: string, token: string | undefined, viewer: string): Promise<string> => {
    const authorization = token === undefined ? {} : { authorization: `Bearer token-of-${token}` };
    const headers = { 'x-forwarded-for': viewer, ...authorization };
    const list: unknown = await (
      await fetch(`${edge.url}/v1/streams/demo/edges${query}`, { headers })
    ).json();
    return EdgeList.parse(list)
      .items.map(({ id }) => id)
      .join(' ');
  };
  const orders = new Set<string>();
  for (let number = 0; number < 10; number += 1) {
    const user = `g-user${number}`;
    const byQuery = await orderOf(`?user=${user}`, undefined, '10.0.0.1');
    expect(await orderOf('', user, '10.0.0.2')).toBe(byQuery);
    orders.add(byQuery);
  }
  expect(orders.size).toBeGreaterThan(5);
  expect(await orderOf('', 'nobody', '10.0.0.3')).toBe(await orderOf('', undefined, '10.0.0.3'));
  const bad = await fetch(`${edge.url}/v1/streams/demo/edges?user=x`);
  expect(await bad.json()).toMatchObject({ code: 'BAD_REQUEST' });
});

// As it once was: anybody could be anywhere by naming an address.
test('viewers that begin are steered by the loads and by their own address, behind a trusted proxy alone by what it says', async () => {
  let loads: Readonly<Record<string, number>> = {};
  let isProxy = true;
  await using edge = await startTestEdge({
    listEdges: () => ({ revision: 1, edges: [address('n1'), address('n2')] }),
    loadOf: (id) => loads[id],
    isTrustedProxy: (peer) => isProxy && peer === '127.0.0.1',
  });
  const beginsAt = async (viewer: string): Promise<string> => {
    const headers = { 'x-forwarded-for': viewer };
    const reply = await fetch(`${edge.url}/live/demo/steering`, { headers });
    return Steering.parse(await reply.json())['PATHWAY-PRIORITY'][0];
  };
  const viewers = Array.from({ length: 20 }, (_, index) => `10.0.0.${index}`);
  expect(new Set(await Promise.all(viewers.map(beginsAt)))).toEqual(new Set(['n1', 'n2']));
  isProxy = false;
  expect(new Set(await Promise.all(viewers.map(beginsAt))).size).toBe(1);
  loads = { n1: 900, n2: 40 };
  expect(new Set(await Promise.all(viewers.map(beginsAt)))).toEqual(new Set(['n2']));
});

// Goal: no HLS player is moved from an edge to itself at its start, whichever edge it asks later. Method: two edges that know each
// other; the playlist's steering address is asked as a player does, then the address that each reply names.
test('the base pathway of a main playlist is the edge it came from, told on to the edge that is asked next', async () => {
  let dead = '';
  const listEdges = () => ({ revision: 1, edges: [address('n1'), address('n2')] });
  const isSound = (id: string): boolean => id !== dead;
  await using first = await startTestEdge({ listEdges, isSound });
  await using second = await startTestEdge({ node: NodeId.parse('n2'), listEdges, isSound });
  await first.broadcast(1);
  const playlist = await (await fetch(`${first.url}/live/demo/main.m3u8`)).text();
  const server = /SERVER-URI="([^"]+)"/.exec(playlist)?.[1] ?? '';
  const ask = async (url: string) => Told.parse(await (await fetch(url)).json());
  const begun = await ask(`${first.url}${server}&_HLS_pathway=.`);
  expect(begun).toEqual({
    'PATHWAY-PRIORITY': ['.', 'n2'],
    'RELOAD-URI': askedAt('http://n2.test', 'n1'),
    'PATHWAY-CLONES': [{ ID: 'n2' }],
  });
  const again = `${second.url}${new URL(begun['RELOAD-URI']).pathname}?base=n1`;
  expect(await ask(`${again}&_HLS_pathway=.`)).toMatchObject({ 'PATHWAY-PRIORITY': ['.', 'n2'] });
  dead = 'n1';
  expect(await ask(`${again}&_HLS_pathway=.`)).toMatchObject({
    'PATHWAY-PRIORITY': ['n2'],
    'RELOAD-URI': askedAt(second.url, 'n1'),
  });
  dead = '';
  first.edge.leave();
  expect(await ask(`${first.url}${server}&_HLS_pathway=.`)).toMatchObject({ 'PATHWAY-PRIORITY': ['n2'] });
  expect(await ask(`${second.url}/live/demo/steering?base=gone`)).toMatchObject({
    'PATHWAY-PRIORITY': expect.arrayContaining(['n1', 'n2']),
  });
  const wrong = await fetch(`${second.url}/live/demo/steering?base=${encodeURIComponent('../x')}`);
  expect(wrong.status).toBe(400);
  expect(await wrong.text()).toContain('the id of a node');
});

test('behind a front the base pathway is the front, which is asked again; an edge under a name of its own is itself', async () => {
  await using edge = await startTestEdge({
    listEdges: () => ({ revision: 1, edges: [address('n1'), address('n2')] }),
    publicUrl: 'http://n1.test',
    isTrustedProxy: (peer) => peer === '127.0.0.1',
  });
  const ask = async (host: string) => {
    const headers = { 'x-forwarded-for': '10.0.0.7', 'x-forwarded-proto': 'https', 'x-forwarded-host': host };
    return Told.parse(await (await fetch(`${edge.url}/live/demo/steering?base=.`, { headers })).json());
  };
  const front = await ask('live.test');
  expect(front['PATHWAY-PRIORITY'].slice(0, 1)).toEqual(['.']);
  expect(front['PATHWAY-PRIORITY'].toSorted()).toEqual(['.', 'n1', 'n2']);
  expect(front['RELOAD-URI']).toEqual(askedAt('https://live.test', '.'));
  expect(await ask('n1.test')).toMatchObject({
    'PATHWAY-PRIORITY': ['.', 'n2'],
    'RELOAD-URI': askedAt('http://n2.test', 'n1'),
  });
});
