/** Frames (M16): which segments, which rung, and every way of there being none. */
import { describe, expect, test } from 'vitest';
import { planFrame, type FrameRequest } from '../../../../../actors/media/timeline/frame-plan.ts';
import type { Timeline } from '../../../../../actors/media/timeline/timeline.ts';
import { LogBuilder } from '../../../../support/ports/log-builder.ts';
import { audioRendition, fullLadder } from '../../../../support/ports/records.ts';

function plan(timeline: Timeline, offsetSeconds: number, more: Partial<FrameRequest> = {}) {
  return planFrame(timeline, { offsetSeconds, durationSeconds: 10, retentionSeconds: 86_400, ...more });
}
function frame(timeline: Timeline, offsetSeconds: number, more: Partial<FrameRequest> = {}) {
  const planned = plan(timeline, offsetSeconds, more);
  if (planned.kind !== 'frame') throw new Error(`no frame: ${JSON.stringify(planned)}`);
  return { ...planned, numbers: planned.segments.map((segment) => segment.number) };
}

const live = new LogBuilder().open().clock().segments(20).fold();

describe('a frame of [o, o + d)', () => {
  test('holds the whole segments that start in it, with picture and sound, and says what it is', () => {
    const { numbers, segments, ...rest } = frame(live, 10);
    expect(numbers).toEqual([5, 6, 7, 8, 9]);
    expect(rest).toMatchObject({
      rendition: { name: 'h264-720p' },
      audioRendition: { name: 'aac-128k' },
      startsAtMs: 1_700_000_010_000,
      offsetSeconds: 10,
      durationSeconds: 10,
      nextOffsetSeconds: 20,
    });
    expect(segments[1]).toMatchObject({
      start90k: 1_080_000,
      video: { startTime: 1_080_000, duration: 180_000 },
      audio: { startTime: 576_512 },
    });
  });

  test.for([
    [11, 10, [6, 7, 8, 9, 10], 12, 10],
    [11, 0.5, [5], 10, 2],
    [12, 0.5, [6], 12, 2],
    [0, 1, [0], 0, 2],
  ] as const)('from %d s for %d s holds %j', ([offset, durationSeconds, numbers, from, lasts]) => {
    expect(frame(live, offset, { durationSeconds })).toMatchObject({
      numbers,
      offsetSeconds: from,
      durationSeconds: lasts,
      nextOffsetSeconds: offset + durationSeconds,
    });
  });

  test('tiles: each segment is in exactly one of the frames that follow each other', () => {
    const log = new LogBuilder().open().clock();
    for (const duration90k of [123_456, 700_000, 90_000, 180_000, 333_333, 180_000, 899_999, 180_000])
      log.segment({ duration90k });
    const timeline = log.end().fold();
    const numbers = [0, 10, 20].flatMap((offset) => frame(timeline, offset).numbers);
    expect(numbers).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  test('one that lies inside of a long segment holds that one', () => {
    const long = new LogBuilder().open().clock().segments(3, { duration90k: 900_000 }).fold();
    expect(frame(long, 13, { durationSeconds: 5 })).toMatchObject({
      numbers: [1],
      offsetSeconds: 10,
      durationSeconds: 10,
    });
  });
});

describe('periods and holes', () => {
  const twice = new LogBuilder().open().clock().segments(4).clock(undefined, 40).segments(10).fold();

  test("a period's end ends the clip", () => {
    expect(frame(twice, 4)).toMatchObject({ numbers: [2, 3], durationSeconds: 4, nextOffsetSeconds: 14 });
    expect(frame(twice, 47)).toMatchObject({
      numbers: [4, 5, 6, 7, 8],
      offsetSeconds: 48,
      period: { ordinal: 1 },
    });
  });

  test('the silence between two periods has no frame', () => {
    expect(plan(twice, 20)).toEqual({ kind: 'missing' });
  });

  test('a declared gap ends the clip, and is left out at its beginning', () => {
    const gaps = new LogBuilder().open().clock().segments(2).gap().segments(10).fold();
    expect(frame(gaps, 0).numbers).toEqual([0, 1]);
    expect(frame(gaps, 4)).toMatchObject({ numbers: [3, 4, 5, 6], offsetSeconds: 6 });
    expect(plan(gaps, 5, { durationSeconds: 1 })).toEqual({ kind: 'missing' });
  });
});

describe('the rung', () => {
  test('is the best for the device', () => {
    expect(frame(live, 0, { device: 'tv' }).rendition.name).toBe('h264-720p');
    expect(frame(live, 0, { device: 'phone' }).rendition.name).toBe('h264-720p');
  });

  test('is the nearest lower one that lasts for the whole clip where the best is absent', () => {
    const timeline = new LogBuilder()
      .open()
      .clock()
      .segments(2)
      .segment({ absent: ['h264-720p', 'h264-480p'] })
      .segments(9)
      .fold();
    expect(frame(timeline, 0)).toMatchObject({ rendition: { name: 'h264-360p' }, numbers: [0, 1, 2, 3, 4] });
    expect(frame(timeline, 6).rendition.name).toBe('h264-720p');
  });

  test('lasts up to a gap only: what is behind it does not choose', () => {
    const log = new LogBuilder()
      .open()
      .clock()
      .segment()
      .segment({ absent: ['h264-720p'] })
      .gap()
      .segments(9);
    expect(frame(log.fold(), 0)).toMatchObject({ rendition: { name: 'h264-480p' }, numbers: [0, 1] });
  });

  test('where none lasts, the clip ends with its best', () => {
    const all = ['h264-720p', 'h264-480p', 'h264-360p', 'h264-240p'];
    const timeline = new LogBuilder().open().clock().segments(2).segment({ absent: all }).segments(9).fold();
    expect(frame(timeline, 0)).toMatchObject({
      rendition: { name: 'h264-720p' },
      numbers: [0, 1],
      durationSeconds: 4,
    });
  });

  test('audio alone is a clip, too; video alone has no sound', () => {
    const audio = frame(new LogBuilder().open().clock([audioRendition]).segments(9).fold(), 0);
    expect(audio.rendition.kind).toBe('audio');
    expect(audio.segments[0]).toMatchObject({ audio: { startTime: 0 } });
    expect(audio.segments[0]?.video).toBeUndefined();
    const video = frame(new LogBuilder().open().clock(fullLadder.slice(0, 1)).segments(9).fold(), 0);
    expect(video.audioRendition).toBeUndefined();
    expect(video.segments[0]?.audio).toBeUndefined();
  });
});

describe('where there is none', () => {
  test('a live stream will reach it: too early, with the seconds until then', () => {
    expect(plan(live, 30)).toMatchObject({ kind: 'frame' });
    expect(plan(live, 30.1)).toEqual({ kind: 'tooEarly', retryAfterSeconds: 1 });
    expect(plan(live, 100)).toEqual({ kind: 'tooEarly', retryAfterSeconds: 70 });
  });

  test('a stream that is over has a short last frame and nothing behind its end', () => {
    const over = new LogBuilder().open().clock().segments(7).end().fold();
    expect(frame(over, 10)).toMatchObject({ numbers: [5, 6], durationSeconds: 4, nextOffsetSeconds: 20 });
    expect(plan(over, 14)).toEqual({ kind: 'afterEnd' });
  });

  test('offsets count from the start of the stream, and what is trimmed or beyond retention is gone', () => {
    const trimmed = new LogBuilder().open().clock().segments(20).trim(6).fold();
    expect(plan(trimmed, 10)).toEqual({ kind: 'gone' });
    expect(frame(trimmed, 12)).toMatchObject({ numbers: [6, 7, 8, 9, 10], offsetSeconds: 12 });
    expect(plan(live, 9, { retentionSeconds: 30 })).toEqual({ kind: 'gone' });
    expect(frame(live, 10, { retentionSeconds: 30 }).offsetSeconds).toBe(10);
  });

  test('an empty timeline is too early', () => {
    expect(plan(new LogBuilder().fold(), 0)).toMatchObject({ kind: 'tooEarly' });
  });
});
