/**
 * Tries an operation a bounded number of times, each for a bounded time, with full jitter in between
 * (segment-store.s3.ts O2).
 */
import type { Metrics } from '../../cluster/observe/metrics.ts';
import { abortAfter, type Clock } from '../../cluster/time/clock.ts';
import { isPassing, storeErrorOf } from './s3-errors.s3.ts';

export interface AttemptLimits {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly attemptTimeoutMs?: number;
  readonly maxAttempts?: number;
}

const firstDelayMs = 50;

export class Attempts {
  readonly #clock: Clock;
  readonly #retries;
  readonly #attemptTimeoutMs: number;
  readonly #maxAttempts: number;

  constructor({ clock, metrics, attemptTimeoutMs = 10_000, maxAttempts = 4 }: AttemptLimits) {
    this.#clock = clock;
    this.#attemptTimeoutMs = attemptTimeoutMs;
    this.#maxAttempts = maxAttempts;
    this.#retries = metrics.counter({
      name: 'tangaza_store_retries_total',
      help: 'Operations of the S3 store that were tried again.',
    });
  }

  /**
   * @param what the key, prefix or bucket, for messages
   * @throws the signal's reason when it aborts; else a TangazaError
   */
  async run<T>(
    what: string,
    signal: AbortSignal | undefined,
    work: (attempt: AbortSignal) => Promise<T>,
  ): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      using timeout = abortAfter(this.#clock, this.#attemptTimeoutMs);
      try {
        return await work(signal === undefined ? timeout.signal : AbortSignal.any([signal, timeout.signal]));
      } catch (error) {
        signal?.throwIfAborted();
        if (attempt >= this.#maxAttempts || !isPassing(error)) throw storeErrorOf(error, what);
      }
      this.#retries.add(1);
      await this.#clock.sleep(Math.random() * firstDelayMs * 2 ** attempt, signal);
    }
  }
}
