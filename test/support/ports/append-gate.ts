/** Holds the appends of a stream actor back, as a process that is frozen in the middle of one. */
import { errorCodeOf } from '../../../cluster/errors/tangaza-error.ts';
import type { IndexLog } from '../../../cluster/log/index-log.ts';

export class AppendGate {
  readonly #refused = Promise.withResolvers<void>();
  #opened = Promise.resolve();
  #open = (): void => {};

  get refused(): Promise<void> {
    return this.#refused.promise;
  }

  close(): void {
    this.#opened = new Promise((resolve) => (this.#open = resolve));
  }

  open(): void {
    this.#open();
  }

  before(log: IndexLog): IndexLog {
    const append: IndexLog['append'] = async (...call) => {
      await this.#opened;
      return log.append(...call).catch((error: unknown) => {
        if (errorCodeOf(error) === 'FENCED') this.#refused.resolve();
        throw error;
      });
    };
    return {
      append,
      tail: (...call) => log.tail(...call),
      read: (...call) => log.read(...call),
      follow: (...call) => log.follow(...call),
      purgeBelow: (...call) => log.purgeBelow(...call),
    };
  }
}
