/** The clock of this system. */
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
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

async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  const options = signal === undefined ? {} : { signal };
  const endMs = runningMs() + ms;
  let leftMs = ms;
  do {
    await delay(leftMs, undefined, options);
    leftMs = endMs - runningMs();
  } while (leftMs > earlyMs);
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
