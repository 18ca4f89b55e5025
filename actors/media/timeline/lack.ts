/**
 * Decides what an owner says by `missing` when it goes on with a stream of another region: which segments of the log have no media in its own
 * region's store (R8).
 *
 * L1. Manifests begin behind the last segment whose lowest rung or audio lacks, so a viewer is shown nothing that is not there.
 * L2. Another rung joins behind the last segment in which it lacks (M13). What it has before that is not shown either, as the record has one
 *     number for each rung. Where that takes all rungs of a segment, manifests begin behind it as well: none of its pictures is left.
 * L3. A rung whose init segment lacks, lacks in all segments of its period.
 */
import type { MissingRecord, StoredMedia } from '../../../cluster/contract/index-records.ts';
import type { InitSegment } from '../../../cluster/contract/renditions.ts';
import type { RenditionName } from '../../../cluster/model/ids.ts';
import { initOf, mediaOf, presentRungs, servedAudio } from './query.ts';
import type { Timeline, TimelinePeriod, TimelineSegment } from './timeline.ts';

export type Lack = Pick<MissingRecord, 'belowNumber' | 'rungs'>;
export type IsStored = (object: StoredMedia | InitSegment) => boolean;

/** @returns undefined where the store has all that is shown */
export function lackOf(timeline: Timeline, isStored: IsStored): Lack | undefined {
  const { shownFrom, firstNumber } = timeline;
  const hasAll = Math.max(shownFrom, firstNumber);
  let belowNumber = hasAll;
  /** Behind its last segment that lacks, for each rung (L2). */
  const below = new Map<RenditionName, number>();
  for (const period of timeline.periods)
    for (const segment of period.segments) {
      if (segment.number < belowNumber) continue;
      const lacking = namesOf(period, segment).filter((name) => !isThere(period, segment, name, isStored));
      if (lacking.some((name) => isNeeded(period, segment, name))) belowNumber = segment.number + 1;
      for (const name of lacking) below.set(name, segment.number + 1);
    }
  belowNumber = Math.max(belowNumber, behindUnseen(timeline, below));
  const rungs = Object.fromEntries([...below].filter(([, number]) => number > belowNumber));
  if (Object.keys(rungs).length > 0) return { belowNumber, rungs };
  return belowNumber === hasAll ? undefined : { belowNumber };
}

/** The number behind the last segment that would be left without any of its rungs (L2); 0 where each keeps one. */
function behindUnseen({ periods }: Timeline, below: ReadonlyMap<RenditionName, number>): number {
  const numbers = periods.flatMap((period) =>
    period.segments
      .filter((segment) => {
        const rungs = presentRungs(period, segment);
        return rungs.length > 0 && rungs.every((name) => segment.number < (below.get(name) ?? 0));
      })
      .map(({ number }) => number + 1),
  );
  return numbers.at(-1) ?? 0;
}

/** The served renditions that the segment has, best first, audio last. */
function namesOf(period: TimelinePeriod, segment: TimelineSegment): readonly RenditionName[] {
  const audio = servedAudio(period);
  const hasAudio = audio !== undefined && mediaOf(segment, audio.name) !== undefined;
  return [...presentRungs(period, segment), ...(hasAudio ? [audio.name] : [])];
}

/** Whether nothing of the segment can be shown without that rendition (L1). */
function isNeeded(period: TimelinePeriod, segment: TimelineSegment, name: RenditionName): boolean {
  return name === presentRungs(period, segment).at(-1) || name === servedAudio(period)?.name;
}

/** Whether the store has the rung's media and its init segment (L3). */
function isThere(
  period: TimelinePeriod,
  segment: TimelineSegment,
  name: RenditionName,
  isStored: IsStored,
): boolean {
  const [media, init] = [mediaOf(segment, name), initOf(period, name)];
  return media !== undefined && isStored(media) && (init === undefined || isStored(init));
}
