/** A worker's side of a task queue, read by hand, and tasks to read. */
import type { PulledTask, TaskQueue } from '../../../cluster/queue/task-queue.ts';
import { sampleTask } from './transcode-task.ts';

export const queuedTask = (start: number, group: 'lowest' | 'upper' = 'upper', attempt = 1) =>
  sampleTask({ taskId: `demo/7/${start}/${group}`, start90k: start, group, attempt });

/** Stops with its scope. */
export class Puller implements AsyncDisposable {
  readonly #stop = new AbortController();
  readonly #tasks: AsyncIterator<PulledTask>;

  constructor(queue: TaskQueue, slots: number) {
    this.#tasks = queue.pull(slots, this.#stop.signal)[Symbol.asyncIterator]();
  }

  async next(): Promise<PulledTask> {
    const { value, done } = await this.#tasks.next();
    if (done === true) throw new Error('the puller has ended');
    return value;
  }

  stop(): void {
    this.#stop.abort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    await this.#tasks.return?.();
  }
}
