/**
 * Writes an HLS media playlist: one rendition through all periods of the DVR window (RFC 8216bis).
 *
 * Every playlist of a stream lists the same segments with the same numbers. So media sequence and discontinuity
 * sequence are equal in all renditions and on all edges. Where a rendition has no bytes the segment is a gap (M13).
 */
import type { StoredMedia } from '../../../cluster/contract/index-records.ts';
import type { Rendition } from '../../../cluster/contract/renditions.ts';
import {
  holdBackSeconds,
  microseconds,
  targetSeconds,
  type ManifestOptions,
} from '../timeline/manifest-options.ts';
import { initOf, mediaOf, presentationTime90k } from '../timeline/query.ts';
import { findRendition, nearestRendition } from '../timeline/rung.ts';
import type { Timeline, TimelinePeriod, TimelineSegment } from '../timeline/timeline.ts';
import { windowOf } from '../timeline/window.ts';
import { quoted, tag } from './attributes.ts';

export interface MediaPlaylistOptions extends ManifestOptions {
  /**
   * Whether the player asked by `_HLS_skip=YES` or `v2` to leave out what it has. The whole playlist is a correct
   * answer, too.
   */
  readonly isDelta?: boolean;
}

/** Delta updates pay when the window is longer than this (M14). */
const deltaAboveSeconds = 300;

/** One segment as this playlist shows it. */
interface Entry {
  readonly period: TimelinePeriod;
  readonly number: number;
  readonly startsPeriod: boolean;
  /** Its directory: `{period}/{rendition}`. */
  readonly path: string;
  readonly isGap: boolean;
  readonly startTime: number;
  readonly durationUs: number;
  readonly programDateMs: number;
}

/**
 * The text of `{rendition}.m3u8`; URIs are relative to `/live/{stream}/`.
 *
 * @returns undefined when no kept period serves a rendition of that name
 */
export function mediaPlaylist(
  timeline: Timeline,
  name: string,
  options: MediaPlaylistOptions,
): string | undefined {
  const wanted = findRendition(timeline, name);
  if (wanted === undefined) return undefined;
  const entries = entriesOf(timeline, wanted, options.dvrWindowSeconds);
  const skipped = options.isDelta === true ? skippable(timeline, entries) : 0;
  const first = entries[0];
  return [
    '#EXTM3U',
    `#EXT-X-VERSION:${skipped > 0 ? 9 : 7}`,
    `#EXT-X-TARGETDURATION:${targetSeconds(timeline)}`,
    serverControl(timeline, entries, options),
    `#EXT-X-MEDIA-SEQUENCE:${first?.number ?? timeline.nextNumber}`,
    `#EXT-X-DISCONTINUITY-SEQUENCE:${first?.period.ordinal ?? Math.max(0, timeline.nextOrdinal - 1)}`,
    '#EXT-X-INDEPENDENT-SEGMENTS',
    ...(skipped > 0 ? [`#EXT-X-SKIP:SKIPPED-SEGMENTS=${skipped}`] : []),
    ...segmentLines(entries, skipped),
    ...(timeline.state === 'ended' ? ['#EXT-X-ENDLIST'] : []),
    '',
  ].join('\n');
}

function entriesOf(timeline: Timeline, wanted: Rendition, dvrWindowSeconds: number): readonly Entry[] {
  const startMs = timeline.availabilityStartMs ?? 0;
  return windowOf(timeline, dvrWindowSeconds).flatMap(({ period, segments }, part) => {
    const rendition = nearestRendition(period, wanted);
    const isUsable = rendition !== undefined && initOf(period, rendition.name) !== undefined;
    const { name, timescale } = rendition ?? wanted;
    const path = `${period.id}/${name}`;
    return segments.map((segment, index) => {
      const place = placeOf(segment, isUsable ? mediaOf(segment, name) : undefined, timescale);
      const start90k = (place.startTime * 90_000) / timescale;
      return {
        ...place,
        path,
        period,
        number: segment.number,
        startsPeriod: part > 0 && index === 0,
        // One formula for every rendition and edge; no clock is read for it (M10).
        programDateMs: Math.round(startMs + presentationTime90k(period, start90k) / 90),
      };
    });
  });
}

function placeOf(
  { start90k, duration90k }: TimelineSegment,
  media: StoredMedia | undefined,
  timescale: number,
) {
  const startTime = media?.startTime ?? Math.round((start90k * timescale) / 90_000);
  const endTime =
    media === undefined
      ? Math.round(((start90k + duration90k) * timescale) / 90_000)
      : startTime + media.duration;
  // Ends are rounded, not durations: so the durations of a playlist add up to its media, to the microsecond.
  const durationUs = microseconds(endTime, timescale) - microseconds(startTime, timescale);
  return { startTime, durationUs, isGap: media === undefined };
}

const totalSeconds = (entries: readonly Entry[]): number =>
  entries.reduce((sum, entry) => sum + entry.durationUs, 0) / 1e6;

/** CAN-SKIP-UNTIL must be six targets or more. */
const skipUntilSeconds = (timeline: Timeline): number => 6 * targetSeconds(timeline);

function maySkip(timeline: Timeline, entries: readonly Entry[]): boolean {
  return (
    timeline.state === 'live' &&
    totalSeconds(entries) > Math.max(deltaAboveSeconds, skipUntilSeconds(timeline))
  );
}

function serverControl(timeline: Timeline, entries: readonly Entry[], options: ManifestOptions): string {
  return tag('EXT-X-SERVER-CONTROL', {
    'CAN-SKIP-UNTIL': maySkip(timeline, entries) ? skipUntilSeconds(timeline).toFixed(1) : undefined,
    'HOLD-BACK': holdBackSeconds(timeline, options).toFixed(1),
  });
}

/** How many segments end more than CAN-SKIP-UNTIL before the playlist does. */
function skippable(timeline: Timeline, entries: readonly Entry[]): number {
  if (!maySkip(timeline, entries)) return 0;
  const boundaryUs = skipUntilSeconds(timeline) * 1e6;
  let [shown, shownUs] = [0, 0];
  while (shown < entries.length && shownUs <= boundaryUs) {
    shown += 1;
    shownUs += entries[entries.length - shown]?.durationUs ?? 0;
  }
  return entries.length - shown;
}

/** The map tag is repeated behind a skip, so that a player that lost the old one can still begin there. */
function segmentLines(entries: readonly Entry[], skipped: number): readonly string[] {
  let mapped = '';
  return entries.slice(skipped).flatMap((entry) => {
    const isNewMap = !entry.isGap && entry.path !== mapped;
    if (isNewMap) mapped = entry.path;
    return [
      ...(entry.startsPeriod ? ['#EXT-X-DISCONTINUITY'] : []),
      ...(isNewMap ? [tag('EXT-X-MAP', { URI: quoted(`${entry.path}/init.mp4`) })] : []),
      `#EXT-X-PROGRAM-DATE-TIME:${new Date(entry.programDateMs).toISOString()}`,
      ...(entry.isGap ? ['#EXT-X-GAP'] : []),
      `#EXTINF:${(entry.durationUs / 1e6).toFixed(6)},`,
      `${entry.path}/${entry.startTime}.m4s`,
    ];
  });
}
