/** The clocks' guards one by one, each on the smallest feed that needs it: gate, steps and pace. */
import { expect, test } from 'vitest';
import { FeedClock } from '../../../../../../actors/ingest/feed/clock/feed-clock.ts';
import { Pace } from '../../../../../../actors/ingest/feed/clock/pace.ts';
import {
  TimeGate,
  type Released,
  type TrackName,
} from '../../../../../../actors/ingest/feed/clock/time-gate.ts';

const hour = 3_600_000;
const megabyte = 1024 * 1024;

interface Row {
  readonly ms: number;
  readonly arrivedMs: number;
  readonly track?: TrackName;
  readonly bytes?: number;
}

/** Pictures each 40 ms, in real time. */
const steady = (count: number, startMs = 0): readonly Row[] =>
  Array.from({ length: count }, (_, i) => ({ ms: startMs + i * 40, arrivedMs: i * 40 }));

function gate(rows: readonly Row[]) {
  const one = new TimeGate<number>();
  const released: Released<number>[] = [];
  for (const [value, { ms, arrivedMs, track = 'video', bytes = 100 }] of rows.entries())
    released.push(...one.push({ track, ms, arrivedMs, bytes, value }), ...one.tick(arrivedMs));
  return { one, released };
}

const endMs = 1000 * 40;
const next = (i: number, more: Partial<Row> = {}): Row => ({
  ms: endMs + i * 40,
  arrivedMs: endMs + i * 40,
  ...more,
});

test('gate: one time 12 s ahead is an outlier though the clock lay 20 s behind its best lead', () => {
  const late = Array.from({ length: 3 }, (_, i) => next(i, { arrivedMs: endMs + 20_000 + i }));
  const { released } = gate([
    ...steady(1000),
    ...late.map((row, i) => (i === 1 ? { ...row, ms: row.ms + 12_000 } : row)),
  ]);
  expect(
    released.map(({ value, outlierByMs }) => (outlierByMs === undefined ? -1 : value)).filter((v) => v >= 0),
  ).toEqual([1001]);
});

test('gate: suspects are given up once 4 MiB of them wait', () => {
  const suspects = Array.from({ length: 6 }, (_, i) => next(i, { ms: (i + 1) * hour, bytes: megabyte }));
  const { one, released } = gate([...steady(1000), ...suspects]);
  expect(released.length).toBeGreaterThan(1000);
  expect(one.heldBytes).toBeLessThan(4.1 * megabyte);
});

test('gate: a suspect is given up after 12 s, however long the usual step is', () => {
  const slow = Array.from({ length: 30 }, (_, i) => ({ ms: i * 8000, arrivedMs: i * 8000 }));
  const one = new TimeGate<number>();
  for (const [value, { ms, arrivedMs }] of slow.entries())
    one.push({ track: 'video', ms, arrivedMs, bytes: 1, value });
  expect(one.push({ track: 'video', ms: 10 * hour, arrivedMs: 240_000, bytes: 1, value: 30 })).toEqual([]);
  expect(one.tick(251_000)).toEqual([]);
  expect(one.tick(252_000)).toHaveLength(1);
});

test('gate: the best lead wears off, so a slow clock that loses 3 s may not make a hole of them an hour later', () => {
  const slow = Array.from({ length: 3600 }, (_, i) => ({ ms: Math.round(i * 990), arrivedMs: i * 1000 }));
  const lostMs = 3_600_000 - 3599 * 990;
  expect(lostMs).toBeGreaterThan(30_000);
  const jump = { ms: 3599 * 990 + 9000, arrivedMs: 3_600_000 };
  expect(gate([...slow, jump]).released).toHaveLength(3600);
});

test('gate: where both tracks go the same way, four samples are enough', () => {
  const both = Array.from({ length: 50 }, (_, i): readonly Row[] => [
    { ms: i * 40, arrivedMs: i * 40 },
    { ms: i * 40 + 5, arrivedMs: i * 40, track: 'audio' },
  ]).flat();
  const jumped = Array.from({ length: 2 }, (_, i): readonly Row[] => [
    { ms: hour + i * 40, arrivedMs: 2000 + i * 40 },
    { ms: hour + i * 40 + 5, arrivedMs: 2000 + i * 40, track: 'audio' },
  ]).flat();
  const { released } = gate([...both, ...jumped]);
  expect(released).toHaveLength(both.length + jumped.length);
  expect(released.filter(({ outlierByMs }) => outlierByMs !== undefined)).toEqual([]);
});

test('gate: a young track believes no step of more than 10 s', () => {
  const burst = Array.from({ length: 6 }, (_, i) => ({ ms: i * 11_000, arrivedMs: 0 }));
  expect(gate(burst).released).toHaveLength(1);
});

function clockAfter(rows: readonly (readonly [ms: number, arrivedMs: number])[], isFirst = false) {
  const clock = new FeedClock({ isFirst });
  return rows.map(([ms, arrivedMs]) => clock.step(ms, arrivedMs).kind).at(-1);
}
const running = Array.from({ length: 300 }, (_, i): [number, number] => [i * 40, i * 40]);
const lastMs = 299 * 40;

test.each([
  { name: '400 ms back', row: [lastMs - 400, lastMs + 40], kind: 'run' },
  { name: '600 ms back', row: [lastMs - 600, lastMs + 40], kind: 'jump' },
  { name: '3 s ahead of what the wall clock allows', row: [lastMs + 3000, lastMs + 40], kind: 'jump' },
  { name: '900 ms ahead', row: [lastMs + 900, lastMs + 40], kind: 'run' },
  { name: 'a hole of 3 s behind a stall', row: [lastMs + 3000, lastMs + 3000], kind: 'run' },
  { name: 'a hole of 11 s behind a stall', row: [lastMs + 11_000, lastMs + 11_000], kind: 'jump' },
] as const)('steps: $name is a $kind', ({ row: [ms, arrivedMs], kind }) => {
  expect(clockAfter([...running, [ms, arrivedMs]])).toBe(kind);
});

test('steps: only the first clock of a feed begins with a burst', () => {
  const burst: [number, number][] = [
    [0, 0],
    [2000, 0],
  ];
  expect(clockAfter(burst, true)).toBe('run');
  expect(clockAfter(burst)).toBe('jump');
});

test('steps: the best lead wears off, and a jump behind a slow hour is seen', () => {
  const slow = Array.from({ length: 3600 }, (_, i): [number, number] => [Math.round(i * 990), i * 1000]);
  expect(clockAfter([...slow, [3599 * 990 + 9000, 3_600_000]])).toBe('jump');
});

const frameMs = 1024 / 48;
/** Sound and its arrival; refused or not. */
function pace(rows: readonly (Row & { readonly track: TrackName })[]): string | undefined {
  const one = new Pace();
  try {
    for (const { track, ms, arrivedMs } of rows)
      one.note(track, ms, arrivedMs, track === 'audio' ? frameMs : 0);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : 'no error';
  }
}
const soundOf = (seconds: number, tell: (i: number) => number, arrive: (i: number) => number) =>
  Array.from({ length: Math.floor((seconds * 1000) / frameMs) }, (_, i) => ({
    track: 'audio' as const,
    ms: tell(i),
    arrivedMs: arrive(i),
  }));

test('pace: a clock that leads by 5 % of the time is taken, one that leads by more is refused in the end', () => {
  const lead = (share: number) =>
    pace(
      soundOf(
        3000,
        (i) => i * frameMs * (1 + share),
        (i) => i * frameMs,
      ),
    );
  expect(lead(0.04)).toBeUndefined();
  expect(lead(0.1)).toContain('runs ahead of real time');
});

test('pace: bad windows count in a row only', () => {
  const crawling = (ms: number): number =>
    ms - Math.floor(ms / 8000) * 3000 - Math.max(0, (ms % 8000) - 5000);
  expect(crawling(8000)).toBe(5000);
  const rows = soundOf(
    60,
    (i) => crawling(i * frameMs),
    (i) => i * frameMs,
  );
  expect(pace(rows)).toBeUndefined();
});

test('pace: one picture that comes seconds later with nearly the same time is no rate', () => {
  const rows = [0, 1, 4000, 4001, 8000].map((ms, i) => ({
    track: 'video' as const,
    ms,
    arrivedMs: i * 4000,
  }));
  expect(pace(rows)).toBeUndefined();
});

test('pace: sound whose clock jumps back every 3 s is judged by no time across a jump', () => {
  const rows = soundOf(
    60,
    (i) => i * frameMs - 2000 * Math.floor((i * frameMs) / 3000),
    (i) => i * frameMs,
  );
  expect(pace(rows)).toBeUndefined();
});

test('pace: frames that are said to be twice as long as they are do not make a clock slow that keeps the wall time', () => {
  const rows = soundOf(
    60,
    (i) => (i * frameMs) / 2,
    (i) => (i * frameMs) / 2,
  );
  expect(pace(rows)).toBeUndefined();
});

test('pace: who was silent for two minutes may catch up at once, however long ago he led', () => {
  const silentMs = 120_000;
  const rows = soundOf(
    240,
    (i) => i * frameMs,
    (i) => (i * frameMs < 60_000 ? i * frameMs : Math.max(i * frameMs, 60_000 + silentMs)),
  );
  expect(pace(rows)).toBeUndefined();
});

test('pace: who fell behind in the course of hours is measured by that, and may not send more than a minute of it at once', () => {
  const slow = Array.from({ length: 7200 }, (_, i) => ({ ms: i * 990, arrivedMs: i * 1000 }));
  const [lastMs, lastArrivedMs] = [7199 * 990, 7_199_000];
  const catchingUp = Array.from({ length: 75 }, (_, i) => ({
    ms: lastMs + (i + 1) * 1000,
    arrivedMs: lastArrivedMs + (i + 1) * 100,
  }));
  const rows = [...slow, ...catchingUp].map((row) => ({ ...row, track: 'video' as const }));
  expect(pace(rows)).toContain('runs ahead of real time');
});

const picturesOf = (seconds: number, tell: (ms: number) => number, arrive: (ms: number) => number) =>
  Array.from({ length: seconds * 25 }, (_, i) => ({
    track: 'video' as const,
    ms: tell(i * 40),
    arrivedMs: arrive(i * 40),
  }));
const inOrder = (rows: readonly (Row & { readonly track: TrackName })[]) =>
  rows.toSorted((a, b) => a.arrivedMs - b.arrivedMs);
/** When that comes in which an encoder sends that stands still for `pauseMs` each time that it has run for `runMs`. */
const withPauses = (ms: number, runMs: number, pauseMs: number): number =>
  ms + Math.floor(ms / runMs) * pauseMs;

test('pace: sound is judged by no window with a pause in it, whatever its frames are said to last', () => {
  const rows = soundOf(
    60,
    (i) => (i * frameMs) / 2,
    (i) => withPauses((i * frameMs) / 2, 3000, 1200),
  );
  expect(pace(rows)).toBeUndefined();
});

test('pace: an encoder that is suspended again and again, sound and all, has no clock that crawls', () => {
  const wall = (ms: number): number => (ms < 12_000 ? ms : 12_000 + withPauses(ms - 12_000, 1800, 1800));
  const sounds = soundOf(
    60,
    (i) => i * frameMs,
    (i) => wall(i * frameMs),
  );
  expect(pace(inOrder([...sounds, ...picturesOf(60, (ms) => ms, wall)]))).toBeUndefined();
});

test('pace: pictures that crawl are refused beside sound that keeps up, though it pauses before each window ends', () => {
  const sounds = soundOf(
    60,
    (i) => withPauses(i * frameMs, 3500, 1100),
    (i) => withPauses(i * frameMs, 3500, 1100),
  );
  const crawling = picturesOf(
    60,
    (ms) => ms / 2,
    (ms) => ms,
  );
  expect(pace(inOrder([...sounds, ...crawling]))).toContain('The clock of the video crawls');
});

test('gate: after a jump pictures that come in a burst, half a second apart, are believed', () => {
  const burst = Array.from({ length: 5 }, (_, i) => next(0, { ms: hour + i * 500 }));
  const { released } = gate([...steady(1000), ...burst]);
  expect(released.slice(1000).map(({ ms, outlierByMs }) => ({ ms, outlierByMs }))).toEqual(
    burst.map(({ ms }) => ({ ms, outlierByMs: undefined })),
  );
});
