/**
 * Builds a whole source segment from what lies between two cuts: makes its times unique, hashes it, and lists its times
 * (M6). Pure.
 */
import type { Sample } from '../../media/cmaf/cmaf.ts';
import type { AudioStretch } from './audio-clock.ts';
import type { SegmentAudio, SegmentVideo, SourceSegment } from '../ingest-events.ts';
import type { CodedPicture } from './intake/coded-picture.ts';
import { frameHash } from './marks.ts';
import { pictureHash, type VideoConfiguration } from './video-configuration.ts';

export interface TimedPicture {
  readonly data: CodedPicture;
  readonly isKey: boolean;
  /** 90 kHz since the period's zero. */
  readonly pts: number;
}

/**
 * What lies between two cuts, in 90 kHz since the period's zero. Pictures are in decode order; the first is a key
 * picture.
 */
export interface CutVideo {
  readonly start: number;
  readonly end: number;
  readonly pictures: readonly TimedPicture[];
}

export interface RepairedTimes {
  /** In the order given. */
  readonly times: readonly number[];
  readonly repaired: number;
}

function isSound(sorted: readonly number[], start: number, end: number): boolean {
  if (sorted[0] !== undefined && sorted[0] < start) return false;
  const last = sorted.at(-1);
  if (last !== undefined && last >= end) return false;
  return sorted.every((time, i) => i === 0 || time > (sorted[i - 1] ?? 0));
}

/**
 * Makes presentation times unique and brings them inside `[start, end)`, in the same order of presentation. The later
 * one of two equal times moves on by a tick; what then lies past the end moves back. Sound times come back as they are.
 *
 * Needs `times.length <= end - start`.
 */
export function repairTimes(times: readonly number[], start: number, end: number): RepairedTimes {
  const order = times.map((time, i) => ({ time, i })).toSorted((a, b) => a.time - b.time || a.i - b.i);
  if (
    isSound(
      order.map(({ time }) => time),
      start,
      end,
    )
  )
    return { times, repaired: 0 };
  const fixed = order.map(({ time }) => time);
  let floor = start;
  for (const [i, time] of fixed.entries()) {
    fixed[i] = Math.max(time, floor);
    floor = (fixed[i] ?? floor) + 1;
  }
  let ceiling = end - 1;
  for (let i = fixed.length - 1; i >= 0; i -= 1) {
    fixed[i] = Math.min(fixed[i] ?? ceiling, ceiling);
    ceiling = (fixed[i] ?? ceiling) - 1;
  }
  const result = [...times];
  for (const [rank, { i }] of order.entries()) result[i] = fixed[rank] ?? start;
  return { times: result, repaired: result.filter((time, i) => time !== times[i]).length };
}

export interface SegmentParts {
  /** On the stream clock. */
  readonly start90k: number;
  readonly end90k: number;
  readonly video?: {
    readonly configuration: VideoConfiguration;
    readonly cut: CutVideo;
    readonly offset: number;
  };
  readonly audio?: {
    readonly stretch: AudioStretch;
    readonly samplesPerFrame: number;
    readonly offset: number;
    readonly mayBeAbsent: boolean;
  };
}

function buildVideo(
  cut: CutVideo,
  offset: number,
): { readonly video: SegmentVideo; readonly times90k: readonly number[]; readonly repaired: number } {
  const pictures = cut.pictures.slice(0, cut.end - cut.start);
  const { times, repaired } = repairTimes(
    pictures.map(({ pts }) => pts),
    cut.start,
    cut.end,
  );
  const samples = pictures.map(({ data, isKey }, i): Sample => ({
    data: data.whole(),
    isKey,
    pts: (times[i] ?? cut.start) + offset,
  }));
  const times90k = times.toSorted((a, b) => a - b).map((time) => time - cut.start);
  return { video: { samples, startTime: cut.start + offset, end: cut.end + offset }, times90k, repaired };
}

function buildAudio({
  stretch,
  samplesPerFrame,
  offset,
  mayBeAbsent,
}: NonNullable<SegmentParts['audio']>): SegmentAudio | undefined {
  const silentFrames = stretch.frames.filter(({ isSilent }) => isSilent).length;
  if (stretch.frames.length === 0 || (mayBeAbsent && silentFrames === stretch.frames.length))
    return undefined;
  const startTime = stretch.start + offset;
  const samples = stretch.frames.map(({ data }, i): Sample => ({
    data,
    isKey: true,
    pts: startTime + i * samplesPerFrame,
  }));
  return { samples, startTime, end: stretch.end + offset, silentFrames };
}

const bytesOf = (samples: readonly Sample[] | undefined): number =>
  (samples ?? []).reduce((sum, { data }) => sum + data.length, 0);

function hashesOf(parts: SegmentParts): Pick<SourceSegment, 'keyFrameHash' | 'audioFrameHash'> {
  const key = parts.video?.cut.pictures[0];
  const firstReal = parts.audio?.stretch.frames.find(({ isSilent }) => !isSilent);
  return {
    ...(key === undefined || parts.video === undefined
      ? {}
      : { keyFrameHash: pictureHash(parts.video.configuration, key.data.whole()) }),
    ...(firstReal === undefined ? {} : { audioFrameHash: frameHash(firstReal.data) }),
  };
}

/** @returns the segment, and how many presentation times had to be repaired */
export function buildSegment(parts: SegmentParts): {
  readonly segment: SourceSegment;
  readonly repaired: number;
} {
  const built = parts.video === undefined ? undefined : buildVideo(parts.video.cut, parts.video.offset);
  const audio = parts.audio === undefined ? undefined : buildAudio(parts.audio);
  const segment: SourceSegment = {
    start90k: parts.start90k,
    duration90k: parts.end90k - parts.start90k,
    ...(built === undefined ? {} : { video: built.video }),
    ...(audio === undefined ? {} : { audio }),
    times90k: built?.times90k ?? [],
    ...hashesOf(parts),
    bytes: bytesOf(built?.video.samples) + bytesOf(audio?.samples),
  };
  return { segment, repaired: built?.repaired ?? 0 };
}
