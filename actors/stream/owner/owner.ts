/**
 * The owner of one stream: a state machine without input or output.
 *
 * Every turn has the same shape: the command changes the state, the owner decides what can be decided, and appends its
 * next record to the log. Its parts: sessions (who may feed), periods (which clock), offers (what came in), tasks (what
 * workers make of it), commits (what is playable), outbox (the way into the log), retention (how long the log grows).
 */
import {
  periodOpenedBy,
  SourceOffer,
  type ClockRecord,
  type IndexEntry,
  type IndexRecord,
} from '../../../cluster/contract/index-records.ts';
import type { FeedingSession } from '../../../cluster/contract/stream-actions.ts';
import { unreachable } from '../../../cluster/model/unreachable.ts';
import { branchedHere } from '../../media/timeline/branch.ts';
import { adopted, type HomeFold } from '../../media/timeline/graft.ts';
import { applyEntry, emptyTimeline } from '../../media/timeline/fold.ts';
import { endOfSegments90k } from '../../media/timeline/query.ts';
import type { FoldedTimeline, Timeline } from '../../media/timeline/timeline.ts';
import { checkpoint, lastCheckpoint, takeCheckpoint, takeCheckpointFailure } from './checkpoints.ts';
import { settle } from './commits.ts';
import {
  enqueue,
  goDown,
  goOnFrom,
  judgeTail,
  proveLog,
  pump,
  repairLog,
  retryLog,
  takeAck,
  takeFailure,
  takeSilence,
} from './outbox.ts';
import { markOf, pendingSegment, takeOffer } from './offers.ts';
import type { Command, Effect, Identity, Now, OwnerSettings, OwnerState } from './owner-state.ts';
import { pipelineLimits, type PendingSegment } from './state/pipeline-state.ts';
import { publisherLimits } from './state/publishers-state.ts';
import { openPeriod, refuseOpenings, takeClockAck } from './periods.ts';
import { takeArchived, takeArchiveFailure, takeSnapshotAck, trimLog } from './retention.ts';
import {
  attach,
  detach,
  dropSessionsOf,
  dropSilentSessions,
  handedOver,
  hearAnew,
  takeInput,
} from './sessions.ts';
import { continuePending, reopen } from '../succession/reopening.ts';
import { takeReport } from './task-reports.ts';
import {
  emitAhead,
  emitTasks,
  hedgeTasks,
  inheritedSource,
  redispatch,
  takePublished,
  takeRefused,
} from './tasks.ts';
import { Turn } from '../turn.ts';

export interface Decision {
  readonly state: OwnerState;
  readonly effects: readonly Effect[];
}

export interface TakenStream {
  readonly self: Identity;
  readonly settings: OwnerSettings;
  readonly reason: string;
  /** The whole log after this owner's `open`, which is its last record. */
  readonly entries: readonly IndexEntry[];
  /** A fold of this region's log that knows more, where the log has lost its end (C7, heads.ts). */
  readonly beyond?: FoldedTimeline | undefined;
  /** A fold of another region that knows more than this region's log, where the stream is adopted (R6). */
  readonly ofOther?: HomeFold | undefined;
  /** The sessions that fed the stream when it was handed over. */
  readonly feeding?: readonly FeedingSession[];
}

/**
 * The state of an owner whose `open` is in the log (C1). Its first tick emits the tasks that its predecessor left
 * undone (C2).
 */
export function createOwner(
  { self, settings, reason, entries, beyond: beyondLog, ofOther, feeding = [] }: TakenStream,
  now: Now,
): OwnerState {
  mustNameBranch(entries);
  const beyond = ofOther === undefined ? beyondLog : adoptedFrom(entries, beyondLog, ofOther);
  const folded = entries.reduce<FoldedTimeline>(applyEntry, emptyTimeline());
  const { lastSequence, epoch, bootId } = folded;
  const timeline =
    beyond === undefined ? folded : { ...branchedHere(beyond, epoch), lastSequence, epoch, bootId };
  const state: OwnerState = {
    life: 'active',
    self,
    settings,
    since: now,
    reason,
    timeline,
    link: { kind: 'up' },
    outbox: [],
    isAppending: false,
    isProbing: false,
    isArchiving: false,
    isCheckpointing: false,
    checkpointRetryAtMs: 0,
    checkpointed: undefined,
    archivedBelow: timeline.firstNumber,
    logProvenAtMs: now.runningMs,
    lastSequence: entries.at(-1)?.sequence ?? 0,
    recordCount: 0,
    logRecords: entries.length,
    sessions: handedOver(feeding, now.runningMs),
    idleSinceAtMs: feeding.length === 0 ? now.runningMs : undefined,
    refusals: new Map(),
    lastRefusal: undefined,
    openings: [],
    marks: marksOf(entries),
    pending: inherited(timeline, now),
    headSinceAtMs: now.runningMs,
    decided: lastDecided(timeline),
    catchUpUntilMs: now.runningMs + pipelineLimits.catchUpMs,
    nextNumber: timeline.nextNumber,
    inits: new Map(),
    holds: new Map(),
    encodeMs: [],
    workers: new Map(),
  };
  if (beyond === undefined) return state;
  const turn = new Turn(state, now);
  repairLog(turn, lastSequence);
  return turn.state;
}

/** The fold of another region in this region's numbers, as far as it knows more. */
function adoptedFrom(
  entries: readonly IndexEntry[],
  beyond: FoldedTimeline | undefined,
  ofOther: HomeFold,
): FoldedTimeline | undefined {
  const open = entries.at(-1)?.record;
  const before = entries.slice(0, -1).reduce<FoldedTimeline>(applyEntry, emptyTimeline());
  return open === undefined ? beyond : (adopted(beyond ?? before, ofOther, open.epoch) ?? beyond);
}

/** Without `from`, folds would go on counting as the other region's owner did, and refuse what this owner commits (R6). */
function mustNameBranch(entries: readonly IndexEntry[]): void {
  const [before, open] = entries.slice(-2).map(({ record }) => record);
  if (before?.home !== undefined && open?.kind === 'open' && open.from === undefined)
    throw new Error('An owner that goes on with the branch of another region says so in its open.');
}

function marksOf(entries: readonly IndexEntry[]): OwnerState['marks'] {
  return entries
    .flatMap(({ record }) => (record.kind === 'source' ? [markOf(record)] : []))
    .slice(-publisherLimits.maxMarks);
}

function inherited({ pending }: Timeline, now: Now): readonly PendingSegment[] {
  const arrival = {
    sourceRecordId: inheritedSource,
    isLogged: true,
    clockAtMs: now.runningMs,
    isBacklog: true,
  };
  return [...pending.values()]
    .toSorted((a, b) => a.period - b.period || a.start90k - b.start90k)
    .map((record) => pendingSegment(SourceOffer.parse(record), arrival));
}

function lastDecided({ periods }: Timeline): OwnerState['decided'] {
  const last = periods.findLast((period) => period.segments.length > 0);
  return last === undefined ? undefined : { period: last.id, end90k: endOfSegments90k(last) };
}

/** Takes one turn. @returns the next state and the effects to perform; the old state must not be used again */
export function decide(state: OwnerState, command: Command, now: Now): Decision {
  const turn = new Turn(state, now);
  if (state.life === 'gone') refuseAll(turn, command);
  else {
    apply(turn, command);
    reopen(turn);
    settle(turn);
    pump(turn);
  }
  return { state: turn.state, effects: turn.effects };
}

function refuseAll(turn: Turn, command: Command): void {
  if ('reply' in command)
    turn.refuse(command.reply, 'STALE_EPOCH', 'This owner has given the stream up; attach again.');
}

function apply(turn: Turn, command: Command): void {
  switch (command.kind) {
    case 'attach':
      return attach(turn, command.params, command.reply);
    case 'openPeriod':
      return openPeriod(turn, command.params, command.reply);
    case 'offer':
      return takeOffer(turn, command.params, command.reply);
    case 'input':
      return takeInput(turn, command.report);
    case 'detach':
      return detach(turn, command.params);
    case 'report':
      return takeReport(turn, command.report);
    case 'tick':
      return tick(turn);
    case 'thawed':
      hearAnew(turn);
      return goDown(turn, 'this process stood still');
    case 'nodeGone':
      dropSessionsOf(turn, command.node);
      return redispatch(turn, command.node);
    default:
      return applyAnswer(turn, command);
  }
}

type Answer = Exclude<
  Command,
  { kind: 'attach' | 'openPeriod' | 'offer' | 'input' | 'detach' | 'report' | 'tick' | 'thawed' | 'nodeGone' }
>;

function applyAnswer(turn: Turn, answer: Answer): void {
  switch (answer.kind) {
    case 'appended':
      return afterAppend(turn, answer.recordId, answer.sequence);
    case 'appendFailed':
      return takeFailure(turn, answer.recordId, answer.code);
    case 'tailRead':
      return takeTail(turn, answer.tail, answer.askedAt);
    case 'tailUnreadable':
      return takeSilence(turn);
    case 'taskPublished':
      return takePublished(turn, answer.taskId, answer.attempt);
    case 'taskRefused':
      return refuseTask(turn, answer);
    case 'archived':
      return takeArchived(turn, answer.firstNumber);
    case 'archiveFailed':
      return takeArchiveFailure(turn);
    case 'checkpointed':
      return takeCheckpoint(turn, answer.made, answer.key);
    case 'checkpointFailed':
      return takeCheckpointFailure(turn);
    default:
      return unreachable(answer);
  }
}

/** The queue and the log are one server. So when the queue is gone, the owner asks whether the log answers. */
function refuseTask(turn: Turn, refusal: Extract<Command, { kind: 'taskRefused' }>): void {
  takeRefused(turn, refusal);
  if (refusal.code === 'LOG_UNAVAILABLE' && !turn.state.isAppending)
    goDown(turn, 'the task queue does not answer');
}

function afterAppend(turn: Turn, recordId: string, sequence: number): void {
  const record = takeAck(turn, recordId, sequence);
  if (record !== undefined) follow(turn, record, sequence);
}

/** Does what a record sets off once it is in the log. */
function follow(turn: Turn, record: IndexRecord, sequence: number): void {
  switch (record.kind) {
    case 'clock':
      return takeClock(turn, record, sequence);
    case 'source':
      return takeSourceAck(turn, record.recordId);
    case 'snapshot':
      return takeSnapshotAck(turn, sequence);
    case 'end':
      lastCheckpoint(turn);
      return leave(turn, 'ended');
    case 'open':
    case 'commit':
    case 'gap':
    case 'trim':
    case 'moved':
    case 'missing':
      return;
    default:
      return unreachable(record);
  }
}

function takeClock(turn: Turn, record: ClockRecord, sequence: number): void {
  const period = periodOpenedBy(record, sequence);
  if (turn.state.timeline.periods.at(-1)?.id !== period) throw new Error(`the fold refuses period ${period}`);
  takeClockAck(turn, record, period);
  continuePending(turn, record, period);
}

function takeSourceAck(turn: Turn, recordId: string): void {
  const segment = turn.state.pending.find((one) => one.sourceRecordId === recordId);
  if (segment !== undefined) emitTasks(turn, turn.change(segment, { isLogged: true }));
}

function takeTail(turn: Turn, tail: IndexEntry | undefined, askedAt: number): void {
  const verdict = judgeTail(turn.state, tail, askedAt);
  switch (verdict.kind) {
    case 'unchanged':
    case 'meaningless':
      return proveLog(turn);
    case 'ackWasLost':
      return afterAppend(turn, verdict.recordId, verdict.sequence);
    case 'fenced':
      return leave(turn, 'fenced');
    case 'wentBack':
      return repairLog(turn, verdict.sequence);
    case 'further':
      return goOnFrom(turn, verdict.sequence);
    default:
      return unreachable(verdict);
  }
}

/** Ends this activation for good (C1). */
function leave(turn: Turn, reason: 'fenced' | 'ended'): void {
  refuseOpenings(turn, turn.state.openings);
  turn.set({ life: 'gone', openings: [], outbox: [], pending: [], isAppending: false });
  turn.say(reason === 'ended' ? 'info' : 'error', 'this owner gives the stream up', { reason });
  turn.ask({ kind: 'deactivate', reason });
}

function tick(turn: Turn): void {
  retryLog(turn);
  dropSilentSessions(turn);
  for (const segment of turn.state.pending) if (segment.isLogged) emitTasks(turn, segment);
  emitAhead(turn);
  hedgeTasks(turn);
  trimLog(turn);
  checkpoint(turn);
  endIfIdle(turn);
}

/** Ends the broadcast when it has had no publisher for long enough. What is pending is decided first. */
function endIfIdle(turn: Turn): void {
  const { idleSinceAtMs, settings, pending, openings, outbox, life, link, timeline } = turn.state;
  const isIdle = idleSinceAtMs !== undefined && turn.nowMs - idleSinceAtMs >= settings.endAfterMs;
  if (
    !isIdle ||
    life !== 'active' ||
    link.kind === 'down' ||
    pending.length + openings.length + outbox.length > 0
  )
    return;
  if (timeline.state !== 'live') {
    leave(turn, 'ended');
    return;
  }
  enqueue(turn, { kind: 'end', reason: 'no publisher' });
  turn.set({ life: 'ending' });
}
