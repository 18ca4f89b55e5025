/**
 * Plans the Periods of an MPD: one for each period of the timeline, cut where the set of present rungs changes (M13).
 *
 * HLS declares an absent rung by a gap. DASH has no word for it, and Shaka stretches the segment before such a hole. So
 * the MPD alone opens a Period that lists only the rungs that are there: same URLs, same clock, `period-continuity`
 * with the one before. Names of Periods come from the log, never from where the window begins, so they hold while the
 * window slides.
 */
import type { AudioRendition, VideoRendition } from '../../../cluster/contract/renditions.ts';
import { renditionsForDevice, type DeviceType } from '../timeline/devices.ts';
import { microseconds } from '../timeline/manifest-options.ts';
import { endOfSegments90k, initOf, mediaOf, presentationTime90k, servedAudio } from '../timeline/query.ts';
import type { Timeline, TimelinePeriod, TimelineRun, TimelineSegment } from '../timeline/timeline.ts';
import { windowOf, type WindowPart } from '../timeline/window.ts';
import type { TimedSegment } from './segment-timeline.ts';

export interface Track<R> {
  /** Renditions, best first; all share one timeline of segments (M6). */
  readonly renditions: readonly R[];
  readonly segments: readonly TimedSegment[];
  /** Where the Period starts on the track's clock, in its timescale (M10). */
  readonly presentationTimeOffset: number;
}

export interface DashPeriod {
  readonly id: string;
  readonly period: TimelinePeriod;
  readonly startUs: number;
  /** Absent while the Period may still grow. */
  readonly durationUs?: number;
  /** The id of the Period before, when its clock and encoding go on. */
  readonly continues?: string;
  readonly video?: Track<VideoRendition>;
  readonly audio?: Track<AudioRendition>;
}

/** A run of one period, with its part inside the window. */
interface Piece {
  readonly period: TimelinePeriod;
  readonly run: TimelineRun;
  /** Where it starts on the period's clock. */
  readonly origin90k: number;
  readonly segments: readonly TimelineSegment[];
}

/** Periods of the DVR window, oldest first; none of them empty. */
export function dashPeriods(
  timeline: Timeline,
  dvrWindowSeconds: number,
  device?: DeviceType,
): readonly DashPeriod[] {
  const isOver = timeline.state === 'ended';
  const pieces = windowOf(timeline, dvrWindowSeconds).flatMap(piecesOf);
  const placed = isOver ? pieces.map((piece, index) => (index === 0 ? beginAtWindow(piece) : piece)) : pieces;
  const listed = placed
    .map((piece) => ({ piece, tracks: tracksOf(piece, device) }))
    .filter(({ tracks }) => tracks.video ?? tracks.audio);
  return listed.map(({ piece, tracks }, index) => {
    const [before, after] = [listed[index - 1]?.piece, listed[index + 1]?.piece];
    const startUs = microseconds(presentationTime90k(piece.period, piece.origin90k), 90_000);
    const isOpen = after === undefined && !isOver;
    return {
      id: idOf(piece),
      period: piece.period,
      startUs,
      ...(isOpen ? {} : { durationUs: endUs(piece, after) - startUs }),
      ...(before?.period === piece.period ? { continues: idOf(before) } : {}),
      ...tracks,
    };
  });
}

/** The period's own id, and for all but its first run the number of the first segment. */
function idOf({ period, run }: Piece): string {
  const isFirst = run.start90k === period.clock.mediaZero90k;
  return isFirst ? String(period.id) : `${period.id}-${run.firstNumber}`;
}

function piecesOf({ period, segments }: WindowPart): readonly Piece[] {
  return period.runs.map((run, index) => {
    const next = period.runs[index + 1];
    const own = segments.filter(
      ({ number }) => number >= run.firstNumber && number < (next?.firstNumber ?? Infinity),
    );
    return { period, run, origin90k: run.start90k, segments: own };
  });
}

/**
 * Where a stream that is over begins: as a static presentation, with its first segment. Shaka moves the first Period of
 * an MPD that turned static to the start of its seek range, so a Period that began hours before its first segment would
 * be misplaced.
 */
function beginAtWindow(piece: Piece): Piece {
  const first = piece.segments[0];
  return first === undefined || first.start90k < piece.origin90k
    ? piece
    : { ...piece, origin90k: first.start90k };
}

/** The start of the next piece, or the end of the period's media where that is earlier. */
function endUs({ period }: Piece, after: Piece | undefined): number {
  const mediaEnd = presentationTime90k(period, endOfSegments90k(period));
  const limit = after === undefined ? Infinity : presentationTime90k(after.period, after.origin90k);
  return microseconds(Math.min(mediaEnd, limit), 90_000);
}

function tracksOf(piece: Piece, device: DeviceType | undefined): Pick<DashPeriod, 'video' | 'audio'> {
  const video = videoTrack(piece, device);
  const audio = audioTrack(piece);
  return { ...(video === undefined ? {} : { video }), ...(audio === undefined ? {} : { audio }) };
}

function videoTrack(
  { period, run, origin90k, segments }: Piece,
  device: DeviceType | undefined,
): Track<VideoRendition> | undefined {
  const present = renditionsForDevice(period, undefined)
    .filter((one) => one.kind === 'video')
    .filter((one) => run.present.includes(one.name) && initOf(period, one.name) !== undefined);
  const forDevice = new Set(renditionsForDevice(period, device).map((one) => one.name));
  const suitable = present.filter((one) => forDevice.has(one.name));
  // A rung that does not suit the device is better than no picture: the lowest is never dropped (M13).
  const renditions = suitable.length > 0 ? suitable : present.slice(-1);
  const reference = renditions[0];
  if (reference === undefined) return undefined;
  const timed = segments
    .map((segment) => mediaOf(segment, reference.name))
    .filter((media) => media !== undefined);
  return timed.length === 0 ? undefined : { renditions, segments: timed, presentationTimeOffset: origin90k };
}

function audioTrack({ period, origin90k, segments }: Piece): Track<AudioRendition> | undefined {
  const audio = servedAudio(period);
  if (audio === undefined) return undefined;
  const timed = segments
    .map((segment) => mediaOf(segment, audio.name))
    .filter((media) => media !== undefined);
  const presentationTimeOffset = Math.round((origin90k * audio.timescale) / 90_000);
  return timed.length === 0 ? undefined : { renditions: [audio], segments: timed, presentationTimeOffset };
}
