import { expect, test } from 'vitest';
import { currentEdge, edgesFor, edgeToAsk } from '../../../../actors/edge-delivery/edge-order.ts';
import { NodeId, RegionId } from '../../../../cluster/model/ids.ts';

const edge = (id: string, region: string) => ({
  id: NodeId.parse(id),
  region: RegionId.parse(region),
  baseUrl: `http://${id}`,
});
const edges = [edge('a1', 'a'), edge('a2', 'a'), edge('a3', 'a'), edge('b1', 'b'), edge('b2', 'b')];
const orderFor = (viewer: string, isLeaving = false, unsound: readonly string[] = [], current?: string) =>
  edgesFor(edges, {
    self: 'a2',
    current,
    region: 'a',
    isLeaving,
    isSound: (id) => !unsound.includes(id),
    viewer,
  }).map(({ id }) => id);

test('the asked edge comes first, then its region, then the others, and none is lost', () => {
  const order = orderFor('1.2.3.4');
  expect(order[0]).toBe('a2');
  expect(order.slice(0, 3).toSorted()).toEqual(['a1', 'a2', 'a3']);
  expect(order.toSorted()).toEqual(['a1', 'a2', 'a3', 'b1', 'b2']);
});

test('an edge that leaves goes last', () => {
  expect(orderFor('1.2.3.4', true).at(-1)).toBe('a2');
});

test('edges that are dead or draining go last, and are still listed', () => {
  expect(orderFor('1.2.3.4', false, ['a2', 'a1']).slice(-2).toSorted()).toEqual(['a1', 'a2']);
  expect(orderFor('1.2.3.4', false, ['a2', 'a1'])).toHaveLength(5);
});

test('viewers are spread over the edges of equal rank', () => {
  const seconds = new Set(Array.from({ length: 50 }, (_, index) => orderFor(`10.0.0.${index}`)[1]));
  expect(seconds).toEqual(new Set(['a1', 'a3']));
});

test('a viewer stays where it plays while that edge is sound and of this region', () => {
  expect(orderFor('1.2.3.4', false, [], 'a3').slice(0, 2)).toEqual(['a3', 'a2']);
  expect(orderFor('1.2.3.4', true, [], 'a3')[0]).toBe('a3');
  expect(orderFor('1.2.3.4', false, ['a3'], 'a3')[0]).toBe('a2');
  expect(orderFor('1.2.3.4', false, [], 'b1')[0]).toBe('a2');
  expect(orderFor('1.2.3.4', true, [], 'a2')[0]).not.toBe('a2');
});

test.each([
  [{}, undefined],
  [{ _HLS_pathway: 'n1' }, 'n1'],
  [{ _DASH_pathway: '"n1"' }, 'n1'],
  [{ _DASH_pathway: '"n2,n1"' }, 'n2'],
])('of %j the viewer plays from %s', (query, edgeId) => {
  expect(currentEdge(query)).toBe(edgeId);
});

test.each([
  ['an edge other than the first', false, [], 'a2'],
  ['itself, when the other is dead', false, ['a2'], undefined],
  ['the first, when the asked one leaves', true, [], 'a2'],
])('the edge to ask next is %s', (_what, isLeaving, dead: readonly string[], next) => {
  const viewpoint = {
    ...{ self: 'a1', region: 'a', viewer: '1.2.3.4', isLeaving },
    isSound: (id: string) => !dead.includes(id),
  };
  expect(edgeToAsk(edgesFor(edges.slice(0, 2), viewpoint), viewpoint)?.id).toBe(next);
  expect(edgeToAsk([], viewpoint)).toBeUndefined();
});
