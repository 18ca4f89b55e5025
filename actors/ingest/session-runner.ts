/**
 * Carries out what an ingest session decides (C2). It makes CMAF segments of the samples, stores them under the hash of
 * their content (M5), offers them to the stream's owner in order, and tells the publisher when it must go.
 *
 * A segment is offered only after its bytes are stored, so whoever hears of an offer can read it. Nothing here throws
 * into the connection: what is lost is counted and logged. The tail of a closed session (M4) is stored and offered as a
 * tail. The owner takes it when nobody else feeds the stream, because then the contribution has really ended there.
 *
 * A period is asked for only once the one before is open, as the segments of that one are queued then. Behind a later period they would be
 * late (`offers.ts` F2): a burst holds a whole period before the owner has answered for it.
 *
 * K1. A session is finished when its owner, or the next one, has answered for all that was offered (owner-client.ts).
 */
import type { AttachParams, AttachReply, OpenPeriodReply } from '../../cluster/contract/stream-actions.ts';
import type { PeriodMarks } from '../../cluster/contract/contribution.ts';
import type { ErrorCode } from '../../cluster/errors/catalogue.ts';
import { errorCodeOf, TangazaError } from '../../cluster/errors/tangaza-error.ts';
import { unreachable } from '../../cluster/model/unreachable.ts';
import type { Logger } from '../../cluster/observe/logger.ts';
import type { Clock } from '../../cluster/time/clock.ts';
import type { Track } from '../media/cmaf/cmaf.ts';
import { initKey } from '../segment-store/segment-key.ts';
import type { SegmentStore } from '../segment-store/segment-store.ts';
import type {
  IngestEvent,
  IngestSessionApi,
  Now,
  PeriodDescription,
  SourceSegment,
} from './ingest-events.ts';
import type { FlvTag, PublisherConnection, TagSink } from './ingest-port.ts';
import { InputReports } from './input-reports.ts';
import { OfferQueue, type Work } from './owner/offer-queue.ts';
import { isLateReply, isOtherOwner, isTakenAway } from './owner/owner-answers.ts';
import { OwnerClient, type PeriodQuestion } from './owner/owner-client.ts';
import type { OwnerCalls, RunnerMetrics } from './runner-ports.ts';
import {
  makeInit,
  makeOffer,
  openedPeriod,
  type MadeInit,
  type OpenedPeriod,
  type StoredTrack,
} from './feed/source-media.ts';

export interface RunnerPorts {
  readonly clock: Clock;
  readonly store: SegmentStore;
  readonly stream: OwnerCalls;
  readonly metrics: RunnerMetrics;
  readonly logger: Logger;
}

export interface RunnerOptions {
  readonly session: IngestSessionApi;
  readonly connection: PublisherConnection;
  /** What the session attached with, and attaches with again. */
  readonly attach: AttachParams;
  readonly attached: AttachReply;
}

const detachAttempts = 3;
type MadeInits = Readonly<Record<'video' | 'audio', MadeInit | undefined>>;
type SegmentEvent = Extract<IngestEvent, { kind: 'segment' | 'tail' }>;

export class SessionRunner implements TagSink {
  /** The session's only way to its stream's owner. */
  readonly owner: OwnerClient;
  readonly #ports: RunnerPorts;
  readonly #options: RunnerOptions;
  readonly #queue: OfferQueue;
  readonly #periods = new Map<number, OpenedPeriod>();
  /** Openings under way: the first is in the queue, and the next follows the segments of its period. */
  readonly #openings: Work[] = [];
  readonly #reports: InputReports;
  readonly #left = Promise.withResolvers<void>();
  #closeReason: string | undefined;
  #isLeaving = false;
  #isCut = false;

  constructor(ports: RunnerPorts, options: RunnerOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#queue = new OfferQueue(ports.clock);
    this.owner = new OwnerClient(
      {
        ...ports,
        lost: (offer, reason) => this.#lost(offer, reason),
        takenAway: (code, detail) => this.#closeUnlessClosed(code, detail),
      },
      options.attach,
      options.attached.epoch,
    );
    this.#reports = new InputReports({ ...ports, owner: this.owner }, () =>
      options.session.stats(this.#now()),
    );
  }

  /** Resolves when everything is offered or lost, and the owner knows that the session ended. */
  get finished(): Promise<void> {
    return this.#left.promise;
  }

  get attach(): AttachParams {
    return this.#options.attach;
  }

  get heldBytes(): number {
    return this.#queue.heldBytes;
  }

  onTag(tag: FlvTag): void {
    if (this.#closeReason === undefined) this.#carryOut(this.#options.session.onTag(tag, this.#now()));
  }

  onClose(reason: string): void {
    if (this.#closeReason !== undefined) return;
    this.#closeReason = reason;
    this.#ports.logger.info({ reason }, 'the publisher is gone');
    this.#carryOut(this.#options.session.close(this.#now()));
    void this.#finish(reason);
  }

  /** Ends the publisher's connection, and with it this session. */
  close(code: ErrorCode, detail: string): void {
    this.#options.connection.refuse(code, detail);
    this.onClose(`${code}: ${detail}`);
  }

  /** Ends with the segment under way. What has begun behind the cut is left to the publisher's next connection. */
  closeAtKeyframe(): void {
    this.#isLeaving = true;
  }

  #closeAtCut(): void {
    this.#isCut = true;
    this.close('UNAVAILABLE', 'this node is being drained: publish again');
  }

  /** Gives up what is not offered yet. */
  abort(): void {
    this.#queue.abort();
  }

  onTick(): void {
    if (this.#closeReason === undefined) this.#carryOut(this.#options.session.onTick(this.#now()));
  }

  /** Tells the owner about the input. A closed session that still has segments to offer goes on reporting. */
  report(): Promise<void> {
    return this.#reports.send();
  }

  #closeUnlessClosed(code: ErrorCode, detail: string): void {
    if (this.#closeReason === undefined) this.close(code, detail);
  }

  #now(): Now {
    const { clock } = this.#ports;
    return { monotonicMs: clock.monotonicMs(), runningMs: clock.runningMs(), utcMs: clock.utcMs() };
  }

  #carryOut(events: readonly IngestEvent[]): void {
    try {
      for (const event of events) this.#carryOutOne(event);
    } catch (error) {
      this.close(errorCodeOf(error), error instanceof TangazaError ? error.message : 'an error on our side');
      this.#ports.logger.error(
        { error: error instanceof Error ? error.stack : String(error) },
        'the session failed',
      );
    }
  }

  #carryOutOne(event: IngestEvent): void {
    switch (event.kind) {
      case 'warn':
        this.#warn(event);
        return;
      case 'refuse':
        this.close(event.code, event.detail);
        return;
      case 'periodReady':
        this.#openings.push(this.#opening(event.ordinal, event.period));
        if (this.#openings.length === 1) this.#askForNext();
        return;
      case 'segment':
        this.#addSegment(event);
        if (this.#isLeaving && this.#closeReason === undefined) this.#closeAtCut();
        return;
      case 'tail':
        if (!this.#isCut) this.#addSegment(event);
        return;
      case 'periodEnded':
        this.#periods.delete(event.ordinal);
        return;
      default:
        unreachable(event);
    }
  }

  #warn({ code, detail, isTold }: Extract<IngestEvent, { kind: 'warn' }>): void {
    this.#ports.metrics.warnings.add(1, { code });
    if (isTold) this.#ports.logger.warn({ code }, detail);
  }

  #askForNext(): void {
    const [next] = this.#openings;
    if (next !== undefined) this.#queue.add(next);
  }

  /** An opening that was answered may still be told that it is lost: only the first one counts. */
  #openingIsOver(opening: Work): void {
    if (this.#openings[0] !== opening) return;
    this.#openings.shift();
    this.#askForNext();
  }

  /** The request for a period goes through the queue too, behind the segments of the period before. */
  #opening(ordinal: number, period: PeriodDescription): Work {
    const inits = {
      video: period.video && makeInit(period.video.track),
      audio: period.audio && makeInit(period.audio.track),
    };
    let reply: OpenPeriodReply | undefined;
    const work: Work = {
      bytes: 0,
      store: () => Promise.resolve(),
      submit: async (signal) => {
        reply ??= await this.#openPeriod(ordinal, period, inits);
        const opened = openedPeriod(period, reply);
        await Promise.all([
          this.#putInit(opened, opened.video, inits.video, signal),
          this.#putInit(opened, opened.audio, inits.audio, signal),
        ]);
        this.#periods.set(ordinal, opened);
        this.owner.opened(opened.id);
        const { offset90k, isTwin = false } = reply;
        this.#ports.logger.info({ period: opened.id, offset90k, isTwin }, 'the owner opened the period');
        this.#carryOut(this.#options.session.onPeriodOpened(ordinal, reply, this.#now()));
        this.#openingIsOver(work);
      },
      lost: (reason) => {
        this.#ports.metrics.lost.add(1, { reason });
        this.#ports.logger.error({ ordinal, reason }, 'a period could not be opened; its media is lost');
        this.#closeUnlessClosed('UNAVAILABLE', `the stream could not be opened (${reason})`);
        this.#openingIsOver(work);
      },
    };
    return work;
  }

  /** Asks for a period. A candidate is told to wait; from then on it names what it may be recognised by (M2). */
  async #openPeriod(ordinal: number, period: PeriodDescription, inits: MadeInits): Promise<OpenPeriodReply> {
    const marks = this.owner.isCandidate ? this.#options.session.marks(ordinal) : undefined;
    try {
      return await this.owner.openPeriod(periodQuestion(period, inits, marks));
    } catch (error) {
      const code = errorCodeOf(error);
      if (!isTakenAway(code)) throw error;
      const detail = error instanceof Error ? error.message : code;
      this.#closeUnlessClosed(code, detail);
      throw new TangazaError('CONFLICT', detail, { cause: error });
    }
  }

  async #putInit(
    period: OpenedPeriod,
    track: StoredTrack<Track> | undefined,
    made: MadeInit | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    if (track === undefined || made === undefined) return;
    const place = { stream: this.#options.attach.streamId, period: period.id, rendition: track.rendition };
    await this.#ports.store.putIfAbsent(initKey(place, made.init.sha256), made.body, signal);
  }

  #addSegment({ kind, ordinal, segment }: SegmentEvent): void {
    const period = this.#periods.get(ordinal);
    if (period === undefined) {
      this.#lost(segment, 'period not open');
      return;
    }
    try {
      this.#queue.add(this.#offering(period, segment, kind === 'tail'));
    } catch (error) {
      this.#lost(segment, errorCodeOf(error), error);
    }
  }

  /**
   * Makes the work of storing and offering one segment.
   *
   * @throws TangazaError `MEDIA_INVALID` when the samples make no segment
   */
  #offering(period: OpenedPeriod, segment: SourceSegment, isTail: boolean): Work {
    const { streamId, sessionId } = this.#options.attach;
    const { offer, objects } = makeOffer({ streamId, sessionId, period }, segment);
    const bytes = objects.reduce((sum, { body }) => sum + body.length, 0);
    const { store, metrics } = this.#ports;
    return {
      bytes,
      store: async (signal) => {
        await Promise.all(objects.map(({ key, body }) => store.putIfAbsent(key, body, signal)));
        objects.length = 0;
        metrics.storedBytes.add(bytes);
      },
      submit: async () => {
        const isLate = isLateReply(await this.owner.offer({ offer, isTail }));
        if (isLate) this.#lost(segment, 'late');
        else metrics.segments.add(1);
      },
      lost: (reason) => {
        objects.length = 0;
        this.#lost(segment, reason);
      },
    };
  }

  #lost(segment: Pick<SourceSegment, 'start90k' | 'duration90k'>, reason: string, error?: unknown): void {
    const { start90k, duration90k } = segment;
    this.#ports.metrics.lost.add(1, { reason });
    const detail = error instanceof Error ? { error: error.message } : {};
    this.#ports.logger.error({ start90k, duration90k, reason, ...detail }, 'a source segment is lost');
  }

  async #finish(reason: string): Promise<void> {
    const { clock, logger } = this.#ports;
    for (let attempt = 1; attempt <= detachAttempts; attempt += 1) {
      await this.#settled();
      try {
        await this.owner.detach(reason.slice(0, 200));
        return this.#leave();
      } catch (error) {
        const code = errorCodeOf(error);
        logger.warn({ code, attempt }, 'could not tell the owner that the session ended');
        if (attempt === detachAttempts) break;
        if (isOtherOwner(code)) await this.owner.ownerGone();
        await clock.sleep(200 * attempt);
      }
    }
    this.owner.giveUp('no owner has confirmed it');
    this.#leave();
  }

  #leave(): void {
    this.#reports.end();
    this.#left.resolve();
  }

  /**
   * Waits until all offers are answered (K1), with the pauses and the bound of any other work. When another session has
   * the stream, the rest is lost.
   */
  async #settled(): Promise<void> {
    await this.#queue.idle();
    this.#queue.add({
      bytes: 0,
      store: () => Promise.resolve(),
      submit: async () => {
        await this.owner.settle().catch((error: unknown) => {
          const code = errorCodeOf(error);
          if (!isTakenAway(code)) throw error;
          this.owner.giveUp(code);
        });
      },
      lost: (reason) => this.owner.giveUp(reason),
    });
    await this.#queue.idle();
  }
}

/** What the owner is asked: the clock, the tracks with their init segments, and what they may be recognised by (M2). */
function periodQuestion(
  { video, audio, ...clock }: PeriodDescription,
  inits: MadeInits,
  marks: PeriodMarks | undefined,
): PeriodQuestion {
  return {
    ...clock,
    ...(marks === undefined ? {} : { marks }),
    ...(video === undefined || inits.video === undefined
      ? {}
      : { video: { ...video.source, init: inits.video.init } }),
    ...(audio === undefined || inits.audio === undefined
      ? {}
      : { audio: { ...audio.source, init: inits.audio.init } }),
  };
}
