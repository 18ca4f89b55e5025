/** Takes what a region's store lacks of segments that came from another region: nothing is shown that is not there (R8, M13). */
import type { CommittedMedia, MissingRecord, StoredMedia } from '../../../cluster/contract/index-records.ts';
import type { Rendition } from '../../../cluster/contract/renditions.ts';
import type { RenditionName } from '../../../cluster/model/ids.ts';
import { extendRuns } from './append.ts';
import { mediaOf } from './query.ts';
import type { FoldedPeriod, FoldedTimeline, LackedMedia, TimelineSegment } from './timeline.ts';

/**
 * Manifests begin at `belowNumber`; a rung that lacks below a number of its own joins there as a run. What is lacking is noted with its media,
 * so that another region can take the segments as they are where the log came from.
 */
export function withMissing(
  timeline: FoldedTimeline,
  { belowNumber, rungs = {} }: MissingRecord,
): FoldedTimeline {
  const below = new Map(Object.entries(rungs));
  for (const period of timeline.periods) {
    const names = period.clock.renditions.map((one) => one.name).filter((name) => below.has(name));
    if (names.length > 0) markAbsent(period, (name) => (names.includes(name) ? (below.get(name) ?? 0) : 0));
  }
  const shownFrom = Math.max(timeline.shownFrom, Math.min(belowNumber, timeline.nextNumber));
  return { ...timeline, shownFrom };
}

/** A timeline as another region may take it: what this region's store lacks does not concern that one (R8). */
export function withoutMissing(timeline: FoldedTimeline): FoldedTimeline {
  for (const period of timeline.periods) if (period.segments.some(isLacking)) change(period, whole);
  return { ...timeline, shownFrom: 0 };
}

/** A segment with the media that this region's store lacks. */
export function whole(segment: TimelineSegment): TimelineSegment {
  if (!isLacking(segment)) return segment;
  const media = Object.entries(segment.renditions).map(([name, one]) => [name, elsewhereOf(one) ?? one]);
  return { ...segment, renditions: Object.fromEntries(media) };
}

const isLacking = ({ renditions }: TimelineSegment): boolean =>
  Object.values(renditions).some((media) => elsewhereOf(media) !== undefined);

export const elsewhereOf = (media: CommittedMedia | LackedMedia): StoredMedia | undefined =>
  'elsewhere' in media ? media.elsewhere : undefined;

type FirstOf = (name: RenditionName) => number;

function markAbsent(period: FoldedPeriod, firstOf: FirstOf): void {
  const { renditions } = period.clock;
  change(period, (segment) => without(segment, renditions, firstOf));
}

/** Changes what is present in the segments of a period, and so its runs. */
function change(period: FoldedPeriod, changed: (segment: TimelineSegment) => TimelineSegment): void {
  const [first] = period.runs;
  const { segments, runs } = period;
  const all = segments.splice(0).map(changed);
  runs.length = 0;
  for (const segment of all) {
    segments.push(segment);
    extendRuns(period, segment);
  }
  // The first run begins where it did: at media zero, or before what was trimmed.
  if (first !== undefined && runs[0] !== undefined) {
    const { firstNumber, start90k } = first;
    runs[0] = { ...runs[0], firstNumber, start90k };
  }
}

function without(
  segment: TimelineSegment,
  all: readonly Pick<Rendition, 'name'>[],
  firstOf: FirstOf,
): TimelineSegment {
  const renditions: Record<RenditionName, CommittedMedia | LackedMedia> = { ...segment.renditions };
  for (const { name } of all) {
    const elsewhere = segment.number < firstOf(name) ? mediaOf(segment, name) : undefined;
    if (elsewhere !== undefined) renditions[name] = { absent: 'missing', elsewhere };
  }
  return { ...segment, renditions };
}
