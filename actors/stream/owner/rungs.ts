/**
 * The rungs of a period as its owner sees them: which ones workers make, which stay out (M13), which init is the
 * reference (M7).
 */
import type { InitSegment, Rendition, VideoRendition } from '../../../cluster/contract/renditions.ts';
import type { RenditionName } from '../../../cluster/model/ids.ts';
import { initOf } from '../../media/timeline/query.ts';
import type { TimelinePeriod } from '../../media/timeline/timeline.ts';
import type { OwnerState } from './owner-state.ts';
import type { Turn } from '../turn.ts';

/** Bounds of what is decided here. Times in ms. */
const limits = {
  /** A dropped rung stays out for so many segments (M13). */
  heldSegments: 5,
} as const;

/** The video rungs that workers make, best first. */
export function encodedRungs(renditions: readonly Rendition[]): readonly VideoRendition[] {
  return renditions.filter((one) => one.kind === 'video').filter((one) => one.origin.kind === 'encode');
}

/** The rung that is never dropped: the last one that viewers get. */
export function lowestRung(renditions: readonly Rendition[]): VideoRendition | undefined {
  return renditions.filter((one) => one.kind === 'video').findLast((one) => one.origin.kind !== 'sourceOnly');
}

/** Keeps these rungs out for five segments, this one included (M13). */
export function holdRungs(turn: Turn, names: readonly RenditionName[], from: number): void {
  const until = from + limits.heldSegments;
  const holds = new Map(turn.state.holds);
  for (const name of names) {
    const known = holds.get(name);
    const isJoined = known !== undefined && known.until >= from && known.from <= until;
    holds.set(
      name,
      isJoined ? { from: Math.min(known.from, from), until: Math.max(known.until, until) } : { from, until },
    );
  }
  turn.set({ holds });
  turn.say('warn', 'rungs are left out for some segments', { renditions: names, from, until });
}

/** The reference init segment of a rung, from a decision or from the fold (M7). */
export function referenceInit(
  state: OwnerState,
  period: TimelinePeriod,
  name: RenditionName,
): InitSegment | undefined {
  return state.inits.get(`${period.id}/${name}`) ?? initOf(period, name);
}

/** Whether a rung is out at this segment number (M13). */
export function isHeld({ holds }: OwnerState, name: RenditionName, number: number): boolean {
  const hold = holds.get(name);
  return hold !== undefined && hold.from <= number && number < hold.until;
}
