/** Who plays, by the sessions that steering hands out: whom an edge counts, whom it suspects, whom it lets go. */
import { expect, test } from 'vitest';
import {
  playerLastsMs,
  PlayerSessions,
  type Asking,
  type SessionLimits,
} from '../../../../../actors/edge-delivery/public/player-sessions.ts';
import { NodeId, StreamId } from '../../../../../cluster/model/ids.ts';

const demo = StreamId.parse('demo');
const other = StreamId.parse('other');
const ttlMs = 10_000;

const asking = (session: string, more: Partial<Asking> = {}): Asking => ({
  session,
  stream: demo,
  network: '10.0.0.1',
  hasPathway: true,
  ...more,
});
const countsOf = (sessions: PlayerSessions) => Object.fromEntries(sessions.counts());
const many = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `s${index}`);

/** Players that ask when they are told to. */
function play(sessions: PlayerSessions, names: readonly string[], fromMs: number, toMs: number): void {
  for (let nowMs = fromMs; nowMs <= toMs; nowMs += ttlMs) {
    sessions.expire(nowMs);
    for (const name of names) sessions.asked(asking(name), nowMs);
  }
}

test('a player counts once however long it plays', () => {
  const sessions = new PlayerSessions();
  play(sessions, many(7), 0, 600_000);
  expect(countsOf(sessions)).toEqual({ demo: { players: 7, suspectedRobots: 0 } });
});

test('a player that misses one request stays; one that has stopped is gone after 25 s', () => {
  const sessions = new PlayerSessions();
  play(sessions, ['stays', 'stops'], 0, 10_000);
  sessions.asked(asking('stays'), 30_000);
  sessions.expire(10_000 + playerLastsMs - 1);
  expect(countsOf(sessions)).toEqual({ demo: { players: 2, suspectedRobots: 0 } });
  sessions.expire(10_000 + playerLastsMs);
  expect(countsOf(sessions)).toEqual({ demo: { players: 1, suspectedRobots: 0 } });
  sessions.expire(1e9);
  expect({ counts: countsOf(sessions), kept: sessions.size }).toEqual({ counts: {}, kept: 0 });
});

test('a player that says that it leaves is gone at once, and a page that comes back counts again', () => {
  const sessions = new PlayerSessions();
  play(sessions, ['one', 'two'], 0, 0);
  sessions.left('one');
  sessions.left('one');
  expect(countsOf(sessions)).toEqual({ demo: { players: 1, suspectedRobots: 0 } });
  sessions.asked(asking('one'), 1000);
  expect(countsOf(sessions)).toEqual({ demo: { players: 2, suspectedRobots: 0 } });
});

test('a player that goes to another stream counts there alone; those of a removed stream are forgotten', () => {
  const sessions = new PlayerSessions();
  sessions.asked(asking('one'), 0);
  sessions.asked(asking('one', { stream: other }), ttlMs);
  sessions.asked(asking('two'), ttlMs);
  expect(countsOf(sessions)).toEqual({
    demo: { players: 1, suspectedRobots: 0 },
    other: { players: 1, suspectedRobots: 0 },
  });
  sessions.removed(other);
  expect(countsOf(sessions)).toEqual({ demo: { players: 1, suspectedRobots: 0 } });
});

test('what asks far more often than it is told to is suspected, until it has been calm for half a minute', () => {
  const sessions = new PlayerSessions();
  play(sessions, ['player'], 0, 0);
  for (let nowMs = 0; nowMs <= 10_000; nowMs += 1000) sessions.asked(asking('robot'), nowMs);
  expect(countsOf(sessions)).toEqual({ demo: { players: 1, suspectedRobots: 1 } });
  play(sessions, ['player', 'robot'], 20_000, 30_000);
  expect(countsOf(sessions)).toEqual({ demo: { players: 1, suspectedRobots: 1 } });
  play(sessions, ['player', 'robot'], 40_000, 90_000);
  expect(countsOf(sessions)).toEqual({ demo: { players: 2, suspectedRobots: 0 } });
});

test('a player that repeats a request after each failure is not suspected', () => {
  const sessions = new PlayerSessions();
  for (let nowMs = 0; nowMs <= 60_000; nowMs += ttlMs)
    for (const repeatMs of [0, 500]) sessions.asked(asking('player'), nowMs + repeatMs);
  expect(countsOf(sessions)).toEqual({ demo: { players: 1, suspectedRobots: 0 } });
});

test('what never names a pathway is suspected', () => {
  const sessions = new PlayerSessions();
  sessions.asked(asking('robot', { hasPathway: false }), 0);
  expect(countsOf(sessions)).toEqual({ demo: { players: 0, suspectedRobots: 1 } });
  sessions.asked(asking('robot'), ttlMs);
  expect(countsOf(sessions)).toEqual({ demo: { players: 1, suspectedRobots: 0 } });
});

// Goal: only what is over a network's crowd is suspected, and each robot once. Method: a small crowd; robots among it; then all leave.
test('of one network those over a crowd are suspected, and others go on to count', () => {
  const sessions = new PlayerSessions({ crowd: 5 });
  const robots = ['r1', 'r2', 'r3'];
  for (const name of robots) sessions.asked(asking(name, { hasPathway: false }), 0);
  play(sessions, many(8), 0, 20_000);
  sessions.asked(asking('elsewhere', { network: '10.0.0.2' }), 0);
  for (const name of robots) sessions.asked(asking(name, { hasPathway: false }), 20_000);
  expect(countsOf(sessions)).toEqual({ demo: { players: 6, suspectedRobots: 6 } });
  for (const name of many(8)) sessions.left(name);
  expect(countsOf(sessions)).toEqual({ demo: { players: 1, suspectedRobots: 3 } });
});

test.each<[string, Partial<SessionLimits>]>([
  ['of this edge', { sessions: 3 }],
  ['of one network', { ofNetwork: 3 }],
])('over the bound %s nobody counts, and that is counted; who is known goes on', (_what, limits) => {
  const sessions = new PlayerSessions(limits);
  const isCounted = many(4).map((name) => sessions.asked(asking(name, { hasPathway: name !== 's0' }), 0));
  expect({ isCounted, refused: sessions.refused, kept: sessions.size }).toEqual({
    isCounted: [true, true, true, false],
    refused: 1,
    kept: 3,
  });
  expect(sessions.asked(asking('s1'), ttlMs)).toBe(true);
});

test('another edge is told once whom it may let go, so many at once', () => {
  const sessions = new PlayerSessions({ moved: 3 });
  const [n2, n3] = [NodeId.parse('n2'), NodeId.parse('n3')];
  for (const name of ['a', 'b']) sessions.letGo(n2, name);
  for (const name of ['c', 'd']) sessions.letGo(n3, name);
  expect(sessions.takeMoved()).toEqual(
    new Map([
      [n2, ['a', 'b']],
      [n3, ['c']],
    ]),
  );
  expect({ again: sessions.takeMoved().size, refused: sessions.refused }).toEqual({ again: 0, refused: 1 });
});
