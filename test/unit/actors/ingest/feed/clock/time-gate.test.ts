/** Which times pass, which wait, which are mended: the gate alone, on clocks of any kind. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FeedClock } from '../../../../../../actors/ingest/feed/clock/feed-clock.ts';
import {
  TimeGate,
  type Released,
  type Timed,
  type TrackName,
} from '../../../../../../actors/ingest/feed/clock/time-gate.ts';

type Sample = Timed<number>;

/** Pictures and frames of a sound feed in the order they come in; `value` is the place in that order. */
function steady(count: number, stepMs: number, startMs = 0): readonly Sample[] {
  const one = (track: TrackName, ms: number) => ({
    track,
    ms: startMs + Math.round(ms),
    bytes: 100,
    value: 0,
  });
  const pictures = Array.from({ length: count }, (_, i) => one('video', i * stepMs));
  const frames = Array.from({ length: Math.floor((count * stepMs) / 21.33) }, (_, i) =>
    one('audio', i * 21.33),
  );
  return [...pictures, ...frames]
    .toSorted((a, b) => a.ms - b.ms)
    .map((sample, value) => ({ ...sample, value, arrivedMs: 5000 + sample.ms - startMs }));
}

interface Ran {
  readonly released: readonly Released<number>[];
  /** How many samples of its own track came in while one was held, at most. */
  readonly longestHeld: number;
}

function run(samples: readonly Sample[]): Ran {
  const gate = new TimeGate<number>();
  const released: Released<number>[] = [];
  const waiting = { video: 0, audio: 0 };
  let longestHeld = 0;
  for (const sample of samples) {
    waiting[sample.track] += 1;
    const out = [...gate.push(sample), ...gate.tick(sample.arrivedMs)];
    for (const { value } of out) waiting[samples[value]?.track ?? sample.track] -= 1;
    released.push(...out);
    longestHeld = Math.max(longestHeld, waiting.video, waiting.audio);
  }
  released.push(...gate.flush());
  return { released, longestHeld };
}

const outliersOf = ({ released }: Ran): readonly number[] =>
  released
    .flatMap(({ value, outlierByMs }) => (outlierByMs === undefined ? [] : [value]))
    .toSorted((a, b) => a - b);

function ofTrack({ released }: Ran, samples: readonly Sample[], track: TrackName) {
  return released.filter(({ value }) => samples[value]?.track === track);
}

const hours = 3_600_000;
const farAway = fc.oneof(
  fc.integer({ min: 600, max: 10 * hours }),
  fc.integer({ min: -10 * hours, max: -600 }),
);
const stepMs = fc.constantFrom(8.333, 16.667, 33.367, 40, 100);
const start = fc.constantFrom(0, 1000, 10 * hours, 2 ** 32 - 5000);

// Goal: an outlier never moves the clock. Method: bursts of one to three samples of one track, each anywhere or all
// by the same offset, in a feed of any rate; ten sound samples lie between two bursts.
test('bursts of outliers, ahead or back, in either track, are shown between their neighbours and counted', () => {
  const burst = fc.record({
    gap: fc.integer({ min: 12, max: 60 }),
    byMs: fc.array(farAway, { minLength: 1, maxLength: 3 }),
    isCommon: fc.boolean(),
  });
  fc.assert(
    fc.property(
      stepMs,
      start,
      fc.constantFrom<TrackName>('video', 'audio'),
      fc.array(burst, { maxLength: 6 }),
      (step, startMs, track, bursts) => {
        const sound = steady(500, step, startMs);
        const own = sound.filter((sample) => sample.track === track);
        const off = new Map<number, number>();
        let at = 0;
        for (const { gap, byMs, isCommon } of bursts) {
          at += gap;
          for (const [i, by] of byMs.entries())
            off.set(own[at + i]?.value ?? -1, isCommon ? (byMs[0] ?? by) : by);
          at += byMs.length;
        }
        off.delete(-1);
        const told = sound.map((sample) => ({ ...sample, ms: sample.ms + (off.get(sample.value) ?? 0) }));
        const ran = run(told);
        const lastOwn = own.at(-1)?.value ?? 0;
        fc.pre(![...off.keys()].some((value) => value >= lastOwn));
        expect(outliersOf(ran)).toEqual([...off.keys()].toSorted((a, b) => a - b));
        const farOff = ran.released.filter(
          ({ value, ms }) => Math.abs(ms - (sound[value]?.ms ?? 0)) > (off.has(value) ? 200 : 0),
        );
        expect(farOff).toEqual([]);
        const clock = new FeedClock();
        const jumps = ofTrack(ran, sound, 'video').filter(
          ({ value, ms }) => clock.step(ms, sound[value]?.arrivedMs ?? 0).kind === 'jump',
        );
        expect(jumps).toEqual([]);
      },
    ),
    { numRuns: 150 },
  );
});

test('an encoder that was restarted is believed within five samples of a track, and nothing is mended', () => {
  fc.assert(
    fc.property(
      stepMs,
      start,
      fc.oneof(fc.integer({ min: 5000, max: hours }), fc.integer({ min: -hours, max: -5000 })),
      fc.integer({ min: -80, max: 80 }),
      (step, startMs, byMs, apartMs) => {
        const sound = steady(200, step, startMs + 2 * hours);
        const middle = sound[Math.floor(sound.length / 2)]?.ms ?? 0;
        const told = sound.map((sample) => {
          const shift = sample.track === 'video' ? byMs : byMs + apartMs;
          return sample.ms < middle ? sample : { ...sample, ms: sample.ms + shift };
        });
        const ran = run(told);
        expect(outliersOf(ran)).toEqual([]);
        expect(ran.longestHeld).toBeLessThan(5);
        expect(ran.released.toSorted((a, b) => a.value - b.value).map(({ ms }) => ms)).toEqual(
          told.map(({ ms }) => ms),
        );
      },
    ),
    { numRuns: 100 },
  );
});

test('video alone that jumps is believed after five pictures, a track alone beside sound that stays as well', () => {
  const sound = steady(100, 40);
  const told = sound.map((sample) =>
    sample.track === 'video' && sample.ms >= 2000 ? { ...sample, ms: sample.ms + hours } : sample,
  );
  const ran = run(told);
  expect(outliersOf(ran)).toEqual([]);
  expect(ran.longestHeld).toBe(4);
});

test('whatever the times are, samples come out once, in order, in bounded time and memory, or the feed is refused', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(
          fc.constantFrom<TrackName>('video', 'audio'),
          fc.integer({ min: 0, max: 2 ** 33 }),
          fc.integer({ min: 0, max: 400 }),
          fc.integer({ min: 0, max: 600_000 }),
        ),
        { maxLength: 120 },
      ),
      (rows) => {
        const gate = new TimeGate<Sample>();
        const out: Released<Sample>[] = [];
        const put: Sample[] = [];
        let arrivedMs = 0;
        const go = (): void => {
          for (const [track, ms, waitMs, bytes] of rows) {
            arrivedMs += waitMs;
            const sample = { track, ms, bytes, arrivedMs, value: put.length };
            put.push(sample);
            out.push(...gate.push({ ...sample, value: sample }), ...gate.tick(arrivedMs));
            const seen = new Set(out.map(({ value }) => value));
            const held = put.filter((one) => !seen.has(one));
            for (const one of held) expect(arrivedMs - one.arrivedMs).toBeLessThan(12_000);
            expect(gate.heldBytes).toBeLessThanOrEqual(2 * (4 * 1024 * 1024 + 600_256));
          }
          out.push(...gate.flush());
        };
        try {
          go();
        } catch (error) {
          expect(error).toMatchObject({
            code: 'MEDIA_INVALID',
            message: expect.stringContaining('make no sense'),
          });
          return;
        }
        for (const track of ['video', 'audio'] as const)
          expect(out.map(({ value }) => value).filter((one) => one.track === track)).toEqual(
            put.filter((one) => one.track === track),
          );
        expect(gate.heldBytes).toBe(0);
      },
    ),
    { numRuns: 300 },
  );
});

test('a feed whose times are all nonsense is refused within ten seconds, by its track', () => {
  const gate = new TimeGate<number>();
  const feed = (): void => {
    for (let i = 0; i < 250; i += 1) {
      const ms = ((i * 7_919) % 1000) * 100_000;
      gate.push({ track: 'video', ms, arrivedMs: i * 40, bytes: 100, value: i });
    }
  };
  expect(feed).toThrow(
    expect.objectContaining({
      code: 'MEDIA_INVALID',
      message: expect.stringContaining('times of the video make no sense'),
    }),
  );
});

// Goal: lawful feeds are never held. Method: each sends what encoders send; nothing waits, nothing is mended.
test.each([
  { name: 'one picture in five seconds', samples: steady(20, 5000) },
  {
    name: 'a stall of the network for 8 s, then all at once',
    samples: steady(500, 40).map((one) => ({
      ...one,
      arrivedMs: one.ms > 5000 && one.ms < 13_000 ? 18_000 : one.arrivedMs,
    })),
  },
  {
    name: 'pictures that were dropped while the network stood still',
    samples: steady(500, 40).filter(({ ms }) => ms < 5000 || ms > 11_000),
  },
  {
    name: 'jitter of 90 ms',
    samples: steady(500, 40).map((one, i) => ({ ...one, ms: one.ms + ((i * 37) % 90) })),
  },
])('nothing is held or mended of $name', ({ samples }) => {
  const told = samples.map((sample, value) => ({ ...sample, value }));
  const ran = run(told);
  expect({ outliers: outliersOf(ran), longestHeld: ran.longestHeld }).toEqual({
    outliers: [],
    longestHeld: 0,
  });
  expect(ran.released.map(({ ms }) => ms)).toEqual(told.map(({ ms }) => ms));
});

// A picture in so many ms may be the whole feed: five that agree, or eight seconds, are no measure for it.
test.each([{ stepMs: 2500 }, { stepMs: 5000 }, { stepMs: 9000 }])(
  'video alone with a picture each $stepMs ms is believed when it jumps, and not refused',
  ({ stepMs }) => {
    const samples = Array.from({ length: 20 }, (_, i) => ({
      track: 'video' as const,
      bytes: 100,
      value: i,
      ms: i * stepMs + (i < 8 ? 0 : hours),
      arrivedMs: 5000 + i * stepMs,
    }));
    const gate = new TimeGate<number>();
    const released = samples.flatMap((sample) => {
      const ticks = Array.from({ length: Math.floor(stepMs / 250) }, (_, i) =>
        gate.tick(sample.arrivedMs - stepMs + i * 250),
      );
      return [...ticks.flat(), ...gate.push(sample)];
    });
    expect(released.map(({ value, ms }) => ({ value, ms }))).toEqual(
      samples.map(({ value, ms }) => ({ value, ms })),
    );
  },
);
