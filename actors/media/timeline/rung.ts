/** Which rendition of a period stands for a name that other periods have too: what is shown across a change of the ladder. */
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
 * The period's own rendition of that name, else its nearest of the same kind: by height, the lower of two.
 *
 * Rejected: declaring the whole period a gap in this rung. A player that sits in the DVR window on a rung which the older
 * period lacks would have to skip all of it; with the nearest it plays on, and the discontinuity carries the new init.
 */
export function nearestRendition(period: TimelinePeriod, wanted: Rendition): Rendition | undefined {
  const own = renditionOf(period, wanted.name);
  if (own !== undefined) return own;
  const same = servedRenditions(period).filter((one) => one.kind === wanted.kind);
  return same.toSorted((left, right) => distance(left, wanted) - distance(right, wanted))[0];
}

/** Lower ones win a tie. */
function distance(one: Rendition, wanted: Rendition): number {
  if (one.kind !== 'video' || wanted.kind !== 'video') return 0;
  const difference = one.height - wanted.height;
  return difference > 0 ? difference + 0.5 : -difference;
}
