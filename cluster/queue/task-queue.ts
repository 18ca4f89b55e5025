/** The port of the task queue: a bounded work queue for the region (C9). */
import type { TranscodeTask } from '../contract/transcode-task.ts';

/** The largest message. Eight rungs, and the times of the longest segment at the highest rate, take a quarter of it. */
export const maxTaskBytes = 131_072;

export interface TaskQueue {
  /**
   * Publishes a task under the message id `taskId#attempt`. While the queue is silent, a worker of this node may take it. @throws
   * TangazaError `OVERLOADED` when the queue is full, `LOG_UNAVAILABLE` when it is gone
   */
  publish(task: TranscodeTask): Promise<void>;
  /**
   * Gives the next tasks, `lowest` first, as many as `slots` at once. It goes on across reconnects until `signal` aborts. A task that is
   * neither acknowledged nor reported as `working` within `ack_wait` is delivered again elsewhere.
   */
  pull(slots: number, signal: AbortSignal): AsyncIterable<PulledTask>;
  /** How many tasks wait, and how many are being worked on. */
  depth(): Promise<{ readonly waiting: number; readonly inFlight: number }>;
}

export interface PulledTask {
  readonly task: TranscodeTask;
  /** How often the task was delivered, from 1 on. */
  readonly deliveries: number;
  /** The worker is still at it. To be called every 500 ms (M12). */
  working(): void;
  /** The task is done. Only the first call of `ack` or `giveBack` counts. */
  ack(): Promise<void>;
  /** Gives the task back. It is delivered again after `delayMs`. */
  giveBack(delayMs: number): void;
}
