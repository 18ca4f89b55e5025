/**
 * A session's tie to its stream's owner (C2): the epoch under which it calls, and what a new owner is offered again.
 *
 * L1. One epoch at a time: when the owner is gone, or says that another has taken over, the session attaches again.
 * L2. A new owner is offered the last 60 s once more, in their order and before anything newer; the same offer twice
 *     changes nothing.
 * L3. What it refuses for a reason that may pass, such as a tail whose twin may come back, is offered again with the
 *     session's next call, until it has answered for it. After `maxAgeMs` of that it is lost, and the next one has its turn.
 * L4. An answer counts only from the owner that the session is attached to: what a former one took may not be in the log.
 * L5. One call at a time looks for the owner and offers again; others wait for that.
 */
import type { AttachParams } from '../../../cluster/contract/stream-actions.ts';
import { catalogue, type ErrorCode } from '../../../cluster/errors/catalogue.ts';
import { errorCodeOf, TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { Epoch, PeriodId } from '../../../cluster/model/ids.ts';
import type { Logger } from '../../../cluster/observe/logger.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import { offerQueueLimits } from './offer-queue.ts';
import { isOtherOwner, isTakenAway } from './owner-answers.ts';
import { RecentOffers, type RecentOffer } from './recent-offers.ts';
import type { StreamCalls } from '../runner-ports.ts';

const { maxAgeMs } = offerQueueLimits;

export interface OwnerLinkPorts {
  readonly clock: Clock;
  readonly stream: Pick<StreamCalls, 'attach' | 'offer'>;
  readonly logger: Logger;
  /** Called once for each offer that a new owner did not take and that is given up. */
  readonly lost: (offer: RecentOffer['offer'], reason: string) => void;
  /** Another session has the stream. */
  readonly takenAway: (code: ErrorCode, detail: string) => void;
}

export class OwnerLink {
  readonly #ports: OwnerLinkPorts;
  readonly #attachParams: AttachParams;
  readonly #recent = new RecentOffers();
  #epoch: Epoch;
  #period: PeriodId | undefined;
  #isOwnerGone = false;
  /** Oldest first. */
  #unanswered: readonly RecentOffer[] = [];
  /** Since when there has been something unanswered. */
  #unansweredSinceMs: number | undefined;
  #settling: Promise<void> | undefined;

  /** @param epoch of the owner that `attachParams` were given to */
  constructor(ports: OwnerLinkPorts, attachParams: AttachParams, epoch: Epoch) {
    this.#ports = ports;
    this.#attachParams = attachParams;
    this.#epoch = epoch;
  }

  /** The last period that was opened is told to a new owner, so that a twin stays one. */
  opened(period: PeriodId): void {
    this.#period = period;
  }

  /** @throws TangazaError as the owner refuses it; `STALE_EPOCH` (retryable) when there is a new owner */
  offer(recent: RecentOffer): Promise<unknown> {
    return this.underEpoch(async (epoch) => {
      const reply = await this.#send(recent, epoch);
      if (epoch !== this.#epoch) throw new TangazaError('STALE_EPOCH', 'a former owner has answered'); // it counts no more (L4)
      this.#recent.add(recent, this.#ports.clock.runningMs());
      return reply;
    });
  }

  /** L1. @throws TangazaError what `call` throws; `STALE_EPOCH` (retryable) when there is a new owner */
  async underEpoch<T>(call: (epoch: Epoch) => Promise<T>): Promise<T> {
    await this.settle();
    const epoch = this.#epoch;
    try {
      return await call(epoch);
    } catch (error) {
      if (!isOtherOwner(errorCodeOf(error))) throw error;
      if (epoch === this.#epoch) this.#isOwnerGone = true;
      await this.settle();
      throw new TangazaError('STALE_EPOCH', 'a new owner was found', { cause: error });
    }
  }

  /** Of the owner that the session is attached to. */
  get epoch(): Epoch {
    return this.#epoch;
  }

  /**
   * Does not wait for the next call to find a new owner.
   *
   * @param under whose owner is gone; nothing is to be done when the session has a later one already
   */
  async ownerGone(under = this.#epoch): Promise<void> {
    // What is under way may still be about the former owner, or find the next.
    if (this.#settling !== undefined) await this.#settling.catch(() => {});
    if (under !== this.#epoch) return;
    this.#isOwnerGone = true;
    await this.settle().catch((error: unknown) => {
      const code = errorCodeOf(error);
      this.#ports.logger.warn({ code }, 'no new owner yet, or not for all; the next offer asks again');
    });
  }

  /**
   * Resolves when the session has an owner that has answered for all it was offered (L3).
   *
   * @throws TangazaError retryable, unless the session is refused for good
   */
  settle(): Promise<void> {
    this.#settling ??= this.#settle().finally(() => {
      this.#settling = undefined;
    });
    return this.#settling;
  }

  /** What is not answered for by now is lost. */
  giveUp(reason: string): void {
    for (const recent of this.#unanswered) this.#lose(recent, reason);
  }

  async #settle(): Promise<void> {
    for (;;) {
      const [next] = this.#unanswered;
      if (this.#isOwnerGone) await this.#attach();
      else if (next === undefined) return;
      else await this.#offerAgain(next);
    }
  }

  async #attach(): Promise<void> {
    const { stream, logger, clock, takenAway } = this.#ports;
    this.#isOwnerGone = false;
    try {
      const period = this.#period === undefined ? {} : { period: this.#period };
      const { epoch } = await stream.attach({ ...this.#attachParams, ...period });
      if (epoch === this.#epoch) return;
      this.#epoch = epoch;
      this.#unanswered = this.#recent.list();
      this.#unansweredSinceMs =
        this.#unanswered.length === 0 ? undefined : (this.#unansweredSinceMs ?? clock.runningMs());
      logger.info({ epoch, offers: this.#recent.size }, 'attached to a new owner');
    } catch (error) {
      this.#isOwnerGone = true;
      const code = errorCodeOf(error);
      if (isTakenAway(code)) takenAway(code, error instanceof Error ? error.message : code);
      throw retryable(error);
    }
  }

  async #offerAgain(recent: RecentOffer): Promise<void> {
    try {
      await this.#send(recent, this.#epoch);
      this.#isDone(recent);
    } catch (error) {
      const code = errorCodeOf(error);
      if (isOtherOwner(code)) this.#isOwnerGone = true;
      const sinceMs = this.#unansweredSinceMs ?? Infinity;
      const isOld = this.#ports.clock.runningMs() - sinceMs > maxAgeMs;
      const isRefused = catalogue[code].retry === 'never' && !isOtherOwner(code);
      if (!isOld && !isRefused) throw retryable(error);
      this.#lose(recent, code);
    }
  }

  #send({ offer, isTail }: RecentOffer, epoch: Epoch): Promise<unknown> {
    const { streamId } = this.#attachParams;
    return this.#ports.stream.offer({ streamId, epoch, offer, ...(isTail ? { isTail } : {}) });
  }

  #lose(recent: RecentOffer, reason: string): void {
    this.#recent.drop(recent);
    this.#isDone(recent);
    this.#ports.lost(recent.offer, reason);
  }

  #isDone(recent: RecentOffer): void {
    this.#unanswered = this.#unanswered.filter((one) => one !== recent);
    if (this.#unanswered.length === 0) this.#unansweredSinceMs = undefined;
  }
}

/** `FENCED` is for good to an owner, and to a session a reason to look again. */
function retryable(error: unknown): unknown {
  if (!isOtherOwner(errorCodeOf(error))) return error;
  return new TangazaError('STALE_EPOCH', 'the owner is changing', { cause: error });
}
