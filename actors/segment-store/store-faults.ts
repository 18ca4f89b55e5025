/**
 * Logs once that a store fails, and once that it works again, however often it is tried in between.
 *
 * Reads, writes and deletions count apart, because a disk that became read-only still serves viewers, and a full one deletes. A store that fails now and
 * then is named once in 10 s.
 */
import { isErrorCode, type ErrorCode } from '../../cluster/errors/catalogue.ts';
import type { Logger } from '../../cluster/observe/logger.ts';
import type { Clock } from '../../cluster/time/clock.ts';

const sayEveryMs = 10_000;
const faults: ReadonlySet<ErrorCode> = new Set(['STORE_UNAVAILABLE', 'STORE_FULL']);

/** Whether an error says that the store itself does not work or has no room, whatever was asked of it. */
export const isStoreFault = (code: string): boolean => isErrorCode(code) && faults.has(code);

export class StoreFaults {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #fields: object;
  #saidMs = -Infinity;
  #failures = 0;
  #isSaid = false;

  /** @param fields that name what fails, in every line */
  constructor(clock: Clock, logger: Logger, fields: object) {
    this.#clock = clock;
    this.#logger = logger;
    this.#fields = fields;
  }

  failed(code: ErrorCode, error: unknown): void {
    if (!isStoreFault(code)) return;
    this.#failures += 1;
    const nowMs = this.#clock.monotonicMs();
    if (this.#isSaid || nowMs - this.#saidMs < sayEveryMs) return;
    this.#isSaid = true;
    this.#saidMs = nowMs;
    const detail = error instanceof Error ? error.message : code;
    this.#logger.error(
      { ...this.#fields, code, detail },
      'the segment store fails; what waits for it is tried again',
    );
  }

  succeeded(): void {
    if (!this.#isSaid) return;
    const failedForMs = Math.round(this.#clock.monotonicMs() - this.#saidMs);
    this.#logger.info(
      { ...this.#fields, failures: this.#failures, failedForMs },
      'the segment store works again',
    );
    this.#isSaid = false;
    this.#failures = 0;
  }
}
