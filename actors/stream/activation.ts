/**
 * Runs one stream's owner on this node: gives commands to the pure owner, one turn at a time, and performs the effects
 * it asks for.
 *
 * A turn is synchronous, so turns never overlap. What takes time, such as an append, comes back as another command.
 *
 * V1. At most `maxWaiting` calls wait for an answer. A further call is refused as OVERLOADED.
 * V2. An error that is not a `TangazaError` is a defect of this program. It ends this activation, not the process. The
 *     next attach takes the stream over again from the log.
 */
import type { IndexRecord } from '../../cluster/contract/index-records.ts';
import type { FeedingSession, InputReply } from '../../cluster/contract/stream-actions.ts';
import type { CloseSessionsParams } from '../../cluster/contract/ingest-actions.ts';
import type { StreamHealth } from '../../cluster/contract/stream-health.ts';
import type { TaskReport, TranscodeTask } from '../../cluster/contract/transcode-task.ts';
import { errorCodeOf, TangazaError } from '../../cluster/errors/tangaza-error.ts';
import type { Epoch, NodeId, SessionId, StreamId } from '../../cluster/model/ids.ts';
import { unreachable } from '../../cluster/model/unreachable.ts';
import type { Logger } from '../../cluster/observe/logger.ts';
import type { IndexLog } from '../../cluster/log/index-log.ts';
import type { OwnershipRecord } from '../../cluster/ownership/ownership-store.ts';
import type { TaskQueue } from '../../cluster/queue/task-queue.ts';
import type { Clock } from '../../cluster/time/clock.ts';
import { isOverWithin } from '../../cluster/time/within.ts';
import type { SegmentStore } from '../segment-store/segment-store.ts';
import { healthOf } from './health.ts';
import { inputReplyOf } from './input-reply.ts';
import type { OwnedStream } from './on-air-telling.ts';
import { createOwner, decide, type TakenStream } from './owner/owner.ts';
import type { Command, Effect, Now, OwnerState } from './owner/owner-state.ts';
import type { ReplyTo } from './owner/state/publishers-state.ts';
import type { OwnerEvent } from './owner/owner-events.ts';
import { feeding } from './owner/sessions.ts';
import { figuresOf, type StreamFigures } from './stream-figures.ts';
import { isWanted } from './owner/task-reports.ts';
import { storeArchive, storeCheckpoint, type StoredEffectsPorts } from './stored-effects.ts';
import { ToldRegions, type Telling } from './told-regions.ts';
import { WaitingCalls, type Reply } from './waiting-calls.ts';

const loggedLookMs = 20;

type Question = Extract<Command, { reply: ReplyTo }>;
type Unanswered<C> = C extends unknown ? Omit<C, 'reply'> : never;

export interface ActivationPorts {
  readonly log: IndexLog;
  readonly queue: TaskQueue;
  readonly store: SegmentStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly closeSessions: (params: CloseSessionsParams) => void;
  readonly others: Telling;
  readonly count: (event: OwnerEvent, by: number) => void;
  /** Called once, when this activation does nothing more. */
  readonly onGone: () => void;
}

export class Activation {
  readonly #ports: ActivationPorts;
  readonly #calls = new WaitingCalls();
  readonly #stored: StoredEffectsPorts;
  readonly #told: ToldRegions;
  readonly #underWay = new Set<Promise<void>>();
  readonly #counts = new Map<OwnerEvent, number>();
  #state: OwnerState;
  #isGivenAway = false;
  #isGone = false;
  readonly #over = Promise.withResolvers<void>();

  constructor(taken: TakenStream, ports: ActivationPorts) {
    this.#ports = ports;
    const { store, logger } = ports;
    this.#stored = { store, logger, tell: (command) => this.tell(command) };
    this.#told = new ToldRegions(ports.others, taken.self.stream, taken.entries.at(-1));
    this.#state = createOwner(taken, this.#now());
  }

  /** False once it is over or about to be: ask for a new activation. */
  get isUsable(): boolean {
    return !this.#isGone && this.#state.life !== 'gone';
  }

  /** Whether its `end` record is on the way to the log. */
  get isLeaving(): boolean {
    return this.#state.life === 'ending' && this.#state.isAppending;
  }

  get stream(): StreamId {
    return this.#state.self.stream;
  }

  get epoch(): Epoch {
    return this.#state.self.epoch;
  }

  /** The ownership record that this owner stands for. */
  get record(): OwnershipRecord {
    const { self, reason, since } = this.#state;
    const { node: owner, region, bootId, epoch } = self;
    return { owner, region, bootId, epoch, since: new Date(since.utcMs).toISOString(), reason };
  }

  /** What other regions hear of the stream (R3). A stream that was on air before is on air again from the `open` on, not only from its first period. */
  told(): OwnedStream {
    const { self, since, timeline } = this.#state;
    const { nextNumber, periods, availabilityStartMs = 0, state } = timeline;
    return {
      stream: self.stream,
      epoch: self.epoch,
      nextNumber,
      discontinuities: periods.at(-1)?.ordinal ?? 0,
      availabilityStartMs,
      isOnAir: this.isUsable || state !== 'ended',
      sinceMs: since.utcMs,
    };
  }

  get feeding(): readonly FeedingSession[] {
    return feeding(this.#state);
  }

  /** Whether a publisher feeds the stream, or a source is still undecided. */
  get isOnAir(): boolean {
    return this.#state.sessions.some(({ isActive }) => isActive) || this.#state.pending.length > 0;
  }

  get pendingSegments(): number {
    return this.#state.pending.length;
  }

  /** What this owner tells a session that reports to it. */
  inputReply(session: SessionId, isStaying: (node: NodeId) => boolean): InputReply {
    return inputReplyOf(this.#state, { session, isStaying, nowMs: this.#now().runningMs });
  }

  /** Whether an output of the reported task would still count. */
  isWanted(report: TaskReport): boolean {
    return isWanted(this.#state, report);
  }

  get queuedRecords(): number {
    return this.#state.outbox.length;
  }

  get waitingCalls(): number {
    return this.#calls.size;
  }

  /**
   * @throws TangazaError as the owner answers; `OVERLOADED` (V1); `STALE_EPOCH` when it gives the stream up meanwhile
   */
  ask(question: Unanswered<Question>): Promise<Reply> {
    if (this.#isGone) return Promise.reject(givenUp());
    const call = this.#calls.open();
    if (call === undefined) {
      this.#ports.count('refusedCall', 1);
      return Promise.reject(new TangazaError('OVERLOADED', 'Too many calls wait for this stream.'));
    }
    this.tell({ ...question, reply: call.reply });
    return call.answer;
  }

  /** Refuses every call that waited through a standstill of the process; then the owner reads the log's head (C6). */
  thaw(): void {
    this.#calls.refuseAll(
      () => new TangazaError('DEADLINE_EXCEEDED', 'This process stood still; ask again.'),
    );
    this.tell({ kind: 'thawed' });
  }

  tell(command: Command): void {
    if (this.#isGone) return;
    try {
      const { state, effects } = decide(this.#state, command, this.#now());
      this.#state = state;
      for (const effect of effects) this.#perform(effect);
    } catch (error) {
      this.#crash(error);
    }
  }

  figures(): StreamFigures {
    return figuresOf(this.#state, this.#counts, this.#now());
  }

  health(successors: readonly NodeId[]): StreamHealth {
    return healthOf(this.#state, successors, this.#now());
  }

  /** Tells other regions the log's last record. */
  tellHead(): void {
    if (this.isUsable) this.#told.tellHead(this.#state.lastSequence);
  }

  /** Resolves when this activation is over, or after `withinMs`. */
  async over(withinMs: number): Promise<void> {
    await isOverWithin(this.#over.promise, { clock: this.#ports.clock, ms: withinMs });
  }

  /**
   * Resolves when all that the owner has taken is in the log, or after `withinMs`, or when `signal` ends the wait.
   *
   * @throws TangazaError `STALE_EPOCH` when the owner gives the stream up before that
   */
  async logged(withinMs: number, signal?: AbortSignal): Promise<void> {
    const { clock } = this.#ports;
    const deadlineMs = clock.runningMs() + withinMs;
    for (;;) {
      if (this.#isGone && this.#state.timeline.state !== 'ended') throw givenUp();
      const isOver = clock.runningMs() >= deadlineMs || signal?.aborted === true;
      if ((this.queuedRecords === 0 && !this.#isGivenAway) || isOver) return;
      await clock.sleep(loggedLookMs);
    }
  }

  /**
   * Runs the hand-over. Nothing counts as logged meanwhile: the successor is told that these sessions feed, so none may
   * leave unheard.
   */
  async whileGivenAway(work: (feeders: FeedingSession[]) => Promise<void>): Promise<void> {
    this.#isGivenAway = true;
    try {
      await work([...this.feeding]);
    } finally {
      this.#isGivenAway = false;
    }
  }

  /** Takes no more commands, and waits at most `withinMs` for the work under way. */
  async close(withinMs: number): Promise<void> {
    this.#end();
    await isOverWithin(Promise.allSettled(this.#underWay), { clock: this.#ports.clock, ms: withinMs });
  }

  #now(): Now {
    return { utcMs: this.#ports.clock.utcMs(), runningMs: this.#ports.clock.runningMs() };
  }

  #crash(error: unknown): void {
    this.#ports.logger.error(
      { err: error },
      'the activation crashed; the next attach takes the stream over again from the log',
    );
    this.#end();
  }

  #end(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#calls.refuseAll(givenUp);
    this.#ports.onGone();
    this.#over.resolve();
  }

  #perform(effect: Effect): void {
    const { log, closeSessions, count, logger } = this.#ports;
    switch (effect.kind) {
      case 'append':
        return this.#start(this.#append(effect.record, effect.expectedSequence));
      case 'readTail':
        return this.#start(this.#readTail(effect.askedAt));
      case 'purge':
        return this.#start(log.purgeBelow(this.#state.self.stream, effect.belowSequence));
      case 'publishTask':
        return this.#start(this.#publish(effect.task));
      case 'archive':
        return this.#start(storeArchive(effect, this.#stored));
      case 'checkpoint':
        return this.#start(storeCheckpoint(effect, this.#stored));
      case 'reply':
        return this.#calls.answer(effect.to, effect.value);
      case 'refuse':
        return this.#calls.refuse(effect.to, new TangazaError(effect.code, effect.detail));
      case 'closeSession':
        return closeSessions({
          streamId: this.#state.self.stream,
          sessionId: effect.sessionId,
          reason: effect.reason,
          epoch: this.epoch,
          ...(effect.code === undefined ? {} : { code: effect.code }),
        });
      case 'count':
        this.#counts.set(effect.event, (this.#counts.get(effect.event) ?? 0) + effect.by);
        return count(effect.event, effect.by);
      case 'say':
        return logger[effect.level](effect.fields, effect.message);
      case 'deactivate':
        return this.#end();
      default:
        return unreachable(effect);
    }
  }

  #start(work: Promise<void>): void {
    const guarded = work.catch((error: unknown) => {
      // The other effects turn an expected error into a command. A purge may fail: the next purge does its work (V2).
      if (error instanceof TangazaError)
        this.#ports.logger.warn({ err: error }, 'an effect of the owner failed and is left undone');
      else this.#crash(error);
    });
    this.#underWay.add(guarded);
    void guarded.then(() => this.#underWay.delete(guarded));
  }

  async #append(record: IndexRecord, expectedSequence: number): Promise<void> {
    const { recordId } = record;
    try {
      const sequence = await this.#ports.log.append(this.#state.self.stream, record, expectedSequence);
      this.#told.appended({ sequence, record }, expectedSequence);
      this.tell({ kind: 'appended', recordId, sequence });
    } catch (error) {
      const code = errorCodeOf(error);
      if (code !== 'FENCED' && code !== 'LOG_UNAVAILABLE') throw error;
      this.tell({ kind: 'appendFailed', recordId, code });
    }
  }

  async #readTail(askedAt: number): Promise<void> {
    try {
      const tail = await this.#ports.log.tail(this.#state.self.stream);
      this.tell({ kind: 'tailRead', tail, askedAt });
    } catch (error) {
      if (!(error instanceof TangazaError)) throw error;
      this.tell({ kind: 'tailUnreadable' });
    }
  }

  async #publish(task: TranscodeTask): Promise<void> {
    const { taskId, attempt } = task;
    try {
      await this.#ports.queue.publish(task);
      this.tell({ kind: 'taskPublished', taskId, attempt });
    } catch (error) {
      if (!(error instanceof TangazaError)) throw error;
      this.tell({ kind: 'taskRefused', taskId, attempt, code: error.code });
    }
  }
}

function givenUp(): TangazaError {
  return new TangazaError('STALE_EPOCH', 'This owner has given the stream up; attach again.');
}
