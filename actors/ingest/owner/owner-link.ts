/**
 * Ties a session to its stream's owner (C2): keeps the epoch under which the session calls, and what a new owner is
 * offered again.
 *
 * L1. A session has one epoch at a time. When the owner is gone, or says that another has taken over, the session
 *     attaches again.
 * L2. A new owner is offered the last 60 s again, in their order and before anything newer. The same offer twice
 *     changes nothing.
 * L3. An offer that the new owner refuses for a passing reason, such as a tail whose twin may come back, is offered
 *     again with the session's next call. That goes on until the owner has answered for it. After `maxAgeMs` the offer
 *     is lost, and the next one has its turn.
 * L4. An answer counts only from the owner that the session is attached to: what a former owner took may not be in the
 *     log.
 * L5. One call at a time looks for the owner and offers again; other calls wait for it.
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
  /** Called when another session has the stream. */
  readonly takenAway: (code: ErrorCode, detail: string) => void;
}

export class OwnerLink {
  readonly #ports: OwnerLinkPorts;
  readonly #attachParams: AttachParams;
  readonly #recent = new RecentOffers();
  #epoch: Epoch;
  #period: PeriodId | undefined;
  #isOwnerGone = false;
  /** Offers that the owner has not answered for, oldest first: after an attach, all of the last 60 s (L2). */
  #unanswered: readonly RecentOffer[] = [];
  /** Since when there has been an offer without an answer. */
  #unansweredSinceMs: number | undefined;
  #settling: Promise<void> | undefined;

  /** @param epoch of the owner to which `attachParams` were given */
  constructor(ports: OwnerLinkPorts, attachParams: AttachParams, epoch: Epoch) {
    this.#ports = ports;
    this.#attachParams = attachParams;
    this.#epoch = epoch;
  }

  /** Remembers the last opened period. A new owner is told of it, so that a twin stays a twin. */
  opened(period: PeriodId): void {
    this.#period = period;
  }

  /** @throws TangazaError as the owner refuses it; `STALE_EPOCH` (retryable) when there is a new owner */
  offer(recent: RecentOffer): Promise<unknown> {
    return this.underEpoch(async (epoch) => {
      const reply = await this.#send(recent, epoch);
      if (epoch !== this.#epoch) throw new TangazaError('STALE_EPOCH', 'a former owner has answered'); // does not count (L4)
      this.#recent.add(recent, this.#ports.clock.runningMs());
      return reply;
    });
  }

  /**
   * Calls the present owner under its epoch (L1).
   *
   * @throws TangazaError what `call` throws; `STALE_EPOCH` (retryable) when there is a new owner
   */
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

  /** The epoch of the owner that the session is attached to. */
  get epoch(): Epoch {
    return this.#epoch;
  }

  /**
   * Looks for the new owner at once, without waiting for the next call.
   *
   * @param under the epoch of the owner that is gone; does nothing when the session has a later one already
   */
  async ownerGone(under = this.#epoch): Promise<void> {
    // A search under way may still be about the former owner, or it may find the next one.
    if (this.#settling !== undefined) await this.#settling.catch(() => {});
    if (under !== this.#epoch) return;
    this.#isOwnerGone = true;
    await this.settle().catch((error: unknown) => {
      const code = errorCodeOf(error);
      this.#ports.logger.warn(
        { code },
        'no new owner yet, or it has not taken every offer; the next call tries again',
      );
    });
  }

  /**
   * Resolves when the session has an owner that has answered for every offer (L3). Calls share one search (L5).
   *
   * @throws TangazaError retryable, unless the session is refused for good
   */
  settle(): Promise<void> {
    this.#settling ??= this.#settle().finally(() => {
      this.#settling = undefined;
    });
    return this.#settling;
  }

  /** Gives up every offer that has no answer by now. */
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

/** For an owner `FENCED` is final. For a session it is a reason to look for the owner again. */
function retryable(error: unknown): unknown {
  if (!isOtherOwner(errorCodeOf(error))) return error;
  return new TangazaError('STALE_EPOCH', 'the owner is changing', { cause: error });
}
