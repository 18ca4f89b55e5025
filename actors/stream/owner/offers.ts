/**
 * Takes the sources that sessions offer (C2).
 *
 * F1. The first valid offer of a start time becomes a `source` record. The same bytes again change nothing; other bytes
 *     are kept as a spare.
 * F2. Segments are decided in order of period and start, so an offer that lies before a decided segment comes too late.
 * F3. An offer that does not fit (unknown period, wrong track, overlap, a hole of over a minute) is refused with the
 *     reason.
 * F4. The owner refuses an offer when more than 120 s of media wait. The session keeps its last 60 s and offers again.
 * F5. While another session feeds the stream, the owner ignores the unfinished end of a session that left (M4), and an
 *     overlap, because the other session has brought that media. While the other is still on its way back, that end
 *     waits (sessions.ts S9).
 */
import type { SourceOffer } from '../../../cluster/contract/index-records.ts';
import { markHashLength } from '../../../cluster/contract/contribution.ts';
import { type OfferParams } from '../../../cluster/contract/stream-actions.ts';
import type { ErrorCode } from '../../../cluster/errors/catalogue.ts';
import { findPeriod, presentationTime90k } from '../../media/timeline/query.ts';
import type { TimelinePeriod } from '../../media/timeline/timeline.ts';
import type { OfferReply, OwnerState } from './owner-state.ts';
import { pipelineLimits, type PendingSegment } from './state/pipeline-state.ts';
import { publisherLimits, type ReplyTo, type Session } from './state/publishers-state.ts';
import { enqueue } from './outbox.ts';
import { endOfPeriod90k, sourceNames } from './periods.ts';
import { inPresentPeriod } from '../succession/reopening.ts';
import { markAlive, mayTwinReturn, noteOutlived } from './sessions.ts';
import type { Turn } from '../turn.ts';
import type { SourceMark } from './twins.ts';

/** Bounds of what is decided here. Times in ms. */
const limits = {
  /** How much media may wait for the log or for workers (C8). */
  maxPendingMs: 120_000,
  maxPendingSegments: 512,
  maxSpares: 2,
  /** What comes within this time comes at once. */
  burstMs: 1000,
  /** More segments at once are a burst. */
  steadySegments: 2,
} as const;

/** Of a segment (M3), in units of 90 kHz. */
const targetDuration90k = 2 * 90_000;

export interface Refusal {
  readonly code: ErrorCode;
  readonly detail: string;
}

export function takeOffer(turn: Turn, params: OfferParams, reply: ReplyTo): void {
  const { state } = turn;
  const { epoch, isTail } = params;
  const offer = inPresentPeriod(state.timeline, params.offer);
  const session = state.sessions.find((one) => one.id === offer.sessionId);
  if (epoch !== state.self.epoch || session === undefined || state.life !== 'active') {
    turn.refuse(reply, 'STALE_EPOCH', 'This session is not attached to this owner; attach again.');
    return;
  }
  const period = findPeriod(state.timeline, offer.period);
  const others = state.sessions.filter((one) => isFeeding(one) && one.id !== offer.sessionId);
  // A session that has brought nothing yet may be this session's own encoder, which came back (sessions.ts S9).
  const isTwinDue = mayTwinReturn(session, turn.nowMs);
  const hasTwin = isTwinDue ? others.some(({ feeds }) => feeds) : others.length > 0;
  if (isTail === true && !hasTwin && isTwinDue) {
    turn.refuse(
      reply,
      'TWIN_PENDING',
      'A twin may still come back and bring the whole segment; offer this again.',
    );
    return;
  }
  const isNothing = isTail === true && hasTwin;
  const result = isNothing
    ? ({ state: 'known' } as const)
    : period === undefined
      ? lostPeriod(state, offer)
      : place(turn, offer, { period, hasTwin });
  if ('code' in result) {
    turn.count('refusedOffer');
    turn.say('warn', 'an offer was refused', {
      sessionId: offer.sessionId,
      start90k: offer.start90k,
      ...result,
    });
    turn.refuse(reply, result.code, result.detail);
    return;
  }
  markAlive(turn, offer.sessionId);
  noteOutlived(turn, session, result.state === 'late' && offer.period !== state.timeline.periods.at(-1)?.id);
  turn.ask({ kind: 'reply', to: reply, value: result });
}

/**
 * An offer for a period that is no longer open is late. An offer for a period that never was is the session's fault.
 */
function lostPeriod({ timeline }: OwnerState, offer: SourceOffer): OfferReply | Refusal {
  if (timeline.periods.some((period) => period.id > offer.period)) return { state: 'late' };
  return { code: 'CONFLICT', detail: `There is no period ${offer.period}; open one.` };
}

interface Place {
  readonly period: TimelinePeriod;
  readonly hasTwin: boolean;
}

function place(turn: Turn, offer: SourceOffer, { period, hasTwin }: Place): OfferReply | Refusal {
  const { state } = turn;
  const known = state.pending.find((one) => isSameTime(one.offer, offer));
  if (known !== undefined) return meetAgain(turn, known, offer);
  const fault = faultOf(offer, period);
  if (fault !== undefined) return { code: 'BAD_REQUEST', detail: fault };
  if (isLate(state, offer, period)) {
    if (isCommitted(state, offer, period)) return { state: 'known' };
    turn.count('lateOffer');
    return { state: 'late' };
  }
  const snapped = snap(offer, endBefore90k(state, offer, period), startAfter90k(state, offer));
  if (snapped === undefined && hasTwin) return { state: 'known' };
  if (snapped === undefined)
    return { code: 'BAD_REQUEST', detail: `Overlaps what is known of period ${offer.period}.` };
  if (snapped.start90k - endOfPeriod90k(state, period) > pipelineLimits.maxHole90k)
    return { code: 'CONFLICT', detail: 'Over a minute is missing before it; open a new period.' };
  if (isFull(state, snapped)) return { code: 'OVERLOADED', detail: 'Over 120 s of media wait already.' };
  accept(turn, snapped);
  return { state: 'accepted' };
}

/** Whether the session sends media, or is about to (F5). */
const isFeeding = ({ isActive, candidateSinceMs }: Session): boolean =>
  isActive || candidateSinceMs !== undefined;

/** Whether viewers have this media already, from a twin. */
function isCommitted({ outbox }: OwnerState, offer: SourceOffer, { id, segments }: TimelinePeriod): boolean {
  const middle90k = offer.start90k + offer.duration90k / 2;
  const covers = (one: { readonly start90k: number; readonly duration90k: number }): boolean =>
    one.start90k <= middle90k && middle90k < one.start90k + one.duration90k;
  // The commit may still be on its way to the log.
  if (outbox.some((record) => record.kind === 'commit' && record.period === id && covers(record)))
    return true;
  const segment = segments.findLast((one) => one.start90k <= middle90k);
  return segment?.isGap === false && covers(segment);
}

/** By what a source is recognised: the hashes of its first picture and its first audio frame (M2). */
export function markOf(offer: SourceOffer): SourceMark {
  const { period, start90k, keyFrameHash, audioFrameHash, audio } = offer;
  return {
    period,
    start90k,
    picture: keyFrameHash?.slice(0, markHashLength),
    audio:
      audio === undefined || audioFrameHash === undefined
        ? undefined
        : { start: audio.startTime, hash: audioFrameHash.slice(0, markHashLength) },
  };
}

function isSameTime(a: SourceOffer, b: SourceOffer): boolean {
  return a.period === b.period && Math.abs(a.start90k - b.start90k) <= pipelineLimits.joinTolerance90k;
}

/** Takes a second offer of the same start time: equal bytes change nothing, other bytes become a spare (F1). */
function meetAgain(turn: Turn, known: PendingSegment, offer: SourceOffer): OfferReply {
  const all = [known.offer, ...known.spares];
  if (all.some((one) => isSameMedia(one, offer))) return { state: 'known' };
  // With all places for spares taken, further ones are ignored: three unreadable sources poison a segment anyway.
  if (known.spares.length >= limits.maxSpares) return { state: 'known' };
  turn.change(known, { spares: [...known.spares, offer] });
  turn.count('spare');
  return { state: 'spare' };
}

function isSameMedia(a: SourceOffer, b: SourceOffer): boolean {
  return a.video?.sha256 === b.video?.sha256 && a.audio?.sha256 === b.audio?.sha256;
}

/** Says what is wrong with an offer in itself (F3). */
function faultOf(offer: SourceOffer, { clock }: TimelinePeriod): string | undefined {
  const names = sourceNames(clock.renditions);
  const { video, audio, times90k, duration90k } = offer;
  if (video === undefined && audio === undefined) return 'An offer needs video or audio.';
  if (video !== undefined && video.rendition !== names.video)
    return `Video is stored as ${names.video ?? 'nothing'} in this period.`;
  if (audio !== undefined && audio.rendition !== names.audio)
    return `Audio is stored as ${names.audio ?? 'nothing'} in this period.`;
  if (video === undefined) return undefined;
  if (times90k.length !== video.frames)
    return `${video.frames} pictures, but ${times90k.length} presentation times.`;
  const isSorted = times90k.every((time, index) => index === 0 || time > (times90k[index - 1] ?? 0));
  if (!isSorted) return 'Presentation times are not sorted, or not unique.';
  return (times90k.at(-1) ?? 0) < duration90k ? undefined : 'A presentation time lies behind the end.';
}

/** Whether an offer comes too late, also because an old period's tail would reach into the next period (F2). */
function isLate({ decided, timeline }: OwnerState, offer: SourceOffer, period: TimelinePeriod): boolean {
  if (decided !== undefined && decided.period > offer.period) return true;
  if (decided?.period === offer.period && offer.start90k < decided.end90k - pipelineLimits.joinTolerance90k)
    return true;
  const next = timeline.periods[timeline.periods.findIndex(({ id }) => id === period.id) + 1];
  const end90k = presentationTime90k(period, offer.start90k + offer.duration90k);
  return next !== undefined && end90k > next.clock.presentationZero90k;
}

/** Where the media before this offer ends in its period. */
function endBefore90k({ pending, decided }: OwnerState, offer: SourceOffer, period: TimelinePeriod): number {
  const before = pending.findLast(
    (one) => one.offer.period === period.id && one.offer.start90k < offer.start90k,
  );
  if (before !== undefined) return before.offer.start90k + before.offer.duration90k;
  return decided?.period === period.id ? decided.end90k : 0;
}

/** Where the next known media begins in its period. */
function startAfter90k({ pending }: OwnerState, offer: SourceOffer): number {
  const after = pending.find(
    (one) => one.offer.period === offer.period && one.offer.start90k > offer.start90k,
  );
  return after?.offer.start90k ?? Infinity;
}

/** Snaps an overlap of up to 2 ms at a join to what is known; undefined for a greater overlap (M2). */
function snap(offer: SourceOffer, endBefore: number, startAfter: number): SourceOffer | undefined {
  const late = Math.max(0, endBefore - offer.start90k);
  const long = Math.max(0, offer.start90k + offer.duration90k - startAfter);
  const duration90k = offer.duration90k - late - long;
  if (late > pipelineLimits.joinTolerance90k || long > pipelineLimits.joinTolerance90k || duration90k <= 0)
    return undefined;
  const times90k = offer.times90k.map((time) => Math.min(duration90k - 1, Math.max(0, time - late)));
  return { ...offer, start90k: offer.start90k + late, duration90k, times90k };
}

/** Whether too much media waits for workers, or for the log (F4). */
function isFull({ pending, outbox }: OwnerState, offer: SourceOffer): boolean {
  if (pending.length >= limits.maxPendingSegments) return true;
  const undecided90k = pending.reduce((sum, one) => sum + one.offer.duration90k, 0);
  const unlogged90k = outbox.reduce(
    (sum, record) => sum + (record.kind === 'source' ? record.duration90k : 0),
    0,
  );
  return Math.max(undecided90k, unlogged90k) + offer.duration90k > limits.maxPendingMs * 90;
}

function accept(turn: Turn, offer: SourceOffer): void {
  const sourceRecordId = enqueue(turn, { kind: 'source', ...offer });
  const segment = pendingSegment(offer, {
    sourceRecordId,
    isLogged: false,
    clockAtMs: turn.nowMs,
    isBacklog:
      turn.state.link.kind === 'down' ||
      isBehindBacklog(turn.state, turn.nowMs) ||
      isInBurst(turn.state, offer, turn.nowMs),
  });
  const pending = [...turn.state.pending, segment].toSorted(
    (a, b) => a.offer.period - b.offer.period || a.offer.start90k - b.offer.start90k,
  );
  if (pending[0] === segment) turn.set({ headSinceAtMs: turn.nowMs });
  turn.set({ pending, marks: [...turn.state.marks, markOf(offer)].slice(-publisherLimits.maxMarks) });
  turn.count('source');
}

/** Whether a segment waits behind what an outage left: then its own time has not begun (C8). */
function isBehindBacklog({ pending, catchUpUntilMs }: OwnerState, nowMs: number): boolean {
  return nowMs < catchUpUntilMs && pending.some((one) => one.isBacklog);
}

/**
 * Whether it came in a burst, as from an encoder whose network had stood still. Workers keep up with real time, and not with that: its own
 * time begins when it is first in line (M12).
 */
function isInBurst({ pending }: OwnerState, { duration90k }: SourceOffer, nowMs: number): boolean {
  const recent = pending.filter(({ clockAtMs }) => nowMs - clockAtMs < limits.burstMs);
  const recent90k = recent.reduce((sum, { offer }) => sum + offer.duration90k, 0);
  return recent90k >= limits.steadySegments * Math.max(duration90k, targetDuration90k);
}

/** A source for which nothing has been done yet. */
export function pendingSegment(
  offer: SourceOffer,
  arrival: Pick<PendingSegment, 'sourceRecordId' | 'isLogged' | 'clockAtMs' | 'isBacklog'>,
): PendingSegment {
  return { offer, ...arrival, spares: [], tasks: undefined, dropped: new Set(), outputs: new Map() };
}
