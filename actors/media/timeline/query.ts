/**
 * Answers questions about a timeline: which renditions, which segment, which bytes. Each costs O(log n) or less in its
 * segments.
 */
import type { ClockRecord, StoredMedia } from '../../../cluster/contract/index-records.ts';
import { isPresent } from '../../../cluster/contract/index-records.ts';
import type {
  AudioRendition,
  InitSegment,
  Rendition,
  VideoRendition,
} from '../../../cluster/contract/renditions.ts';
import type { PeriodId, RenditionName } from '../../../cluster/model/ids.ts';
import type { Timeline, TimelinePeriod, TimelineSegment } from './timeline.ts';

/** The renditions of a period that viewers may get, best first, audio last. */
export function servedRenditions(period: TimelinePeriod): readonly Rendition[] {
  return period.clock.renditions.filter((one) => one.kind === 'audio' || one.origin.kind !== 'sourceOnly');
}

export function servedVideo(period: TimelinePeriod): readonly VideoRendition[] {
  return servedRenditions(period).filter((one) => one.kind === 'video');
}

export function servedAudio(period: TimelinePeriod): AudioRendition | undefined {
  return servedRenditions(period).find((one) => one.kind === 'audio');
}

/** The served rendition of that name, if the period has it. */
export function renditionOf(period: TimelinePeriod, name: string): Rendition | undefined {
  return servedRenditions(period).find((one) => one.name === name);
}

/** The rendition's bytes in this segment; undefined when it is absent. */
export function mediaOf(segment: TimelineSegment, name: RenditionName): StoredMedia | undefined {
  const media = Object.hasOwn(segment.renditions, name) ? segment.renditions[name] : undefined;
  return isPresent(media) ? media : undefined;
}

/** The reference init segment of a rendition (M7); undefined until its first commit. */
export function initOf(period: TimelinePeriod, name: RenditionName): InitSegment | undefined {
  return Object.hasOwn(period.inits, name) ? period.inits[name] : undefined;
}

/** The names of the served video rungs that are present in the segment, best first (M13). */
export function presentRungs(period: TimelinePeriod, segment: TimelineSegment): readonly RenditionName[] {
  return servedVideo(period)
    .map((one) => one.name)
    .filter((name) => mediaOf(segment, name) !== undefined);
}

/** The init segments that are known at the period's start: audio, the passed-through rung, the source (M7). */
export function initsOfClock(clock: ClockRecord): Record<RenditionName, InitSegment> {
  const inits: Record<RenditionName, InitSegment> = {};
  for (const { name, init } of clock.renditions) if (init !== undefined) inits[name] = init;
  return inits;
}

/** Where the period's last segment ends on its own clock; its media zero when it has none. */
export function endOfSegments90k({ segments, clock }: TimelinePeriod): number {
  const last = segments.at(-1);
  return last === undefined ? clock.mediaZero90k : last.start90k + last.duration90k;
}

/** Where a time of the period's clock lies on the stream's presentation timeline, 90 kHz (M10). */
export function presentationTime90k({ clock }: TimelinePeriod, time90k: number): number {
  return clock.presentationZero90k + time90k - clock.mediaZero90k;
}

/** Where all that is committed ends, on the presentation timeline, 90 kHz; 0 for nothing. */
export function liveEnd90k({ periods }: Timeline): number {
  const last = periods.findLast((period) => period.segments.length > 0);
  return last === undefined ? 0 : presentationTime90k(last, endOfSegments90k(last));
}

/** True once there is something to play. */
export function isPlayable({ periods, shownFrom }: Timeline): boolean {
  return periods.some(({ segments }) => (segments.at(-1)?.number ?? -1) >= shownFrom);
}

/** The period under whose name the media of this one is stored (M5, M7). */
export function storePeriodOf({ id, clock }: TimelinePeriod): PeriodId {
  return clock.storedAs ?? id;
}

/**
 * The periods whose media is stored under that name, oldest first. There is more than one when a period goes on in
 * another (M7).
 */
export function periodsStoredAs(
  { periods }: Pick<Timeline, 'periods'>,
  id: PeriodId,
): readonly TimelinePeriod[] {
  return periods.filter((period) => storePeriodOf(period) === id);
}

export function findPeriod({ periods }: Timeline, id: PeriodId): TimelinePeriod | undefined {
  return periods.find((period) => period.id === id);
}

/** The index of the last segment that starts at or before `time90k`; -1 when all start later. */
export function indexAtOrBefore({ segments }: TimelinePeriod, time90k: number): number {
  let [low, high] = [0, segments.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((segments[middle]?.start90k ?? Infinity) <= time90k) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/**
 * Finds what a public name means: `{period}/{rendition}/{startTime}.m4s` (M5).
 *
 * @param startTime in the rendition's timescale
 * @returns undefined when the log does not name it: not yet, absent, or no longer kept
 */
export function findMedia(
  timeline: Timeline,
  id: PeriodId,
  name: string,
  startTime: number,
): StoredMedia | undefined {
  const period = findPeriod(timeline, id);
  const rendition = period?.clock.renditions.find((one) => one.name === name);
  if (period === undefined || rendition === undefined) return undefined;
  // Audio starts at the frame nearest to the cut, before or behind it (M9), so it looks one segment to either side.
  const near = indexAtOrBefore(period, Math.floor((startTime * 90_000) / rendition.timescale));
  return period.segments
    .slice(Math.max(0, near - 1), near + 2)
    .map((segment) => mediaOf(segment, rendition.name))
    .find((media) => media?.startTime === startTime);
}
