/** How busy the event loop of this process is. */
import { performance } from 'node:perf_hooks';

/** @returns a function that tells the busy share, 0 to 1, since its last call */
export function busyShare(): () => number {
  let last = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    return Number.isFinite(utilization) ? utilization : 0;
  };
}
