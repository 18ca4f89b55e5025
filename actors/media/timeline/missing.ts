/** Takes what a region's store lacks of segments that came from another region: nothing is shown that is not there (R8, M13). */
import type { CommittedMedia, MissingRecord } from '../../../cluster/contract/index-records.ts';
import type { Rendition } from '../../../cluster/contract/renditions.ts';
import type { RenditionName } from '../../../cluster/model/ids.ts';
import { extendRuns } from './append.ts';
import { mediaOf } from './query.ts';
import type { FoldedPeriod, FoldedTimeline, TimelineSegment } from './timeline.ts';

/** Manifests begin at `belowNumber`; a rung that lacks below a number of its own joins there as a run. */
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

type FirstOf = (name: RenditionName) => number;

function markAbsent(period: FoldedPeriod, firstOf: FirstOf): void {
  const [first] = period.runs;
  const { segments, runs, clock } = period;
  const marked = segments.splice(0).map((segment) => without(segment, clock.renditions, firstOf));
  runs.length = 0;
  for (const segment of marked) {
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
  const lacking = all.filter(
    ({ name }) => segment.number < firstOf(name) && mediaOf(segment, name) !== undefined,
  );
  if (lacking.length === 0) return segment;
  const renditions: Record<RenditionName, CommittedMedia> = { ...segment.renditions };
  for (const { name } of lacking) renditions[name] = { absent: 'missing' };
  return { ...segment, renditions };
}
