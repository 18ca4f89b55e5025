/**
 * Notices that this process stood still: stopped, swapped out, or its machine asleep (C6).
 *
 * Looked at every 50 ms; when over a second has passed since the last look, everything that was decided before may be out
 * of date, and whoever decides by it has to read again. The wall clock counts as well: while a machine is suspended its monotonic clock
 * may stand still.
 */
import type { Clock } from './clock.ts';

const lookEveryMs = 50;
const frozenAfterMs = 1000;

/**
 * Calls `onThaw` with the ms for which the process stood still, until the returned function is called.
 *
 * @param overMs stood still for longer than this, give or take a look
 */
export function watchFreezes(
  clock: Clock,
  onThaw: (frozenMs: number) => void,
  overMs: number = frozenAfterMs,
): () => void {
  const look = () => ({ monotonicMs: clock.monotonicMs(), utcMs: clock.utcMs() });
  let seen = look();
  return clock.every(lookEveryMs, () => {
    const now = look();
    const passedMs = Math.max(now.monotonicMs - seen.monotonicMs, now.utcMs - seen.utcMs);
    seen = now;
    const frozenMs = passedMs - lookEveryMs;
    if (frozenMs > overMs) onThaw(frozenMs);
  });
}
