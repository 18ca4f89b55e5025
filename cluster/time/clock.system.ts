/** The clock of this system. */
import { performance } from 'node:perf_hooks';
import type { Clock } from './clock.ts';
import { lookEveryMs, RunningTime } from './running-time.ts';

/** Created at the first question. */
let running: RunningTime | undefined;

function runningMs(): number {
  if (running === undefined) {
    running = new RunningTime(performance.now());
    setInterval(runningMs, lookEveryMs).unref();
  }
  return running.at(performance.now());
}

/** Timers may fire a little early. */
const earlyMs = 1;

/** By hand: most sleeps bound a call and are aborted, and `node:timers/promises` makes an error with its stack for each of those. */
function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const endMs = runningMs() + ms;
    const give = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const look = (): void => {
      const leftMs = endMs - runningMs();
      if (leftMs > earlyMs) {
        timer = setTimeout(look, leftMs);
        return;
      }
      signal?.removeEventListener('abort', give);
      resolve();
    };
    let timer = setTimeout(look, ms);
    signal?.addEventListener('abort', give, { once: true });
  });
}

export const systemClock: Clock = {
  utcMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  runningMs,
  sleep,
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
