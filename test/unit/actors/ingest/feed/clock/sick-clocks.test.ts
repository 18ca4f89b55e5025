/** Whole sessions on clocks that lie, stand still, crawl or race: what goes on air of them, or why they are refused. */
import { expect, test } from 'vitest';
import type { FlvTag } from '../../../../../../actors/ingest/ingest-port.ts';
import {
  configurations,
  countedOf,
  feed,
  periodsOf,
  play,
  refusalsOf,
  segmentsOf,
  warningsOf,
  wire,
  type FeedShape,
  type Played,
} from '../../../../../support/ingest/flv-builders.ts';

type Retime = (ms: number, index: number, kind: FlvTag['kind']) => number;

/** A feed in real time whose tags tell other times; `index` counts the tags of a kind, headers left out. */
function playRetimed(shape: FeedShape, retime: Retime, wall: (ms: number) => number = (ms) => ms): Played {
  const tags = feed(shape);
  const counts = { video: 0, audio: 0, script: 0 };
  const told = tags.map((tag) => {
    if (tag.payload[1] === 0) return tag;
    counts[tag.kind] += 1;
    return { ...tag, timestampMs: wire(retime(tag.timestampMs, counts[tag.kind] - 1, tag.kind)) };
  });
  return play(told, { wallMs: (index) => wall(tags[index]?.timestampMs ?? 0) });
}

/** Wall time of the feed when it was refused, ms. */
function refusedAfterMs(shape: FeedShape, retime: Retime): number | undefined {
  for (let seconds = 1; seconds <= shape.seconds; seconds += 1)
    if (refusalsOf(playRetimed({ ...shape, seconds }, retime)).length > 0) return seconds * 1000;
  return undefined;
}

const hour = 3_600_000;
const shape = { seconds: 21 } as const;
const sound = segmentsOf(playRetimed(shape, (ms) => ms));

test.each([
  {
    name: 'one picture in 50 is 10 h ahead',
    off: (i: number, kind: string) => kind === 'video' && i % 50 === 7,
    byMs: 10 * hour,
  },
  {
    name: 'one picture in 50 is 10 h back',
    off: (i: number, kind: string) => kind === 'video' && i % 50 === 7,
    byMs: -10 * hour,
  },
  {
    name: 'each keyframe is 10 h ahead',
    off: (i: number, kind: string) => kind === 'video' && i > 0 && i % 50 === 0,
    byMs: 10 * hour,
  },
  {
    name: 'one picture is 800 ms ahead',
    off: (i: number, kind: string) => kind === 'video' && i === 120,
    byMs: 800,
  },
  {
    name: 'three pictures are 2 s back',
    off: (i: number, kind: string) => kind === 'video' && i > 120 && i < 124,
    byMs: -2000,
  },
  {
    name: 'one frame of sound in 50 is 10 h ahead',
    off: (i: number, kind: string) => kind === 'audio' && i % 50 === 7,
    byMs: 10 * hour,
  },
  {
    name: 'one frame of sound is 5 s ahead',
    off: (i: number, kind: string) => kind === 'audio' && i === 200,
    byMs: 5000,
  },
  {
    name: 'three frames of sound are 5 s back',
    off: (i: number, kind: string) => kind === 'audio' && i > 200 && i < 204,
    byMs: -5000,
  },
])('$name: one period, every segment, all pictures and all sound; and it is told', ({ off, byMs }) => {
  const played = playRetimed(
    { ...shape, startMs: 11 * hour },
    (ms, i, kind) => ms + (off(i, kind) ? byMs : 0),
    (ms) => ms - 11 * hour,
  );
  expect(refusalsOf(played)).toEqual([]);
  expect(periodsOf(played)).toHaveLength(1);
  const segments = segmentsOf(played);
  const extent = ({ start90k, duration90k, times90k, audio }: (typeof sound)[number]) => ({
    start90k,
    duration90k,
    pictures: times90k.length,
    frames: audio?.samples.length,
    silentFrames: audio?.silentFrames,
  });
  expect(segments.map(extent)).toEqual(sound.map(extent));
  expect([...new Set(warningsOf(played))]).toEqual(['timestampOutlier']);
  const [health] = played.session.stats(played.now).warnings;
  expect(health).toContain('told a time');
});

test('health and the metric count the outliers', () => {
  const played = playRetimed(shape, (ms, i, kind) => ms + (kind === 'video' && i % 50 === 7 ? 10 * hour : 0));
  expect(played.session.stats(played.now).warnings[0]).toContain('(11 times)');
  expect(countedOf(played, 'timestampOutlier')).toBe(11);
});

test('a jump of both clocks still opens a period, with all its pictures from the next keyframe on', () => {
  const played = playRetimed(shape, (ms) => (ms >= 10_000 ? ms + hour : ms));
  expect(periodsOf(played).map(({ connectionZeroMs }) => connectionZeroMs)).toEqual([0, 10_000 + hour]);
  expect(segmentsOf(played).reduce((sum, { times90k }) => sum + times90k.length, 0)).toBeGreaterThanOrEqual(
    20 * 25,
  );
  expect(warningsOf(played)).toEqual(['timestampJump']);
});

test('a hole that no keyframe interval may bridge opens a period; its publisher is not refused for keyframes', () => {
  const tags = feed({ seconds: 30 }).filter((tag) => tag.timestampMs <= 4500 || tag.timestampMs > 14_100);
  const played = play(tags, { wallMs: (index) => tags[index]?.timestampMs ?? 0 });
  expect(refusalsOf(played)).toEqual([]);
  expect(periodsOf(played)).toHaveLength(2);
});

const crawls =
  (factor: number, fromMs = 0): Retime =>
  (ms) =>
    Math.round(ms < fromMs ? ms : fromMs + (ms - fromMs) * factor);

test.each([
  { name: 'stands still from the start', shape: {}, retime: crawls(0) },
  { name: 'stands still after 12 s', shape: {}, retime: crawls(0, 12_000), afterMs: 12_000 },
  { name: 'crawls at a hundredth', shape: {}, retime: crawls(0.01) },
  { name: 'crawls at a tenth after 12 s', shape: {}, retime: crawls(0.1, 12_000), afterMs: 12_000 },
  { name: 'runs at half the pace', shape: {}, retime: crawls(0.5) },
  { name: 'runs at 70 % of the pace', shape: {}, retime: crawls(0.7) },
  { name: 'stands still, without sound', shape: { hasAudio: false }, retime: crawls(0) },
  {
    name: 'runs at half the pace after 12 s, without sound',
    shape: { hasAudio: false },
    retime: crawls(0.5, 12_000),
    afterMs: 12_000,
  },
  {
    name: 'stands still, at one picture a second, without sound',
    shape: { hasAudio: false, framesPerSecond: 1 },
    retime: crawls(0),
  },
  { name: 'stands still, of sound alone', shape: { hasVideo: false }, retime: crawls(0) },
  {
    name: 'stands still for pictures alone',
    shape: {},
    retime: (ms: number, _: number, kind: string) => (kind === 'video' ? 0 : ms),
  },
  {
    name: 'runs at half the pace for pictures alone',
    shape: {},
    retime: (ms: number, _: number, kind: string) => (kind === 'video' ? ms / 2 : ms),
  },
])('a clock that $name is refused within 10 s, with the reason', ({ shape: one, retime, afterMs = 0 }) => {
  const wrong = { seconds: 30, ...one };
  const played = playRetimed(wrong, retime);
  expect(refusalsOf(played)).toEqual([
    { code: 'MEDIA_INVALID', detail: expect.stringMatching(/^The clock of the (video|audio) crawls/) },
  ]);
  const afterwardsMs = (refusedAfterMs(wrong, retime) ?? Infinity) - afterMs;
  expect(afterwardsMs).toBeLessThanOrEqual(10_000);
});

test('a clock that races is refused once it leads by a minute, with what to set', () => {
  const played = playRetimed({ seconds: 20, gopSeconds: 0.5 }, (ms) => ms * 8);
  expect(refusalsOf(played)).toEqual([
    { code: 'MEDIA_INVALID', detail: expect.stringContaining('ffmpeg: -re') },
  ]);
});

// Goal: what networks do is not taken for a sick clock. Method: feeds of true clocks that come in late and in bursts.
test.each([
  {
    name: 'a stall of 25 s, then all at once',
    wall: (ms: number) => (ms > 20_000 && ms < 45_000 ? 45_000 : ms),
  },
  { name: 'stalls of 4 s, again and again', wall: (ms: number) => Math.ceil(ms / 4000) * 4000 },
  { name: 'two thirds of the bandwidth for a minute', wall: (ms: number) => ms * 1.5 },
  { name: 'a first burst of 40 s', wall: (ms: number) => Math.max(0, ms - 40_000) },
])('a sound feed is not refused for $name', ({ wall }) => {
  for (const one of [{}, { hasAudio: false }, { hasVideo: false }, { framesPerSecond: 2 }]) {
    const played = playRetimed({ seconds: 60, ...one }, (ms) => ms, wall);
    expect(refusalsOf(played)).toEqual([]);
    expect(periodsOf(played)).toHaveLength(1);
    expect(segmentsOf(played).length).toBeGreaterThan(25);
  }
});

// Goal: what waits at a new configuration belongs to the one before it. Method: the last tag before another record is told an hour ahead, so
// that it is held; all is cut as it is without that.
test.each([
  { kind: 'video', next: { videoRecord: configurations.h264Other } },
  { kind: 'audio', next: { audioRecord: configurations.aac44, audioRate: 44_100 } },
] as const)('a held sample of $kind comes before the configuration that follows it', ({ kind, next }) => {
  const before = feed({ seconds: 4 });
  const tags = [...before, ...feed({ seconds: 6, startMs: 4000, ...next })];
  const last = before.findLastIndex((tag) => tag.kind === kind);
  const cut = (byMs: number) =>
    segmentsOf(
      play(
        tags.map((tag, index) =>
          index === last ? { ...tag, timestampMs: wire(tag.timestampMs + byMs) } : tag,
        ),
        { wallMs: (index) => tags[index]?.timestampMs ?? 0 },
      ),
    );
  expect(cut(0).length).toBeGreaterThan(3);
  expect(cut(hour)).toEqual(cut(0));
});
