/**
 * The node's end of its database's thread. It starts the thread, sends what waits, and starts another when one dies.
 *
 * Nothing here waits for SQLite, so the node's media go on whatever the database does (A14). A write waits for 5 ms, or for the
 * transaction before it, and goes with all that came meanwhile. A read goes at once, between two transactions.
 */
import { Worker } from 'node:worker_threads';
import { TangazaError } from '../../../../cluster/errors/tangaza-error.ts';
import type { Logger } from '../../../../cluster/observe/logger.ts';
import type { Metrics } from '../../../../cluster/observe/metrics.ts';
import type { Clock } from '../../../../cluster/time/clock.ts';
import { isOverWithin } from '../../../../cluster/time/within.ts';
import { isWrite, ofRegions } from './calls.ts';
import type { CallArgs, CallName, CallResults, Fault, News, Order, SentCall } from './calls.ts';
import { StoreMeter } from './store-meter.ts';
import { WaitingCalls } from './waiting-calls.ts';

const groupMs = 5;
const lookEveryMs = 100;
const openPatienceMs = 10_000;
const closePatienceMs = 4000;
const firstPauseMs = 100;
const longestPauseMs = 5000;
const heapMb = 256;

export interface ThreadOptions {
  /** Path of the database. */
  readonly file: string;
  readonly clock: Pick<Clock, 'sleep' | 'runningMs' | 'utcMs' | 'every'>;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Called after each write that other regions have to know. */
  readonly onWritten?: () => void;
  /** Starts a thread; by default one that runs comment-worker.sqlite.ts. */
  readonly startThread?: (file: string) => Worker;
}

function startCommentWorker(file: string): Worker {
  return new Worker(new URL('comment-worker.sqlite.ts', import.meta.url), {
    workerData: { file },
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: heapMb },
  });
}

type Opening = Exclude<News, { kind: 'answers' }>;

export class DatabaseThread {
  readonly #options: ThreadOptions;
  readonly #calls = new WaitingCalls();
  readonly #meter: StoreMeter;
  readonly #closing = new AbortController();
  readonly #stopLooking: () => void;
  #thread: Worker | undefined;
  #gone = Promise.resolve();
  /** Why there is no thread. */
  #fault: TangazaError | undefined;
  /** Since when writes wait for others to go with them. */
  #gatheringSinceMs: number | undefined;
  #lastId = 0;

  private constructor(options: ThreadOptions) {
    this.#options = options;
    const { clock, metrics, logger } = options;
    this.#meter = new StoreMeter(metrics, logger, () => ({
      calls: this.#calls.size,
      oldestMs: this.#calls.oldestMs(clock.runningMs()),
    }));
    this.#stopLooking = clock.every(lookEveryMs, () => this.#calls.expire(clock.runningMs()));
  }

  /**
   * Opens the file. What may pass, such as a full disk, is no reason to stop a node: then it is tried again, and calls are told why.
   *
   * @throws TangazaError with what is wrong with the file, where only an operator can mend it
   */
  static async open(options: ThreadOptions): Promise<DatabaseThread> {
    const opened = new DatabaseThread(options);
    const fault = await opened.#openPatiently();
    if (fault?.isLasting === true) {
      opened.#stopLooking();
      throw new TangazaError(fault.code, fault.message);
    }
    if (fault !== undefined) void opened.#startAnother();
    return opened;
  }

  /** @throws TangazaError `UNAVAILABLE`, `OVERLOADED`, `STORE_FULL`, and what the call itself is refused with */
  async ask<K extends CallName>(name: K, args: CallArgs[K]): Promise<CallResults[K]> {
    const { clock } = this.#options;
    const sinceMs = clock.runningMs();
    try {
      const result = await new Promise<CallResults[K]>((resolve, reject) => {
        if (this.#closing.signal.aborted) throw new TangazaError('UNAVAILABLE', closedWords);
        if (this.#fault !== undefined) throw this.#fault;
        this.#lastId += 1;
        this.#calls.add({ call: { id: this.#lastId, name, args }, sinceMs, resolve, reject });
        this.#sendReads();
        this.#gather();
      });
      this.#meter.done(name, clock.runningMs() - sinceMs);
      if (isWrite[name] && !ofRegions.has(name)) this.#options.onWritten?.();
      return result;
    } catch (error) {
      this.#meter.failed(name, error);
      throw error;
    }
  }

  /** What waits is done first, within its time. */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    const { clock } = this.#options;
    const thread = this.#thread;
    if (thread !== undefined) {
      this.#sendWrites();
      const isOver = (): boolean => this.#calls.size === 0 || this.#thread === undefined;
      await isOverWithin(this.#emptied(isOver), { clock, ms: closePatienceMs });
      this.#post({ kind: 'close' });
      if (!(await isOverWithin(this.#gone, { clock, ms: closePatienceMs }))) await thread.terminate();
    }
    this.#calls.endAll(closedWords);
    this.#stopLooking();
  }

  async #emptied(isOver: () => boolean): Promise<void> {
    while (!isOver()) await this.#options.clock.sleep(groupMs);
  }

  /** A busy event loop has late timers, so each write looks as well whether the time is over. */
  #gather(): void {
    if (this.#calls.hasWritesUnderWay || !this.#calls.hasWrites) return;
    const nowMs = this.#options.clock.runningMs();
    if (this.#gatheringSinceMs === undefined) void this.#beginGathering(nowMs);
    else if (nowMs - this.#gatheringSinceMs >= groupMs) this.#sendWrites();
  }

  async #beginGathering(nowMs: number): Promise<void> {
    this.#gatheringSinceMs = nowMs;
    await this.#options.clock.sleep(groupMs);
    if (this.#gatheringSinceMs === nowMs) this.#sendWrites();
  }

  #sendWrites(): void {
    this.#gatheringSinceMs = undefined;
    if (this.#thread === undefined) return;
    const calls = this.#calls.takeWrites();
    if (calls.length > 0) this.#post({ kind: 'write', calls });
  }

  #sendReads(): void {
    if (this.#thread === undefined) return;
    for (const call of this.#calls.takeReads()) this.#post({ kind: 'read', call });
  }

  #post(order: Order<SentCall>): void {
    // oxlint-disable-next-line require-post-message-target-origin -- a thread, not a window
    this.#thread?.postMessage(order);
  }

  #hear(news: Extract<News, { kind: 'answers' }>): void {
    this.#calls.settle(news.answers);
    this.#sendReads();
    this.#sendWrites();
  }

  /** @returns why it cannot be opened; undefined when it is open */
  async #openPatiently(): Promise<Fault | undefined> {
    const { clock, file } = this.#options;
    const untilMs = clock.runningMs() + openPatienceMs;
    for (;;) {
      const opening = await this.#openOnce();
      if (opening.kind === 'opened') return this.#settled(undefined);
      if (opening.kind === 'refused') return this.#settled(opening.fault);
      if (clock.runningMs() >= untilMs)
        return this.#settled({
          code: 'UNAVAILABLE',
          message: `Another process holds the database of the comments, ${file}, and does not let go: look which one.`,
        });
    }
  }

  #settled(fault: Fault | undefined): Fault | undefined {
    this.#fault = fault === undefined ? undefined : new TangazaError(fault.code, fault.message);
    if (this.#fault !== undefined) this.#meter.failed('open', this.#fault);
    return fault;
  }

  async #openOnce(): Promise<Opening> {
    const { file, startThread = startCommentWorker } = this.#options;
    const thread = startThread(file);
    const opening = Promise.withResolvers<Opening>();
    const gone = Promise.withResolvers<void>();
    let why = 'it ended by itself';
    thread.on('message', (news: News) =>
      news.kind === 'answers' ? this.#hear(news) : opening.resolve(news),
    );
    thread.on('error', (error: Error) => {
      why = error.message;
    });
    thread.on('exit', () => {
      opening.resolve({ kind: 'refused', fault: { code: 'UNAVAILABLE', message: why } });
      gone.resolve();
      if (this.#thread === thread) this.#died(why);
    });
    const opened = await opening.promise;
    if (opened.kind !== 'opened' || this.#closing.signal.aborted) {
      await thread.terminate();
      return opened;
    }
    this.#thread = thread;
    this.#gone = gone.promise;
    this.#sendReads();
    this.#sendWrites();
    return opened;
  }

  #died(why: string): void {
    this.#thread = undefined;
    this.#calls.lose();
    if (this.#closing.signal.aborted) return;
    this.#meter.died(why);
    void this.#startAnother();
  }

  async #startAnother(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#closing;
    const paused = (ms: number): Promise<boolean> =>
      clock.sleep(ms, signal).then(
        () => true,
        () => false,
      );
    for (let pauseMs = firstPauseMs; await paused(pauseMs); pauseMs = Math.min(2 * pauseMs, longestPauseMs))
      if ((await this.#openPatiently()) === undefined) return;
  }
}

const closedWords = 'The database of the comments is closed: this node stops. Ask another one.';
