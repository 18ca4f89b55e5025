/**
 * Chooses the rendition of a period that stands for a name from other periods, so that playback crosses a change of the
 * ladder.
 */
import type { Rendition } from '../../../cluster/contract/renditions.ts';
import { renditionOf, servedRenditions } from './query.ts';
import type { Timeline, TimelinePeriod } from './timeline.ts';

/** The rendition of that name in the newest period that serves it. */
export function findRendition({ periods }: Timeline, name: string): Rendition | undefined {
  for (let index = periods.length - 1; index >= 0; index -= 1) {
    const period = periods[index];
    const found = period === undefined ? undefined : renditionOf(period, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * The period's own rendition of that name, else its nearest of the same kind: by height, and of two the lower one.
 *
 * Rejected: declaring the whole period a gap in this rung. A player that is in the DVR window, on a rung that the older
 * period lacks, would have to skip all of it. With the nearest rendition it plays on, and the discontinuity carries the
 * new init segment.
 */
export function nearestRendition(period: TimelinePeriod, wanted: Rendition): Rendition | undefined {
  const own = renditionOf(period, wanted.name);
  if (own !== undefined) return own;
  const same = servedRenditions(period).filter((one) => one.kind === wanted.kind);
  return same.toSorted((left, right) => distance(left, wanted) - distance(right, wanted))[0];
}

/** On a tie the lower one wins. */
function distance(one: Rendition, wanted: Rendition): number {
  if (one.kind !== 'video' || wanted.kind !== 'video') return 0;
  const difference = one.height - wanted.height;
  return difference > 0 ? difference + 0.5 : -difference;
}
