/**
 * Reports a session's input to its owner each second, so that the owner can tell a live publisher from a ghost (C2).
 *
 * One report goes out at a time: while the last one has no answer, the next is left out.
 *
 * B1. What came while this node stood still is read before the silence is measured, because the publisher was not
 *     silent.
 * B2. A report that finds another owner makes the session attach to it at once, without waiting for its next segment.
 */
import type { AttachParams } from '../../cluster/contract/stream-actions.ts';
import { errorCodeOf } from '../../cluster/errors/tangaza-error.ts';
import type { Logger } from '../../cluster/observe/logger.ts';
import type { Clock } from '../../cluster/time/clock.ts';
import type { InputStats } from './ingest-events.ts';
import { isOtherOwner } from './owner/owner-answers.ts';
import type { OwnerLink } from './owner/owner-link.ts';
import type { StreamCalls } from './runner-ports.ts';

const maxWarnings = 16;

export interface InputReportsPorts {
  readonly clock: Clock;
  readonly stream: Pick<StreamCalls, 'input'>;
  readonly link: Pick<OwnerLink, 'epoch' | 'ownerGone'>;
  readonly logger: Logger;
}

export class InputReports {
  readonly #ports: InputReportsPorts;
  readonly #attach: Pick<AttachParams, 'streamId' | 'sessionId'>;
  readonly #stats: () => InputStats;
  #isSending = false;
  #isOver = false;

  constructor(
    ports: InputReportsPorts,
    attach: Pick<AttachParams, 'streamId' | 'sessionId'>,
    stats: () => InputStats,
  ) {
    this.#ports = ports;
    this.#attach = attach;
    this.#stats = stats;
  }

  /** Never throws. */
  async send(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    const { clock, stream, link, logger } = this.#ports;
    const { streamId, sessionId } = this.#attach;
    await clock.sleep(0); // what waits in the socket is read first (B1)
    const { epoch } = link;
    try {
      const { warnings, ...stats } = this.#stats();
      await stream.input({ streamId, sessionId, ...stats, warnings: warnings.slice(0, maxWarnings) });
    } catch (error) {
      const code = errorCodeOf(error);
      logger.debug({ code }, 'the input report did not reach the owner');
      if (isOtherOwner(code) && !this.#isOver) void link.ownerGone(epoch); // attaches there at once (B2)
    } finally {
      this.#isSending = false;
    }
  }

  /** The session has left, so it attaches nowhere any more. */
  end(): void {
    this.#isOver = true;
  }
}
