/**
 * The task queue on JetStream: a work-queue stream for the region, with two durable pull consumers (C9).
 *
 * Q1. A worker requests only as many tasks as it has free slots, so no task waits inside a busy worker while another is idle.
 * Q2. `lowest` is asked first, then `upper`. Only when both are empty does a request wait for either. When two tasks come for
 *     one slot, the upper one goes straight back. Rejected: one consumer over both subjects, as it delivers in order of
 *     arrival; and the client's `consume()`, as it requests ahead.
 * Q3. The stream is bounded and discards new messages when it is full. The owner is told so, and drops rungs.
 * Q4. Whatever goes missing (server, stream, consumer) is made again. When a server loses a task with its disk, the hedge of
 *     the task's owner publishes it again (M12).
 * Q5. While the queue is silent (the server is gone, or the stream or its consumers have no leader), an owner gives a task to
 *     the worker of its own node, if that has a free slot and the encoder of the period. So viewers wait for no election, and
 *     an outage leaves no backlog (C8). No more tasks run at once than otherwise.
 */
import {
  AckPolicy,
  DiscardPolicy,
  JetStreamApiError,
  RetentionPolicy,
  StorageType,
  jetstream,
  jetstreamManager,
  type PubAck,
} from '@nats-io/jetstream';
import { RequestError, nanos, type NatsConnection } from '@nats-io/transport-node';
import { subjects } from '../contract/subjects.ts';
import type { TaskGroup, TranscodeTask } from '../contract/transcode-task.ts';
import { TangazaError } from '../errors/tangaza-error.ts';
import type { RegionId } from '../model/ids.ts';
import type { Logger } from '../observe/logger.ts';
import type { Counter, Metrics } from '../observe/metrics.ts';
import type { Clock } from '../time/clock.ts';
import { TaskPuller } from './task-puller.nats.ts';
import { maxTaskBytes, type PulledTask, type TaskQueue } from './task-queue.ts';

export interface TaskQueueOptions {
  readonly connection: NatsConnection;
  readonly region: RegionId;
  /** How many servers keep a copy; 1 when absent. */
  readonly replicas?: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** The fingerprint of this node's encoder. Without it nothing is handed over within the node (Q5). */
  readonly fingerprint?: string;
  /** The most tasks in the stream. Beyond that `publish` throws `OVERLOADED` (Q3). */
  readonly maxTasks?: number;
  /** After this many ms without a word of its worker a task is delivered again (C9, M12). By default 1500. */
  readonly ackWaitMs?: number;
}

/** How long a task may be without a word of its worker before it is delivered again (C9, M12). */
const defaultAckWaitMs = 1500;
const maxAgeMs = 60_000;
/** At least twice the worker slots of the region: enough for 2,000. */
const maxAckPending = 4096;
const requestTimeoutMs = 2000;
/** The time-out for looking whether the queue exists. A server that elects a leader does not answer. */
const lookTimeoutMs = 500;
const openTries = 40;
const retryMs = 250;
const groups = ['lowest', 'upper'] as const satisfies readonly TaskGroup[];
/** JetStream's code for a stream that is full (Q3). */
const storeFailed = 10_077;
/** JetStream's codes for a consumer and for a stream that does not exist. */
const notFound = new Set([10_014, 10_059]);

/** @throws TangazaError `LOG_UNAVAILABLE` when JetStream does not answer within 10 s */
export async function openNatsTaskQueue(options: TaskQueueOptions): Promise<TaskQueue> {
  const queue = new NatsTaskQueue(options);
  for (let left = openTries; ; left -= 1) {
    try {
      await queue.ensure();
      return queue;
    } catch (error) {
      if (left <= 1) throw unavailable('JetStream does not answer', error);
      await options.clock.sleep(retryMs);
    }
  }
}

class NatsTaskQueue implements TaskQueue {
  readonly #options: TaskQueueOptions;
  readonly #stream: string;
  readonly #published: Counter;
  /** Requests only as many tasks as there are free slots (Q1), `lowest` first (Q2). */
  readonly #puller: TaskPuller;
  #domain: string | undefined;

  constructor(options: TaskQueueOptions) {
    const { metrics, region } = options;
    this.#options = options;
    this.#stream = `${subjects.taskStream}-${region}`;
    this.#published = metrics.counter({
      name: 'tangaza_tasks_published_total',
      help: 'Tasks offered to the queue.',
      labels: ['outcome'],
    });
    this.#puller = new TaskPuller({
      ...options,
      stream: this.#stream,
      ensure: () => this.#ensureWhatIsMissing(),
    });
  }

  /** Makes the bounded stream (Q3) and its consumers, or changes them to what they should be. */
  async ensure(): Promise<void> {
    const { connection, region, maxTasks, replicas, ackWaitMs = defaultAckWaitMs } = this.#options;
    const manager = await jetstreamManager(connection, { timeout: requestTimeoutMs, checkAPI: false });
    this.#domain = (await manager.getAccountInfo()).domain;
    const config = {
      name: this.#stream,
      subjects: [subjects.allTasks(region)],
      retention: RetentionPolicy.Workqueue,
      storage: StorageType.File,
      num_replicas: replicas ?? 1,
      discard: DiscardPolicy.New,
      max_age: nanos(maxAgeMs),
      duplicate_window: nanos(maxAgeMs),
      max_msgs: maxTasks ?? 10_000,
      max_bytes: 134_217_728,
      max_msg_size: maxTaskBytes,
    };
    await manager.streams.add(config).catch((cause: unknown) =>
      manager.streams.update(this.#stream, config).catch((error: unknown) => {
        // There is none to update, so the error that matters is why it could not be made.
        throw isNotFound(error) ? cause : error;
      }),
    );
    for (const group of groups) {
      await manager.consumers.add(this.#stream, {
        durable_name: group,
        filter_subject: subjects.task(region, group),
        ack_policy: AckPolicy.Explicit,
        ack_wait: nanos(ackWaitMs),
        max_deliver: -1,
        max_ack_pending: maxAckPending,
        max_waiting: 2048,
      });
    }
  }

  /**
   * Makes again what is missing (Q4). What only has no leader at the moment is not made again, as that would wait for the leader. @returns
   * whether anything was made
   */
  async #ensureWhatIsMissing(): Promise<boolean> {
    const { connection } = this.#options;
    const manager = await jetstreamManager(connection, { timeout: lookTimeoutMs, checkAPI: false });
    const isMissing = await Promise.all(
      groups.map((group) => manager.consumers.info(this.#stream, group)),
    ).then(() => false, isNotFound);
    if (isMissing) await this.ensure();
    return isMissing;
  }

  async publish(task: TranscodeTask): Promise<void> {
    if (this.#puller.isIdleInSilence && this.#handOver(task)) return;
    try {
      // A request that waits for a connection would be sent long after its owner gave it up.
      if (!this.#puller.isConnected) throw unavailable('There is no connection to NATS');
      const ack = await this.#publishOnce(task).catch(async (error: unknown) => {
        if (!isUnheard(error)) throw error;
        // Nobody listens on the subject: the server has lost the stream, has only just started, or elects a leader.
        if (!(await this.#ensureWhatIsMissing())) throw error;
        return this.#publishOnce(task);
      });
      this.#checkAck(ack);
      this.#published.add(1, { outcome: ack.duplicate ? 'duplicate' : 'stored' });
    } catch (error) {
      const isFull = error instanceof JetStreamApiError && error.code === storeFailed;
      if (!isFull && this.#handOver(task)) return;
      this.#published.add(1, { outcome: isFull ? 'full' : 'failed' });
      if (isFull)
        throw new TangazaError('OVERLOADED', 'The task queue is full: workers are too slow or too few.', {
          cause: error,
        });
      if (error instanceof TangazaError) throw error;
      throw unavailable(`Task ${task.taskId} could not be queued`, error);
    }
  }

  /** Hands the task to this node's own worker while the queue is silent (Q5). */
  #handOver(task: TranscodeTask): boolean {
    if (task.fingerprint !== this.#options.fingerprint || !this.#puller.handOver(task)) return false;
    this.#published.add(1, { outcome: 'here' });
    return true;
  }

  #publishOnce(task: TranscodeTask): Promise<PubAck> {
    const { connection, region } = this.#options;
    return jetstream(connection).publish(subjects.task(region, task.group), JSON.stringify(task), {
      msgID: `${task.taskId}#${task.attempt}`,
      timeout: requestTimeoutMs,
    });
  }

  /** The acknowledgement must come from the region's own stream and domain, and not from another one that listens on the subject (C10). */
  #checkAck({ stream, domain }: PubAck): void {
    const own = this.#domain ?? '';
    if (stream === this.#stream && (domain ?? '') === own) return;
    throw new TangazaError(
      'LOG_UNAVAILABLE',
      `The task went to stream ${stream} of domain "${domain ?? ''}", not to ${this.#stream} of "${own}".`,
    );
  }

  async *pull(slots: number, signal: AbortSignal): AsyncGenerator<PulledTask> {
    yield* this.#puller.pull(slots, signal);
  }

  async depth(): Promise<{ readonly waiting: number; readonly inFlight: number }> {
    try {
      const manager = await jetstreamManager(this.#options.connection, {
        timeout: requestTimeoutMs,
        checkAPI: false,
      });
      const infos = await Promise.all(groups.map((group) => manager.consumers.info(this.#stream, group)));
      const sum = (of: (info: (typeof infos)[number]) => number): number =>
        infos.reduce((total, info) => total + of(info), 0);
      return { waiting: sum((info) => info.num_pending), inFlight: sum((info) => info.num_ack_pending) };
    } catch (error) {
      throw unavailable('The task queue does not say how long it is', error);
    }
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof JetStreamApiError && notFound.has(error.code);
}

/** No responders: no stream of the server listens on the subject. */
function isUnheard(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof RequestError && error.cause.isNoResponders();
}

function unavailable(detail: string, cause?: unknown): TangazaError {
  return new TangazaError('LOG_UNAVAILABLE', `${detail}.`, { cause });
}
