/** Cuts the DVR window out of a timeline: what manifests show (M14). */
import type { Timeline, TimelinePeriod, TimelineSegment } from './timeline.ts';

/**
 * No window is shorter than this, whatever is configured. It is three of the longest segments (12 s, M11), which is
 * more than the longest hold-back (30 s), so a player always finds its hold-back in the playlist. It is fixed and not
 * folded: a window that grew with the target would show again what it had removed, and the media sequence would go
 * back.
 */
const leastWindowSeconds = 36;

/** One period's part of a window; never empty. */
export interface WindowPart {
  readonly period: TimelinePeriod;
  readonly segments: readonly TimelineSegment[];
}

export function windowSeconds(dvrWindowSeconds: number): number {
  return Math.max(leastWindowSeconds, dvrWindowSeconds);
}

/**
 * The newest segments whose durations together reach the window, oldest first, by period.
 *
 * Durations count, not times. So silence between two periods takes nothing from the window, and the first shown number
 * can only grow with the log. It costs O(shown), however much more is kept.
 */
export function windowOf({ periods }: Timeline, dvrWindowSeconds: number): readonly WindowPart[] {
  let missing90k = windowSeconds(dvrWindowSeconds) * 90_000;
  const parts: WindowPart[] = [];
  for (let index = periods.length - 1; index >= 0 && missing90k > 0; index -= 1) {
    const period = periods[index];
    if (period === undefined || period.segments.length === 0) continue;
    let from = period.segments.length;
    while (from > 0 && missing90k > 0) {
      from -= 1;
      missing90k -= period.segments[from]?.duration90k ?? 0;
    }
    parts.unshift({ period, segments: period.segments.slice(from) });
  }
  return parts;
}
