/** The system's clock. */
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from './clock.ts';

export const systemClock: Clock = {
  utcMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) => delay(ms, undefined, signal === undefined ? {} : { signal }),
  every: (ms, run) => {
    let isRunning = false;
    const timer = setInterval(() => {
      if (isRunning) return;
      isRunning = true;
      void Promise.resolve(run()).finally(() => {
        isRunning = false;
      });
    }, ms);
    return () => clearInterval(timer);
  },
};
