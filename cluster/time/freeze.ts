/**
 * Notices that this process stood still: it was stopped or swapped out, or its machine was asleep (C6).
 *
 * The clocks are read every 50 ms. When over a second has passed since the last reading, earlier decisions may be outdated, and whoever
 * made them has to read again. The wall clock counts as well, as the monotonic clock may stand still while a machine is suspended.
 */
import type { Clock } from './clock.ts';

const lookEveryMs = 50;
const frozenAfterMs = 1000;

/**
 * Calls `onThaw` with the ms for which the process stood still, until the returned function is called.
 *
 * @param overMs a standstill must be longer than this, give or take one reading
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
