/**
 * Bounds how many operations run at once and how many may wait. They start in the order in which they came; what comes beyond the bound is
 * refused.
 */
import { TangazaError } from '../errors/tangaza-error.ts';

export interface GateLimits {
  /** What the operations do, as the text of a refusal names it. */
  readonly about: string;
  readonly running: number;
  readonly waiting: number;
  /** Called whenever the number of waiting operations changes. */
  readonly onWaiting?: (count: number) => void;
}

export class Gate {
  readonly #limits: GateLimits;
  readonly #waiting = new Set<() => void>();
  #running = 0;

  constructor(limits: GateLimits) {
    this.#limits = limits;
  }

  get running(): number {
    return this.#running;
  }

  /** @throws TangazaError `OVERLOADED` when too many wait; the signal's reason when it aborts before its turn */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    if (this.#running >= this.#limits.running) await this.#wait(signal);
    else this.#running += 1;
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  #wait(signal: AbortSignal | undefined): Promise<void> {
    if (this.#waiting.size >= this.#limits.waiting) {
      throw new TangazaError(
        'OVERLOADED',
        `${this.#waiting.size} operations wait for ${this.#limits.about} already.`,
      );
    }
    return new Promise((enter, fail) => {
      const turn = (): void => {
        signal?.removeEventListener('abort', giveUp);
        enter();
      };
      const giveUp = (): void => {
        this.#waiting.delete(turn);
        this.#limits.onWaiting?.(this.#waiting.size);
        fail(signal?.reason);
      };
      signal?.addEventListener('abort', giveUp, { once: true });
      this.#waiting.add(turn);
      this.#limits.onWaiting?.(this.#waiting.size);
    });
  }

  /** An operation that ends gives its place to the one that has waited longest. */
  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#running -= 1;
      return;
    }
    this.#waiting.delete(next);
    this.#limits.onWaiting?.(this.#waiting.size);
    next();
  }
}
