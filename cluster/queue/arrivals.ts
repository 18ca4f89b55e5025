/**
 * Tasks on their way from those who bring them to the one who reads them. Bounded by who brings them: each has taken a
 * slot of the reader (Demand). What is not read any more goes back.
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

  /** Nothing comes any more: the reader throws. */
  fail(error: Error): void {
    this.#failure = error;
    this.#changed.resolve();
  }

  /** Until the signal aborts. @throws what `fail` was told */
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

  /** Gives back what nobody has read. */
  giveBack(): void {
    for (const task of this.#tasks.splice(0)) task.giveBack(0);
  }

  async #untilChanged(signal: AbortSignal): Promise<void> {
    this.#changed = Promise.withResolvers();
    if (!signal.aborted) await this.#changed.promise;
  }
}
