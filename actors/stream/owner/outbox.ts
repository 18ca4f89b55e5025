/**
 * The owner's way into the log (C1, C8).
 *
 * O1. One append is under way at most, and each expects the sequence of the owner's own last record.
 * O2. After a refusal or a time-out the tail decides: our own record is there (the ack was lost), a foreign epoch is
 *     there (deactivate for good), or nothing has changed (the same record goes again).
 * O3. The log silent is no reason to lose anything: records wait in order, and go when it answers. Deadlines mean
 *     nothing meanwhile.
 * O4. The log behind us under no higher epoch has lost records (C7): it gets a snapshot of our fold, with all numbers and
 *     hashes as they were, and goes on. A tail of our own that is not the record under way is no other's (an answer of a
 *     server that was behind): we go on from there.
 * O5. In a log that went back, places come again that were periods once. However many were lost, the next period is opened by
 *     one record, which names the last one (M1). (Rejected: records of no stream until the log stands above. A million take 15 s, but
 *     with `sync_interval: always` 40 minutes.)
 */
import type { IndexEntry, IndexRecord } from '../../../cluster/contract/index-records.ts';
import { snapshotOf } from '../../media/timeline/bounded-snapshot.ts';
import { applyEntry } from '../../media/timeline/fold.ts';
import { limits, type OwnerState } from './owner-state.ts';
import { hearAnew } from './sessions.ts';
import type { Turn } from '../turn.ts';

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

/** Sends the first record of the outbox, if the log is there and none is under way (O1). */
export function pump(turn: Turn): void {
  const { life, link, isAppending, outbox, lastSequence } = turn.state;
  const [first] = outbox;
  if (life === 'gone' || link.kind === 'down' || isAppending || first === undefined) return;
  const record = asSent(turn.state, first);
  turn.set({ isAppending: true, ...(record === first ? {} : { outbox: [record, ...outbox.slice(1)] }) });
  turn.ask({ kind: 'append', record, expectedSequence: lastSequence });
}

/** A snapshot is of what lies before it, and a period is above all before it (O5). */
function asSent({ timeline, archivedBelow, lastSequence }: OwnerState, record: IndexRecord): IndexRecord {
  if (record.kind === 'snapshot') return { ...record, ...snapshotOf(timeline, archivedBelow) };
  const above = timeline.periods.at(-1)?.id;
  const mayMeet = above !== undefined && above > lastSequence;
  return record.kind === 'clock' && mayMeet ? { ...record, above } : record;
}

/** The first record of the outbox is in the log. Returns it, or undefined for an answer that nobody waits for. */
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
  // The fold is what everybody sees: an activation whose numbers it does not take begins again from the log (A2).
  if (isDecision && turn.state.timeline.nextNumber !== record.number + 1)
    throw new Error(`the fold refuses number ${record.number}`);
  proveLog(turn);
  return record;
}

/** O2: an append was refused or not answered; only the tail can tell. */
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

/** Asks whether the log answers, before a deadline is taken for one (O3). */
export function probeLog(turn: Turn): void {
  const { link, isProbing, isAppending } = turn.state;
  if (link.kind === 'down' || isProbing || isAppending) return;
  turn.set({ isProbing: true });
  turn.ask({ kind: 'readTail', askedAt: turn.state.lastSequence });
}

export function isLogProven({ link, logProvenAtMs }: OwnerState, nowMs: number): boolean {
  return link.kind === 'up' && nowMs - logProvenAtMs <= limits.logProofMs;
}

/** No answer: again after a growing pause. */
export function takeSilence(turn: Turn): void {
  markDown(turn, 'the log does not answer');
  const { link } = turn.state;
  if (link.kind === 'up') return;
  const pause = Math.min(limits.logRetryMaxMs, limits.logRetryMinMs * 2 ** link.failures);
  turn.set({ link: { ...link, failures: Math.min(link.failures + 1, 10), retryAtMs: turn.nowMs + pause } });
}

/** Reads the tail again when its pause is over. */
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
  /** Of our own, beyond what we knew of (O4). */
  | { readonly kind: 'further'; readonly sequence: number }
  /** An append overtook the read: its own answer tells. */
  | { readonly kind: 'meaningless' };

/** O2 and O4: what a tail says to this owner. */
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

/** Gives a log that has lost records a snapshot of the fold (O4). */
export function repairLog(turn: Turn, lastSequence: number): void {
  const { timeline } = turn.state;
  goOnFrom(turn, lastSequence);
  const recordId = enqueue(turn, { kind: 'snapshot', nextNumber: timeline.nextNumber, state: undefined });
  const rest = turn.state.outbox.filter(({ kind }) => kind !== 'snapshot');
  const snapshot = turn.state.outbox.filter((record) => record.recordId === recordId);
  turn.set({ outbox: [...snapshot, ...rest], isArchiving: true });
  turn.count('logRepaired');
  turn.say('error', 'the index log went back: it gets back what it has lost', {
    lastSequence,
    nextNumber: timeline.nextNumber,
  });
}

/** The log's tail is elsewhere than this owner thought, and no other's. */
export function goOnFrom(turn: Turn, lastSequence: number): void {
  turn.set({ lastSequence, timeline: { ...turn.state.timeline, lastSequence } });
  proveLog(turn);
}

/** The log answers again: what waited is backlog, and its deadlines begin now (O3, C8). */
export function proveLog(turn: Turn): void {
  const { link, pending } = turn.state;
  turn.set({ logProvenAtMs: turn.nowMs, isProbing: false });
  if (link.kind === 'up') return;
  hearAnew(turn);
  turn.set({
    link: { kind: 'up' },
    catchUpUntilMs: turn.nowMs + limits.catchUpMs,
    headSinceAtMs: turn.nowMs,
    pending: pending.map((segment) => ({ ...segment, isBacklog: true, clockAtMs: turn.nowMs })),
  });
  turn.say('info', 'the log answers again', {
    downMs: Math.round(turn.nowMs - link.sinceAtMs),
    queued: turn.state.outbox.length,
  });
}
