/**
 * A transcode worker: pulls tasks, reports to their owners, encodes, and stores (C9, M12).
 *
 * A task is acked when its output is stored and its owner knows, or cannot be told in five tries, 2 s in all. (A node
 * that has just started is known everywhere after one.) A successor emits the task again (C2), and finds the output
 * stored.
 *
 * V1. `started` goes out at once and holds nothing up. `working` goes out every 500 ms, from the pull until the task is
 *     settled. The answer says whether the task is still wanted, so a decided segment of a backlog is dropped. No clock
 *     is read for that: nodes whose clocks differ by a minute must not drop each other's tasks. Without an answer the
 *     task counts as wanted.
 * V2. The worker does not judge a task. It reports what failed, and the owner counts and decides. What it cannot report
 *     goes back to the queue.
 * V3. A drain ends within its bound. Tasks that are not done by then are stopped and given back.
 * V4. When the store fails the slot rests for a moment. A worker that fails at once would also be the first to ask for
 *     the next task, before workers whose store answers.
 */
import type { ReportReply } from '../../cluster/contract/stream-actions.ts';
import type { TaskReport, TranscodeTask } from '../../cluster/contract/transcode-task.ts';
import { errorCodeOf } from '../../cluster/errors/tangaza-error.ts';
import { unreachable } from '../../cluster/model/unreachable.ts';
import type { NodeId } from '../../cluster/model/ids.ts';
import type { Logger } from '../../cluster/observe/logger.ts';
import type { Counter, Gauge, Histogram, Metrics } from '../../cluster/observe/metrics.ts';
import type { PulledTask, TaskQueue } from '../../cluster/queue/task-queue.ts';
import type { Clock } from '../../cluster/time/clock.ts';
import { within } from '../../cluster/time/within.ts';
import { isStoreFault } from '../segment-store/store-faults.ts';
import { admit, type Admission } from './admission.ts';
import { Gate } from './gate.ts';
import { transcode, type TranscodePorts } from './transcode.ts';

export interface WorkerPorts extends TranscodePorts {
  readonly node: NodeId;
  /** How many tasks run at once, from 1. */
  readonly slots: number;
  readonly fingerprint: string;
  readonly queue: TaskQueue;
  /** Reports to the owner; rejects when the owner cannot be reached. */
  readonly report: (owner: NodeId, report: TaskReport) => Promise<ReportReply>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

const heartbeatMs = 500;
const reportTries = 5;
const reportTimeoutMs = 2000;
const reportRetryMs = 200;
const returnDelayMs = 1000;
const pullRetryMs = 1000;
const storeRestMs = 500;
const maxDetail = 1000;

export class TranscodeWorker {
  readonly #ports: WorkerPorts;
  readonly #gate: Gate;
  readonly #running = new Set<Promise<void>>();
  readonly #pulling = new AbortController();
  readonly #encoding = new AbortController();
  readonly #tasks: Counter;
  readonly #seconds: Histogram;
  readonly #busy: Gauge;
  #loop: Promise<void> | undefined;

  constructor(ports: WorkerPorts) {
    this.#ports = ports;
    this.#gate = new Gate(ports.slots);
    const { metrics } = ports;
    this.#tasks = metrics.counter({
      name: 'tangaza_transcode_tasks_total',
      help: 'Tasks by what became of them here.',
      labels: ['outcome'],
    });
    this.#seconds = metrics.histogram({
      name: 'tangaza_transcode_task_seconds',
      help: 'From pull to stored.',
      buckets: [0.25, 0.5, 1, 1.5, 2, 2.5, 4, 8, 16, 32],
    });
    this.#busy = metrics.gauge({ name: 'tangaza_transcode_slots_busy', help: 'Tasks being worked on.' });
  }

  start(): void {
    this.#loop ??= this.#pullForEver();
  }

  /** Takes no new task, finishes its tasks within `boundMs`, and gives the rest back (V3). */
  async drain(boundMs: number): Promise<void> {
    this.#pulling.abort();
    const over = new AbortController();
    const bound = this.#ports.clock
      .sleep(boundMs, over.signal)
      .then(() => this.#encoding.abort())
      .catch(() => {});
    await this.#loop;
    while (this.#running.size > 0) await Promise.race(this.#running);
    over.abort();
    await bound;
  }

  async #pullForEver(): Promise<void> {
    const { queue, slots, clock, logger } = this.#ports;
    const { signal } = this.#pulling;
    while (!signal.aborted) {
      try {
        for await (const pulled of queue.pull(slots, signal)) this.#track(this.#handle(pulled));
      } catch (error) {
        logger.warn({ err: error }, 'could not pull tasks; trying again');
        await clock.sleep(pullRetryMs, signal).catch(() => {});
      }
    }
  }

  #track(handling: Promise<void>): void {
    this.#running.add(handling);
    void handling.finally(() => this.#running.delete(handling));
  }

  /** Runs a task and settles it in every case; never rejects. */
  async #handle(pulled: PulledTask): Promise<void> {
    const { clock, logger, fingerprint } = this.#ports;
    const { task, deliveries } = pulled;
    const log = logger.child({ task: task.taskId, attempt: task.attempt, streamId: task.streamId });
    const stopBeating = clock.every(heartbeatMs, () => pulled.working());
    try {
      const admission = admit({ task, deliveries, fingerprint });
      await this.#carryOut(admission, pulled, log);
    } catch (error) {
      log.error({ err: error }, 'a task could not be handled; it goes back');
      pulled.giveBack(returnDelayMs);
    } finally {
      stopBeating();
    }
  }

  async #carryOut(admission: Admission, pulled: PulledTask, log: Logger): Promise<void> {
    switch (admission.kind) {
      case 'giveBack':
        this.#tasks.add(1, { outcome: 'givenBack' });
        return pulled.giveBack(admission.delayMs);
      case 'refuse':
        return this.#fail(pulled, admission, log);
      case 'run':
      case 'runAlone':
        return this.#run(pulled, admission.kind === 'runAlone', log);
      default:
        return unreachable(admission);
    }
  }

  async #run(pulled: PulledTask, isAlone: boolean, log: Logger): Promise<void> {
    const { clock } = this.#ports;
    const leave = await this.#gate.enter(isAlone);
    this.#busy.set(this.#gate.inside);
    const startedMs = clock.runningMs();
    const unwanted = new AbortController();
    try {
      void this.#begin(pulled.task, unwanted);
      const signal = AbortSignal.any([this.#encoding.signal, unwanted.signal]);
      const outputs = await transcode(pulled.task, this.#ports, signal);
      const encodeMs = clock.runningMs() - startedMs;
      this.#seconds.observe(encodeMs / 1000);
      this.#tasks.add(1, { outcome: 'done' });
      const answer = await this.#tell(pulled.task, { kind: 'done', outputs, encodeMs }, reportTries);
      if (answer === undefined)
        log.warn({ owner: pulled.task.owner }, 'the owner cannot be told; the output is stored');
      await pulled.ack();
    } catch (error) {
      if (unwanted.signal.aborted) return await this.#drop(pulled, log);
      if (this.#encoding.signal.aborted) return await this.#return(pulled);
      const detail = error instanceof Error ? error.message : String(error);
      await this.#fail(pulled, { code: errorCodeOf(error), detail }, log);
    } finally {
      leave();
      this.#busy.set(this.#gate.inside);
    }
  }

  /** Reports that the task has begun, and drops it when the answer says that nobody waits for it (V1). */
  async #begin(task: TranscodeTask, unwanted: AbortController): Promise<void> {
    const answer = await this.#tell(task, { kind: 'started' }, 1);
    if (answer?.isWanted === false) unwanted.abort();
  }

  /** Drops a task that nobody waits for any more (V1). */
  #drop(pulled: PulledTask, log: Logger): Promise<void> {
    log.info({}, 'nobody waits for this task any more; dropped');
    this.#tasks.add(1, { outcome: 'dropped' });
    return pulled.ack();
  }

  /**
   * Gives a task back to its owner, who publishes it again at once (V3). Through the queue it would count as one more
   * failed delivery.
   */
  async #return(pulled: PulledTask): Promise<void> {
    this.#tasks.add(1, { outcome: 'givenBack' });
    if ((await this.#tell(pulled.task, { kind: 'returned' }, 1)) !== undefined) await pulled.ack();
    else pulled.giveBack(0);
  }

  /** Reports a failure to the owner. What cannot be reported goes back to the queue (V2). */
  async #fail(
    pulled: PulledTask,
    failure: { readonly code: string; readonly detail: string },
    log: Logger,
  ): Promise<void> {
    const { code, detail } = failure;
    const { fingerprint, clock } = this.#ports;
    log.warn({ code, detail }, 'a task failed');
    this.#tasks.add(1, { outcome: 'failed' });
    const answer = await this.#tell(
      pulled.task,
      { kind: 'failed', code, detail: detail.slice(0, maxDetail), fingerprint },
      reportTries,
    );
    if (isStoreFault(code)) await clock.sleep(storeRestMs, this.#pulling.signal).catch(() => {});
    if (answer !== undefined) await pulled.ack();
    else pulled.giveBack(returnDelayMs);
  }

  /** @returns the owner's answer; undefined when there was none within `tries` */
  async #tell(task: TranscodeTask, what: Untold, tries: number): Promise<ReportReply | undefined> {
    const { node, report, clock, logger } = this.#ports;
    const { streamId, taskId, attempt, epoch } = task;
    const about = { streamId, taskId, attempt, epoch, worker: node };
    for (let left = tries; left > 0; left -= 1) {
      try {
        return await answered(clock, report(task.owner, { ...what, ...about }));
      } catch (error) {
        logger.debug({ err: error, owner: task.owner, kind: what.kind }, 'a report did not reach the owner');
        // A drain that is over its bound waits for nobody (V3).
        if (this.#encoding.signal.aborted) return undefined;
        if (left > 1) await clock.sleep(reportRetryMs * (1 + tries - left));
      }
    }
    return undefined;
  }
}

/** A report without the fields that every report has. */
type Untold = TaskReport extends infer R ? (R extends TaskReport ? Omit<R, keyof About> : never) : never;
type About = Pick<TaskReport, 'streamId' | 'taskId' | 'attempt' | 'epoch' | 'worker'>;

function answered<T>(clock: Clock, promise: Promise<T>): Promise<T> {
  const late = (): never => {
    throw new Error(`no answer within ${reportTimeoutMs} ms`);
  };
  return within(promise, { clock, ms: reportTimeoutMs, late });
}
