/** A clock that the test moves: timers ring and sleepers wake as its time passes them. */
import type { Clock } from '../../../cluster/time/clock.ts';

interface Timer {
  readonly everyMs: number;
  readonly run: () => void | Promise<void>;
  nextMs: number;
}

const stepMs = 50;

export class HandClock implements Clock {
  nowMs = 1_000_000;
  readonly #timers = new Set<Timer>();
  readonly #sleepers = new Set<{ readonly untilMs: number; readonly wake: () => void }>();

  utcMs = (): number => this.nowMs;
  monotonicMs = (): number => this.nowMs;
  runningMs = (): number => this.nowMs;

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return void reject(signal.reason);
      const sleeper = { untilMs: this.nowMs + ms, wake: resolve };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', () => {
        this.#sleepers.delete(sleeper);
        reject(signal.reason);
      });
      return undefined;
    });
  }

  every(everyMs: number, run: () => void | Promise<void>): () => void {
    const timer: Timer = { everyMs, run, nextMs: this.nowMs + everyMs };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** Lets time pass in steps of 50 ms. After each of them all that follows without time has happened. */
  async pass(ms: number): Promise<void> {
    for (let passedMs = 0; passedMs < ms; passedMs += stepMs) {
      this.nowMs += stepMs;
      for (const sleeper of this.#sleepers) {
        if (sleeper.untilMs > this.nowMs) continue;
        this.#sleepers.delete(sleeper);
        sleeper.wake();
      }
      for (const timer of this.#timers) {
        if (timer.nextMs > this.nowMs) continue;
        timer.nextMs += timer.everyMs;
        void timer.run();
      }
      await settled();
    }
  }
}

/** What is done without timers and without I/O is done then. */
export async function settled(): Promise<void> {
  for (let round = 0; round < 4; round += 1) await new Promise((resolve) => setImmediate(resolve));
}
