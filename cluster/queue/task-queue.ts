/** The task-queue port: a bounded work queue of the region (C9). */
import type { TranscodeTask } from '../contract/transcode-task.ts';

/** Of one message: eight rungs, and the times of the longest segment at the fastest rate, take a quarter of it. */
export const maxTaskBytes = 131_072;

export interface TaskQueue {
  /** Message id `taskId#attempt`; while the queue is silent, a worker of this node may take it. @throws TangazaError `OVERLOADED` when the queue is full, `LOG_UNAVAILABLE` when it is gone */
  publish(task: TranscodeTask): Promise<void>;
  /**
   * The next tasks, `lowest` first, as many as `slots` at once; for ever, across reconnects, until `signal` aborts.
   * A task that is neither acked nor `working` for `ack_wait` comes again elsewhere.
   */
  pull(slots: number, signal: AbortSignal): AsyncIterable<PulledTask>;
  /** Waiting tasks and those being worked on. */
  depth(): Promise<{ readonly waiting: number; readonly inFlight: number }>;
}

export interface PulledTask {
  readonly task: TranscodeTask;
  /** How often it was delivered, from 1. */
  readonly deliveries: number;
  /** Still at it: call every 500 ms (M12). */
  working(): void;
  /** It is done. Of `ack` and `giveBack` the first one counts, once. */
  ack(): Promise<void>;
  /** Gives it back, to be delivered again after `delayMs`. */
  giveBack(delayMs: number): void;
}
