/**
 * The relayer of one stream whose home is another region: a state machine without input or output (R4).
 *
 * It reads the home's log, and appends to this region's log what changes that log's fold. So edges, sweeper, archives and take-over read
 * their own region's log and nothing else.
 *
 * Y1. Each append expects the place of the last record that the relayer knows. One is under way at a time. After a refusal or a time-out
 *     it reads on in its own log: its record there means that the acknowledgement was lost, and a record of another relayer is folded.
 *     After 5 s of silence it reads its own log, in any case before it appends: in a log that went back the same places come again, and there a
 *     place alone would not show that the log is another one. A log that does not answer is asked again twice a second at most.
 * Y2. It never appends behind a record of a higher epoch: an owner of this region ends it.
 * Y3. What the home published is taken in order, each once. Where one is missing it reads the home's log. Where another record stands at
 *     the place up to which it had read, it begins again at the home's newest snapshot. The home's log says whether it is so: a head that
 *     does not fit may only be late.
 * Y4. A snapshot of the home is merged into its own fold, and so is what the home itself had relayed from a third region, and what is
 *     older than the own fold: the branch may go on with periods of it. What is new goes into this log as a snapshot of its own fold,
 *     under the author of the home's record.
 *     So does a backlog of over 64 records: appending them one by one could take longer than viewers have in their buffers.
 * Y5. A commit waits until its lowest rung and its audio lie in this region's store (every rung while there is a standby), 1 s at most.
 *     What was missed and had to be read waits for nothing, as viewers stand still meanwhile. Of it only the newest eight commits are brought,
 *     the newest first, and of a backlog of over 64 records nothing: it would stand in front of the live edge. Viewers have brought what they
 *     want of it.
 * Y6. It stops 60 s after the last edge or standby wanted the stream.
 * Y7. Where a record does not fit, as something before it lacks here, it begins again as well. A segment whose number is still too high
 *     then begins a branch, since the home itself has lost what lies before. With any other record it stops after eight times: the home's
 *     snapshot cannot be read, perhaps as a later version wrote it.
 */
import type { HomePlace, IndexEntry, IndexRecord } from '../../../cluster/contract/index-records.ts';
import { unreachable } from '../../../cluster/model/unreachable.ts';
import { applyEntry, emptyTimeline } from '../../media/timeline/fold.ts';
import type { FoldedTimeline } from '../../media/timeline/timeline.ts';
import { caughtUpStep, nextStep, placeAtHome, recordForGrowth, withWants } from './relay-steps.ts';
import type {
  RelayerCommand,
  RelayerEffect,
  RelayerIdentity,
  RelayerState,
  Waiting,
} from './relayer-state.ts';

/** Bounds of what is decided here. Times in ms. */
const limits = { wantedMs: 60_000, retryMs: 500, maxWaiting: 4096, proofMs: 5000 } as const;

export interface RelayStart {
  readonly self: RelayerIdentity;
  /** This region's whole log. */
  readonly entries: readonly IndexEntry[];
  /** A fold that knows more than a log that has lost its end (C7). */
  readonly beyond?: FoldedTimeline | undefined;
}

export interface RelayDecision {
  readonly state: RelayerState;
  readonly effects: readonly RelayerEffect[];
}

/** The state of a relayer that begins: its log says where it goes on; where it does not, the first tick reads the home's log. */
export function createRelayer({ self, entries, beyond }: RelayStart, nowMs: number): RelayerState {
  const folded = entries.reduce<FoldedTimeline>(applyEntry, emptyTimeline());
  const { lastSequence } = folded;
  const tail = entries.at(-1)?.record;
  const mayGoOn = tail?.home?.region === self.home && beyond === undefined;
  return {
    life: 'active',
    self,
    own: beyond === undefined ? folded : { ...beyond, lastSequence },
    lastSequence,
    lastRecordId: tail?.recordId,
    provenAtMs: nowMs,
    logRecords: entries.length,
    recordCount: 0,
    cursor: mayGoOn ? tail.home : undefined,
    waiting: [],
    mirror: undefined,
    homeHead: 0,
    mustWrite: beyond !== undefined,
    asking: undefined,
    appending: undefined,
    isReadingOwn: false,
    mustReadOwn: false,
    retryAtMs: nowMs,
    begun: undefined,
    author: tail?.home === undefined ? undefined : tail,
    wantedUntilMs: nowMs + limits.wantedMs,
    standbyUntilMs: 0,
  };
}

/** Whether an edge of this region may show the stream: its log reaches the home's head. */
export function isAtHead({ cursor, homeHead, waiting, asking }: RelayerState): boolean {
  return cursor !== undefined && cursor.sequence >= homeHead && waiting.length === 0 && asking === undefined;
}

/** Takes one turn. @returns the next state and the effects to perform; the old state must not be used again */
export function relay(state: RelayerState, command: RelayerCommand, nowMs: number): RelayDecision {
  if (state.life === 'gone') return { state, effects: [] };
  const turn = new RelayTurn(state, nowMs);
  apply(turn, command);
  advance(turn);
  return { state: turn.state, effects: turn.effects };
}

class RelayTurn {
  state: RelayerState;
  readonly effects: RelayerEffect[] = [];
  readonly nowMs: number;

  constructor(state: RelayerState, nowMs: number) {
    this.state = state;
    this.nowMs = nowMs;
  }

  set(change: Partial<RelayerState>): void {
    this.state = { ...this.state, ...change };
  }

  ask(effect: RelayerEffect): void {
    this.effects.push(effect);
  }
}

function apply(turn: RelayTurn, command: RelayerCommand): void {
  switch (command.kind) {
    case 'heard':
      return takeHeard(turn, command.entry, command.previous);
    case 'head':
      return takeHead(turn, command);
    case 'homeRead':
      return takeHomeRead(turn, command.entries);
    case 'homeUnreadable':
      return turn.set({ asking: undefined, retryAtMs: turn.nowMs + limits.retryMs });
    case 'appended':
      return takeAppended(turn, command.recordId, command.sequence);
    case 'appendFailed':
      return takeAppendFailed(turn, command.recordId);
    case 'ownRead':
      return takeOwnRead(turn, command.entries, command.tail);
    case 'ownUnreadable':
      return turn.set({ isReadingOwn: false, retryAtMs: turn.nowMs + limits.retryMs, mustReadOwn: true });
    case 'stored':
      return takeStored(turn, command.sha256);
    case 'wanted':
      return takeWanted(turn, command.byStandby);
    case 'tick':
      return tick(turn);
    default:
      return unreachable(command);
  }
}

/** The place of the last record of the home that is relayed or waits. */
const known = ({ waiting, cursor }: RelayerState): number =>
  waiting.at(-1)?.entry.sequence ?? cursor?.sequence ?? 0;

/** Takes a record that follows the last one, and reads the home's log where one is missing (Y3). */
function takeHeard(turn: RelayTurn, entry: IndexEntry, previous: number): void {
  const { state } = turn;
  turn.set({ homeHead: Math.max(state.homeHead, entry.sequence) });
  if (state.asking !== undefined) return;
  const last = known(state);
  if (entry.sequence <= last) return;
  if (previous === last && last > 0) enqueue(turn, [entry], false);
  else readHome(turn);
}

/** Compares the home's last record with what is known: it may have more, or have lost some (C7, Y3). */
function takeHead(turn: RelayTurn, head: { readonly sequence: number; readonly recordId: string }): void {
  turn.set({ homeHead: head.sequence });
  const { waiting, cursor, asking } = turn.state;
  if (asking !== undefined) return;
  const last = known(turn.state);
  const lastId = waiting.at(-1)?.entry.record.recordId ?? cursor?.recordId;
  if (head.sequence > last) readHome(turn);
  else if (head.sequence < last || head.recordId !== lastId) readHome(turn, newest(turn.state));
}

/** The last record of the home that is relayed or waits. */
function newest({ waiting, cursor, self }: RelayerState): HomePlace | undefined {
  const last = waiting.at(-1);
  return last === undefined ? cursor : placeAtHome({ self }, last.entry);
}

/** @param from where it is not there, the home's log is another one */
function readHome(turn: RelayTurn, from: HomePlace | undefined = turn.state.cursor): void {
  if (turn.state.asking !== undefined || turn.nowMs < turn.state.retryAtMs) return;
  turn.set({ asking: { from } });
  turn.ask({ kind: 'readHome', from: from?.sequence ?? 'snapshot' });
}

function beginAgain(turn: RelayTurn): void {
  turn.set({ cursor: undefined, waiting: [], mirror: undefined, asking: undefined });
  readHome(turn);
}

function takeHomeRead(turn: RelayTurn, entries: readonly IndexEntry[]): void {
  const { asking } = turn.state;
  turn.set({ asking: undefined });
  const [first] = entries;
  if (asking === undefined) return undefined;
  const { from } = asking;
  if (from !== undefined) {
    const isThere = first?.sequence === from.sequence && first.record.recordId === from.recordId;
    // What was purged up to there lies in the snapshot that is now the first record.
    const isPurged = first?.record.kind === 'snapshot' && first.sequence > from.sequence;
    if (!isThere && !isPurged) return beginAgain(turn);
  }
  enqueue(turn, entries, true);
  return undefined;
}

function enqueue(turn: RelayTurn, entries: readonly IndexEntry[], isMissed: boolean): void {
  const last = known(turn.state);
  const { waiting, homeHead } = turn.state;
  const more = entries
    .filter(({ sequence }) => sequence > last)
    .map((entry): Waiting => ({ entry, heardAtMs: turn.nowMs, isMissed, lacks: undefined }));
  turn.set({
    waiting: [...waiting, ...more].slice(0, limits.maxWaiting),
    homeHead: Math.max(homeHead, more.at(-1)?.entry.sequence ?? 0),
  });
}

function takeAppended(turn: RelayTurn, recordId: string, sequence: number): void {
  const { appending } = turn.state;
  if (appending?.recordId === recordId) fold(turn, { sequence, record: appending });
}

/** Folds a record that is in this region's log, and goes on behind the home's record that it stands for. */
function fold(turn: RelayTurn, entry: IndexEntry): void {
  const { own, appending, waiting, self, logRecords } = turn.state;
  const { record, sequence } = entry;
  const isMine = appending?.recordId === record.recordId;
  const cursor = record.home?.region === self.home ? record.home : turn.state.cursor;
  turn.set({
    own: applyEntry(own, entry),
    lastSequence: sequence,
    lastRecordId: record.recordId,
    provenAtMs: turn.nowMs,
    logRecords: record.kind === 'snapshot' ? 1 : logRecords + 1,
    cursor,
    waiting: waiting.filter((one) => one.entry.sequence > (cursor?.sequence ?? 0)),
    author: record.home === undefined ? undefined : record,
    ...(isMine ? { appending: undefined, mirror: undefined, mustWrite: false } : {}),
  });
  if (isMine && record.kind === 'snapshot') turn.ask({ kind: 'purge', belowSequence: sequence });
}

/** Only the log can tell what became of the record (Y1). */
function takeAppendFailed(turn: RelayTurn, recordId: string): void {
  if (turn.state.appending?.recordId === recordId) readOwn(turn);
}

function readOwn(turn: RelayTurn): void {
  if (turn.state.isReadingOwn) return;
  turn.set({ isReadingOwn: true, mustReadOwn: false });
  turn.ask({ kind: 'readOwn', fromSequence: turn.state.lastSequence + 1 });
}

function takeOwnRead(turn: RelayTurn, entries: readonly IndexEntry[], end: IndexEntry | undefined): void {
  if (!turn.state.isReadingOwn) return;
  turn.set({ isReadingOwn: false, provenAtMs: turn.nowMs });
  const { lastSequence, lastRecordId } = turn.state;
  const isOther = end?.sequence === lastSequence && end.record.recordId !== lastRecordId;
  if ((end?.sequence ?? 0) < lastSequence || isOther) return leave(turn, 'wentBack');
  for (const entry of entries) if (entry.sequence > turn.state.lastSequence) fold(turn, entry);
  // Whoever wrote in between: what was under way is decided anew.
  turn.set({ appending: undefined });
  const tail = entries.at(-1)?.record;
  // An owner of this region writes here now (Y2).
  if (tail !== undefined && tail.home === undefined) leave(turn, 'fenced');
  return undefined;
}

function takeStored(turn: RelayTurn, sha256: RelayedHash): void {
  turn.set({
    waiting: turn.state.waiting.map((one) =>
      one.lacks?.has(sha256) === true
        ? { ...one, lacks: new Set([...one.lacks].filter((hash) => hash !== sha256)) }
        : one,
    ),
  });
}
type RelayedHash = Extract<RelayerCommand, { kind: 'stored' }>['sha256'];

function takeWanted(turn: RelayTurn, byStandby: boolean): void {
  const untilMs = turn.nowMs + limits.wantedMs;
  turn.set({ wantedUntilMs: untilMs, ...(byStandby ? { standbyUntilMs: untilMs } : {}) });
}

/** Stops when nobody wants the stream (Y6), and asks again what was not answered. */
function tick(turn: RelayTurn): void {
  const { wantedUntilMs, asking, homeHead } = turn.state;
  if (turn.nowMs >= wantedUntilMs) return leave(turn, 'unwanted');
  const { mustReadOwn, provenAtMs, retryAtMs, appending } = turn.state;
  const isSilent = appending === undefined && turn.nowMs - provenAtMs > limits.proofMs;
  if ((mustReadOwn || isSilent) && turn.nowMs >= retryAtMs) readOwn(turn);
  if (asking === undefined && (known(turn.state) < homeHead || known(turn.state) === 0)) readHome(turn);
  return undefined;
}

type LeaveReason = Extract<RelayerEffect, { kind: 'deactivate' }>['reason'];

function leave(turn: RelayTurn, reason: LeaveReason): void {
  turn.set({ life: 'gone', waiting: [], appending: undefined });
  turn.ask({ kind: 'deactivate', reason });
}

/** While this region's log has not answered only a tick asks it again (Y1). */
const mayWrite = ({ life, appending, isReadingOwn, mustReadOwn }: RelayerState): boolean =>
  life === 'active' && appending === undefined && !isReadingOwn && !mustReadOwn;

/** Does what the first of the waiting records asks for, until an append is under way or nothing can be done. */
function advance(turn: RelayTurn): void {
  for (;;) {
    const { state, nowMs } = turn;
    if (!mayWrite(state)) return;
    const wants = withWants(state, nowMs);
    turn.set({ waiting: wants.waiting });
    for (const pull of wants.pulls) turn.ask(pull);
    const grown = recordForGrowth(turn.state);
    if (grown !== undefined && state.mirror === undefined) return append(turn, grown);
    const step = caughtUpStep(turn.state) ?? nextStep(turn.state, nowMs);
    switch (step.kind) {
      case 'wait':
        return;
      case 'begin':
        turn.set({ retryAtMs: nowMs + limits.retryMs, begun: begunAt(turn.state, step.at) });
        return beginAgain(turn);
      case 'giveUp':
        return leave(turn, 'unreadable');
      case 'append':
        return append(turn, step.record);
      case 'mirror':
        turn.set({
          waiting: turn.state.waiting.slice(1),
          mirror: step.mirror,
          cursor: placeAtHome(turn.state, step.mirror.last),
        });
        break;
      case 'pass':
        turn.set({
          waiting: turn.state.waiting.slice(1),
          mirror: undefined,
          cursor: placeAtHome(turn.state, step.entry),
        });
        break;
      default:
        return unreachable(step);
    }
  }
}

const begunAt = ({ begun }: RelayerState, at: number): RelayerState['begun'] => ({
  at,
  times: (begun?.at === at ? begun.times : 0) + 1,
});

function append(turn: RelayTurn, body: IndexRecord): void {
  if (turn.nowMs - turn.state.provenAtMs > limits.proofMs) return readOwn(turn);
  const { self, recordCount, lastSequence } = turn.state;
  const record = { ...body, recordId: `${self.name}-${recordCount.toString(36)}` };
  turn.set({ appending: record, recordCount: recordCount + 1 });
  turn.ask({ kind: 'append', record, expectedSequence: lastSequence });
  return undefined;
}
