/** What a node remembers of other regions: homes, ages, and what it refuses to believe (R3). */
import { expect, test } from 'vitest';
import { composeEpoch } from '../../../../cluster/ownership/epoch.ts';
import { elsewhereLimits, ElsewhereState } from '../../../../cluster/region/elsewhere-state.ts';
import { NodeId, RegionId, StreamId } from '../../../../cluster/model/ids.ts';
import { onAirAt } from '../../../support/regions/memory-elsewhere.ts';

const us = RegionId.parse('us');
const eu = RegionId.parse('eu');
const asia = RegionId.parse('asia');
const demo = StreamId.parse('demo');
const ordinals = new Map([us, eu, asia].map((id, ordinal) => [id, ordinal]));

function stateIn(region: RegionId): ElsewhereState {
  const state = new ElsewhereState(region, ordinals);
  for (const id of ordinals.keys()) state.noteLink(id, true, 0);
  return state;
}

const edge = (node: string, weight = 1) => ({
  node: NodeId.parse(node),
  httpUrl: `http://${node}`,
  isSound: true,
  connections: 3,
  room: 10,
  weight,
});

test('of two regions that tell of a stream the one with the higher epoch is its home', () => {
  const state = stateIn(us);
  state.note(eu, onAirAt(1, 'demo'), 0);
  state.note(asia, onAirAt(2, 'demo', { epoch: composeEpoch({ term: 1, regionOrdinal: 2, n: 0 }) }), 10);
  expect(state.homeOf(demo, 100)).toMatchObject({ region: 'asia', ageMs: 90, isOnAir: true });
  expect(state.streams(100).map(({ stream, region }) => ({ stream, region }))).toEqual([
    { stream: 'demo', region: 'asia' },
  ]);
});

test('a stream that came back to this region has its home nowhere else', () => {
  const state = stateIn(us);
  state.note(eu, onAirAt(1, 'demo'), 0);
  expect(state.homeOf(demo, 0)).toMatchObject({ region: 'eu' });
  state.note(us, onAirAt(0, 'demo', { epoch: composeEpoch({ term: 1, regionOrdinal: 0, n: 0 }) }), 10);
  expect({ home: state.homeOf(demo, 10), streams: state.streams(10) }).toEqual({
    home: undefined,
    streams: [],
  });
});

test('a region cannot tell of an epoch that another region mints, nor of a term without ids of periods', () => {
  const state = stateIn(us);
  const farTerm = composeEpoch({ term: 2 ** 26, regionOrdinal: 1, n: 0 });
  expect({
    foreign: state.note(eu, onAirAt(2, 'demo'), 0),
    future: state.note(eu, onAirAt(1, 'demo', { epoch: farTerm }), 0),
    stranger: state.note(RegionId.parse('mars'), onAirAt(1, 'demo'), 0),
    known: state.homeOf(demo, 0),
  }).toEqual({
    foreign: 'foreign epoch',
    future: 'foreign epoch',
    stranger: 'foreign epoch',
    known: undefined,
  });
});

test('what ended does not begin again under its epoch, and no lower epoch counts', () => {
  const state = stateIn(us);
  const second = composeEpoch({ term: 0, regionOrdinal: 1, n: 2 });
  state.note(eu, onAirAt(1, 'demo', { epoch: second }), 0);
  state.note(eu, onAirAt(1, 'demo', { epoch: second, isOnAir: false, nextNumber: 9 }), 1);
  const late = state.note(eu, onAirAt(1, 'demo', { epoch: second }), 2);
  const lower = state.note(eu, onAirAt(1, 'demo'), 3);
  expect({ late, lower, home: state.homeOf(demo, 3) }).toMatchObject({
    late: false,
    lower: false,
    home: { isOnAir: false, nextNumber: 9 },
  });
});

test('a stream that is told no more over a working link counts as ended until it is told again', () => {
  const state = stateIn(us);
  state.note(eu, onAirAt(1, 'demo'), 0);
  expect(state.expire(elsewhereLimits.unheardMs)).toEqual([]);
  const lateMs = elsewhereLimits.unheardMs + 1;
  expect(state.expire(lateMs)).toEqual(['demo']);
  expect(state.homeOf(demo, lateMs)).toMatchObject({ isOnAir: false });
  expect(state.note(eu, onAirAt(1, 'demo'), lateMs)).toBe(true);
  expect(state.homeOf(demo, lateMs)).toMatchObject({ isOnAir: true });
});

test('what a region told before it was cut off stays, with its age, and has time to be told again after the heal', () => {
  const state = stateIn(us);
  state.note(eu, onAirAt(1, 'demo'), 0);
  state.noteLink(eu, false, 1000);
  const hourMs = 3_600_000;
  expect(state.expire(hourMs)).toEqual([]);
  expect(state.homeOf(demo, hourMs)).toMatchObject({ isOnAir: true, ageMs: hourMs });
  state.noteLink(eu, true, hourMs);
  expect(state.expire(hourMs + elsewhereLimits.unheardMs)).toEqual([]);
  expect(state.expire(hourMs + elsewhereLimits.unheardMs + 1)).toEqual(['demo']);
});

test('a broadcast that is over is forgotten after a day', () => {
  const state = stateIn(us);
  state.note(eu, onAirAt(1, 'demo', { isOnAir: false }), 0);
  state.expire(elsewhereLimits.keepEndedMs);
  expect(state.homeOf(demo, elsewhereLimits.keepEndedMs)).toMatchObject({ region: 'eu' });
  state.expire(elsewhereLimits.keepEndedMs + 1);
  expect(state.homeOf(demo, elsewhereLimits.keepEndedMs + 1)).toBeUndefined();
});

// Goal: a region that tells a hundred thousand streams costs bounded memory and pushes none on air out. Method: it tells all at once.
test('a region that tells a hundred thousand streams keeps its bound, and loses only what is over', () => {
  const state = stateIn(us);
  state.note(eu, onAirAt(1, 'over', { isOnAir: false }), 0);
  const results = new Map<unknown, number>();
  for (let index = 0; index < 100_000; index += 1) {
    const result = state.note(eu, onAirAt(1, `s${index}`), 0);
    results.set(result, (results.get(result) ?? 0) + 1);
  }
  expect(Object.fromEntries(results)).toEqual({
    true: elsewhereLimits.maxStreams,
    full: 100_000 - elsewhereLimits.maxStreams,
  });
  expect({
    over: state.homeOf(StreamId.parse('over'), 0),
    first: state.homeOf(StreamId.parse('s0'), 0),
  }).toMatchObject({ over: undefined, first: { isOnAir: true } });
});

test('edges of a region count for 6 s and while its link works, and the revision changes with their URLs alone', () => {
  const state = stateIn(us);
  const revisions = [state.edgesRevision];
  const note = (told: Parameters<typeof edge>[], nowMs: number) => {
    state.noteEdges(
      eu,
      told.map((args) => edge(...args)),
      nowMs,
    );
    revisions.push(state.edgesRevision);
  };
  note([['n2'], ['n1']], 0);
  note([['n1'], ['n2']], 2000);
  expect(state.edges(2000).map(({ node, region }) => ({ node, region }))).toEqual([
    { node: 'n1', region: 'eu' },
    { node: 'n2', region: 'eu' },
  ]);
  note([['n1']], 4000);
  state.expire(4000 + elsewhereLimits.edgesLastMs + 1);
  revisions.push(state.edgesRevision);
  expect({ revisions, edges: state.edges(10_001) }).toEqual({ revisions: [0, 1, 1, 2, 3], edges: [] });
  note([['n1']], 11_000);
  state.noteLink(eu, false, 11_001);
  expect(state.edges(11_001)).toEqual([]);
});

test('edges that counted when their link was cut count from the heal on, until they are told anew; others do not', () => {
  const state = stateIn(us);
  state.noteEdges(eu, [edge('n1')], 0);
  state.noteLink(eu, false, 4000);
  state.noteLink(eu, true, 90_000);
  const healed = state.edges(90_000).map(({ node }) => node);
  const untold = state.edges(90_000 + elsewhereLimits.edgesLastMs + 1);
  state.noteLink(eu, false, 100_000);
  state.noteLink(eu, true, 110_000);
  expect({ healed, untold, later: state.edges(110_000) }).toEqual({ healed: ['n1'], untold: [], later: [] });
});
