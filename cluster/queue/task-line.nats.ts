/**
 * Requests tasks from both consumers, at once or by waiting in line, and loses none.
 *
 * A request is never withdrawn: the server may already be delivering to it, and that task would come again only after `ack_wait`. So
 * requests outlive the wait, with one inbox for each consumer. A task that arrives when no slot is free goes straight back. A request that
 * must not wait does wait when another request gets its task at that moment (seen with nats-server 2.10.27). After 50 ms it counts as one
 * that waits.
 */
import {
  createInbox,
  nanos,
  type Msg,
  type NatsConnection,
  type Subscription,
} from '@nats-io/transport-node';
import type { TaskGroup } from '../contract/transcode-task.ts';
import { TangazaError } from '../errors/tangaza-error.ts';
import type { Clock } from '../time/clock.ts';
import { isOverWithin, within } from '../time/within.ts';
import { nextSubject, pullStatusOf, reply, tell } from './task-message.nats.ts';

export interface TaskLineOptions {
  readonly connection: NatsConnection;
  readonly stream: string;
  readonly clock: Clock;
  /** Says whether one more task may be held beside the `held` ones. */
  readonly hasRoom: (held: number) => boolean;
}

/** With a shorter time there would be more requests. With a longer one a busy worker would attract a task more often. */
const pollMs = 3000;
const answerMs = 50;
const heartbeatMs = 500;
/** After this long without a sign, the leader of the consumer is gone, and our requests with it. */
const quietMs = 1200;
/** How long a close waits for its subscriptions. */
const drainMs = 500;
const waiting = { batch: 1, expires: nanos(pollMs), idle_heartbeat: nanos(heartbeatMs) };
const groups = ['lowest', 'upper'] as const satisfies readonly TaskGroup[];

export class TaskLine {
  readonly #options: TaskLineOptions;
  readonly #inboxes = { lowest: createInbox(), upper: createInbox() };
  readonly #subscriptions: readonly Subscription[];
  /** When the consumers with waiting requests last gave a sign, in monotonic ms. */
  readonly #waiting = new Map<TaskGroup, number>();
  /** Unanswered requests: since when their consumer gave no sign. */
  readonly #unanswered = new Map<TaskGroup, number>();
  readonly #arrived: Msg[] = [];
  #isUnavailable = false;
  #changed = Promise.withResolvers<void>();

  constructor(options: TaskLineOptions) {
    this.#options = options;
    this.#subscriptions = groups.map((group) =>
      options.connection.subscribe(this.#inboxes[group], {
        callback: (error, message) => this.#receive(group, error, message),
      }),
    );
  }

  /** Tasks that arrived and were not taken yet. */
  get held(): number {
    return this.#arrived.length;
  }

  /** True when no task can come: a consumer does not exist, or gives no sign while a request waits. */
  get isSilent(): boolean {
    const nowMs = this.#options.clock.runningMs();
    return [...this.#unanswered.values()].some((sinceMs) => nowMs - sinceMs >= quietMs);
  }

  /** Requests one task that is there now, unless a request waits already. @throws as `wait` does */
  async askNow(group: TaskGroup): Promise<void> {
    if (this.#isWaiting(group)) return;
    await this.#untilChanged(answerMs, () => this.#ask(group, { batch: 1, no_wait: true }));
  }

  /**
   * Waits until a task has arrived, or until it is time to request again: the requests have ended, or their servers are gone.
   *
   * @throws TangazaError `LOG_UNAVAILABLE` when a consumer does not exist
   */
  async wait(): Promise<void> {
    const { clock } = this.#options;
    const endMs = clock.runningMs() + pollMs + 1000;
    const ask = (): void => groups.forEach((group) => this.#ask(group, waiting));
    while (await this.#untilChanged(quietMs, ask)) if (clock.runningMs() >= endMs) return this.forget();
  }

  /** Says whether a request waits at a consumer that gave a sign lately. */
  #isWaiting(group: TaskGroup): boolean {
    const heardMs = this.#waiting.get(group);
    return heardMs !== undefined && this.#options.clock.runningMs() - heardMs < quietMs;
  }

  /** @returns whether the time ran out first */
  async #untilChanged(boundMs: number, ask: () => void): Promise<boolean> {
    this.#changed = Promise.withResolvers();
    ask();
    const changed = this.#changed.promise.then(() => false);
    const isOver = await within(changed, { clock: this.#options.clock, ms: boundMs, late: () => true });
    if (!this.#isUnavailable) return isOver;
    this.#isUnavailable = false;
    throw new TangazaError('LOG_UNAVAILABLE', 'A consumer of the task queue is not there.');
  }

  /** Takes up to `max` of the arrived tasks, lowest first. The others go back. */
  take(max: number): readonly Msg[] {
    const best = this.#arrived.splice(0).toSorted((a, b) => a.subject.localeCompare(b.subject));
    best.slice(max).forEach((message) => this.#giveBack(message));
    return best.slice(0, max);
  }

  /** The server is gone, and our requests with it. */
  lose(): void {
    for (const group of groups) this.#unanswered.set(group, -Infinity);
  }

  /** The server no longer knows our requests, or nobody wants to wait any more. */
  forget(): void {
    this.#waiting.clear();
    this.#changed.resolve();
  }

  async close(): Promise<void> {
    this.take(0);
    this.forget();
    const { connection, clock } = this.#options;
    if (connection.isClosed()) return;
    const drained = Promise.all(this.#subscriptions.map((subscription) => subscription.drain()));
    await isOverWithin(drained, { clock, ms: drainMs });
    this.take(0);
  }

  #ask(group: TaskGroup, request: object): void {
    const { connection, stream, clock } = this.#options;
    if (this.#isWaiting(group)) return;
    const nowMs = clock.runningMs();
    this.#waiting.set(group, nowMs);
    if (!this.#unanswered.has(group)) this.#unanswered.set(group, nowMs);
    connection.publish(nextSubject(stream, group), JSON.stringify(request), { reply: this.#inboxes[group] });
  }

  #receive(group: TaskGroup, error: Error | null, message: Msg): void {
    const status = error === null ? pullStatusOf(message) : 'unavailable';
    if (status === 'waiting') {
      const nowMs = this.#options.clock.runningMs();
      this.#waiting.set(group, nowMs);
      this.#unanswered.set(group, nowMs);
      return;
    }
    this.#waiting.delete(group);
    if (status === 'unavailable') {
      this.#isUnavailable = true;
      this.#unanswered.set(group, -Infinity);
    } else this.#unanswered.delete(group);
    if (status === undefined) {
      if (this.#options.hasRoom(this.#arrived.length)) this.#arrived.push(message);
      else this.#giveBack(message);
    }
    this.#changed.resolve();
  }

  #giveBack(message: Msg): void {
    tell(this.#options.connection, message, reply.givenBack(0));
  }
}
