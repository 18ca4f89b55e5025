/**
 * Makes the calls of one session to its owner, and measures for how long the owner has done nothing for them (C3).
 *
 * W1. Waiting begins with a call and ends with any answer of the owner. These are no answers: nobody answers, the
 *     owner's log is silent, the owner is overloaded.
 * W2. What the owner accepted must show in the log. With each input report the owner says where its log stands; until
 *     that has moved the session waits, too.
 * W3. An owner that has done nothing for a moment may have stopped working. This node's stream actor looks for itself,
 *     one look at a time.
 * W4. The session remembers whether it has a twin, as the last owner that knew it said, and tells the next owner, which
 *     may know nobody.
 * W5. A call that names no epoch itself goes out under the epoch of the last owner. An owner that has a successor
 *     refuses it.
 */
import type {
  AttachParams,
  AttachReply,
  DetachParams,
  OfferParams,
  OpenPeriodParams,
  OpenPeriodReply,
  StandsStillParams,
  StandsStillReply,
} from '../../../cluster/contract/stream-actions.ts';
import type { CloseSessionsParams } from '../../../cluster/contract/ingest-actions.ts';
import type { InputReport } from '../../../cluster/contract/stream-health.ts';
import type { ErrorCode } from '../../../cluster/errors/catalogue.ts';
import { errorCodeOf, TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { Epoch, NodeId, StreamId } from '../../../cluster/model/ids.ts';
import type { Logger } from '../../../cluster/observe/logger.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import { inputReplyOf, isAcceptedReply } from './owner-answers.ts';
import type { OwnerCalls, StreamCalls } from '../runner-ports.ts';

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

interface OwnerWatchPorts {
  readonly stream: OwnerCalls;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The epoch under which the session is attached already. */
  readonly epoch?: Epoch;
}

export class OwnerWatch implements StreamCalls {
  readonly #stream: OwnerCalls;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #unansweredSinceMs: number | undefined;
  #unloggedSinceMs: number | undefined;
  #sequence: number | undefined;
  #feedsElsewhere = false;
  #isLooking = false;
  #hadTwin = false;
  #epoch: Epoch | undefined;

  constructor({ stream, clock, logger, epoch }: OwnerWatchPorts) {
    this.#epoch = epoch;
    this.#stream = stream;
    this.#clock = clock;
    this.#logger = logger;
  }

  get isWaiting(): boolean {
    return this.#unansweredSinceMs !== undefined || this.#unloggedSinceMs !== undefined;
  }

  /** For how long the owner has done nothing, ms; 0 while it works. */
  get waitedMs(): number {
    const sinceMs = Math.min(this.#unansweredSinceMs ?? Infinity, this.#unloggedSinceMs ?? Infinity);
    return sinceMs === Infinity ? 0 : this.#clock.runningMs() - sinceMs;
  }

  /** Whether a twin feeds the stream at another node, as the owner last said. */
  get feedsElsewhere(): boolean {
    return this.#feedsElsewhere;
  }

  /** The epoch of the last owner that the session was attached to. */
  get epoch(): Epoch | undefined {
    return this.#epoch;
  }

  /** Attaches. Tells the owner of a twin that the last owner knew (W4), and keeps the epoch of the reply (W5). */
  async attach(params: AttachParams): Promise<AttachReply> {
    const known = this.#hadTwin ? { ...params, hadTwin: true } : params;
    const attached = await this.#ask(() => this.#stream.attach(known));
    this.#epoch = attached.epoch;
    return attached;
  }

  openPeriod(params: OpenPeriodParams): Promise<OpenPeriodReply> {
    return this.#ask(() => this.#stream.openPeriod(params));
  }

  async offer(params: OfferParams): Promise<unknown> {
    const reply = await this.#ask(() => this.#stream.offer(params));
    if (isAcceptedReply(reply)) this.#unloggedSinceMs ??= this.#clock.runningMs();
    return reply;
  }

  /** Reports under the owner's epoch (W5), and reads in the reply whether the owner's log moves (W2). */
  async input(params: InputReport): Promise<unknown> {
    const reply = await this.#stream
      .input({ ...params, epoch: this.#attachedUnder() })
      .catch((error: unknown) => {
        this.#feedsElsewhere = false; // nobody knows now
        throw error;
      });
    const said = inputReplyOf(reply);
    this.#feedsElsewhere = said?.feedsElsewhere === true;
    this.#hadTwin = said?.hasTwin ?? this.#hadTwin;
    if (said?.sequence !== this.#sequence) this.#unloggedSinceMs = undefined;
    this.#sequence = said?.sequence;
    return reply;
  }

  /** Leaves under the owner's epoch; an owner that has a successor refuses that (W5). */
  async detach(params: DetachParams): Promise<unknown> {
    return this.#stream.detach({ ...params, epoch: this.#attachedUnder() });
  }

  closeSessions(node: NodeId, params: CloseSessionsParams): Promise<unknown> {
    return this.#stream.closeSessions(node, params);
  }

  standsStill(params: StandsStillParams): Promise<StandsStillReply> {
    return this.#stream.standsStill(params);
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
      const { owner } = await this.#stream.standsStill({ streamId });
      if (owner === undefined) return false;
      this.#unansweredSinceMs = undefined;
      this.#unloggedSinceMs = undefined;
      return true;
    } catch (error) {
      const code = errorCodeOf(error);
      this.#logger.warn({ streamId, code }, 'the owner does nothing, and no other owner could be found');
      return false;
    } finally {
      this.#isLooking = false;
    }
  }

  #attachedUnder(): Epoch {
    if (this.#epoch === undefined) throw new TangazaError('STALE_EPOCH', 'the session is not attached yet');
    return this.#epoch;
  }

  /** Counts the time from the call to any answer of the owner as waiting (W1). */
  async #ask<T>(call: () => Promise<T>): Promise<T> {
    this.#unansweredSinceMs ??= this.#clock.runningMs();
    try {
      const reply = await call();
      this.#unansweredSinceMs = undefined;
      return reply;
    } catch (error) {
      if (!noAnswers.has(errorCodeOf(error))) this.#unansweredSinceMs = undefined;
      throw error;
    }
  }
}
