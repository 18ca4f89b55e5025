/**
 * How long the owner waits for what is made of a segment (M12): the deadlines of a segment of 2 s, grown with its length.
 *
 * Ten seconds of video are five times the work, and players hold back three times the longest segment: what is late for
 * a segment of 2 s is early for one of 10 s. All count from *source stored*, but a hedge from its task's start.
 */
import { lengthFactor } from '../../../cluster/model/media-limits.ts';
import { limits, type PendingSegment } from './owner-state.ts';

export interface Deadlines {
  readonly hedgeAfterMs: number;
  readonly commitWithoutRestMs: number;
  readonly gapMs: number;
  readonly backlogGapMs: number;
}

export function deadlinesOf({ offer }: Pick<PendingSegment, 'offer'>): Deadlines {
  const factor = lengthFactor(offer.duration90k / 90);
  return {
    hedgeAfterMs: Math.round(limits.hedgeAfterMs * factor),
    commitWithoutRestMs: Math.round(limits.commitWithoutRestMs * factor),
    gapMs: Math.round(limits.gapMs * factor),
    backlogGapMs: Math.round(limits.backlogGapMs * factor),
  };
}
