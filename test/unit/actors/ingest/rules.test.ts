/** The small rules of ingest, each alone: where to cut, how fast a feed runs, which clock steps are jumps. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isCut, nextAudioCut } from '../../../../actors/ingest/feed/cut-rule.ts';
import { FeedClock } from '../../../../actors/ingest/feed/clock/feed-clock.ts';
import { CodedPicture } from '../../../../actors/ingest/feed/intake/coded-picture.ts';
import { measureFrameRate, resolveFrameRate } from '../../../../actors/ingest/feed/frame-rate.ts';
import { RandomAccessStage, type RawPicture } from '../../../../actors/ingest/feed/picture.ts';
import { repairTimes } from '../../../../actors/ingest/feed/segment-builder.ts';

const s = 90_000;

test.each([
  { start: 0, idr: 1.74, cuts: false },
  { start: 0, idr: 1.75, cuts: true },
  { start: 0, idr: 2, cuts: true },
  { start: 1.9, idr: 2.4, cuts: false },
  { start: 1.9, idr: 3.75, cuts: true },
  { start: 0, idr: 9.9, cuts: true },
])('an IDR at $idr s cuts a segment that began at $start s: $cuts', ({ start, idr, cuts }) => {
  expect(isCut(start * s, idr * s)).toBe(cuts);
});

test('sessions that join at any IDR agree on every cut after the first that both see', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 2, maxLength: 60 }),
      fc.nat(30),
      (gops, join) => {
        const idrs = gops.reduce((times, gop) => [...times, (times.at(-1) ?? 0) + gop * 900], [0]);
        const cutsFrom = (first: number): readonly number[] => {
          let start = idrs[first] ?? 0;
          return idrs.slice(first + 1).filter((idr) => {
            const cuts = isCut(start, idr);
            if (cuts) start = idr;
            return cuts;
          });
        };
        const at = Math.min(join, idrs.length - 1);
        const late = cutsFrom(at);
        const early = cutsFrom(0).filter((idr) => idr > (idrs[at] ?? 0));
        expect(late).toEqual(early);
      },
    ),
  );
});

test('audio alone is cut at the frame nearest to each line of the 2 s grid', () => {
  let start = 0;
  const cuts = Array.from({ length: 5 }, () => {
    start += Math.round((nextAudioCut(start, 48_000, 1024) - start) / 1024) * 1024;
    return start / 1024;
  });
  expect(cuts).toEqual([94, 188, 281, 375, 469]);
});

test.each([
  [[30_000, 1001], 29.97],
  [[24_000, 1001], 23.976],
  [[60_000, 1001], 59.94],
  [[25, 1], 25],
  [[30, 1], 30],
  [[50, 1], 50],
  [[60, 1], 60],
  [[15, 1], 15],
])(
  'the rate %j is found in two seconds of whole milliseconds, with pictures missing',
  (rate, framesPerSecond) => {
    const times = Array.from({ length: Math.round(2 * framesPerSecond) }, (_, i) =>
      Math.round((i * 1000 * (rate[1] ?? 1)) / (rate[0] ?? 1)),
    );
    const measured = measureFrameRate(times.filter((_, i) => i % 17 !== 5));
    expect(resolveFrameRate([framesPerSecond], measured)).toEqual(rate);
    expect(measured).toBeCloseTo(framesPerSecond, 0);
  },
);

test('a word that the pictures contradict is not believed, and an odd rate is kept as it is', () => {
  const at25 = measureFrameRate(Array.from({ length: 50 }, (_, i) => i * 40));
  expect(resolveFrameRate([1000, 60], at25)).toEqual([25, 1]);
  expect(resolveFrameRate([undefined], 17.3)).toEqual([1730, 100]);
  expect(resolveFrameRate([undefined], undefined)).toEqual([25, 1]);
});

test('small steps back are snapped, restarts and leads are jumps, a hole after a stall is none', () => {
  const clock = new FeedClock();
  const kinds = [
    clock.step(1000, 0),
    clock.step(1040, 40),
    clock.step(1020, 80),
    clock.step(1041, 90),
    clock.step(0, 100),
    clock.step(6000, 200),
    clock.step(6000, 6000),
    clock.step(16_500, 16_500),
  ].map((step) => (step.kind === 'run' ? step.ms : step.kind));
  expect(kinds).toEqual([1000, 1040, 1041, 1042, 'jump', 'jump', 6000, 'jump']);
});

test('a clock that drifts from the wall by 0.1 % for a day never jumps', () => {
  for (const rate of [0.999, 1.001]) {
    const clock = new FeedClock();
    const isJump = Array.from({ length: 86_400 }, (_, i) => clock.step(i * 1000 * rate, i * 1000)).some(
      ({ kind }) => kind === 'jump',
    );
    expect(isJump).toBe(false);
    expect(Math.sign(clock.driftMs)).toBe(Math.sign(rate - 1));
  }
});

function stageOf(roles: readonly RawPicture['role'][]): readonly string[] {
  const stage = new RandomAccessStage();
  const raws = roles.map((role, i): RawPicture => {
    const ptsMs = role === 'leading' || role === 'rasl' ? i * 40 - 100 : i * 40;
    return { data: new CodedPicture(Uint8Array.of(i)), dtsMs: i * 40, ptsMs, role };
  });
  const settled = [...raws.flatMap((raw) => stage.push(raw)), ...stage.flush()];
  expect(settled.map(({ data }) => data.whole()[0])).toEqual(roles.map((_, i) => i));
  return settled.filter(({ isKey }) => isKey).map(({ data, cutMs }) => `${data.whole()[0]}@${cutMs}`);
}

test.each([
  { name: 'IDR without leading pictures', roles: ['key', 'other', 'other'], keys: ['0@0'] },
  { name: 'CRA with RASL behind it', roles: ['key', 'maybeKey', 'rasl', 'other'], keys: ['0@0'] },
  { name: 'CRA with nothing behind it', roles: ['key', 'maybeKey', 'other'], keys: ['0@0', '1@40'] },
  {
    name: 'IDR_W_RADL: the cut lies at its first leading picture',
    roles: ['key', 'other', 'maybeKey', 'leading', 'other'],
    keys: ['0@0', '2@20'],
  },
  { name: 'CRA with RADL, then RASL', roles: ['key', 'maybeKey', 'leading', 'rasl', 'other'], keys: ['0@0'] },
  { name: 'CRA that is the last picture', roles: ['key', 'maybeKey'], keys: ['0@0', '1@40'] },
  { name: 'two CRAs in a row', roles: ['maybeKey', 'maybeKey', 'rasl'], keys: ['0@0'] },
] as const)('random access: $name', ({ roles, keys }) => {
  expect(stageOf(roles)).toEqual(keys);
});

test('a candidate with endless leading pictures is given up, not kept', () => {
  const stage = new RandomAccessStage();
  const roles: readonly RawPicture['role'][] = [
    'maybeKey',
    ...Array.from({ length: 40 }, () => 'leading' as const),
  ];
  const settled = roles.flatMap((role, i) =>
    stage.push({ data: new CodedPicture(Uint8Array.of(i)), dtsMs: i, ptsMs: i, role }),
  );
  expect(settled.length).toBe(41);
  expect(settled.some(({ isKey }) => isKey)).toBe(false);
});

test('times are made unique and brought inside, their order kept; sound ones stay', () => {
  expect(repairTimes([0, 270, 90, 180], 0, 360)).toEqual({ times: [0, 270, 90, 180], repaired: 0 });
  expect(repairTimes([0, 90, 90, 400, -5], 0, 360).times).toEqual([1, 90, 91, 359, 0]);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -50, max: 250 }), { minLength: 1, maxLength: 100 }), (times) => {
      const fixed = repairTimes(times, 0, 200).times;
      expect(new Set(fixed).size).toBe(times.length);
      expect(Math.min(...fixed)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...fixed)).toBeLessThan(200);
      const pairs = times.flatMap((a, i) =>
        times.slice(i + 1).map((b, j) => ({ told: a - b, now: (fixed[i] ?? 0) - (fixed[i + 1 + j] ?? 0) })),
      );
      expect(pairs.every(({ told, now }) => told === 0 || Math.sign(told) === Math.sign(now))).toBe(true);
    }),
    { numRuns: 200 },
  );
});
