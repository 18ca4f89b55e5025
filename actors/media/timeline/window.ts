/** Cuts the DVR window out of a timeline: what manifests show (M14). */
import { leftOut } from './branch.ts';
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
export function windowOf(timeline: Timeline, dvrWindowSeconds: number): readonly WindowPart[] {
  const parts = partsOf(timeline, dvrWindowSeconds, timeline.nextNumber);
  const first = Math.max(timeline.shownFrom, firstBehindChange(timeline, dvrWindowSeconds));
  if (first <= (parts[0]?.segments[0]?.number ?? 0)) return parts;
  return parts
    .map(({ period, segments }) => ({ period, segments: segments.filter(({ number }) => number >= first) }))
    .filter(({ segments }) => segments.length > 0);
}

/**
 * The first number that is shown behind changes of region: eight above the one that was first when it happened. A viewer
 * that comes from the other region then sees no number fall, where the two differ by no more than that (R6).
 */
function firstBehindChange(timeline: Timeline, dvrWindowSeconds: number): number {
  const firsts = timeline.changedAt.map((changedAt) => {
    const [oldest] = partsOf(timeline, dvrWindowSeconds, changedAt);
    const first = oldest?.segments[0]?.number ?? timeline.firstNumber;
    // The segments of the branch itself are never left out.
    return Math.min(first + leftOut, changedAt);
  });
  return Math.min(Math.max(0, ...firsts), timeline.nextNumber);
}

/**
 * The first number that windows depend on. What is kept begins no later: eight numbers in front of the window while a change of region lies in
 * it. With less, a node that begins from there would leave out other segments than its neighbours do (M14).
 */
export function firstNeeded(timeline: Timeline, dvrWindowSeconds: number): number {
  const [oldest] = partsOf(timeline, dvrWindowSeconds, timeline.nextNumber);
  const first = oldest?.segments[0]?.number ?? timeline.firstNumber;
  const isChanged = timeline.changedAt.some((number) => number > first);
  return Math.max(timeline.firstNumber, isChanged ? first - leftOut : first);
}

/** The window over the segments below a number. */
function partsOf({ periods }: Timeline, dvrWindowSeconds: number, below: number): readonly WindowPart[] {
  let missing90k = windowSeconds(dvrWindowSeconds) * 90_000;
  const parts: WindowPart[] = [];
  for (let index = periods.length - 1; index >= 0 && missing90k > 0; index -= 1) {
    const period = periods[index];
    const end = period === undefined ? 0 : countBelow(period, below);
    if (period === undefined || end === 0) continue;
    let from = end;
    while (from > 0 && missing90k > 0) {
      from -= 1;
      missing90k -= period.segments[from]?.duration90k ?? 0;
    }
    parts.unshift({ period, segments: period.segments.slice(from, end) });
  }
  return parts;
}

/** How many segments of a period have a number below that one; their numbers have no hole. */
function countBelow({ segments }: TimelinePeriod, below: number): number {
  const first = segments[0]?.number ?? below;
  return Math.max(0, Math.min(segments.length, below - first));
}
