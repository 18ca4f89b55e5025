/** A task queue in memory: hands out what is pushed, and remembers how each task was settled. */
import type { TranscodeTask } from '../../cluster/contract/transcode.ts';
import type { PulledTask, TaskQueue } from '../../cluster/queue/task-queue.ts';

export type Settled =
  | { readonly taskId: string; readonly how: 'acked' }
  | { readonly taskId: string; readonly how: 'givenBack'; readonly delayMs: number };

export class FakeTaskQueue implements TaskQueue {
  readonly settled: Settled[] = [];
  beats = 0;
  readonly #waiting: { task: TranscodeTask; deliveries: number }[] = [];
  readonly #watchers = new Set<() => void>();
  #arrival = Promise.withResolvers<void>();

  push(task: TranscodeTask, deliveries = 1): void {
    this.#waiting.push({ task, deliveries });
    this.#arrival.resolve();
  }

  async publish(task: TranscodeTask): Promise<void> {
    this.push(task);
  }

  async *pull(_slots: number, signal: AbortSignal): AsyncGenerator<PulledTask> {
    const aborted = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    while (!signal.aborted) {
      const next = this.#waiting.shift();
      if (next === undefined) {
        this.#arrival = Promise.withResolvers();
        await Promise.race([this.#arrival.promise, aborted]);
      } else {
        yield this.#hand(next.task, next.deliveries);
      }
    }
  }

  async depth(): Promise<{ waiting: number; inFlight: number }> {
    return { waiting: this.#waiting.length, inFlight: 0 };
  }

  /** Until so many tasks were settled. */
  async untilSettled(count: number): Promise<readonly Settled[]> {
    while (this.settled.length < count) {
      await new Promise<void>((resolve) => void this.#watchers.add(resolve));
    }
    return this.settled;
  }

  #hand(task: TranscodeTask, deliveries: number): PulledTask {
    const settle = (entry: Settled): void => {
      this.settled.push(entry);
      this.#watchers.forEach((tell) => tell());
      this.#watchers.clear();
    };
    const { taskId } = task;
    return {
      task,
      deliveries,
      working: () => void (this.beats += 1),
      ack: async () => settle({ taskId, how: 'acked' }),
      giveBack: (delayMs) => settle({ taskId, how: 'givenBack', delayMs }),
    };
  }
}
