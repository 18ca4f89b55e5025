/**
 * Computes the owner's deadlines for a segment (M12): those of a segment of 2 s, multiplied for a longer one.
 *
 * Ten seconds of video are five times the work, and players stay three times the longest segment behind. So a time that
 * is late for a segment of 2 s is early for one of 10 s. Deadlines count from the moment when the source was stored; a
 * hedge's from its task's start.
 */
import { lengthFactor } from '../../../cluster/model/media-limits.ts';
import { pipelineLimits, type PendingSegment } from './state/pipeline-state.ts';

/** Bounds of what is decided here. Times in ms. */
const limits = {
  /** The deadlines of a segment of 2 s (M12); those of a longer one are computed from them. */
  hedgeAfterMs: 1200,
  commitWithoutRestMs: 2500,
  gapMs: 4000,
} as const;

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
    backlogGapMs: Math.round(pipelineLimits.backlogGapMs * factor),
  };
}
