/**
 * Decides in which state a stream is for its viewers, from its index log. The pages and `/v1/streams/{id}/public` show it.
 *
 * Only the log decides, so that every edge says the same, even when the owner is dead. The log also shows whether the publisher still
 * sends: each piece of its media is announced there as it comes. So when the log is silent for longer than a segment, nothing comes from
 * the publisher. Silence counts only while this edge can hear the log.
 */
import type { StreamState } from '../../../cluster/contract/api/control-routes.ts';
import { isPresent } from '../../../cluster/contract/index-records.ts';
import { presentationTime90k } from '../../media/timeline/query.ts';
import type { Timeline, TimelinePeriod, TimelineSegment } from '../../media/timeline/timeline.ts';

export interface Heard {
  readonly utcMs: number;
  /** For how long no media was announced, while this edge could hear the log. */
  readonly silentMs: number;
  /** How long segments are kept. */
  readonly retentionMs: number;
}

export interface StreamStanding {
  readonly state: StreamState;
  /** Since when, in UTC ms; undefined where the log does not tell. */
  readonly sinceMs: number | undefined;
}

/** How much later than usual the next segment may be announced, for a change of owner or a busy store. */
const patienceMs = 1500;
/** A segment is at least this long, except the last one of a period. */
const usualSegmentMs = 2000;
/** The next segment may take as long as the longest of this many recent ones. */
const recentSegments = 5;

export function streamStanding(timeline: Timeline, heard: Heard): StreamStanding {
  const { broadcast } = timeline;
  if (isOnAir(timeline)) {
    return heard.silentMs > segmentMs(timeline) + patienceMs
      ? { state: 'interrupted', sinceMs: broadcast.heardAtMs }
      : { state: 'live', sinceMs: broadcast.beganAtMs };
  }
  if (broadcast.endedAtMs === 0) return { state: 'notBegun', sinceMs: undefined };
  return { state: isKept(timeline, heard) ? 'recording' : 'ended', sinceMs: broadcast.endedAtMs };
}

const isOnAir = ({ state, broadcast, nextNumber }: Timeline): boolean =>
  state === 'live' && nextNumber > broadcast.firstNumber;

/** Was there a broadcast, and is none on air? */
export const isOver = (timeline: Timeline): boolean => !isOnAir(timeline) && timeline.broadcast.endedAtMs > 0;

function segmentMs({ periods }: Timeline): number {
  const recent = periods.findLast(({ segments }) => segments.length > 0)?.segments.slice(-recentSegments);
  return Math.max(usualSegmentMs, ...(recent ?? []).map(({ duration90k }) => duration90k / 90));
}

/** Says whether any segment is young enough to be kept still. */
function isKept(timeline: Timeline, { utcMs, retentionMs }: Heard): boolean {
  const { periods, availabilityStartMs = 0 } = timeline;
  for (const period of periods.toReversed()) {
    const newest = period.segments.findLast(hasMedia);
    if (newest !== undefined) return utcMs - (availabilityStartMs + endMs(period, newest)) < retentionMs;
  }
  return false;
}

const hasMedia = ({ renditions }: TimelineSegment): boolean => Object.values(renditions).some(isPresent);

function endMs(period: TimelinePeriod, { start90k, duration90k }: TimelineSegment): number {
  return presentationTime90k(period, start90k + duration90k) / 90;
}
