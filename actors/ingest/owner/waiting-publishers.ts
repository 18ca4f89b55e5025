/**
 * Attaches new publishers to their stream's owner, and finds an owner that never answers them (C3).
 *
 * J1. New publishers of a stream at this node wait as one, over all their tries, because an encoder that is refused
 *     tries again.
 * J2. While one of them tries, this node looks at the owner each second. Between two tries it looks once two tries in a
 *     row had no answer; one alone may have failed because of this node. The wait ends with any answer of the owner,
 *     with another owner, whom the next try finds, and after 10 s without a try.
 * J3. At most `maxWaiting` streams wait, which is more than the publishers that may connect at once. With all places
 *     taken, the least recently tried stream is forgotten; its next try begins again. A metric counts the waiting
 *     streams.
 */
import type { AttachParams, AttachReply } from '../../../cluster/contract/stream-actions.ts';
import { errorCodeOf } from '../../../cluster/errors/tangaza-error.ts';
import type { StreamId } from '../../../cluster/model/ids.ts';
import type { Logger } from '../../../cluster/observe/logger.ts';
import type { Gauge, Metrics } from '../../../cluster/observe/metrics.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import { OwnerWait } from './owner-wait.ts';
import type { OwnerCalls } from '../runner-ports.ts';

const forgetAfterMs = 10_000;
const enoughUnanswered = 2;
/** How many streams may wait (J3). */
export const maxWaiting = 256;

interface WaitingPublishersPorts {
  readonly clock: Clock;
  readonly stream: OwnerCalls;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

interface Waiting {
  readonly wait: OwnerWait;
  /** Tries under way. */
  trying: number;
  /** Tries in a row without an answer. */
  unanswered: number;
  /** When the last try began or ended. */
  triedAtMs: number;
}

export class WaitingPublishers {
  readonly #ports: WaitingPublishersPorts;
  /** Ordered by the last try, oldest first. */
  readonly #waiting = new Map<StreamId, Waiting>();
  readonly #size: Gauge;

  constructor(ports: WaitingPublishersPorts) {
    this.#ports = ports;
    this.#size = ports.metrics.gauge({
      name: 'tangaza_ingest_waiting_streams',
      help: 'Streams whose owner has not answered their publishers at this node',
    });
  }

  /**
   * Attaches a publisher; all of its stream's new publishers share one wait (J1).
   *
   * @throws TangazaError with which the publisher is refused
   */
  async attach(params: AttachParams): Promise<AttachReply> {
    const { clock, stream } = this.#ports;
    const { streamId } = params;
    const waiting = this.#waiting.get(streamId) ?? {
      wait: new OwnerWait(this.#ports),
      trying: 0,
      unanswered: 0,
      triedAtMs: 0,
    };
    this.#remember(streamId, waiting);
    waiting.trying += 1;
    waiting.triedAtMs = clock.runningMs();
    waiting.wait.called();
    try {
      const attached = await stream.attach(params);
      waiting.wait.answered();
      return attached;
    } catch (error) {
      waiting.wait.failed(errorCodeOf(error));
      throw error;
    } finally {
      waiting.trying -= 1;
      waiting.triedAtMs = clock.runningMs();
      waiting.unanswered += 1;
      if (!waiting.wait.isWaiting) this.#forget(streamId, waiting);
    }
  }

  /** Looks at the owners that have not answered; called each second (J2). */
  look(): void {
    const nowMs = this.#ports.clock.runningMs();
    for (const [streamId, waiting] of this.#waiting) {
      const { trying, unanswered, triedAtMs } = waiting;
      if (trying === 0 && nowMs - triedAtMs > forgetAfterMs) this.#forget(streamId, waiting);
      else if (trying > 0 || unanswered >= enoughUnanswered) void this.#lookAt(streamId, waiting);
    }
    this.#size.set(this.#waiting.size);
  }

  /** Remembers a waiting stream. When there are too many, forgets the one that was tried longest ago (J3). */
  #remember(streamId: StreamId, waiting: Waiting): void {
    this.#waiting.delete(streamId);
    const [oldest] = this.#waiting.keys();
    if (oldest !== undefined && this.#waiting.size >= maxWaiting) this.#waiting.delete(oldest);
    this.#waiting.set(streamId, waiting);
  }

  async #lookAt(streamId: StreamId, waiting: Waiting): Promise<void> {
    if (await waiting.wait.isReplaced(streamId)) this.#forget(streamId, waiting);
  }

  #forget(streamId: StreamId, waiting: Waiting): void {
    if (this.#waiting.get(streamId) === waiting) this.#waiting.delete(streamId);
  }
}
