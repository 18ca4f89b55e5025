/** Video of few pictures, or of a rate that varies, without sound: what relays and networks make of it is no sick clock. */
import { expect, test } from 'vitest';
import type { FlvTag } from '../../../../../../actors/ingest/ingest-port.ts';
import {
  avcHeader,
  avcPicture,
  feed,
  periodsOf,
  play,
  refusalsOf,
  segmentsOf,
  slice,
  tailsOf,
  warningsOf,
  type Played,
} from '../../../../../support/ingest/flv-builders.ts';

const picturesOf = (played: Played): number =>
  [...segmentsOf(played), ...tailsOf(played)].reduce((sum, { times90k }) => sum + times90k.length, 0);
/** When the pictures of all segments are shown, in ms since the first one. */
const timesOf = (played: Played): readonly number[] =>
  [...segmentsOf(played), ...tailsOf(played)].flatMap(({ start90k, times90k }) =>
    times90k.map((time) => (start90k + time) / 90),
  );
const clockFaults = new Set([
  'timestampOutlier',
  'timestampJump',
  'timestampSnapped',
  'presentationRepaired',
]);
const mendsOf = (played: Played): readonly string[] =>
  warningsOf(played).filter((code) => clockFaults.has(code));
const startMs = 36_000_000;

// Goal: what a relay keeps for newcomers comes all at once, and is shown at the times that it tells. Method: slow video whose
// first seconds come in at once, or within a second for each of its own, the rest in real time.
test.each(
  [0.5, 0.8, 1, 2].flatMap((framesPerSecond) =>
    [3000, 5000, 9000].map((burstMs) => ({ framesPerSecond, burstMs })),
  ),
)(
  'video of $framesPerSecond pictures a second that begins with a burst of $burstMs ms keeps its times, in one period',
  ({ framesPerSecond, burstMs }) => {
    const tags = feed({ seconds: 40, framesPerSecond, gopSeconds: 4, hasAudio: false, startMs });
    for (const slowness of [0, 0.3]) {
      const wallMs = (_: number, { timestampMs }: FlvTag): number => {
        const ms = timestampMs - startMs;
        return ms <= burstMs ? ms * slowness : burstMs * slowness + ms - burstMs;
      };
      const played = play(tags, { wallMs });
      expect(refusalsOf(played)).toEqual([]);
      expect(mendsOf(played)).toEqual([]);
      expect(periodsOf(played)).toHaveLength(1);
      expect(picturesOf(played)).toBe(40 * framesPerSecond);
      const steps = timesOf(played).map((ms, i, all) => Math.round(ms - (all[i - 1] ?? ms)));
      expect([...new Set(steps.slice(1))]).toEqual([1000 / framesPerSecond]);
    }
  },
);

test('slides that begin with a burst keep their times, however they lie', () => {
  const gapsMs = [300, 2900, 700, 1800, 3400, 200, 2500];
  const times = Array.from({ length: 28 }, (_, i) => gapsMs[i % gapsMs.length] ?? 0).reduce<number[]>(
    (all, gap) => [...all, (all.at(-1) ?? 0) + gap],
    [0],
  );
  const tags = [avcHeader(), ...times.map((ms, i) => avcPicture(ms, slice(i, i % 2 === 0)))];
  for (const count of [3, 5, 8]) {
    const burstMs = times[count] ?? 0;
    const played = play(tags, { wallMs: (_, { timestampMs }) => Math.max(0, timestampMs - burstMs) });
    expect(refusalsOf(played)).toEqual([]);
    expect(mendsOf(played)).toEqual([]);
    expect(timesOf(played).map((ms) => Math.round(ms))).toEqual(times);
  }
});

interface Stretch {
  readonly seconds: number;
  readonly framesPerSecond: number;
}

/** Pictures alone, with a keyframe in the first second of every two. */
function varying(stretches: readonly Stretch[]): readonly FlvTag[] {
  const times: number[] = [];
  let ms = 0;
  for (const { seconds, framesPerSecond } of stretches) {
    for (let i = 0; i < seconds * framesPerSecond; i += 1)
      times.push(Math.round(ms + (i * 1000) / framesPerSecond));
    ms += seconds * 1000;
  }
  let gop = -1;
  const pictures = times.map((time, i) => {
    const isKey = Math.floor(time / 2000) > gop;
    if (isKey) gop = Math.floor(time / 2000);
    return avcPicture(time, slice(i, isKey));
  });
  return [avcHeader(), ...pictures];
}

const atHalfSpeedFrom =
  (fromMs: number, untilMs: number) =>
  (_: number, { timestampMs: ms }: FlvTag): number =>
    ms <= fromMs ? ms : fromMs + 2 * (Math.min(ms, untilMs) - fromMs);

// Goal: the more a picture changes the more pictures come, and the more bytes, just when the network cannot carry them.
test.each([
  { name: 'that never was so fast', before: [{ seconds: 12, framesPerSecond: 10 }], framesPerSecond: 30 },
  {
    name: 'of slides that begin to move',
    before: [{ seconds: 20, framesPerSecond: 1 }],
    framesPerSecond: 30,
  },
  {
    name: 'that varied a little before',
    before: [
      { seconds: 8, framesPerSecond: 10 },
      { seconds: 8, framesPerSecond: 15 },
    ],
    framesPerSecond: 25,
  },
  {
    name: 'that was as fast before',
    before: [
      { seconds: 8, framesPerSecond: 30 },
      { seconds: 8, framesPerSecond: 10 },
    ],
    framesPerSecond: 30,
  },
])(
  'video of a varying rate $name is not refused on a network at half speed',
  ({ before, framesPerSecond }) => {
    const fromMs = before.reduce((sum, { seconds }) => sum + seconds * 1000, 0);
    const tags = varying([...before, { seconds: 10, framesPerSecond }, { seconds: 20, framesPerSecond: 10 }]);
    const played = play(tags, { wallMs: atHalfSpeedFrom(fromMs, fromMs + 10_000) });
    expect(refusalsOf(played)).toEqual([]);
    expect(periodsOf(played)).toHaveLength(1);
  },
);

test('a clock at half its pace is refused though the rate had varied before', () => {
  const tags = varying([
    { seconds: 8, framesPerSecond: 10 },
    { seconds: 8, framesPerSecond: 15 },
    { seconds: 60, framesPerSecond: 30 },
  ]);
  const played = play(tags, { wallMs: atHalfSpeedFrom(16_000, 100_000) });
  expect(refusalsOf(played)).toEqual([
    { code: 'MEDIA_INVALID', detail: expect.stringContaining('The clock of the video crawls') },
  ]);
});
