import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  baseOf,
  currentEdge,
  edgesFor,
  edgeToAsk,
  lightLoad,
  pathwaysFor,
  type Base,
} from '../../../../actors/edge-delivery/edge-order.ts';
import { NodeId, RegionId } from '../../../../cluster/model/ids.ts';
import { loadFactor } from '../../../../cluster/partition/place.ts';
import { order } from '../../../../cluster/partition/rendezvous.ts';

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
    loadOf: () => undefined,
    viewer,
  }).map(({ id }) => id);

test("the region's edges come first, then the others, and none is lost", () => {
  const order = orderFor('1.2.3.4');
  expect(order.slice(0, 3).toSorted()).toEqual(['a1', 'a2', 'a3']);
  expect(order.toSorted()).toEqual(['a1', 'a2', 'a3', 'b1', 'b2']);
});

// Method: with one edge of weight 3 among three, and of 500 viewers; with and without loads.
test.each([undefined, 0])('an edge gets its share of viewers by its weight, with loads of %s', (load) => {
  const weighted = [{ ...edge('a1', 'a'), weight: 3 }, edge('a2', 'a'), edge('a3', 'a')];
  const seen = { self: 'a2', region: 'a', isLeaving: false, isSound: () => true, loadOf: () => load };
  const firsts = Array.from(
    { length: 500 },
    (_, index) => edgesFor(weighted, { ...seen, viewer: `10.0.0.${index}` })[0]?.id,
  );
  const share = firsts.filter((id) => id === 'a1').length / firsts.length;
  expect(Math.abs(share - 3 / 5)).toBeLessThan(0.1);
});

test('an edge that leaves goes last', () => {
  expect(orderFor('1.2.3.4', true).at(-1)).toBe('a2');
});

test('edges that are dead or draining go last, and are still listed', () => {
  expect(orderFor('1.2.3.4', false, ['a2', 'a1']).slice(-2).toSorted()).toEqual(['a1', 'a2']);
  expect(orderFor('1.2.3.4', false, ['a2', 'a1'])).toHaveLength(5);
});

test('viewers are spread over the edges of the region, whichever they ask', () => {
  const firsts = new Set(Array.from({ length: 50 }, (_, index) => orderFor(`10.0.0.${index}`)[0]));
  expect(firsts).toEqual(new Set(['a1', 'a2', 'a3']));
});

test('a viewer stays where it plays while that edge is sound and of this region', () => {
  const own = orderFor('1.2.3.4')[0];
  expect(orderFor('1.2.3.4', false, [], 'a3')[0]).toBe('a3');
  expect(orderFor('1.2.3.4', true, [], 'a3')[0]).toBe('a3');
  expect(orderFor('1.2.3.4', false, ['a3'], 'a3')[0]).not.toBe('a3');
  expect(orderFor('1.2.3.4', false, [], 'b1')[0]).toBe(own);
  expect(orderFor('1.2.3.4', true, [], 'a2')[0]).not.toBe('a2');
});

/** Bounded load (C4): edges of one region, each with a load or with none that is known. */
const loadedEdges = fc.array(fc.option(fc.integer({ min: 0, max: 500 }), { nil: undefined }), {
  minLength: 1,
  maxLength: 8,
});
function steer(viewer: string, loads: readonly (number | undefined)[], current?: string): readonly string[] {
  const all = loads.map((_, index) => edge(`a${index}`, 'a'));
  return edgesFor(all, {
    self: 'a0',
    region: 'a',
    current,
    viewer,
    isLeaving: false,
    isSound: () => true,
    loadOf: (id) => loads[Number(id.slice(1))],
  }).map(({ id }) => id);
}
const inRendezvous = (viewer: string, count: number): readonly string[] =>
  order(
    viewer,
    Array.from({ length: count }, (_, index) => ({ id: `a${index}`, weight: 1 })),
  ).map(({ id }) => id);

test('a viewer begins at the first edge in its order that has room', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), loadedEdges, (viewer, loads) => {
      const plain = inRendezvous(viewer, loads.length);
      const counted = loads.map((load) => Math.max(0, (load ?? 0) - lightLoad));
      const sum = counted.reduce((total, one) => total + one, 0);
      const bound = Math.ceil((loadFactor * (sum + 1)) / loads.length);
      const hasRoom = (id: string): boolean =>
        loads.includes(undefined) || (counted[Number(id.slice(1))] ?? 0) < bound;
      expect(steer(viewer, loads)[0]).toBe(plain.find(hasRoom));
    }),
  );
});

test('loads only change the order: none is lost, and a viewer that plays stays where it is', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), loadedEdges, fc.nat(7), (viewer, loads, at) => {
      const current = `a${at % loads.length}`;
      expect(steer(viewer, loads, current)[0]).toBe(current);
      expect(steer(viewer, loads).toSorted()).toEqual(inRendezvous(viewer, loads.length).toSorted());
    }),
  );
});

test('no load that is old or wrong sends all viewers to one edge', () => {
  const firstsWith = (loads: readonly number[]): ReadonlySet<string | undefined> =>
    new Set(Array.from({ length: 100 }, (_, index) => steer(`10.0.0.${index}`, loads)[0]));
  expect(firstsWith([0, 0, 0, 0])).toEqual(new Set(['a0', 'a1', 'a2', 'a3']));
  expect(firstsWith([9000, 0, 0, 0])).toEqual(new Set(['a1', 'a2', 'a3']));
  expect(firstsWith([9000, 9000, 9000, 9000]).size).toBe(4);
});

test('few connections weigh nothing: the order is the one without loads', () => {
  for (let index = 0; index < 50; index += 1) {
    const viewer = `10.0.0.${index}`;
    expect(steer(viewer, [lightLoad, 0, 0])).toEqual(inRendezvous(viewer, 3));
  }
});

// Method: viewers come one after the other and open three connections each; loads are told after every 20th only.
test('edges that viewers fill up stay within the bound, but for what has come since the loads were told', () => {
  const loads = [0, 0, 0, 0];
  let told = [...loads];
  const batch = 20;
  for (let index = 0; index < 2000; index += 1) {
    if (index % batch === 0) told = [...loads];
    const first = Number(steer('one proxy for all', told)[0]?.slice(1));
    loads[first] = (loads[first] ?? 0) + 3;
  }
  const share = loads.reduce((sum, one) => sum + one, 0) / loads.length;
  expect(Math.max(...loads)).toBeLessThanOrEqual(Math.ceil(loadFactor * (share + 1)) + lightLoad + 3 * batch);
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
    self: 'a1',
    current: 'a1',
    region: 'a',
    viewer: '1.2.3.4',
    isLeaving,
    isSound: (id: string) => !dead.includes(id),
    loadOf: () => undefined,
  };
  expect(edgeToAsk(edgesFor(edges.slice(0, 2), viewpoint), viewpoint)?.id).toBe(next);
  expect(edgeToAsk([], viewpoint)).toBeUndefined();
});

/** The pathways of an HLS viewer that asks edge `a2`, with these edges dead. */
function pathways(base: Base, query: object, dead: readonly string[] = [], isLeaving = false): string[] {
  const viewpoint = {
    self: 'a2',
    region: 'a',
    viewer: '1.2.3.4',
    isLeaving,
    current: currentEdge(query, base),
    isSound: (id: string) => !dead.includes(id),
    loadOf: () => undefined,
  };
  return [...pathwaysFor(edgesFor(edges.slice(0, 3), viewpoint), base, viewpoint)];
}
const a1: Base = { kind: 'edge', id: 'a1' };
const a2: Base = { kind: 'edge', id: 'a2' };

test('the edge that an HLS playlist came from is its base pathway: a viewer there is moved nowhere', () => {
  for (const query of [{}, { _HLS_pathway: '.' }]) {
    const [first, ...others] = pathways(a1, query);
    expect({ first, others: others.toSorted() }).toEqual({ first: '.', others: ['a2', 'a3'] });
  }
  const [first, ...others] = pathways(a1, { _HLS_pathway: 'a3' });
  expect({ first, others: others.toSorted() }).toEqual({ first: 'a3', others: ['.', 'a2'] });
});

test('the base pathway is left out once its edge is dead or leaves, but for an edge that is alone', () => {
  expect(pathways(a1, { _HLS_pathway: '.' }, ['a1']).toSorted()).toEqual(['a2', 'a3']);
  expect(pathways(a2, { _HLS_pathway: '.' }, [], true).toSorted()).toEqual(['a1', 'a3']);
  expect(pathways({ kind: 'edge', id: 'gone' }, { _HLS_pathway: '.' })).toHaveLength(3);
  expect(pathways(a2, { _HLS_pathway: '.' }, ['a1', 'a3'], true).toSorted()).toEqual(['.', 'a1', 'a3']);
});

test('a front is where a viewer stays who came through it, unless it went to an edge', () => {
  const front: Base = { kind: 'front', origin: 'https://live.example.com' };
  const [first, ...others] = pathways(front, { _HLS_pathway: '.' }, [], true);
  expect({ first, others: others.toSorted() }).toEqual({ first: '.', others: ['a1', 'a2', 'a3'] });
  expect(pathways(front, { _HLS_pathway: 'a3' }).slice(0, 2)).toEqual(['a3', '.']);
  expect(pathways(front, { _HLS_pathway: 'a3' }, ['a3']).slice(0, 1)).toEqual(['.']);
});

test.each([
  [{}, undefined, undefined],
  [{ base: '.' }, undefined, a2],
  [{ base: 'a1' }, 'https://live.example.com', a1],
  [{ base: '.' }, 'https://live.example.com', { kind: 'front', origin: 'https://live.example.com' }],
])('of %j, asked through %s, the base is %j', (query, front, base) => {
  expect(baseOf(query, 'a2', front)).toEqual(base);
});

test('who begins stays at the edge that it asked while that has room', () => {
  const beginsAt = (loads: readonly number[]): string | undefined =>
    edgesFor(edges.slice(0, 3), {
      self: 'a1',
      current: 'a1',
      isBeginning: true,
      region: 'a',
      viewer: 'v',
      isLeaving: false,
      isSound: () => true,
      loadOf: (id) => loads[Number(id.slice(1)) - 1],
    })[0]?.id;
  for (const loads of [[], [lightLoad, 0, 0], [900, 900, 900]]) expect(beginsAt(loads)).toBe('a1');
  expect(beginsAt([900, 0, 0])).not.toBe('a1');
});
