import { expect, test } from 'vitest';
import { edgesFor } from '../../../../actors/edge-delivery/edge-order.ts';
import { NodeId, RegionId } from '../../../../cluster/model/ids.ts';

const edge = (id: string, region: string) => ({
  id: NodeId.parse(id),
  region: RegionId.parse(region),
  baseUrl: `http://${id}`,
});
const edges = [edge('a1', 'a'), edge('a2', 'a'), edge('a3', 'a'), edge('b1', 'b'), edge('b2', 'b')];
const orderFor = (viewer: string, isLeaving = false, unsound: readonly string[] = []) =>
  edgesFor(edges, {
    self: 'a2',
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
