/** The edge list that anybody may ask for, over a real listener. */
import { expect, test } from 'vitest';
import { z } from 'zod';
import { EdgeList } from '../../../cluster/contract/api/control-routes.ts';
import { NodeId, RegionId } from '../../../cluster/model/ids.ts';
import { startTestEdge } from '../../support/ports/test-edge.ts';

const address = (id: string) => ({
  id: NodeId.parse(id),
  region: RegionId.parse('eu'),
  baseUrl: `http://${id}.test`,
});

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
  expect((await listFor('10.0.0.1')).items.at(-1)).toEqual({ id: 'n4', region: 'us', url: 'http://n4.test' });
  expect(await ordersOf()).toEqual(new Set(['n1 n2 n4', 'n2 n1 n4']));
  loads = { n1: 900, n2: 40, n3: 0 };
  expect(await ordersOf()).toEqual(new Set(['n2 n1 n4']));
  edge.edge.leave();
  expect(await ordersOf()).toEqual(new Set(['n2 n4']));
  const unknown = await fetch(`${edge.url}/v1/streams/other/edges`);
  expect(await unknown.json()).toMatchObject({ status: 404, code: 'STREAM_NOT_FOUND' });
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
