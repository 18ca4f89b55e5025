/** Gives the simulator's edges the product's own fold of the index log (M14). */
import { applyEntry, emptyTimeline } from '../../../actors/media/timeline/fold.ts';
import type { Timeline } from '../../../actors/media/timeline/timeline.ts';
import type { IndexEntry } from '../../../cluster/contract/index-records.ts';
import type { EdgeFold, FoldedHead } from '../../simulation/simulated-edge.ts';

export function newEdgeFold(): EdgeFold {
  let timeline = emptyTimeline();
  return {
    take(entry: IndexEntry): FoldedHead {
      timeline = applyEntry(timeline, entry);
      return headOf(timeline);
    },
  };
}

function headOf({ epoch, firstNumber, nextNumber, nextOrdinal, ignored, periods }: Timeline): FoldedHead {
  const newest = periods.findLast(({ segments }) => segments.length > 0)?.segments.at(-1);
  const [media] = Object.values(newest?.renditions ?? {});
  const hash = media === undefined || 'absent' in media ? undefined : media.sha256;
  return { epoch, firstNumber, nextNumber, ignored, discontinuities: nextOrdinal, newest: hash };
}
