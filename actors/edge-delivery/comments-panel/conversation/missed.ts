/**
 * What a page without a socket lacks of another region that was cut off. It comes behind younger comments, so the newest page may not show it:
 * the poll after the first one that knows of the other region again reads from where the cut began. Not that one itself, as what has come is told
 * to the nodes of the region a moment later (A8).
 */
import type { Place } from '../state/comment.ts';

/** So long a comment may be under way. */
const longestWayMs = 120_000;

export interface Missed {
  /** Until when the other region was known, at the first page that said so. */
  readonly fromMs: number | undefined;
  /** Where the next poll begins. */
  readonly due: Place | undefined;
}

export const nothingMissed: Missed = { fromMs: undefined, due: undefined };

/** @param knownToMs what the page that was polled says; undefined: the other region is known */
export function missedAfter({ fromMs, due }: Missed, knownToMs: number | undefined): Missed {
  const isOpen = fromMs !== undefined && due === undefined;
  if (knownToMs !== undefined)
    return { fromMs: isOpen ? Math.min(fromMs, knownToMs) : knownToMs, due: undefined };
  if (!isOpen) return nothingMissed;
  return { fromMs, due: { createdAtMs: fromMs - longestWayMs, id: '' } };
}
