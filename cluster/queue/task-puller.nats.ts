/**
 * Pulls tasks for the free slots of one node, and for no more (Q1, Q2 of the task queue).
 *
 * Requests are made on JetStream's wire protocol: the client library asks ahead, and cannot ask without waiting.
 */
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import { TranscodeTask } from '../contract/transcode.ts';
import { TangazaError } from '../errors/tangaza-error.ts';
import type { Logger } from '../observe/logger.ts';
import type { Counter, Metrics } from '../observe/metrics.ts';
import type { Clock } from '../time/clock.ts';
import { TaskLine } from './task-line.nats.ts';
import { deliveriesOf, reply, tell } from './task-message.nats.ts';
import type { PulledTask } from './task-queue.ts';

export interface TaskPullerOptions {
  readonly connection: NatsConnection;
  readonly stream: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Makes the stream and its consumers again. */
  readonly ensure: () => Promise<unknown>;
}

const ackTimeoutMs = 2000;
const retryMs = 250;

export class TaskPuller {
  readonly #options: TaskPullerOptions;
  readonly #lost: Counter;
  readonly #lines = new Set<TaskLine>();

  constructor(options: TaskPullerOptions) {
    this.#options = options;
    this.#lost = options.metrics.counter({
      name: 'tangaza_task_messages_lost_total',
      help: 'Messages on the queue that are no task, and acks that did not arrive.',
      labels: ['reason'],
    });
    void this.#wakeOnReconnect();
  }

  async *pull(slots: number, signal: AbortSignal): AsyncGenerator<PulledTask> {
    const demand = new Demand(slots);
    const { connection, stream, clock } = this.#options;
    const line = new TaskLine({ connection, stream, clock, hasRoom: (held) => demand.free > held });
    const wake = (): void => line.forget();
    this.#lines.add(line);
    signal.addEventListener('abort', wake, { once: true });
    try {
      while (!signal.aborted) {
        await demand.untilFree(signal);
        if (signal.aborted) return;
        const messages = await this.#next(line, demand.free).catch((error: unknown) =>
          this.#recover(error, signal),
        );
        yield* this.#hand(
          messages.flatMap((message) => this.#toTask(message, demand)),
          signal,
        );
      }
    } finally {
      signal.removeEventListener('abort', wake);
      this.#lines.delete(line);
      await line.close();
    }
  }

  /** One after the other; what is not taken any more goes back. */
  *#hand(tasks: readonly PulledTask[], signal: AbortSignal): Generator<PulledTask> {
    const waiting = [...tasks];
    try {
      while (!signal.aborted) {
        const task = waiting.shift();
        if (task === undefined) return;
        yield task;
      }
    } finally {
      waiting.forEach((task) => task.giveBack(0));
    }
  }

  /** Q2. May be empty: ask again. @throws TangazaError `LOG_UNAVAILABLE` when a consumer is not there */
  async #next(line: TaskLine, free: number): Promise<readonly Msg[]> {
    await line.askNow('lowest');
    if (line.held < free) await line.askNow('upper');
    if (line.held === 0) await line.wait();
    return line.take(free);
  }

  /** Q4. */
  async #recover(error: unknown, signal: AbortSignal): Promise<readonly Msg[]> {
    const { logger, clock, connection } = this.#options;
    if (connection.isClosed()) throw unavailable('The connection to NATS is closed', error);
    logger.debug({ err: error }, 'the task queue does not answer; trying again');
    try {
      await clock.sleep(retryMs, signal);
      await this.#options.ensure();
    } catch (again) {
      logger.debug({ err: again }, 'the task queue cannot be made yet');
    }
    return [];
  }

  #toTask(message: Msg, demand: Demand): readonly PulledTask[] {
    const { connection, logger } = this.#options;
    const parsed = TranscodeTask.safeParse(parseJson(message));
    if (!parsed.success) {
      logger.warn(
        { subject: message.subject, issues: parsed.error.issues.slice(0, 3) },
        'a message on the task queue is no task; it is removed',
      );
      this.#lost.add(1, { reason: 'malformed' });
      tell(connection, message, reply.refused);
      return [];
    }
    const release = demand.take();
    const settle = (payload: string): void => {
      release();
      tell(connection, message, payload);
    };
    return [
      {
        task: parsed.data,
        deliveries: deliveriesOf(message),
        working: () => tell(connection, message, reply.working),
        ack: () => this.#ack(message).finally(release),
        giveBack: (delayMs) => settle(reply.givenBack(delayMs)),
      },
    ];
  }

  /** Confirmed by the server, with one repeat; an ack that is lost all the same costs a second encode, nothing else. */
  async #ack(message: Msg): Promise<void> {
    const { connection, logger } = this.#options;
    const subject = message.reply;
    if (subject === undefined) return;
    for (let left = 2; left > 0; left -= 1) {
      try {
        await connection.request(subject, reply.acknowledged, { timeout: ackTimeoutMs });
        return;
      } catch (error) {
        logger.debug({ err: error, subject }, 'an ack did not arrive');
      }
    }
    this.#lost.add(1, { reason: 'ack' });
  }

  /** A restarted server has forgotten the requests that wait: ask at once instead of when they would have ended. */
  async #wakeOnReconnect(): Promise<void> {
    for await (const status of this.#options.connection.status()) {
      if (status.type === 'reconnect') this.#lines.forEach((line) => line.forget());
    }
  }
}

/** The free slots of one puller. */
class Demand {
  free: number;
  #waiter: (() => void) | undefined;

  constructor(slots: number) {
    this.free = slots;
  }

  /** @returns gives the slot back; more than one call counts once */
  take(): () => void {
    this.free -= 1;
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      this.free += 1;
      this.#waiter?.();
    };
  }

  async untilFree(signal: AbortSignal): Promise<void> {
    while (this.free <= 0 && !signal.aborted) {
      const wait = new Promise<void>((resolve) => {
        this.#waiter = resolve;
      });
      const wake = (): void => this.#waiter?.();
      signal.addEventListener('abort', wake, { once: true });
      await wait;
      signal.removeEventListener('abort', wake);
    }
  }
}

function parseJson(message: Msg): unknown {
  try {
    return message.json();
  } catch {
    return undefined;
  }
}

function unavailable(detail: string, cause?: unknown): TangazaError {
  return new TangazaError('LOG_UNAVAILABLE', `${detail}.`, { cause });
}
