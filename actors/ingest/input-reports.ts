/**
 * Reports a session's input to its owner each second, so that the owner can tell a live publisher from a ghost (C2).
 *
 * One report goes out at a time: while the last one has no answer, the next is left out.
 *
 * B1. What came while this node stood still is read before the silence is measured, because the publisher was not
 *     silent.
 * B2. A report that finds another owner makes the session attach to it at once, without waiting for its next segment.
 */
import { errorCodeOf } from '../../cluster/errors/tangaza-error.ts';
import type { Logger } from '../../cluster/observe/logger.ts';
import type { Clock } from '../../cluster/time/clock.ts';
import type { InputStats } from './ingest-events.ts';
import { isOtherOwner } from './owner/owner-answers.ts';
import type { OwnerClient } from './owner/owner-client.ts';

const maxWarnings = 16;

export interface InputReportsPorts {
  readonly clock: Clock;
  readonly owner: Pick<OwnerClient, 'epoch' | 'input' | 'ownerGone'>;
  readonly logger: Logger;
}

export class InputReports {
  readonly #ports: InputReportsPorts;
  readonly #stats: () => InputStats;
  #isSending = false;
  #isOver = false;

  constructor(ports: InputReportsPorts, stats: () => InputStats) {
    this.#ports = ports;
    this.#stats = stats;
  }

  /** Never throws. */
  async send(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    const { clock, owner, logger } = this.#ports;
    await clock.sleep(0); // what waits in the socket is read first (B1)
    const { epoch } = owner;
    try {
      const { warnings, ...stats } = this.#stats();
      await owner.input({ ...stats, warnings: warnings.slice(0, maxWarnings) });
    } catch (error) {
      const code = errorCodeOf(error);
      logger.debug({ code }, 'the input report did not reach the owner');
      if (isOtherOwner(code) && !this.#isOver) void owner.ownerGone(epoch); // attaches there at once (B2)
    } finally {
      this.#isSending = false;
    }
  }

  /** The session has left, so it attaches nowhere any more. */
  end(): void {
    this.#isOver = true;
  }
}
