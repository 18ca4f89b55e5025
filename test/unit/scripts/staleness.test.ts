import { expect, test } from 'vitest';
import { StreamHealth } from '../../../cluster/contract/stream-health.ts';
import { describeAge, describeStaleness } from '../../../scripts/client/staleness.ts';
import { describeHealth } from '../../../scripts/commands/streams.ts';

const stale = { asOf: '2026-11-24T12:00:00.000Z', ageMs: 13_600, reason: 'NATS does not answer' };
const health = (change: object): StreamHealth =>
  StreamHealth.parse({
    state: 'live',
    reason: 'first publish',
    owner: 'n1',
    region: 'r1',
    epoch: 1,
    since: 'then',
    successors: [],
    renditions: [],
    asOf: '2026-11-24T12:00:14.000Z',
    ...change,
  });

test.each([
  [0, '0 s'],
  [13_600, '14 s'],
  [119_499, '119 s'],
  [119_500, '2 min'],
  [7_199_000, '119 min'],
  [7_500_000, '2 h 5 min'],
])('%i ms are told as %s', (ms, words) => {
  expect(describeAge(ms)).toBe(words);
});

test('a stale answer says how old it is, and why', () => {
  expect(describeStaleness(stale)).toBe('as it was known 14 s ago: NATS does not answer');
});

test.each([
  ['the time alone while NATS answers', {}, ['  as of      2026-11-24T12:00:14.000Z']],
  [
    'the age of a record',
    { stale, asOf: stale.asOf },
    ['  all this   as it was known 14 s ago: NATS does not answer'],
  ],
  [
    "its time and the ownership's age when the owner itself answers",
    { stale },
    [
      '  as of      2026-11-24T12:00:14.000Z, by its owner',
      '  ownership  as it was known 14 s ago: NATS does not answer',
    ],
  ],
])('who ends with %s', (_what, change, lines) => {
  expect(describeHealth('s', health(change)).trimEnd().split('\n').slice(3)).toEqual(lines);
});

test('who says how far renditions are behind while somebody publishes, and their gaps always', () => {
  const renditions = [{ name: 'h264-720p', lagMs: 28_700, gaps: 0, recentGaps: 3 }];
  const lineIn = (state: string): string | undefined =>
    describeHealth('s', health({ state, renditions }))
      .split('\n')
      .find((line) => line.includes('h264-720p'));
  expect({ live: lineIn('live'), offline: lineIn('offline') }).toEqual({
    live: '  h264-720p  28.7 s behind, 3 gaps in the last 10 minutes',
    offline: '  h264-720p  3 gaps in the last 10 minutes',
  });
});
