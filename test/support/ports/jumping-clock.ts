/** A clock that stands until somebody sleeps on it, and then jumps there; its timers are rung by hand. */
import type { Clock } from '../../../cluster/time/clock.ts';

export class JumpingClock implements Clock {
  nowMs = 0;
  ring: () => void | Promise<void> = () => {};

  utcMs = (): number => this.nowMs;
  monotonicMs = (): number => this.nowMs;
  runningMs = (): number => this.nowMs;

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.nowMs += ms;
  }

  every(_ms: number, run: () => void | Promise<void>): () => void {
    this.ring = run;
    return () => {
      this.ring = () => {};
    };
  }
}
