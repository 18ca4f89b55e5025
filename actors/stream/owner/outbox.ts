/**
 * The outbox: the owner's way into the index log (C1, C8).
 *
 * O1. At most one append is under way. Each append expects the sequence of the owner's own last record.
 * O2. After a refusal or a time-out the log's tail decides. With the owner's own record there, the acknowledgement was
 *     lost. With a foreign epoch there, the owner deactivates for good. With nothing changed, the same record is
 *     appended again.
 * O3. A silent log loses nothing: records wait in order and are appended when it answers. Deadlines do not count
 *     meanwhile.
 * O4. A log that stands behind the owner under no higher epoch has lost records (C7). It gets a snapshot of the owner's
 *     fold, with all numbers and hashes as they were, and goes on. The tail may also be an own record that is not the
 *     one under way, because a server answered that was behind. That is nobody else's record, so the owner goes on from
 *     there.
 * O5. In a log that went back, sequences come again that were periods once. However many were lost, one record opens
 *     the next period: it names the last period (M1). (Rejected: filler records until the log stands above. A million
 *     take 15 s, and 40 minutes with `sync_interval: always`.) In the same way it stays above the periods of other regions.
 */
import { aboveOfClock, type IndexEntry, type IndexRecord } from '../../../cluster/contract/index-records.ts';
import { snapshotOf } from '../../media/timeline/bounded-snapshot.ts';
import { applyEntry } from '../../media/timeline/fold.ts';
import type { OwnerState } from './owner-state.ts';
import { pipelineLimits } from './state/pipeline-state.ts';
import { hearAnew } from './sessions.ts';
import type { Turn } from '../turn.ts';

/** Bounds of what is decided here. Times in ms. */
const limits = {
  /** A deadline counts only when the log has answered within this time (C8). */
  logProofMs: 500,
  logRetryMinMs: 100,
  logRetryMaxMs: 300,
} as const;

type Author = 'epoch' | 'node' | 'region' | 'bootId' | 'recordId' | 'atMs';
type Body<R> = R extends unknown ? Omit<R, Author> : never;
export type RecordBody = Body<IndexRecord>;

/** Puts a record at the end of the outbox and returns its id. */
export function enqueue(turn: Turn, body: RecordBody): string {
  const { epoch, node, region, bootId } = turn.state.self;
  const recordCount = turn.state.recordCount + 1;
  const recordId = `${epoch.toString(36)}-${recordCount.toString(36)}`;
  const record: IndexRecord = { ...body, epoch, node, region, bootId, recordId, atMs: turn.now.utcMs };
  turn.set({ recordCount, outbox: [...turn.state.outbox, record] });
  return recordId;
}

/** Appends the first record of the outbox, if the log answers and no append is under way (O1). */
export function pump(turn: Turn): void {
  const { life, link, isAppending, outbox, lastSequence } = turn.state;
  const [first] = outbox;
  if (life === 'gone' || link.kind === 'down' || isAppending || first === undefined) return;
  const record = asSent(turn.state, first);
  turn.set({ isAppending: true, ...(record === first ? {} : { outbox: [record, ...outbox.slice(1)] }) });
  turn.ask({ kind: 'append', record, expectedSequence: lastSequence });
}

/**
 * Completes a record as it is sent: a snapshot holds what lies before it, and a period names the last one where ids
 * could meet (O5).
 */
function asSent(
  { self, timeline, archivedBelow, lastSequence }: OwnerState,
  record: IndexRecord,
): IndexRecord {
  if (record.kind === 'snapshot') return { ...record, ...snapshotOf(timeline, archivedBelow) };
  if (record.kind !== 'clock') return record;
  const above = aboveOfClock(self.epoch, timeline.periods.at(-1)?.id, lastSequence);
  return above === undefined ? record : { ...record, above };
}

/**
 * Takes the first record off the outbox, as it is in the log.
 *
 * @returns it, or undefined for an answer that nobody waits for
 */
export function takeAck(turn: Turn, recordId: string, sequence: number): IndexRecord | undefined {
  const { outbox, timeline, logRecords } = turn.state;
  const [record, ...rest] = outbox;
  if (record === undefined || record.recordId !== recordId) return undefined;
  turn.set({
    outbox: rest,
    isAppending: false,
    lastSequence: sequence,
    logRecords: logRecords + 1,
    timeline: applyEntry(timeline, { sequence, record }),
  });
  const isDecision = record.kind === 'commit' || record.kind === 'gap';
  // Everybody sees the fold. An activation whose numbers it refuses begins again from the log (activation.ts V2).
  if (isDecision && turn.state.timeline.nextNumber !== record.number + 1)
    throw new Error(`the fold refuses number ${record.number}`);
  proveLog(turn);
  return record;
}

/** An append was refused or not answered: only the tail can tell what happened (O2). */
export function takeFailure(turn: Turn, recordId: string, code: 'FENCED' | 'LOG_UNAVAILABLE'): void {
  if (turn.state.outbox[0]?.recordId !== recordId || !turn.state.isAppending) return;
  turn.set({ isAppending: false });
  goDown(turn, code === 'FENCED' ? 'the log refused an append' : 'the log does not answer');
}

/** Marks the log as silent and asks for its tail at once. */
export function goDown(turn: Turn, why: string): void {
  if (markDown(turn, why)) turn.ask({ kind: 'readTail', askedAt: turn.state.lastSequence });
}

function markDown(turn: Turn, why: string): boolean {
  if (turn.state.link.kind === 'down') return false;
  turn.set({
    link: { kind: 'down', sinceAtMs: turn.nowMs, failures: 0, retryAtMs: undefined },
    isProbing: false,
  });
  turn.count('logDown');
  turn.say('warn', why);
  return true;
}

/** Asks whether the log answers, before a deadline is taken as passed (O3). */
export function probeLog(turn: Turn): void {
  const { link, isProbing, isAppending } = turn.state;
  if (link.kind === 'down' || isProbing || isAppending) return;
  turn.set({ isProbing: true });
  turn.ask({ kind: 'readTail', askedAt: turn.state.lastSequence });
}

export function isLogProven({ link, logProvenAtMs }: OwnerState, nowMs: number): boolean {
  return link.kind === 'up' && nowMs - logProvenAtMs <= limits.logProofMs;
}

/** The log has not answered: plans the next try after a growing pause. */
export function takeSilence(turn: Turn): void {
  markDown(turn, 'the log does not answer');
  const { link } = turn.state;
  if (link.kind === 'up') return;
  const pause = Math.min(limits.logRetryMaxMs, limits.logRetryMinMs * 2 ** link.failures);
  turn.set({ link: { ...link, failures: Math.min(link.failures + 1, 10), retryAtMs: turn.nowMs + pause } });
}

/** Reads the tail again when the pause is over. */
export function retryLog(turn: Turn): void {
  const { link } = turn.state;
  if (link.kind === 'up' || link.retryAtMs === undefined || turn.nowMs < link.retryAtMs) return;
  turn.set({ link: { ...link, retryAtMs: undefined } });
  turn.ask({ kind: 'readTail', askedAt: turn.state.lastSequence });
}

export type TailVerdict =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'ackWasLost'; readonly recordId: string; readonly sequence: number }
  | { readonly kind: 'fenced' }
  | { readonly kind: 'wentBack'; readonly sequence: number }
  /** The tail is an own record, beyond what this owner knew of (O4). */
  | { readonly kind: 'further'; readonly sequence: number }
  /** An append overtook this read; the answer to the append tells. */
  | { readonly kind: 'meaningless' };

/** Says what a tail means for this owner (O2, O4). */
export function judgeTail(state: OwnerState, tail: IndexEntry | undefined, askedAt: number): TailVerdict {
  const { self, outbox, lastSequence, isAppending } = state;
  if (tail !== undefined && tail.record.epoch > self.epoch) return { kind: 'fenced' };
  if (isAppending || askedAt !== lastSequence) return { kind: 'meaningless' };
  if (tail === undefined || tail.sequence < lastSequence)
    return { kind: 'wentBack', sequence: tail?.sequence ?? 0 };
  if (tail.sequence === lastSequence) return { kind: 'unchanged' };
  const isOurs = tail.record.epoch === self.epoch && tail.record.bootId === self.bootId;
  if (!isOurs) return { kind: 'fenced' };
  return tail.record.recordId === outbox[0]?.recordId
    ? { kind: 'ackWasLost', recordId: tail.record.recordId, sequence: tail.sequence }
    : { kind: 'further', sequence: tail.sequence };
}

/** Puts a snapshot of the fold in front of all that waits, for a log that has lost records (O4). */
export function repairLog(turn: Turn, lastSequence: number): void {
  const { timeline } = turn.state;
  goOnFrom(turn, lastSequence);
  const recordId = enqueue(turn, { kind: 'snapshot', nextNumber: timeline.nextNumber, state: undefined });
  const rest = turn.state.outbox.filter(({ kind }) => kind !== 'snapshot');
  const snapshot = turn.state.outbox.filter((record) => record.recordId === recordId);
  turn.set({ outbox: [...snapshot, ...rest], isArchiving: true });
  turn.count('logRepaired');
  turn.say('error', 'the index log went back; this owner writes the lost records again as a snapshot', {
    lastSequence,
    nextNumber: timeline.nextNumber,
  });
}

/** Goes on from another tail than this owner expected, which is nobody else's (O4). */
export function goOnFrom(turn: Turn, lastSequence: number): void {
  turn.set({ lastSequence, timeline: { ...turn.state.timeline, lastSequence } });
  proveLog(turn);
}

/** The log answers again: all that waited is backlog, and its deadlines begin now (O3, C8). */
export function proveLog(turn: Turn): void {
  const { link, pending } = turn.state;
  turn.set({ logProvenAtMs: turn.nowMs, isProbing: false });
  if (link.kind === 'up') return;
  hearAnew(turn);
  turn.set({
    link: { kind: 'up' },
    catchUpUntilMs: turn.nowMs + pipelineLimits.catchUpMs,
    headSinceAtMs: turn.nowMs,
    pending: pending.map((segment) => ({ ...segment, isBacklog: true, clockAtMs: turn.nowMs })),
  });
  turn.say('info', 'the log answers again', {
    downMs: Math.round(turn.nowMs - link.sinceAtMs),
    queued: turn.state.outbox.length,
  });
}
