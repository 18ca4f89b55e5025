/**
 * Asks both consumers for tasks, at once or waiting in line, and loses none.
 *
 * A request is never withdrawn: the server may already be delivering to it, and that task would come again only after
 * `ack_wait`. So requests outlive the wait, on an inbox for each consumer; a task that arrives when no slot is free
 * goes straight back. A request that must not wait does all the same when its task goes to another at that moment
 * (seen with nats-server 2.10.27): after 50 ms it counts as one that waits.
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
import { nextSubject, pullStatusOf, reply, tell } from './task-message.nats.ts';

export interface TaskLineOptions {
  readonly connection: NatsConnection;
  readonly stream: string;
  readonly clock: Clock;
  /** Whether one more may be held beside the `held` ones. */
  readonly hasRoom: (held: number) => boolean;
}

/** Shorter ones would ask more often, longer ones would attract a task to a busy worker more often. */
const pollMs = 3000;
const answerMs = 50;
const heartbeatMs = 500;
/** Without a sign for so long the consumer's leader is gone, and our requests with it. */
const quietMs = 1200;
const waiting = { batch: 1, expires: nanos(pollMs), idle_heartbeat: nanos(heartbeatMs) };
const groups = ['lowest', 'upper'] as const satisfies readonly TaskGroup[];

export class TaskLine {
  readonly #options: TaskLineOptions;
  readonly #inboxes = { lowest: createInbox(), upper: createInbox() };
  readonly #subscriptions: readonly Subscription[];
  /** Requests that wait, and when their consumer last gave a sign of itself, monotonic ms. */
  readonly #waiting = new Map<TaskGroup, number>();
  /** Requests without an answer: since when there was no sign of their consumer. */
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

  /** Tasks that arrived and are not taken yet. */
  get held(): number {
    return this.#arrived.length;
  }

  /** Nothing can come: a consumer is not there, or gives no sign while a request waits. */
  get isSilent(): boolean {
    const nowMs = this.#options.clock.runningMs();
    return [...this.#unanswered.values()].some((sinceMs) => nowMs - sinceMs >= quietMs);
  }

  /** Asks for one task that is there now, unless a request waits already. @throws as `wait` */
  async askNow(group: TaskGroup): Promise<void> {
    if (this.#isWaiting(group)) return;
    await this.#untilChanged(answerMs, () => this.#ask(group, { batch: 1, no_wait: true }));
  }

  /**
   * Until a task has arrived, or it is time to ask again: the requests have ended, or those who had them are gone.
   *
   * @throws TangazaError `LOG_UNAVAILABLE` when a consumer is not there
   */
  async wait(): Promise<void> {
    const { clock } = this.#options;
    const endMs = clock.runningMs() + pollMs + 1000;
    const ask = (): void => groups.forEach((group) => this.#ask(group, waiting));
    while (await this.#untilChanged(quietMs, ask)) if (clock.runningMs() >= endMs) return this.forget();
  }

  /** Its request is with a consumer that has given a sign of late. */
  #isWaiting(group: TaskGroup): boolean {
    const heardMs = this.#waiting.get(group);
    return heardMs !== undefined && this.#options.clock.runningMs() - heardMs < quietMs;
  }

  /** @returns whether the time was over first */
  async #untilChanged(boundMs: number, ask: () => void): Promise<boolean> {
    const over = new AbortController();
    this.#changed = Promise.withResolvers();
    ask();
    const isOver = await Promise.race([
      this.#changed.promise.then(() => false),
      this.#options.clock.sleep(boundMs, over.signal).then(() => true),
    ]);
    over.abort();
    if (!this.#isUnavailable) return isOver;
    this.#isUnavailable = false;
    throw new TangazaError('LOG_UNAVAILABLE', 'A consumer of the task queue is not there.');
  }

  /** Up to `max` of what arrived, lowest first; the rest goes back. */
  take(max: number): readonly Msg[] {
    const best = this.#arrived.splice(0).toSorted((a, b) => a.subject.localeCompare(b.subject));
    best.slice(max).forEach((message) => this.#giveBack(message));
    return best.slice(0, max);
  }

  /** The server is gone, and our requests with it. */
  lose(): void {
    for (const group of groups) this.#unanswered.set(group, -Infinity);
  }

  /** The server no longer knows of our requests, or nobody wants to wait any more. */
  forget(): void {
    this.#waiting.clear();
    this.#changed.resolve();
  }

  async close(): Promise<void> {
    this.take(0);
    this.forget();
    const { connection, clock } = this.#options;
    if (connection.isClosed()) return;
    const over = new AbortController();
    const drained = Promise.all(this.#subscriptions.map((subscription) => subscription.drain()));
    await Promise.race([drained, clock.sleep(500, over.signal)]).catch(() => {});
    over.abort();
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
