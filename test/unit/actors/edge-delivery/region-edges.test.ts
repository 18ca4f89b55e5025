/** Which edges a region's manifests name, and how viewers are steered over regions (R11). */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { edgesFor, unheardEdge } from '../../../../actors/edge-delivery/edge-order.ts';
import {
  edgesOfRegions,
  namedEdges,
  standingOfEdges,
} from '../../../../actors/edge-delivery/region-edges.ts';
import { SteadyEdges } from '../../../../actors/edge-delivery/steady-edges.ts';
import type { EdgeAddress } from '../../../../actors/media/timeline/manifest-options.ts';
import type { ListedMember, MemberState } from '../../../../cluster/membership/member-directory.ts';
import { NodeId, RegionId, StreamId } from '../../../../cluster/model/ids.ts';
import { testMember } from '../../../support/cluster/members.ts';

const address = (id: string): EdgeAddress => ({
  id: NodeId.parse(id),
  region: RegionId.parse(id.slice(0, 1)),
  baseUrl: `http://${id}.test`,
});
/** So many edges of region `a`, of `b`, and so on: a1, a2, b1. */
const edgesOf = (...counts: readonly number[]): readonly EdgeAddress[] =>
  counts.flatMap((count, index) =>
    Array.from({ length: count }, (_, number) => address(`${'abcdefgh'[index]}${number + 1}`)),
  );
const ids = (edges: readonly EdgeAddress[]): readonly string[] => edges.map(({ id }) => id);
const a = RegionId.parse('a');
const stream = StreamId.parse('demo');

test.each([
  ['one region names all its edges', edgesOf(12), 12, 0],
  ['two edges of each other region', edgesOf(3, 3, 3), 3, 4],
  ['eight in all, the own ones before many of others', edgesOf(6, 2, 2, 2), 6, 2],
  ['eight in all, of which others have two at least', edgesOf(12, 3), 6, 2],
  ['as many of others as there is room for', edgesOf(1, 2, 2, 2, 2), 1, 7],
])('manifests name %s', (_what, edges, own, others) => {
  const named = namedEdges(edges, a, stream);
  expect({
    own: named.slice(0, own).filter(({ region }) => region === a).length,
    others: named.slice(own).filter(({ region }) => region !== a).length,
    all: named.length,
  }).toEqual({ own, others, all: own + others });
});

// Goal: manifests are equal within a region, and no region is left out while another has two. Method: any counts and streams.
test('equal lists give equal manifests, in the order of the list; streams spread over the edges of other regions', () => {
  const counts = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 2, maxLength: 6 });
  fc.assert(
    fc.property(counts, fc.integer({ min: 0, max: 99 }), (each, number) => {
      const edges = edgesOf(...each);
      const of = StreamId.parse(`s${number}`);
      const named = namedEdges(edges, a, of);
      expect(ids(named)).toEqual(ids(edges.filter((edge) => named.includes(edge))));
      expect(ids(namedEdges([...edges], a, of))).toEqual(ids(named));
      const perRegion = each
        .slice(1)
        .map((_, index) => named.filter(({ region }) => region === 'bcdefgh'[index]).length);
      expect(Math.max(...perRegion) === 2 ? Math.min(...perRegion) : 1).toBeGreaterThan(0);
    }),
  );
  const firsts = Array.from({ length: 40 }, (_, number) =>
    ids(namedEdges(edgesOf(2, 4), a, StreamId.parse(`s${number}`))).slice(2),
  );
  expect(new Set(firsts.flat()).size).toBe(4);
});

const told = (id: string) => {
  const { region, baseUrl: httpUrl } = address(id);
  const common = { isSound: true, connections: 0, room: 1, weight: 2 };
  return { ...common, region, node: NodeId.parse(id), httpUrl };
};

test('edges of other regions come behind the own ones, and change the revision; an id that is taken is left out', () => {
  const own = { revision: 4, edges: edgesOf(2) };
  const all = edgesOfRegions(own, { edges: () => [told('b1'), told('a1')], edgesRevision: 3 });
  expect({ ids: ids(all.edges), revision: all.revision }).toEqual({ ids: ['a1', 'a2', 'b1'], revision: 7 });
});

const listed = (id: string, state: MemberState): ListedMember => ({
  ...testMember(id),
  state,
  isAlive: state === 'alive',
  incarnation: 1,
});

test('of an id that two other regions have, the edge of the first one is named', () => {
  const other = { ...told('b1'), region: RegionId.parse('c') };
  const all = edgesOfRegions(
    { revision: 1, edges: edgesOf(1) },
    { edges: () => [told('b1'), other, told('c2')], edgesRevision: 1 },
  );
  expect(all.edges.map(({ region, id }) => `${region}/${id}`)).toEqual(['a/a1', 'b/b1', 'c/c2']);
});

// Goal: a dead edge is no sound one because another region has one of its name. Method: own a1 is dead, a2 lives; elsewhere a1 and b1 live.
test('what is known of an own edge comes from the members alone, whatever other regions tell of its name', () => {
  const standing = standingOfEdges({
    members: {
      list: () => ({ revision: 1, readAtMs: 0, members: [listed('a1', 'dead'), listed('a2', 'alive')] }),
    },
    loads: { loadOf: (id) => (id === 'a2' ? 7 : undefined) },
    elsewhere: {
      edges: () => [
        { ...told('a1'), connections: 3 },
        { ...told('b1'), connections: 5 },
      ],
    },
  });
  const ofEach = (of: (id: string) => unknown) => ['a1', 'a2', 'b1', 'b2'].map(of);
  expect({ sound: ofEach(standing.isSound), loads: ofEach(standing.loadOf) }).toEqual({
    sound: [false, true, true, false],
    loads: [undefined, 7, 5, undefined],
  });
});

const orderAt = (
  current: string | undefined,
  unsound: readonly string[] = [],
  unsteady: readonly string[] = [],
): readonly string[] =>
  ids(
    edgesFor(edgesOf(2, 2), {
      self: 'b1',
      region: 'a',
      current,
      isLeaving: false,
      isSound: (id) => !unsound.includes(id),
      isSteady: (id) => !unsteady.includes(id),
      loadOf: () => undefined,
      viewer: '1.2.3.4',
    }),
  );

test("the viewer's region counts before the one that is asked", () => {
  expect(orderAt(undefined).slice(0, 2).toSorted()).toEqual(['a1', 'a2']);
});

test('a viewer whose region is dead stays where it is, and comes back to an edge once that is steady', () => {
  const dead = ['a1', 'a2'];
  expect(orderAt('b2', dead)[0]).toBe('b2');
  expect(orderAt('b1', dead)[0]).toBe('b1');
  expect(orderAt('b2', [], dead)[0]).toBe('b2');
  expect(orderAt('b2', [], ['a1'])[0]).toBe('a2');
  expect(orderAt('a1', [], dead)[0]).toBe('a1');
});

test('of a region that nothing is heard of, the viewer keeps the edge that it plays from', () => {
  const seen = { self: 'b1', isLeaving: false, isSound: () => true, loadOf: () => undefined, viewer: 'v' };
  const unheard = (edges: readonly EdgeAddress[], region: string, current?: string) =>
    unheardEdge(edges, { ...seen, region, current });
  const onlyB = edgesOf(0, 2);
  expect(unheard(onlyB, 'a', 'a1')).toBe('a1');
  expect(unheard(onlyB, 'a', 'b2')).toBeUndefined();
  expect(unheard(onlyB, 'a')).toBeUndefined();
  expect(unheard(edgesOf(2, 2), 'a', 'a9')).toBeUndefined();
});

test('an edge is steady from the beginning, and again 10 s after it was gone or ill', () => {
  const steady = new SteadyEdges();
  const all = edgesOf(2);
  steady.note(all, () => true, 0);
  expect(steady.isSteady('a1', 0)).toBe(true);
  steady.note(all, (id) => id !== 'a1', 100);
  steady.note(all.slice(0, 1), () => true, 200);
  expect({ ill: steady.isSteady('a1', 9000), gone: steady.isSteady('a2', 9000) }).toEqual({
    ill: false,
    gone: false,
  });
  steady.note(all, () => true, 5000);
  expect({
    ill: steady.isSteady('a1', 10_200),
    before: steady.isSteady('a2', 14_999),
    gone: steady.isSteady('a2', 15_000),
    never: steady.isSteady('a9', 15_000),
  }).toEqual({ ill: true, before: false, gone: true, never: true });
});
