/** Writes a SegmentTimeline: a run of equal durations becomes one `S` (ISO/IEC 23009-1 5.3.9.6). */
import { element } from './xml.ts';

/** One segment in its track's timescale. */
export interface TimedSegment {
  readonly startTime: number;
  readonly duration: number;
}

interface Run {
  readonly t: number;
  readonly d: number;
  count: number;
  /** Whether it is first or starts behind a hole: then `t` must be written. */
  readonly isCut: boolean;
}

/** `S` elements; a hole in the timeline is a new `t` (M13). */
export function segmentTimeline(segments: readonly TimedSegment[]): string {
  const runs: Run[] = [];
  let end = -1;
  for (const { startTime, duration } of segments) {
    const last = runs.at(-1);
    if (last !== undefined && last.d === duration && startTime === end) last.count += 1;
    else runs.push({ t: startTime, d: duration, count: 1, isCut: startTime !== end });
    end = startTime + duration;
  }
  const rows = runs.map(({ t, d, count, isCut }) =>
    element('S', { t: isCut ? t : undefined, d, r: count > 1 ? count - 1 : undefined }),
  );
  return element('SegmentTimeline', {}, rows);
}
