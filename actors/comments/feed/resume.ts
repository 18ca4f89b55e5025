/**
 * Answers a page that comes back: what arrived since it left, and whether that is everything (A8).
 *
 * It goes by arrival and not by the order of comments, as a comment may arrive behind younger ones. It begins 5 s before the page's last
 * frame, for clocks of nodes that differ and for what was on its way: the page knows what it has. At most the newest 200 are sent. When there
 * are more, the page is told of the gap, and reads it by HTTP. A gap begins 2 minutes earlier, because a comment arrives at most that long
 * after it was written (A2).
 */
import type { Resume } from '../../../cluster/contract/audience/socket-messages.ts';
import type { StoredComment } from '../store/comment-store.ts';
import { byChange, byPlace, isShown } from './ring.ts';
import type { ToldComment } from './told-comment.ts';

export const backMs = 5000;
export const mostNewest = 200;
/** How many comments a page gets that has none. */
export const firstComments = 50;
/** How long after it was written a comment arrives. */
export const longestWayMs = 120_000;

export interface Answer {
  readonly resume: Resume;
  readonly told: readonly ToldComment[];
}

/** From when on a page lacks something, by its last frame. A page's clock may be off, so it is never later than now. */
export const resumeFromMs = (lastAtMs: number, nowMs: number): number => Math.min(lastAtMs, nowMs) - backMs;

/**
 * @param rows what arrived or was changed since `fromMs`, each comment once
 * @param isAll false where it is not all of that: then the page is told of a gap in any case
 */
export function answerOf(rows: readonly StoredComment[], fromMs: number, isAll = true): Answer {
  const added = rows.filter((one) => one.arrivedAtMs >= fromMs && !one.isHeld).toSorted(byPlace);
  const changed = rows.filter((one) => one.arrivedAtMs < fromMs || isHeldSince(one)).toSorted(byChange);
  const newest = added.slice(-mostNewest);
  const told: readonly ToldComment[] = [
    ...newest.map((comment) => ({ kind: isShown(comment) ? 'added' : 'changed', comment }) as const),
    ...changed.map((comment) => ({ kind: 'changed', comment }) as const),
  ];
  if (isAll && newest.length === added.length) return { resume: 'complete', told };
  const to = Math.max(newest[0]?.createdAtMs ?? fromMs, fromMs);
  return { resume: { gap: { from: isoOf(fromMs - longestWayMs), to: isoOf(to) } }, told };
}

/** The page may have shown it before it was held. */
const isHeldSince = ({ isHeld, changedAtMs, arrivedAtMs }: StoredComment): boolean =>
  isHeld && changedAtMs > arrivedAtMs;

export const isoOf = (ms: number): string => new Date(Math.max(0, ms)).toISOString();
