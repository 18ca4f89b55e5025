/**
 * Opens a period for a session, or lets the running one go on (M1, M2, M10).
 *
 * P1. A `clock` record opens a period, and its sequence in the log is the period's id. So nobody hears of a period
 *     before its record is in the log.
 * P2. The running clock goes on only if the sequence headers are equal, the first media time lies above the last one,
 *     and the connection's clock ran on as the wall clock did, within 1 s.
 * P3. Presentation zero is 0 for the first period. For a later one it is the end of the former period or the time since
 *     `availabilityStartTime`, whichever is later.
 * P4. Beside another live session, a session joins a period by content only (twins.ts). Until it is recognised it is
 *     told `TWIN_PENDING`. With other sequence headers, or after it was compared for long enough, it is a rival
 *     (sessions.ts S6). Time in which the others offer nothing, as their store is full, does not count. A session that is
 *     alone at an owner whose predecessor died waits for its twin (sessions.ts S9). A session that asks for its own period again gets it.
 */
import type { ClockRecord } from '../../../cluster/contract/index-records.ts';
import type { OpenPeriodParams, OpenPeriodReply } from '../../../cluster/contract/stream-actions.ts';
import type { Rendition } from '../../../cluster/contract/renditions.ts';
import { errorCodeOf, TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { PeriodId, RenditionName } from '../../../cluster/model/ids.ts';
import { planRenditions } from '../../media/ladder/plan-renditions.ts';
import { endOfSegments90k, presentationTime90k, storePeriodOf } from '../../media/timeline/query.ts';
import { regionOfStart, type TimelinePeriod } from '../../media/timeline/timeline.ts';
import type { OwnerState } from './owner-state.ts';
import { pipelineLimits } from './state/pipeline-state.ts';
import type { Opening, ReplyTo, Session } from './state/publishers-state.ts';
import { enqueue } from './outbox.ts';
import {
  admitTwin,
  becomeCandidate,
  forgetSession,
  mayTwinReturn,
  refuseRival,
  supersedeSilent,
} from './sessions.ts';
import type { Turn } from '../turn.ts';
import { matchTwin, type Match } from './twins.ts';

/** Bounds of what is decided here. Times in ms. */
const limits = {
  /** For how long at least a new session is compared with the sources of others (M2). */
  twinWaitMs: 10_000,
  /** Who has offered nothing for so long, and for longer than a segment takes, brings nothing to compare with. */
  bringsNothingMs: 6000,
  /** What is added to the time that segments take. */
  graceMs: 2000,
  /** How far a connection's clock may stray from the wall clock and still go on (M2). */
  clockStrayMs: 1000,
  maxOpenings: 8,
} as const;

/** The longest GOP takes so long to arrive (M11), so the wall time of its start may lie so far back. */
const longestGopMs = 15_000;

export function openPeriod(turn: Turn, params: OpenPeriodParams, reply: ReplyTo): void {
  const { state } = turn;
  const refusal = refusalOf(state, params);
  if (refusal !== undefined) {
    turn.refuse(reply, refusal.code, refusal.detail);
    return;
  }
  const asked = state.openings.find(({ params: one }) => isSameRequest(one, params));
  if (asked !== undefined) {
    turn.set({
      openings: state.openings.map((one) =>
        one === asked ? { ...one, replies: [...one.replies, reply] } : one,
      ),
    });
    return;
  }
  const running = state.openings.length === 0 ? runningPeriod(state) : undefined;
  const session = state.sessions.find((one) => one.id === params.sessionId);
  if (session !== undefined) supersedeSilent(turn, session);
  if (session !== undefined && joinByContent(turn, { running, session, params, reply })) return;
  const offset90k = running === undefined ? undefined : continuedAt(state, running, params);
  if (running === undefined || offset90k === undefined) openNew(turn, params, reply);
  else
    turn.ask({
      kind: 'reply',
      to: reply,
      value: periodReply(storePeriodOf(running), running.clock.renditions, offset90k),
    });
}

function refusalOf(state: OwnerState, params: OpenPeriodParams) {
  const { self, sessions, link, openings } = state;
  const session = sessions.find((one) => one.id === params.sessionId);
  if (params.epoch !== self.epoch || session === undefined || state.life !== 'active')
    return {
      code: 'STALE_EPOCH',
      detail: 'This session is not attached to this owner; attach again.',
    } as const;
  if (!session.isActive && session.candidateSinceMs === undefined)
    return { code: 'CONFLICT', detail: 'Another session has taken the place of this one.' } as const;
  // Without the log there is no id to give. The session keeps its media and asks again (P1).
  if (link.kind === 'down')
    return { code: 'LOG_UNAVAILABLE', detail: 'No period can be opened while the log is silent.' } as const;
  if (openings.length >= limits.maxOpenings)
    return { code: 'OVERLOADED', detail: 'Too many periods are being opened.' } as const;
  return undefined;
}

function isSameRequest(a: OpenPeriodParams, b: OpenPeriodParams): boolean {
  return (
    a.sessionId === b.sessionId &&
    a.connectionZeroMs === b.connectionZeroMs &&
    a.sequenceHeaderHash === b.sequenceHeaderHash
  );
}

interface Join {
  /** Undefined while the first period is still to come. */
  readonly running: TimelinePeriod | undefined;
  readonly session: Session;
  readonly params: OpenPeriodParams;
  readonly reply: ReplyTo;
}

/** Answers a session that must be, or can be, recognised by content (P4). @returns whether it was answered */
function joinByContent(turn: Turn, join: Join): boolean {
  const match = hasSameHeaders(join) ? matchOf(turn.state, join) : undefined;
  if (match !== undefined && join.running !== undefined) {
    admitMatched(turn, join, { running: join.running, match });
    return true;
  }
  const { session, reply } = join;
  if (isAskedAgain(join)) return false;
  if (isWaitingForOther(turn, join)) {
    turn.refuse(
      reply,
      'TWIN_PENDING',
      'The publisher that was on air may still come back; this one is being compared with it.',
    );
    return true;
  }
  if (!mustBeRecognised(turn.state, join)) return false;
  if (hasSameHeaders(join) && !areOthersOffering(turn, session)) {
    becomeCandidate(turn, session.id);
    turn.refuse(
      reply,
      'TWIN_PENDING',
      'The publisher on air brings nothing that this one could be compared with; its store may be full.',
    );
    return true;
  }
  const { candidateSinceMs = turn.nowMs } = session;
  if (!hasSameHeaders(join) || turn.nowMs - candidateSinceMs >= twinWaitMs(turn.state)) {
    refuseRival(turn, { ...session, sessionId: session.id }, reply);
    forgetSession(turn, session.id);
    return true;
  }
  if (session.isActive) becomeCandidate(turn, session.id);
  turn.refuse(reply, 'TWIN_PENDING', 'Another publisher is on air; this one is being compared with it.');
  return true;
}

/**
 * How long a candidate is compared (M2): two common IDRs are known after three segments, and three long ones take over
 * 10 s.
 */
const twinWaitMs = ({ timeline }: OwnerState): number =>
  Math.max(limits.twinWaitMs, (3 * timeline.longest90k) / 90 + limits.graceMs);

/** Whether a candidate can be compared: those on air have offered media lately (sessions.ts S6). */
function areOthersOffering({ state, nowMs }: Turn, { id }: Session): boolean {
  const longestMs = Math.max(limits.bringsNothingMs, state.timeline.longest90k / 90 + limits.graceMs);
  return state.sessions.some(
    ({ isActive, offeredAtMs = -Infinity, ...one }) =>
      isActive && one.id !== id && nowMs - offeredAtMs <= longestMs,
  );
}

function hasSameHeaders({ running, params }: Join): boolean {
  return running === undefined || running.clock.sequenceHeaderHash === params.sequenceHeaderHash;
}

const hasOthers = ({ sessions }: OwnerState, { id }: Session): boolean =>
  sessions.some((one) => one.isActive && one.id !== id);

function isAskedAgain({ running, session, params }: Join): boolean {
  const clock = running?.clock;
  return clock?.sessionId === session.id && clock.connectionZeroMs === params.connectionZeroMs;
}

/** Whether a session that had a twin under a dead owner still waits for that twin (sessions.ts S9). */
function isWaitingForOther({ state, nowMs }: Turn, { running, session }: Join): boolean {
  const isAlone = !hasOthers(state, session);
  return running !== undefined && isAlone && !session.feeds && mayTwinReturn(session, nowMs);
}

/**
 * Whether a session must be recognised: it is beside another live one, and is not a feeding one whose encoding changed
 * before its twin's.
 */
function mustBeRecognised(state: OwnerState, join: Join): boolean {
  const { running, session, params } = join;
  if (!hasOthers(state, session)) return false;
  const isOpenedByOther = state.openings.some(
    (one) =>
      one.params.sessionId !== session.id && one.params.sequenceHeaderHash === params.sequenceHeaderHash,
  );
  // A session that has brought nothing to this owner has no encoding that could change.
  // It came before the publisher that was on air is back.
  const isFirst = running === undefined || (session.feeds && !hasSameHeaders(join));
  return !session.isActive || isOpenedByOther || !isFirst;
}

function admitMatched(
  turn: Turn,
  { session, reply }: Join,
  { running, match }: { readonly running: TimelinePeriod; readonly match: Match },
): void {
  const isTwin = hasOthers(turn.state, session);
  admitTwin(turn, session.id);
  turn.count('twin');
  turn.say('info', 'a session sends the same media as another one: it is a twin', {
    sessionId: session.id,
    ...match,
  });
  const { offset90k, audioOffset } = match;
  const audio = audioOffset === undefined ? {} : { audioOffset };
  const value = {
    ...periodReply(storePeriodOf(running), running.clock.renditions, offset90k),
    ...audio,
    isTwin,
  };
  turn.ask({ kind: 'reply', to: reply, value });
}

function matchOf({ marks: known }: OwnerState, { running, params: { marks } }: Join): Match | undefined {
  if (marks === undefined || running === undefined) return undefined;
  const audio = running.clock.renditions.find((one) => one.kind === 'audio');
  const ofPeriod = known
    .filter(({ period }) => period === running.id)
    .toSorted((a, b) => a.start90k - b.start90k);
  return matchTwin(ofPeriod, marks, audio?.timescale);
}

function runningPeriod({ timeline }: OwnerState): TimelinePeriod | undefined {
  return timeline.state === 'live' ? timeline.periods.at(-1) : undefined;
}

/** Where the session's zero lies on the running clock, 90 kHz; undefined when the clock does not go on (P2). */
function continuedAt(
  state: OwnerState,
  running: TimelinePeriod,
  params: OpenPeriodParams,
): number | undefined {
  const { clock } = running;
  if (clock.sequenceHeaderHash !== params.sequenceHeaderHash) return undefined;
  // The same session asks again, because its first answer was lost.
  if (clock.sessionId === params.sessionId && clock.connectionZeroMs === params.connectionZeroMs)
    return clock.mediaZero90k;
  const ranMs = params.connectionZeroMs - clock.connectionZeroMs;
  const wallMs = sinceStartMs(state, params.wallZeroMs) - clock.presentationZero90k / 90;
  if (Math.abs(ranMs - wallMs) > limits.clockStrayMs) return undefined;
  const offset90k = clock.mediaZero90k + Math.round(ranMs * 90);
  const above = offset90k - endOfPeriod90k(state, running);
  return above >= -pipelineLimits.joinTolerance90k && above <= pipelineLimits.maxHole90k
    ? offset90k
    : undefined;
}

/** The end of all that is known of a period, decided or not, on the period's clock. */
export function endOfPeriod90k({ pending, decided }: OwnerState, period: TimelinePeriod): number {
  const ends = pending
    .filter(({ offer }) => offer.period === period.id)
    .map(({ offer }) => offer.start90k + offer.duration90k);
  const end90k = decided?.period === period.id ? decided.end90k : 0;
  return Math.max(endOfSegments90k(period), end90k, ...ends);
}

function openNew(turn: Turn, params: OpenPeriodParams, reply: ReplyTo): void {
  const renditions = plan(turn, params, reply);
  if (renditions === undefined) return;
  const { timeline, settings } = turn.state;
  const wallZeroMs = Math.min(turn.now.utcMs, Math.max(params.wallZeroMs, turn.now.utcMs - longestGopMs));
  const availabilityStartMs = timeline.availabilityStartMs ?? wallZeroMs;
  const isEncoding = renditions.some((one) => one.kind === 'video' && one.origin.kind === 'encode');
  const clock: Omit<ClockRecord, 'epoch' | 'node' | 'region' | 'bootId' | 'recordId' | 'atMs'> = {
    kind: 'clock',
    sessionId: params.sessionId,
    mediaZero90k: 0,
    presentationZero90k: presentationZero90k(turn.state, sinceStartMs(turn.state, wallZeroMs)),
    availabilityStartMs,
    connectionZeroMs: params.connectionZeroMs,
    sequenceHeaderHash: params.sequenceHeaderHash,
    renditions: [...renditions],
    fingerprint: isEncoding ? settings.fingerprint : '',
  };
  const recordId = enqueue(turn, clock);
  turn.set({ openings: [...turn.state.openings, { recordId, params, replies: [reply] }] });
}

/** How long the stream has run, by the wall clock that its `availabilityStartTime` was read from: another region's, where it began there (M10). */
function sinceStartMs({ timeline, settings, self }: OwnerState, wallMs: number): number {
  const { availabilityStartMs = wallMs } = timeline;
  const region = regionOfStart(timeline) ?? self.region;
  const aheadMs = region === self.region ? 0 : settings.aheadMs(region);
  return wallMs + aheadMs - availabilityStartMs;
}

/** Where a new period begins: an outage shows as a hole, and no period overlaps the one before (P3, M10). */
function presentationZero90k(state: OwnerState, sinceStartMs: number): number {
  const { timeline, outbox } = state;
  if (timeline.availabilityStartMs === undefined) return 0;
  const ends = timeline.periods.map((period) => presentationTime90k(period, endOfPeriod90k(state, period)));
  const opening = outbox.map((record) => (record.kind === 'clock' ? record.presentationZero90k : 0));
  return Math.max(0, ...ends, ...opening, Math.round(sinceStartMs * 90));
}

function plan(turn: Turn, params: OpenPeriodParams, reply: ReplyTo): readonly Rendition[] | undefined {
  const { sessions, settings } = turn.state;
  const wanted = sessions.find((one) => one.id === params.sessionId)?.ladder ?? 'default';
  const ladder = settings.ladders.get(wanted) ?? settings.ladders.get('default');
  if (ladder === undefined) {
    turn.refuse(reply, 'BAD_REQUEST', `There is no ladder ${wanted}, and no default one.`);
    return undefined;
  }
  const { video, audio } = params;
  try {
    return planRenditions({
      ladder,
      ...(video === undefined ? {} : { video }),
      ...(audio === undefined ? {} : { audio }),
    });
  } catch (error) {
    if (!(error instanceof TangazaError)) throw error;
    turn.refuse(reply, errorCodeOf(error), error.message);
    return undefined;
  }
}

/** The `clock` record is in the log: answers the calls that wait for its period (P1). */
export function takeClockAck(turn: Turn, clock: ClockRecord, period: PeriodId): void {
  const opening = turn.state.openings.find((one) => one.recordId === clock.recordId);
  turn.set({
    openings: turn.state.openings.filter((one) => one !== opening),
    holds: new Map(),
    inits: keepInits(turn.state),
  });
  const value = periodReply(period, clock.renditions, clock.mediaZero90k);
  for (const to of opening?.replies ?? []) turn.ask({ kind: 'reply', to, value });
}

/** Keeps the init segments of periods that may still get a segment. */
function keepInits({ inits, timeline }: OwnerState): OwnerState['inits'] {
  const open = new Set(timeline.periods.map((period) => String(period.id)));
  return new Map([...inits].filter(([key]) => open.has(key.slice(0, key.indexOf('/')))));
}

/** Refuses the calls that wait for periods which this owner will not open. */
export function refuseOpenings(turn: Turn, openings: readonly Opening[]): void {
  const replies = openings.flatMap((opening) => opening.replies);
  for (const to of replies) turn.refuse(to, 'STALE_EPOCH', 'A newer owner has taken over; attach again.');
}

/** The names under which a session stores its media: `source` or the passed-through rung, and the audio rendition. */
export function sourceNames(renditions: readonly Rendition[]): {
  readonly video?: RenditionName;
  readonly audio?: RenditionName;
} {
  const video = renditions.find((one) => one.kind === 'video' && one.origin.kind !== 'encode');
  const audio = renditions.find((one) => one.kind === 'audio');
  return {
    ...(video === undefined ? {} : { video: video.name }),
    ...(audio === undefined ? {} : { audio: audio.name }),
  };
}

function periodReply(period: PeriodId, renditions: readonly Rendition[], offset90k: number): OpenPeriodReply {
  return { period, offset90k, ...sourceNames(renditions) };
}
