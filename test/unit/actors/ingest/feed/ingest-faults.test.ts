/** The session core on feeds that are not sound: clocks that jump, audio that fails, what is refused, and rubbish. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FlvTag } from '../../../../../actors/ingest/ingest-port.ts';
import {
  aacFrame,
  aacHeader,
  avcHeader,
  avcPicture,
  configurations,
  feed,
  periodsOf,
  play,
  refusalsOf,
  segmentsOf,
  slice,
  tailsOf,
  wallOfMedia,
  warningsOf,
  type Played,
} from '../../../../support/ingest/flv-builders.ts';

const s = 90_000;
const head = avcHeader();
const spans = (played: Played, ordinal = 0): readonly (readonly number[])[] =>
  segmentsOf(played, ordinal).map(({ start90k, duration90k }) => [start90k / s, duration90k / s]);
const shifted = (tags: readonly FlvTag[], byMs: number): readonly FlvTag[] =>
  tags.map((tag) => ({ ...tag, timestampMs: tag.timestampMs + byMs }));
const silentIn = (played: Played): readonly (number | undefined)[] =>
  segmentsOf(played).map(({ audio: one }) => one?.silentFrames);
const pictures = (played: Played): number =>
  [...segmentsOf(played), ...tailsOf(played)].reduce((sum, { times90k }) => sum + times90k.length, 0);
const codes = (played: Played): readonly string[] => refusalsOf(played).map(({ code }) => code);

function expectWholeAudio(played: Played, ordinal = 0): void {
  const segments = segmentsOf(played, ordinal);
  for (const [i, { audio: one, start90k, duration90k }] of segments.entries()) {
    expect(one).toBeDefined();
    if (one === undefined) continue;
    expect(Math.abs(one.end / 48_000 - (start90k + duration90k) / s)).toBeLessThan(0.011);
    if (i > 0) expect(one.startTime).toBe(segments[i - 1]?.audio?.end);
  }
}

test.each([
  { name: 'restart at zero', byMs: -4_006_000 },
  { name: 'an hour ahead', byMs: 3_600_000 },
  { name: '15 s ahead', byMs: 15_000 },
  { name: '5 s ahead while the wall clock stands', byMs: 5000 },
  { name: '2 s back', byMs: -2000 },
])('a clock that jumps ends the period and opens another, no picture lost: $name', ({ byMs }) => {
  const startMs = 4_000_000;
  const before = feed({ seconds: 6, startMs });
  const after = shifted(
    feed({ seconds: 6.04, startMs: startMs + 6000, firstFrame: 150, hasHeaders: false }),
    byMs,
  );
  const played = play([...before, ...after]);
  expect(spans(played, 0)).toEqual([
    [0, 2],
    [2, 2],
    [4, 2],
  ]);
  expect(spans(played, 1)).toEqual([
    [0, 2],
    [2, 2],
    [4, 2],
  ]);
  expect(periodsOf(played).map(({ connectionZeroMs }) => connectionZeroMs)).toEqual([
    startMs,
    startMs + 6000 + byMs,
  ]);
  expect(pictures(played)).toBe(301);
  expect(warningsOf(played)).toContain('timestampJump');
  expect(refusalsOf(played)).toEqual([]);
  expectWholeAudio(played, 0);
  expectWholeAudio(played, 1);
  const silent = segmentsOf(played).reduce((sum, { audio: one }) => sum + (one?.silentFrames ?? 0), 0);
  expect(silent).toBeLessThanOrEqual(2);
});

// Goal: a restarted encoder's audio and video jump one after the other; neither order may lose sound or mix clocks.
test.each([
  { name: 'audio first', videoLagMs: 200 },
  { name: 'video first', videoLagMs: -200 },
])('when the tracks jump apart, the next period has both from its start: $name', ({ videoLagMs }) => {
  const startMs = 900_000;
  const at = (tag: FlvTag): number => (tag.kind === 'video' ? tag.timestampMs + videoLagMs : tag.timestampMs);
  const before = feed({ seconds: 6, startMs });
  const after = shifted(
    feed({ seconds: 6.04, startMs: startMs + 6000, hasHeaders: false, firstFrame: 150 }),
    0,
  );
  const arrival = [...before, ...after.toSorted((a, b) => at(a) - at(b))];
  const restarted = arrival.map((tag, i) =>
    i < before.length ? tag : { ...tag, timestampMs: tag.timestampMs - startMs - 6000 },
  );
  const played = play(restarted);
  expect(periodsOf(played).map(({ connectionZeroMs }) => connectionZeroMs)).toEqual([startMs, 0]);
  expect(spans(played, 1)).toEqual([
    [0, 2],
    [2, 2],
    [4, 2],
  ]);
  expectWholeAudio(played, 1);
  expect(segmentsOf(played, 1).map(({ audio: one }) => one?.silentFrames)).toEqual([0, 0, 0]);
});

test('jitter, a step back of 300 ms and equal timestamps are snapped: one period, every picture at a time of its own', () => {
  const jitter = (i: number): number => [0, 13, -9, 0, -40][i % 5] ?? 0;
  const tags = Array.from({ length: 201 }, (_, i) =>
    avcPicture(1000 + i * 40 + jitter(i) - (i === 60 ? 300 : 0), slice(i, i % 50 === 0)),
  );
  const played = play([avcHeader(), ...tags]);
  expect(periodsOf(played).length).toBe(1);
  expect(spans(played)).toEqual([
    [0, 2],
    [2, 2],
    [4, 2],
    [6, 2],
  ]);
  expect(pictures(played)).toBe(201);
  for (const { times90k } of segmentsOf(played)) expect(new Set(times90k).size).toBe(times90k.length);
  expect(warningsOf(played)).toContain('timestampSnapped');
});

test('a hole while the network stood still is a hole, not a jump; its audio is silence and declared', () => {
  const isThere = ({ timestampMs }: FlvTag): boolean => timestampMs < 3900 || timestampMs >= 8000;
  const tags = feed({ seconds: 12.04 }).filter((tag, i) => i < 2 || isThere(tag));
  const played = play(tags, { wallMs: wallOfMedia() });
  expect(spans(played)).toEqual([
    [0, 2],
    [2, 6],
    [8, 2],
    [10, 2],
  ]);
  expectWholeAudio(played);
  expect(silentIn(played)[1]).toBeGreaterThan(180);
  expect(warningsOf(played)).toContain('audioGap');
});

test('composition times that make pictures collide, or point hours ahead, are repaired', () => {
  const compositionOf = (i: number): number => [0, 40, 0, 8_000_000][i % 4] ?? 0;
  const tags = Array.from({ length: 101 }, (_, i) =>
    avcPicture(i * 40, slice(i, i % 50 === 0), { compositionMs: compositionOf(i) * (i % 50 === 0 ? 0 : 1) }),
  );
  const played = play([avcHeader(), ...tags]);
  expect(spans(played)).toEqual([
    [0, 2],
    [2, 2],
  ]);
  expect(pictures(played)).toBe(101);
  for (const { times90k, duration90k } of segmentsOf(played)) {
    expect(new Set(times90k).size).toBe(50);
    expect(Math.max(...times90k)).toBeLessThan(duration90k);
  }
  expect(warningsOf(played)).toContain('presentationRepaired');
});

test('audio that jumps a second ahead alone is a gap in the same period, filled with silence', () => {
  const played = play(feed({ seconds: 9, audioShiftMs: (ms) => (ms > 3000 ? 1000 : 0) }));
  expect(periodsOf(played).length).toBe(1);
  expectWholeAudio(played);
  expect(silentIn(played)).toEqual([0, 47, 0, 0]);
  expect(warningsOf(played)).toContain('audioGap');
});

test('audio that steps back alone is dropped until its time comes again', () => {
  const played = play(feed({ seconds: 12, audioShiftMs: (ms) => (ms > 3000 && ms < 8000 ? -1500 : 0) }));
  expect(periodsOf(played).length).toBe(1);
  expectWholeAudio(played);
  expect(warningsOf(played)).toContain('audioOutOfRange');
  expect(segmentsOf(played).at(-1)?.audio?.silentFrames).toBe(0);
});

test('audio that stops: segments close after a second of waiting, in silence, or without audio where that is chosen', () => {
  const tags = feed({ seconds: 12.04 }).filter((tag) => tag.kind === 'video' || tag.timestampMs < 3000);
  const bridged = play(tags);
  expect(spans(bridged)).toEqual([
    [0, 2],
    [2, 2],
    [4, 2],
    [6, 2],
    [8, 2],
    [10, 2],
  ]);
  expectWholeAudio(bridged);
  expect(silentIn(bridged).slice(2)).toEqual([93, 94, 94, 94]);
  const absent = play(tags, { limits: { audioGaps: 'absent' } });
  expect(segmentsOf(absent).map(({ audio: one }) => one !== undefined)).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
  expect(warningsOf(bridged)).toContain('audioGap');
});

test('audio that begins late has silence from the first picture on', () => {
  const tags = feed({ seconds: 9 }).filter(
    (tag, i) => i < 2 || tag.kind === 'video' || tag.timestampMs > 5000,
  );
  const played = play(tags);
  expectWholeAudio(played);
  expect(silentIn(played)[0]).toBe(94);
  expect(silentIn(played)[3]).toBe(0);
});

test('audio that began before the first picture is cut off before it', () => {
  const tags = [
    head,
    aacHeader(),
    ...Array.from({ length: 400 }, (_, i) => aacFrame(Math.round((i * 1024) / 48), [1, i & 255])),
    ...feed({ seconds: 5, startMs: 5010, hasAudio: false }),
  ];
  const arrival = tags.toSorted(
    (a, b) => a.timestampMs - b.timestampMs || (a.payload[1] ?? 0) - (b.payload[1] ?? 0),
  );
  const played = play(arrival);
  expect(periodsOf(played)[0]?.connectionZeroMs).toBe(5010);
  expect(segmentsOf(played)[0]?.audio).toMatchObject({
    silentFrames: 0,
    startTime: Math.round((5013 - 5010) * 48),
  });
  expect(segmentsOf(played)[0]?.audio?.samples[0]?.data[1]).toBe(235);
});

// Goal: sound stays with the picture for hours. Method: a sound card 0.1 % fast, three minutes; what is cut must hold as
// many frames as its FLV times say, within two, corrected singly.
test.each([0.001, -0.001])('audio that drifts by %f against video is set right at borders', (drift) => {
  const played = play(feed({ seconds: 180, audioShiftMs: (ms) => Math.round(ms * drift) }), {
    wallMs: wallOfMedia(),
  });
  expectWholeAudio(played);
  expect(warningsOf(played)).toContain('audioDrift');
  const samples = segmentsOf(played).flatMap(({ audio: one }) => one?.samples ?? []);
  const last = samples.findLast(({ data }) => data.length === 3);
  const index = ((last?.data[1] ?? 0) << 8) | (last?.data[2] ?? 0);
  expect(Math.abs((last?.pts ?? 0) - index * 1024 * (1 + drift))).toBeLessThan(2.5 * 1024);
});

test('a video clock that drifts against the wall by 0.5 % stays one period and is told', () => {
  const played = play(feed({ seconds: 600, hasAudio: false, framesPerSecond: 5 }), {
    wallMs: (_, tag) => tag.timestampMs * 0.995,
  });
  expect(periodsOf(played).length).toBe(1);
  expect(warningsOf(played)).toContain('clockDrift');
});

// Goal: rubbish costs only its sender. Method: sound feeds with tags altered, cut off, repeated and moved in time; the
// session must not throw, must refuse at most once, and what it gives must still tile and hold what was claimed.
test('whatever comes, the session gives warnings, one refusal at most, and segments that tile', () => {
  const sound = feed({ seconds: 7, gopSeconds: 1, bFrames: true });
  const change = fc.record({
    at: fc.nat(sound.length - 1),
    kind: fc.constantFrom('video', 'audio', 'script'),
    payload: fc.oneof(
      fc.uint8Array({ maxLength: 30 }),
      fc.constantFrom(
        ...[avcHeader(), aacHeader(), avcHeader(0, configurations.h264Other)].map((tag) => tag.payload),
      ),
    ),
    timestampMs: fc.oneof(fc.constant(-1), fc.nat(2 ** 32 - 1), fc.nat(8000)),
    isAdded: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
      const tags = [...sound];
      for (const { at, kind, payload, timestampMs, isAdded } of changes) {
        const time = timestampMs < 0 ? (tags[at]?.timestampMs ?? 0) : timestampMs;
        tags.splice(at, isAdded ? 0 : 1, { kind, timestampMs: time, payload });
      }
      const played = play(tags);
      expect(refusalsOf(played).length).toBeLessThanOrEqual(1);
      expect(codes(played)).not.toContain('INTERNAL');
      for (const ordinal of periodsOf(played).keys()) {
        const own = segmentsOf(played, ordinal);
        for (const [i, segment] of own.entries()) {
          expect(segment.duration90k).toBeGreaterThan(0);
          if (i > 0)
            expect(segment.start90k).toBe((own[i - 1]?.start90k ?? 0) + (own[i - 1]?.duration90k ?? 0));
          expect(segment.video?.samples.length ?? 0).toBe(segment.times90k.length);
          expect(new Set(segment.times90k).size).toBe(segment.times90k.length);
        }
      }
    }),
    { numRuns: 300 },
  );
});
