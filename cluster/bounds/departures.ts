/**
 * Lets operations that come within a moment begin together. What they send then goes out in one write: each write costs a system call here, and
 * wakes whoever reads it. While few are under way each begins at once, as it would wait for nobody.
 */
import type { Clock } from '../time/clock.ts';

export interface DepartureOptions {
  readonly clock: Pick<Clock, 'sleep'>;
  /** The longest that one waits for others. */
  readonly waitMs: number;
  /** With fewer under way nobody waits. */
  readonly fewest: number;
}

export class Departures {
  readonly #options: DepartureOptions;
  #next: Promise<void> | undefined;

  constructor(options: DepartureOptions) {
    this.#options = options;
  }

  /** Resolves when one may begin. @param underWay how many are, with this one */
  async wait(underWay: number): Promise<void> {
    const { clock, waitMs, fewest } = this.#options;
    if (underWay < fewest) return;
    this.#next ??= clock.sleep(waitMs).finally(() => {
      this.#next = undefined;
    });
    await this.#next;
  }
}
