/**
 * Passes tasks from those who bring them to the one reader. Each bringer has taken a slot of the reader (demand.ts), which bounds them.
 * Tasks that are no longer read go back.
 */
import type { PulledTask } from './task-queue.ts';

export class Arrivals {
  readonly #tasks: PulledTask[] = [];
  #changed = Promise.withResolvers<void>();
  #failure: Error | undefined;

  put(task: PulledTask): void {
    this.#tasks.push(task);
    this.#changed.resolve();
  }

  /** No more tasks come: the reader throws this error. */
  fail(error: Error): void {
    this.#failure = error;
    this.#changed.resolve();
  }

  /** Gives tasks until the signal aborts. @throws the error that `fail` was given */
  async *all(signal: AbortSignal): AsyncGenerator<PulledTask> {
    const wake = (): void => this.#changed.resolve();
    signal.addEventListener('abort', wake, { once: true });
    try {
      while (!signal.aborted) {
        const task = this.#tasks.shift();
        if (task !== undefined) yield task;
        else if (this.#failure !== undefined) throw this.#failure;
        else await this.#untilChanged(signal);
      }
    } finally {
      signal.removeEventListener('abort', wake);
    }
  }

  /** Gives back the tasks that nobody has read. */
  giveBack(): void {
    for (const task of this.#tasks.splice(0)) task.giveBack(0);
  }

  async #untilChanged(signal: AbortSignal): Promise<void> {
    this.#changed = Promise.withResolvers();
    if (!signal.aborted) await this.#changed.promise;
  }
}
