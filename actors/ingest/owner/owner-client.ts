/**
 * An ingest session's only way to its stream's owner (C2): keeps the epoch under which the session calls, and what a new
 * owner is offered again.
 *
 * L1. A session has one epoch at a time, which is kept here alone. Every call but an attach names it, and an owner that
 *     has a successor refuses the call. When the owner is gone, or says that another has taken over, the session
 *     attaches again.
 * L2. A new owner is offered the last 60 s again, in their order and before anything newer. The same offer twice
 *     changes nothing.
 * L3. An offer that the new owner refuses for a passing reason, such as a tail whose twin may come back, is offered
 *     again with the session's next call. That goes on until the owner has answered for it. After `maxAgeMs` the offer
 *     is lost, and the next one has its turn.
 * L4. An answer counts only from the owner that the session is attached to: what a former owner took may not be in the
 *     log.
 * L5. One call at a time looks for the owner and offers again; other calls wait for it.
 * L6. The session remembers whether it has a twin, as the last owner that knew it said, and tells the next owner, which
 *     may know nobody.
 */
import type {
  AttachParams,
  AttachReply,
  OpenPeriodParams,
  OpenPeriodReply,
} from '../../../cluster/contract/stream-actions.ts';
import type { InputReport } from '../../../cluster/contract/stream-health.ts';
import { catalogue, type ErrorCode } from '../../../cluster/errors/catalogue.ts';
import { errorCodeOf, TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { Epoch, PeriodId } from '../../../cluster/model/ids.ts';
import type { Logger } from '../../../cluster/observe/logger.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import { offerQueueLimits } from './offer-queue.ts';
import { inputReplyOf, isAcceptedReply, isOtherOwner, isTakenAway } from './owner-answers.ts';
import { OwnerWait } from './owner-wait.ts';
import { RecentOffers, type RecentOffer } from './recent-offers.ts';
import type { OwnerCalls } from '../runner-ports.ts';

const { maxAgeMs } = offerQueueLimits;

type WithoutAddress<P> = Omit<P, 'streamId' | 'sessionId' | 'epoch'>;

export type PeriodQuestion = WithoutAddress<OpenPeriodParams>;

export interface OwnerClientPorts {
  readonly clock: Clock;
  readonly stream: Omit<OwnerCalls, 'closeSessions'>;
  readonly logger: Logger;
  /** Called once for each offer that a new owner did not take and that is given up. */
  readonly lost: (offer: RecentOffer['offer'], reason: string) => void;
  /** Called when another session has the stream. */
  readonly takenAway: (code: ErrorCode, detail: string) => void;
}

export class OwnerClient {
  readonly #ports: OwnerClientPorts;
  readonly #attachParams: AttachParams;
  readonly #recent = new RecentOffers();
  readonly #wait: OwnerWait;
  #epoch: Epoch;
  #isCandidate = false;
  #feedsElsewhere = false;
  #hadTwin = false;
  #period: PeriodId | undefined;
  #isOwnerGone = false;
  /** Offers that the owner has not answered for, oldest first: after an attach, all of the last 60 s (L2). */
  #unanswered: readonly RecentOffer[] = [];
  /** Since when there has been an offer without an answer. */
  #unansweredSinceMs: number | undefined;
  #settling: Promise<void> | undefined;

  /** @param epoch of the owner to which `attachParams` were given */
  constructor(ports: OwnerClientPorts, attachParams: AttachParams, epoch: Epoch) {
    this.#ports = ports;
    this.#wait = new OwnerWait(ports);
    this.#attachParams = attachParams;
    this.#epoch = epoch;
  }

  /** The epoch of the owner that the session is attached to. */
  get epoch(): Epoch {
    return this.#epoch;
  }

  /** Whether the owner has told the session to wait while it is compared (M2), and it has opened no period since. */
  get isCandidate(): boolean {
    return this.#isCandidate;
  }

  /** Whether a twin feeds the stream at another node, as the owner last said. */
  get feedsElsewhere(): boolean {
    return this.#feedsElsewhere;
  }

  /** @throws TangazaError as the owner refuses it; `STALE_EPOCH` (retryable) when there is a new owner */
  openPeriod(period: PeriodQuestion): Promise<OpenPeriodReply> {
    const { streamId, sessionId } = this.#attachParams;
    return this.#underEpoch(async (epoch) => {
      try {
        const params = { streamId, sessionId, epoch, ...period };
        return await this.#ask(() => this.#ports.stream.openPeriod(params));
      } catch (error) {
        if (errorCodeOf(error) === 'TWIN_PENDING') this.#isCandidate = true;
        throw error;
      }
    });
  }

  /** Remembers the last opened period. A new owner is told of it, so that a twin stays a twin. */
  opened(period: PeriodId): void {
    this.#period = period;
    this.#isCandidate = false;
  }

  /** @throws TangazaError as the owner refuses it; `STALE_EPOCH` (retryable) when there is a new owner */
  offer(recent: RecentOffer): Promise<unknown> {
    return this.#underEpoch(async (epoch) => {
      const reply = await this.#send(recent, epoch);
      if (epoch !== this.#epoch) throw new TangazaError('STALE_EPOCH', 'a former owner has answered'); // does not count (L4)
      this.#recent.add(recent, this.#ports.clock.runningMs());
      return reply;
    });
  }

  /** Reports the input (L1), and hears whether the session has a twin (L6) and where the owner's log stands. */
  async input(report: WithoutAddress<InputReport>): Promise<void> {
    const { streamId, sessionId } = this.#attachParams;
    const reply = await this.#ports.stream
      .input({ streamId, sessionId, ...report, epoch: this.#epoch })
      .catch((error: unknown) => {
        this.#feedsElsewhere = false; // nobody knows now
        throw error;
      });
    const said = inputReplyOf(reply);
    this.#feedsElsewhere = said?.feedsElsewhere === true;
    this.#hadTwin = said?.hasTwin ?? this.#hadTwin;
    this.#wait.logStandsAt(said?.sequence);
  }

  /** Tells the owner that the session leaves (L1). */
  async detach(reason: string): Promise<void> {
    const { streamId, sessionId } = this.#attachParams;
    await this.#ports.stream.detach({ streamId, sessionId, reason, epoch: this.#epoch });
  }

  /** Has this node look at an owner that does nothing (owner-wait.ts W3). If another has taken over, attaches there. */
  async look(): Promise<void> {
    if (await this.#wait.isReplaced(this.#attachParams.streamId)) await this.ownerGone();
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

  /**
   * Calls the present owner under its epoch (L1).
   *
   * @throws TangazaError what `call` throws; `STALE_EPOCH` (retryable) when there is a new owner
   */
  async #underEpoch<T>(call: (epoch: Epoch) => Promise<T>): Promise<T> {
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

  async #settle(): Promise<void> {
    for (;;) {
      const [next] = this.#unanswered;
      if (this.#isOwnerGone) await this.#attach();
      else if (next === undefined) return;
      else await this.#offerAgain(next);
    }
  }

  async #attach(): Promise<void> {
    const { logger, clock, takenAway } = this.#ports;
    this.#isOwnerGone = false;
    try {
      const { epoch } = await this.#askToAttach();
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

  /** Tells the owner of the last period, and of a twin that the last owner knew (L6). */
  #askToAttach(): Promise<AttachReply> {
    const period = this.#period === undefined ? {} : { period: this.#period };
    const twin = this.#hadTwin ? { hadTwin: true } : {};
    return this.#ask(() => this.#ports.stream.attach({ ...this.#attachParams, ...period, ...twin }));
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

  async #send({ offer, isTail }: RecentOffer, epoch: Epoch): Promise<unknown> {
    const { streamId } = this.#attachParams;
    const params = { streamId, epoch, offer, ...(isTail ? { isTail } : {}) };
    const reply = await this.#ask(() => this.#ports.stream.offer(params));
    if (isAcceptedReply(reply)) this.#wait.accepted();
    return reply;
  }

  /** Makes a call, and counts the time until the owner answers it as waiting (owner-wait.ts W1). */
  async #ask<T>(call: () => Promise<T>): Promise<T> {
    this.#wait.called();
    try {
      const reply = await call();
      this.#wait.answered();
      return reply;
    } catch (error) {
      this.#wait.failed(errorCodeOf(error));
      throw error;
    }
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
