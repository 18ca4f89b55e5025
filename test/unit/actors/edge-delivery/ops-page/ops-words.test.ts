import { expect, test } from 'vitest';
import {
  audienceText,
  awayMark,
  drainWords,
  duration,
  inputText,
  maybeToken,
  nodeMark,
  publisherLine,
  releaseWords,
  renditionLines,
  streamMark,
  summaryOf,
} from '../../../../../actors/edge-delivery/ops-page/ops-words.ts';
import { StreamHealth } from '../../../../../cluster/contract/stream-health.ts';
import { ClusterView } from '../../../../../cluster/contract/api/control-views.ts';
import { RegionId } from '../../../../../cluster/model/ids.ts';

const node = {
  region: 'r1',
  host: 'h',
  pid: 1,
  bootId: 'b1',
  roles: ['edge-delivery'],
  http: 'http://h',
  rtmp: 'rtmp://h',
  state: 'alive',
  isSuspected: false,
};
const { nodes } = ClusterView.pick({ nodes: true }).parse({
  nodes: [
    { ...node, id: 'n1', load: { streams: 3, onAir: 1, connections: 1200 } },
    { ...node, id: 'n2', load: { streams: 0 }, state: 'dead' },
  ],
});
const publisher = {
  sessionId: 's1',
  node: 'n1',
  role: 'active',
  remoteAddress: '10.0.0.7',
  lastPacketAgeMs: 20,
  warnings: [],
};
const sessions = (change: object) =>
  (StreamHealth.shape.sessions.parse([{ ...publisher, ...change }]) ?? []).map(publisherLine);
const renditions = (change: object, state: StreamHealth['state'] = 'live') =>
  renditionLines({
    state,
    renditions: StreamHealth.shape.renditions.parse([
      { name: 'h264-360p', lagMs: 2100, gaps: 7, recentGaps: 0, ...change },
    ]),
  });

test.each([
  { state: 'alive', isSuspected: false, text: 'alive', tone: 'good' },
  { state: 'alive', isSuspected: true, text: 'does not answer', tone: 'bad' },
  { state: 'draining', isSuspected: false, text: 'draining', tone: 'warn' },
  { state: 'dead', isSuspected: true, text: 'dead', tone: 'bad' },
] as const)('a node that is $state, suspected: $isSuspected, is "$text"', ({ text, tone, ...state }) => {
  expect(nodeMark(state)).toEqual({ text, tone });
});

// As it once was: "28.7 s", and later hours, behind live, of a stream that nobody sent.
test.each(['offline', 'refused'] as const)('of a stream that is %s no rendition is behind', (state) => {
  expect(renditions({ lagMs: 3_600_000 }, state)).toEqual([]);
});

test('a stream whose health could not be asked is not called offline', () => {
  expect(streamMark(undefined)).toEqual({ text: 'not known', tone: 'warn' });
});

test('the summary counts the living, what is on air, and viewers; with NATS down it says how old it is', () => {
  expect(summaryOf({ nodes })).toBe('1 of 2 nodes alive, 1 stream on air, 1,200 connections of viewers');
  const stale = { asOf: '2026-11-24T12:00:00.000Z', ageMs: 14_000, reason: 'NATS does not answer' };
  expect(summaryOf({ nodes, stale })).toBe('As of 14 s ago (NATS does not answer): 1 of 2 nodes alive');
});

test('a publisher says where it is, what it sends and what is wrong with it', () => {
  expect(sessions({ bitrateBps: 2_500_000, encoder: 'OBS' })).toEqual([
    { text: 'at n1, 2,500 kbit/s', detail: 'OBS · 10.0.0.7' },
  ]);
  expect(sessions({ warnings: ['keyframes are 5.0 s apart'], role: 'candidate' })).toEqual([
    { text: 'at n1', detail: 'candidate · 10.0.0.7 · keyframes are 5.0 s apart', tone: 'warn' },
  ]);
  expect(sessions({ lastPacketAgeMs: 8000 })).toMatchObject([{ text: 'at n1, silent for 8 s', tone: 'bad' }]);
});

test('a rendition is red for recent gaps alone, and yellow when it is far behind', () => {
  expect(renditions({})).toEqual([{ text: 'h264-360p 2.1 s' }]);
  expect(renditions({ recentGaps: 1 })).toEqual([{ text: 'h264-360p 2.1 s, 1 gap in 10 min', tone: 'bad' }]);
  expect(renditions({ lagMs: 12_100 })).toEqual([{ text: 'h264-360p 12.1 s', tone: 'warn' }]);
});

test('what comes in is told with as much as is known', () => {
  expect(inputText({ videoCodec: 'H.264', width: 640, height: 360, fps: 25, bitrateBps: 900_400 })).toBe(
    'H.264 640x360 25.00 fps, 900 kbit/s',
  );
  expect(inputText({ audioCodec: 'AAC' })).toBe('AAC');
});

test('an operator reads whom an action concerns', () => {
  const [first] = nodes;
  if (first === undefined) throw new Error('there is no node');
  expect(drainWords('n1', first.load)).toMatch(
    /^n1 hands over 1 stream, sends .* 1,200 connections of viewers/,
  );
  expect(releaseWords(['n1', 'n2'])).toMatch(/^n1, n2 are declared dead at once/);
});

test.each([
  [850, '850 ms'],
  [14_400, '14 s'],
  [300_000, '5 min'],
  [10_800_000, '3 h'],
  [259_200_000, '3 days'],
] as const)('%d ms are %s', (ms, text) => expect(duration(ms)).toBe(text));

test('what no header can carry is no token', () => {
  expect(['q8Yk3_-N~!', 'tok…en', '“token”', 'to ken', ''].map(maybeToken)).toEqual([
    true,
    false,
    false,
    false,
    false,
  ]);
});

test.each([
  [{ players: 1, sockets: 0, users: 0 }, '1 viewer'],
  [{ players: 0, sockets: 0, users: 0 }, '0 viewers'],
  [{ players: 1200, sockets: 950, users: 310 }, '1,200 viewers, 950 sockets of 310 users'],
  [{ players: 0, sockets: 2, users: 1 }, '2 viewers, 2 sockets of 1 user'],
  [{ players: 3, sockets: 0, users: 0, suspectedRobots: 1 }, '3 viewers, 1 suspected robot'],
])('an audience of %o is told as %s', (audience, text) => {
  expect(audienceText({ suspectedRobots: 0, ...audience })).toBe(text);
});

test('a stream of another region names that region, and for how long it is not heard', () => {
  const nowMs = Date.parse('2026-11-30T18:05:00.000Z');
  const region = RegionId.parse('eu');
  const unheard = { region, since: '2026-11-30T18:03:00.000Z' };
  expect({
    live: awayMark({ region, state: 'live', unheard: undefined }, nowMs),
    starts: awayMark({ region, state: 'starting', unheard: undefined }, nowMs),
    cut: awayMark({ region, state: 'live', unheard }, nowMs),
  }).toEqual({
    live: { text: 'live in eu', tone: 'good' },
    starts: { text: 'starting in eu', tone: 'warn' },
    cut: { text: 'in eu, not heard for 2 min', tone: 'bad' },
  });
});
