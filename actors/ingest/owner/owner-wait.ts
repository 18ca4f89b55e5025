/**
 * Measures for how long an owner has done nothing for those who call it, and has a silent owner looked at (C3). It
 * makes no call to the owner itself: who calls says so here.
 *
 * W1. Waiting begins with a call and ends with any answer of the owner. These are no answers: nobody answers, the
 *     owner's log is silent, the owner is overloaded.
 * W2. What the owner accepted must show in the log. With each input report the owner says where its log stands; until
 *     that has moved the session waits, too.
 * W3. An owner that has done nothing for a moment may have stopped working. This node's stream actor looks for itself,
 *     one look at a time.
 */
import type { ErrorCode } from '../../../cluster/errors/catalogue.ts';
import { errorCodeOf } from '../../../cluster/errors/tangaza-error.ts';
import type { StreamId } from '../../../cluster/model/ids.ts';
import type { Logger } from '../../../cluster/observe/logger.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import type { OwnerCalls } from '../runner-ports.ts';

const noAnswers: ReadonlySet<ErrorCode> = new Set([
  'UNAVAILABLE',
  'DEADLINE_EXCEEDED',
  'DEADLINE_UNKNOWN',
  'LOG_UNAVAILABLE',
  'OVERLOADED',
  'INTERNAL',
]);

/** Longer than an owner takes to say, in its answer to the next report, that its log has moved. */
const worthALookMs = 1500;

interface OwnerWaitPorts {
  readonly stream: Pick<OwnerCalls, 'standsStill'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class OwnerWait {
  readonly #ports: OwnerWaitPorts;
  #unansweredSinceMs: number | undefined;
  #unloggedSinceMs: number | undefined;
  #sequence: number | undefined;
  #isLooking = false;

  constructor(ports: OwnerWaitPorts) {
    this.#ports = ports;
  }

  get isWaiting(): boolean {
    return this.#unansweredSinceMs !== undefined || this.#unloggedSinceMs !== undefined;
  }

  /** For how long the owner has done nothing, ms; 0 while it works. */
  get waitedMs(): number {
    const sinceMs = Math.min(this.#unansweredSinceMs ?? Infinity, this.#unloggedSinceMs ?? Infinity);
    return sinceMs === Infinity ? 0 : this.#ports.clock.runningMs() - sinceMs;
  }

  /** A call goes out, and the wait for its answer begins (W1). */
  called(): void {
    this.#unansweredSinceMs ??= this.#ports.clock.runningMs();
  }

  /** The owner has answered, so nobody waits for an answer any more (W1). */
  answered(): void {
    this.#unansweredSinceMs = undefined;
  }

  /** The call has failed. An error that the owner itself sent is an answer (W1). */
  failed(code: ErrorCode): void {
    if (!noAnswers.has(code)) this.answered();
  }

  /** The owner has accepted something that the log must show (W2). */
  accepted(): void {
    this.#unloggedSinceMs ??= this.#ports.clock.runningMs();
  }

  /** The owner has said where its log stands; undefined when it said nothing (W2). */
  logStandsAt(sequence: number | undefined): void {
    if (sequence !== this.#sequence) this.#unloggedSinceMs = undefined;
    this.#sequence = sequence;
  }

  /**
   * Has this node look at an owner that does nothing (W3).
   *
   * @returns true when the stream has another owner now; the count then begins again
   */
  async isReplaced(streamId: StreamId): Promise<boolean> {
    if (this.waitedMs < worthALookMs || this.#isLooking) return false;
    this.#isLooking = true;
    try {
      const { owner } = await this.#ports.stream.standsStill({ streamId });
      if (owner === undefined) return false;
      this.#unansweredSinceMs = undefined;
      this.#unloggedSinceMs = undefined;
      return true;
    } catch (error) {
      const code = errorCodeOf(error);
      this.#ports.logger.warn(
        { streamId, code },
        'the owner does nothing, and no other owner could be found',
      );
      return false;
    } finally {
      this.#isLooking = false;
    }
  }
}
