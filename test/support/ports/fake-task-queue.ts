/** The task-queue port in memory: it passes the port's contract, and remembers how each task was settled. */
import type { TranscodeTask } from '../../../cluster/contract/transcode-task.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { PulledTask, TaskQueue } from '../../../cluster/queue/task-queue.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import { waitForEvents } from '../wait.ts';

export type Settled =
  | { readonly taskId: string; readonly how: 'acked' }
  | { readonly taskId: string; readonly how: 'givenBack'; readonly delayMs: number };

interface Waiting {
  readonly task: TranscodeTask;
  readonly deliveries: number;
}

/** One that pulls: how many tasks it holds. */
interface Puller {
  held: number;
}

export class FakeTaskQueue implements TaskQueue {
  readonly settled: Settled[] = [];
  beats = 0;
  readonly #clock: Pick<Clock, 'sleep'>;
  readonly #maxTasks: number;
  readonly #known = new Set<string>();
  #waiting: readonly Waiting[] = [];
  #inFlight = 0;
  #changed = Promise.withResolvers<void>();

  constructor(clock: Pick<Clock, 'sleep'>, maxTasks = 1000) {
    this.#clock = clock;
    this.#maxTasks = maxTasks;
  }

  /** Puts a delivery of it in the queue, whatever was there before. */
  push(task: TranscodeTask, deliveries = 1): void {
    this.#waiting = [...this.#waiting, { task, deliveries }];
    this.#tell();
  }

  async publish(task: TranscodeTask): Promise<void> {
    const id = `${task.taskId}#${task.attempt}`;
    if (this.#known.has(id)) return;
    if (this.#waiting.length + this.#inFlight >= this.#maxTasks) throw new TangazaError('OVERLOADED');
    this.#known.add(id);
    this.push(task);
  }

  async *pull(slots: number, signal: AbortSignal): AsyncGenerator<PulledTask> {
    const puller: Puller = { held: 0 };
    signal.addEventListener('abort', () => this.#tell(), { once: true });
    while (!signal.aborted) {
      const next = puller.held < slots ? this.#take() : undefined;
      if (next === undefined) await this.#changed.promise;
      else yield this.#hand(next, puller);
    }
  }

  async depth(): Promise<{ waiting: number; inFlight: number }> {
    return { waiting: this.#waiting.length, inFlight: this.#inFlight };
  }

  /** Until so many tasks were settled. */
  async untilSettled(count: number): Promise<readonly Settled[]> {
    const isEnough = (): boolean => this.settled.length >= count;
    await waitForEvents(`${count} tasks are settled`, isEnough, () => this.#changed.promise);
    return this.settled;
  }

  #take(): Waiting | undefined {
    const next = this.#waiting.find(({ task }) => task.group === 'lowest') ?? this.#waiting[0];
    this.#waiting = this.#waiting.filter((one) => one !== next);
    return next;
  }

  #hand({ task, deliveries }: Waiting, puller: Puller): PulledTask {
    const { taskId } = task;
    let isSettled = false;
    const settle = (entry: Settled): boolean => {
      if (isSettled) return false;
      isSettled = true;
      puller.held -= 1;
      this.#inFlight -= 1;
      this.settled.push(entry);
      this.#tell();
      return true;
    };
    puller.held += 1;
    this.#inFlight += 1;
    return {
      task,
      deliveries,
      working: () => void (this.beats += 1),
      ack: async () => void settle({ taskId, how: 'acked' }),
      giveBack: (delayMs) => {
        if (!settle({ taskId, how: 'givenBack', delayMs })) return;
        void this.#clock.sleep(delayMs).then(() => this.push(task, deliveries + 1));
      },
    };
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
