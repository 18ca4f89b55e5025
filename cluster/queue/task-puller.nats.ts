/**
 * Pulls tasks for the free slots of one node, and no more than that (task-queue.nats.ts Q1 and Q2).
 *
 * It speaks JetStream's wire protocol itself, as the client library requests ahead and cannot request without waiting. While the queue is
 * silent, owners of this node hand their tasks straight to its worker (task-queue.nats.ts Q5).
 */
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import { TranscodeTask } from '../contract/transcode-task.ts';
import { TangazaError } from '../errors/tangaza-error.ts';
import type { Logger } from '../observe/logger.ts';
import type { Counter, Metrics } from '../observe/metrics.ts';
import type { Clock } from '../time/clock.ts';
import { Arrivals } from './arrivals.ts';
import { Demand } from './demand.ts';
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
  readonly #pulls = new Set<Pull>();
  #isConnected = true;

  constructor(options: TaskPullerOptions) {
    this.#options = options;
    this.#lost = options.metrics.counter({
      name: 'tangaza_task_messages_lost_total',
      help: 'Messages on the queue that are no tasks, and acknowledgements that did not arrive.',
      labels: ['reason'],
    });
    void this.#watchConnection();
  }

  async *pull(slots: number, signal: AbortSignal): AsyncGenerator<PulledTask> {
    const over = new AbortController();
    const ending = AbortSignal.any([signal, over.signal]);
    const demand = new Demand(slots);
    const { connection, stream, clock } = this.#options;
    const line = new TaskLine({ connection, stream, clock, hasRoom: (held) => demand.free > held });
    const pull: Pull = { demand, line, arrivals: new Arrivals() };
    this.#pulls.add(pull);
    const asking = this.#askOn(pull, ending).catch((error: unknown) =>
      pull.arrivals.fail(unavailable('Tasks cannot be requested', error)),
    );
    try {
      yield* pull.arrivals.all(ending);
    } finally {
      this.#pulls.delete(pull);
      over.abort();
      await asking;
      pull.arrivals.giveBack();
    }
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** True while a worker of this node has a free slot and its requests stay unanswered. */
  get isIdleInSilence(): boolean {
    return [...this.#pulls].some(({ demand, line }) => demand.free > 0 && line.isSilent);
  }

  /** Hands a task to this node's own worker (task-queue.nats.ts Q5). @returns false without a worker that has a free slot */
  handOver(task: TranscodeTask): boolean {
    const pull = [...this.#pulls].find(({ demand }) => demand.free > 0);
    if (pull === undefined) return false;
    const release = pull.demand.take();
    pull.arrivals.put({
      task,
      deliveries: 1,
      working: () => {},
      ack: () => Promise.resolve(release()),
      // The task's owner is on this node: it hears of it, or has gone with the node. No other node could take the task from here.
      giveBack: release,
    });
    return true;
  }

  async #askOn({ demand, line, arrivals }: Pull, signal: AbortSignal): Promise<void> {
    const wake = (): void => line.forget();
    signal.addEventListener('abort', wake, { once: true });
    try {
      while (!signal.aborted) {
        await demand.untilFree(signal);
        if (signal.aborted) return;
        const messages = await this.#next(line, demand).catch((error: unknown) =>
          this.#recover(error, signal),
        );
        for (const task of messages.flatMap((message) => this.#toTask(message, demand))) arrivals.put(task);
      }
    } finally {
      signal.removeEventListener('abort', wake);
      await line.close();
    }
  }

  /**
   * Fetches the next tasks, `lowest` first (task-queue.nats.ts Q2). It may return none: then ask again. @throws TangazaError
   * `LOG_UNAVAILABLE` when a consumer does not exist
   */
  async #next(line: TaskLine, demand: Demand): Promise<readonly Msg[]> {
    await line.askNow('lowest');
    if (line.held < demand.free) await line.askNow('upper');
    if (line.held === 0) await line.wait();
    // As many as slots are free now: an owner of this node may have used one meanwhile (task-queue.nats.ts Q5).
    return line.take(demand.free);
  }

  /** Waits a little, and makes the queue again where it is gone. Nothing is lost meanwhile (task-queue.nats.ts Q4). */
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
    // An acknowledgement behind a give-back would remove the task from the queue while it is on its way to another worker.
    let isSettled = false;
    const isFirst = (): boolean => {
      if (isSettled) return false;
      isSettled = true;
      return true;
    };
    return [
      {
        task: parsed.data,
        deliveries: deliveriesOf(message),
        working: () => tell(connection, message, reply.working),
        ack: async () => {
          if (isFirst()) await this.#ack(message).finally(release);
        },
        giveBack: (delayMs) => {
          if (!isFirst()) return;
          release();
          tell(connection, message, reply.givenBack(delayMs));
        },
      },
    ];
  }

  /**
   * The server confirms this, and it is sent twice at most. An acknowledgement that is lost all the same costs a second encode and nothing
   * else.
   */
  async #ack(message: Msg): Promise<void> {
    const { connection, logger } = this.#options;
    const subject = message.reply;
    if (subject === undefined) return;
    for (let left = 2; left > 0; left -= 1) {
      try {
        await connection.request(subject, reply.acknowledged, { timeout: ackTimeoutMs });
        return;
      } catch (error) {
        logger.debug({ err: error, subject }, 'an acknowledgement did not arrive');
      }
    }
    this.#lost.add(1, { reason: 'ack' });
  }

  /** A restarted server has forgotten the waiting requests. So request again at once, and not only when they would have ended. */
  async #watchConnection(): Promise<void> {
    for await (const { type } of this.#options.connection.status()) {
      if (type === 'disconnect') {
        this.#isConnected = false;
        for (const { line } of this.#pulls) line.lose();
      } else if (type === 'reconnect') {
        this.#isConnected = true;
        for (const { line } of this.#pulls) line.forget();
      }
    }
  }
}

/** One reader of tasks, and what brings tasks to it. */
interface Pull {
  readonly demand: Demand;
  readonly line: TaskLine;
  readonly arrivals: Arrivals;
}

function parseJson(message: Msg): unknown {
  try {
    return message.json();
  } catch {
    return undefined;
  }
}

function unavailable(detail: string, cause?: unknown): TangazaError {
  if (cause instanceof TangazaError) return cause;
  return new TangazaError('LOG_UNAVAILABLE', `${detail}.`, { cause });
}
