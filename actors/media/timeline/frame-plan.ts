/**
 * Plans one frame of the video frames API: which stored objects make the clip (M16).
 *
 * A frame [o, o + d) holds the whole segments that start in it, or, when none does, the one that covers o. Times count
 * from the stream's start. So frames tile: each segment lies in exactly one of the frames 0, d, 2d … unless it is
 * longer than d. The end of a period ends the clip, and so does a hole, because a clip must decode from end to end.
 */
import type { StoredMedia } from '../../../cluster/contract/index-records.ts';
import type { AudioRendition, Rendition, VideoRendition } from '../../../cluster/contract/renditions.ts';
import type { RenditionName } from '../../../cluster/model/ids.ts';
import { renditionsForDevice, type DeviceType } from './devices.ts';
import {
  indexAtOrBefore,
  initOf,
  liveEnd90k,
  mediaOf,
  presentationTime90k,
  servedAudio,
  servedVideo,
} from './query.ts';
import type { Timeline, TimelinePeriod, TimelineSegment } from './timeline.ts';

export interface FrameRequest {
  readonly offsetSeconds: number;
  readonly durationSeconds: number;
  readonly device?: DeviceType | undefined;
  /**
   * How many seconds before the newest segment's end are kept. What the log still names beyond that is being deleted.
   */
  readonly retentionSeconds: number;
}

export interface FrameSegment {
  readonly number: number;
  readonly start90k: number;
  readonly duration90k: number;
  readonly video?: StoredMedia;
  readonly audio?: StoredMedia;
}

export interface Frame {
  readonly kind: 'frame';
  readonly period: TimelinePeriod;
  /** The video rendition; the audio one where the stream has no picture. */
  readonly rendition: Rendition;
  /** The audio beside a video rendition, when the period has sound. */
  readonly audioRendition?: AudioRendition;
  /** At least one segment, without a hole between them. */
  readonly segments: readonly FrameSegment[];
  /** The UTC time of the first picture. */
  readonly startsAtMs: number;
  /** What the clip really holds, which may differ from the request. */
  readonly offsetSeconds: number;
  readonly durationSeconds: number;
  /** The offset of the next frame: the requested offset plus the requested duration. */
  readonly nextOffsetSeconds: number;
}

export type FramePlan =
  | Frame
  /** A live stream will reach it: status 425. */
  | { readonly kind: 'tooEarly'; readonly retryAfterSeconds: number }
  /** It is no longer kept: status 404. */
  | { readonly kind: 'gone' }
  /** It lies behind the end of a stream that is over: status 404. */
  | { readonly kind: 'afterEnd' }
  /** Nothing was stored there, because of a declared gap or of silence between two periods: status 404. */
  | { readonly kind: 'missing' };

/** Plans a frame in O(segments of the frame). */
export function planFrame(timeline: Timeline, request: FrameRequest): FramePlan {
  const offset90k = Math.round(request.offsetSeconds * 90_000);
  const until90k = Math.round((request.offsetSeconds + request.durationSeconds) * 90_000);
  const end90k = liveEnd90k(timeline);
  const isOver = timeline.state === 'ended';
  if (offset90k < keptFrom90k(timeline, end90k, request.retentionSeconds)) return { kind: 'gone' };
  if (isOver && offset90k >= end90k) return { kind: 'afterEnd' };
  // The frame is complete once the next segment cannot start inside it.
  if (!isOver && until90k > end90k)
    return { kind: 'tooEarly', retryAfterSeconds: Math.max(1, Math.ceil((until90k - end90k) / 90_000)) };
  const found = segmentsOf(timeline, offset90k, until90k);
  return (found && clip(timeline, found, request)) ?? { kind: 'missing' };
}

/** The earliest time at which a frame may begin. */
function keptFrom90k({ periods, firstNumber }: Timeline, end90k: number, retentionSeconds: number): number {
  const retained = end90k - retentionSeconds * 90_000;
  const oldest = periods.find((period) => period.segments.length > 0);
  const first = oldest?.segments[0];
  if (firstNumber === 0 || oldest === undefined || first === undefined) return retained;
  return Math.max(retained, presentationTime90k(oldest, first.start90k));
}

interface Found {
  readonly period: TimelinePeriod;
  readonly segments: readonly TimelineSegment[];
}

/** The segments that start in [from, until) of the first period that has any; else the one that covers `from`. */
function segmentsOf({ periods }: Timeline, from90k: number, until90k: number): Found | undefined {
  let covering: Found | undefined;
  for (const period of periods) {
    const zero90k = presentationTime90k(period, 0);
    const before = indexAtOrBefore(period, from90k - zero90k - 1);
    const last = indexAtOrBefore(period, until90k - zero90k - 1);
    const segments = period.segments.slice(before + 1, last + 1);
    if (segments.some((segment) => !segment.isGap)) return { period, segments };
    const cover = period.segments[before];
    const isCovered = cover !== undefined && cover.start90k + cover.duration90k > from90k - zero90k;
    if (isCovered && !cover.isGap) covering = { period, segments: [cover] };
  }
  return covering;
}

function clip(timeline: Timeline, { period, segments }: Found, request: FrameRequest): Frame | undefined {
  const whole = untilHole(segments.slice(segments.findIndex((segment) => !segment.isGap)));
  const choice = chooseRendition(period, whole, request.device);
  const first = choice?.segments[0];
  const last = choice?.segments.at(-1);
  if (choice === undefined || first === undefined || last === undefined) return undefined;
  const { rendition } = choice;
  const audio = rendition.kind === 'video' ? servedAudio(period) : undefined;
  const start90k = presentationTime90k(period, first.start90k);
  return {
    kind: 'frame',
    period,
    rendition,
    ...(audio === undefined ? {} : { audioRendition: audio }),
    segments: choice.segments.map((segment) => frameSegment(segment, rendition, audio)),
    startsAtMs: (timeline.availabilityStartMs ?? 0) + Math.round(start90k / 90),
    offsetSeconds: start90k / 90_000,
    durationSeconds: (last.start90k + last.duration90k - first.start90k) / 90_000,
    nextOffsetSeconds: request.offsetSeconds + request.durationSeconds,
  };
}

/** The segments up to the first gap or jump. */
function untilHole(segments: readonly TimelineSegment[]): readonly TimelineSegment[] {
  const hole = segments.findIndex((segment, index) => {
    const before = segments[index - 1];
    return (
      segment.isGap || (before !== undefined && before.start90k + before.duration90k !== segment.start90k)
    );
  });
  return hole < 0 ? segments : segments.slice(0, hole);
}

/**
 * Chooses one rung for the whole clip: the best one for the device that is present in all of the clip, else the best of
 * those below. Any other present rung is better than none. When no rung lasts, the clip ends with the best one of its
 * first segment.
 */
function chooseRendition(
  period: TimelinePeriod,
  segments: readonly TimelineSegment[],
  device: DeviceType | undefined,
) {
  const forDevice = renditionsForDevice(period, device).filter((one) => one.kind === 'video');
  const best = forDevice[0];
  const all: readonly VideoRendition[] = servedVideo(period);
  const lower = best === undefined ? [] : all.slice(all.indexOf(best));
  const audio = servedAudio(period);
  const candidates: readonly Rendition[] =
    all.length > 0 ? [...forDevice, ...lower, ...all] : audio === undefined ? [] : [audio];
  const usable = candidates.filter((one) => initOf(period, one.name) !== undefined);
  const lasting = usable.find((one) => countPresent(segments, one.name) === segments.length);
  const rendition = lasting ?? usable.find((one) => countPresent(segments, one.name) > 0);
  return rendition && { rendition, segments: segments.slice(0, countPresent(segments, rendition.name)) };
}

/** How many segments from the first on have the rendition. */
function countPresent(segments: readonly TimelineSegment[], name: RenditionName): number {
  const missing = segments.findIndex((segment) => mediaOf(segment, name) === undefined);
  return missing < 0 ? segments.length : missing;
}

function frameSegment(
  segment: TimelineSegment,
  rendition: Rendition,
  beside: AudioRendition | undefined,
): FrameSegment {
  const { number, start90k, duration90k } = segment;
  const main = mediaOf(segment, rendition.name);
  const video = rendition.kind === 'video' ? main : undefined;
  const audio = rendition.kind === 'audio' ? main : beside && mediaOf(segment, beside.name);
  return {
    number,
    start90k,
    duration90k,
    ...(video === undefined ? {} : { video }),
    ...(audio === undefined ? {} : { audio }),
  };
}
