/**
 * Decides who may feed the stream: sessions, ghosts, candidates and rivals (C2). A returning session supersedes nobody.
 *
 * S1. Two sessions are active at once only when they send the same media: dual ingest of one encoder.
 * S2. A new session supersedes a ghost at once. A ghost is a session that said it has had no packet for 1 s, if the new
 *     session has its address; else a session of which no packet is known for 3 s. Without NATS the owner hears nothing
 *     of sessions at other nodes; that does not count as their silence.
 * S3. Of two live sessions the higher priority wins, on a tie the incumbent. So two rivals never kick each other out
 *     for ever.
 * S4. An address that was refused three times in a minute is blocked for 30 s.
 * S5. Health says why a publisher was sent away for a fault of its own, just as it says why one was not let in.
 * S6. A new session beside a live one is a candidate: it only buffers until its media is recognised (M2, periods.ts).
 *     Without a match in 10 s, or in three segments and 2 s where those are longer, it is a rival and is refused. That
 *     time does not run while the active sessions bring nothing to compare it with (periods.ts P4). When they go, or
 *     are silent for 3 s while the candidate sends, the candidate becomes the publisher.
 * S7. A session that returns to a new owner stays a twin if it had already fed the running period.
 * S8. Sessions that fed a stream when it was handed over feed its next owner from the start. Each comes back with its
 *     next offer. Until its twin is back, what one of them leaves unfinished is ignored all the same (M4).
 * S9. A dead owner hands no list of sessions to the next one. So each session says whether it had a twin at a node
 *     other than the dead owner's. For 5 s the owner then does not take what that session leaves unfinished, ignores it once the
 *     other is back, and opens no period for it. If nobody is back by then, this session is all there is.
 * S10. A session is sent away when all its media has belonged to a period that is over for 10 s. Its encoder then begins anew.
 */
import type {
  AttachParams,
  AttachReply,
  DetachParams,
  FeedingSession,
} from '../../../cluster/contract/stream-actions.ts';
import type { InputReport } from '../../../cluster/contract/stream-health.ts';
import { isErrorCode, type ErrorCode } from '../../../cluster/errors/catalogue.ts';
import type { NodeId, SessionId } from '../../../cluster/model/ids.ts';
import { storePeriodOf } from '../../media/timeline/query.ts';
import type { OwnerState } from './owner-state.ts';
import { publisherLimits, type Refusals, type ReplyTo, type Session } from './state/publishers-state.ts';
import type { Turn } from '../turn.ts';

/** Bounds of what is decided here. Times in ms. */
const limits = {
  /** When a silent session is a ghost, and when refusals block an address (C2). */
  ghostOfSameAddressMs: 1000,
  refusalsBeforeBlock: 3,
  refusalWindowMs: 60_000,
  blockMs: 30_000,
  maxRefusedAddresses: 256,
  maxSessions: 8,
  /** Sessions of one encoder that feed at once (C2). */
  maxTwins: 2,
  /** For how long a session may send nothing but media of a period that is over. */
  outlivedMs: 10_000,
  /** How long twins have to find a new owner: they do so at the verdict of death, or with their next segment. */
  twinReturnMs: 5000,
  /** A session that has reported nothing for so long is gone, with its node. */
  silentSessionMs: 20_000,
  /** How fresh a report must be for its packet age to be taken as it is. Sessions report every second. */
  reportFreshMs: 1200,
} as const;

export function attach(turn: Turn, params: AttachParams, reply: ReplyTo): void {
  keepAlive(turn);
  const { state, nowMs } = turn;
  if (state.life !== 'active') {
    turn.refuse(reply, 'UNAVAILABLE', 'The broadcast is being closed; publish again in a second.');
    return;
  }
  const known = state.sessions.find((one) => one.id === params.sessionId);
  const actives = state.sessions.filter((one) => one.isActive && one.id !== params.sessionId);
  const isBack = known?.isActive === true || feedsRunning(state, params);
  const beaten = isBack ? [] : actives.filter((one) => maySupersede(turn, one, params));
  const others = actives.filter((one) => !beaten.includes(one));
  if (!isBack && blockedFor(state, params.remoteAddress, nowMs) > 0) {
    const seconds = Math.ceil(blockedFor(state, params.remoteAddress, nowMs) / 1000);
    refusePublisher(turn, reply, {
      code: 'PUBLISHER_BLOCKED',
      detail: `Refused too often; try again in ${seconds} s.`,
    });
    return;
  }
  const wasSuperseded = known?.isActive === false && known.candidateSinceMs === undefined;
  // Beside another session only one is active that fed the stream before: it sends the same media (S1).
  const isActive = others.length === 0 || isBack;
  if (!isActive && (wasSuperseded || !mayBeCandidate(state, params, others)))
    return refuseRival(turn, params, reply);
  admit(turn, params, { beaten, isActive });
  turn.ask({ kind: 'reply', to: reply, value: attachReply(state, beaten[0]) });
}

/** Whether a session that comes back to a new owner fed the running period already (S7). */
function feedsRunning({ timeline }: OwnerState, { period }: AttachParams): boolean {
  const running = timeline.state === 'live' ? timeline.periods.at(-1) : undefined;
  return running !== undefined && storePeriodOf(running) === period;
}

/** Whether a new session may be compared: one candidate at a time, and no third session of one encoder (S6). */
function mayBeCandidate(
  { sessions }: OwnerState,
  { sessionId }: AttachParams,
  actives: readonly Session[],
): boolean {
  const candidates = sessions.filter((one) => one.candidateSinceMs !== undefined && one.id !== sessionId);
  return candidates.length === 0 && actives.filter((one) => one.isHeard).length < limits.maxTwins;
}

/** Refuses a rival, tells it who is on air, and counts the refusal against its address (S4). */
export function refuseRival(
  turn: Turn,
  { remoteAddress, sessionId }: Pick<AttachParams, 'remoteAddress' | 'sessionId'>,
  reply: ReplyTo,
): void {
  const incumbent = turn.state.sessions.find((one) => one.isActive && one.id !== sessionId);
  rememberRefusal(turn, remoteAddress);
  const who = incumbent === undefined ? 'Another publisher' : (incumbent.encoder ?? 'A publisher');
  const where = incumbent === undefined ? '' : ` at ${incumbent.remoteAddress}`;
  refusePublisher(turn, reply, { code: 'STREAM_BUSY', detail: `${who}${where} is on air with this key.` });
}

/** A publisher that comes back while `end` still waits for the log keeps the broadcast alive. */
function keepAlive(turn: Turn): void {
  const { life, outbox, isAppending } = turn.state;
  if (life !== 'ending' || isAppending || outbox.at(-1)?.kind !== 'end') return;
  turn.set({ life: 'active', outbox: outbox.slice(0, -1) });
}

function attachReply({ self }: OwnerState, ghost: Session | undefined): AttachReply {
  return {
    epoch: self.epoch,
    ...(ghost === undefined ? {} : { supersedes: { sessionId: ghost.id, node: ghost.node } }),
  };
}

/** Whether a new session takes the place of the incumbent, which is a ghost (S2) or has a lower priority (S3). */
function maySupersede({ state, nowMs }: Turn, incumbent: Session, arriving: AttachParams): boolean {
  if (silentMs(state, incumbent, nowMs) >= publisherLimits.ghostMs) return true;
  const isOfSameAddress = incumbent.remoteAddress === arriving.remoteAddress;
  if (isOfSameAddress && saidSilentMs(incumbent) >= limits.ghostOfSameAddressMs) return true;
  return arriving.priority > incumbent.priority;
}

/** Without NATS the owner hears nothing of sessions at other nodes. */
const isOutOfHearing = ({ link, self }: OwnerState, { node }: Session): boolean =>
  link.kind === 'down' && node !== self.node;

const silentMs = (state: OwnerState, session: Session, nowMs: number): number =>
  isOutOfHearing(state, session) ? saidSilentMs(session) : packetAgeMs(session, nowMs);

/**
 * For how long it had sent nothing when it last reported. A node that cannot be heard says nothing about its publisher.
 */
const saidSilentMs = ({ packetAtMs, toldAtMs }: Pick<Session, 'packetAtMs' | 'toldAtMs'>): number =>
  toldAtMs - packetAtMs;

/** For how long a session has sent nothing, as far as it told; a fresh report is taken as it is. */
export function packetAgeMs({ packetAtMs, toldAtMs }: Session, nowMs: number): number {
  return nowMs - toldAtMs <= limits.reportFreshMs ? toldAtMs - packetAtMs : nowMs - packetAtMs;
}

/** After a standstill, or a time without NATS, this owner has heard nobody. It does not count that time as silence. */
export function hearAnew(turn: Turn): void {
  const { nowMs, state } = turn;
  const heard = (one: Session): Session => ({
    ...one,
    packetAtMs: nowMs - saidSilentMs(one),
    toldAtMs: nowMs,
  });
  turn.set({ sessions: state.sessions.map(heard) });
}

/** Whether the twin that a session had under a dead owner may still come back (S9). */
export function mayTwinReturn({ twinDueUntilMs = 0 }: Session, nowMs: number): boolean {
  return nowMs < twinDueUntilMs;
}

/** Whether a session feeds the stream, and told this owner so just now. */
export function isSending(session: Session, nowMs: number): boolean {
  const { isActive, feeds, input } = session;
  return (
    isActive && feeds && input !== undefined && packetAgeMs(session, nowMs) < limits.ghostOfSameAddressMs
  );
}

function admit(
  turn: Turn,
  params: AttachParams,
  { beaten, isActive }: { readonly beaten: readonly Session[]; readonly isActive: boolean },
): void {
  const { sessionId: id, node, remoteAddress, encoder, priority, ladder } = params;
  const known = turn.state.sessions.find((one) => one.id === id);
  const candidateSinceMs = isActive ? undefined : (known?.candidateSinceMs ?? turn.nowMs);
  const isOrphan = known === undefined && params.hadTwin === true;
  const twinDueUntilMs = isOrphan ? turn.nowMs + limits.twinReturnMs : known?.twinDueUntilMs;
  const session: Session = {
    id,
    node,
    remoteAddress,
    encoder,
    priority,
    ladder,
    isActive,
    candidateSinceMs,
    input: undefined,
    feeds: known?.feeds ?? false,
    offeredAtMs: known?.offeredAtMs,
    isHeard: true,
    twinDueUntilMs,
    packetAtMs: turn.nowMs,
    toldAtMs: turn.nowMs,
    outlivedSinceMs: undefined,
  };
  const others = turn.state.sessions.filter((one) => one.id !== id);
  // With all places taken, the oldest superseded session is forgotten: its tail is then refused.
  turn.set({ sessions: [...others.slice(-(limits.maxSessions - 1)), session], idleSinceAtMs: undefined });
  sendAway(turn, beaten, id);
}

/**
 * Lets a candidate take the place of active sessions that are silent (S6). Not while the candidate is silent itself, if
 * only for a second: both may be connections of one encoder, and the encoder stands still.
 */
export function supersedeSilent(turn: Turn, candidate: Session): void {
  const { state, nowMs } = turn;
  const { id, candidateSinceMs } = candidate;
  if (candidateSinceMs === undefined || saidSilentMs(candidate) >= limits.ghostOfSameAddressMs) return;
  const beaten = state.sessions.filter(
    (one) => one.isActive && silentMs(state, one, nowMs) >= publisherLimits.ghostMs,
  );
  sendAway(turn, beaten, id);
  if (!turn.state.sessions.some((one) => one.isActive)) admitTwin(turn, id);
}

function sendAway(turn: Turn, beaten: readonly Session[], by: SessionId): void {
  for (const { id } of beaten) {
    changeSession(turn, id, { isActive: false });
    turn.count('superseded');
    turn.say('info', 'a session takes the place of another one', { sessionId: by, superseded: id });
    turn.ask({ kind: 'closeSession', sessionId: id, reason: 'another session has taken its place' });
  }
}

/** Notes since when a session has sent nothing but media of a period that is over, and closes it after 10 s (S10). */
export function noteOutlived(turn: Turn, { id, outlivedSinceMs }: Session, isOfPast: boolean): void {
  if (!isOfPast) return changeSession(turn, id, { outlivedSinceMs: undefined });
  const sinceMs = outlivedSinceMs ?? turn.nowMs;
  const isOver = turn.nowMs - sinceMs >= limits.outlivedMs;
  changeSession(turn, id, { outlivedSinceMs: isOver ? turn.nowMs : sinceMs });
  if (!isOver) return;
  turn.say('warn', 'a session sends only media of a period that is over', { sessionId: id });
  const reason = 'the broadcast has gone on without it: publish again';
  turn.ask({ kind: 'closeSession', sessionId: id, code: 'UNAVAILABLE', reason });
}

/** Makes a candidate active: its media was recognised (S6). */
export function admitTwin(turn: Turn, id: SessionId): void {
  changeSession(turn, id, { isActive: true, candidateSinceMs: undefined });
}

/** Makes a session a candidate from now on: it began anew beside another one and must be recognised again, or could not be until now (S6). */
export function becomeCandidate(turn: Turn, id: SessionId): void {
  changeSession(turn, id, { isActive: false, candidateSinceMs: turn.nowMs });
}

export function forgetSession(turn: Turn, id: SessionId): void {
  dropSessions(turn, (one) => one.id === id);
}

function refusePublisher(
  turn: Turn,
  reply: ReplyTo,
  { code, detail }: { readonly code: 'STREAM_BUSY' | 'PUBLISHER_BLOCKED'; readonly detail: string },
): void {
  turn.count('refusedPublisher');
  turn.set({ lastRefusal: { atMs: turn.nowMs, reason: detail } });
  turn.refuse(reply, code, detail);
}

function blockedFor({ refusals }: OwnerState, address: string, nowMs: number): number {
  return Math.max(0, (refusals.get(address)?.blockedUntilMs ?? 0) - nowMs);
}

/** Counts a refusal, and blocks the address after three in a minute (S4). */
function rememberRefusal(turn: Turn, address: string): void {
  const { nowMs, state } = turn;
  const recent = (state.refusals.get(address)?.atMs ?? []).filter(
    (at) => nowMs - at < limits.refusalWindowMs,
  );
  const atMs = [...recent, nowMs];
  const isBlocked = atMs.length >= limits.refusalsBeforeBlock;
  const entry: Refusals = isBlocked
    ? { atMs: [], blockedUntilMs: nowMs + limits.blockMs }
    : { atMs, blockedUntilMs: 0 };
  const refusals = new Map(state.refusals);
  refusals.delete(address);
  refusals.set(address, entry);
  // With all places taken, the address that was refused longest ago is forgotten.
  for (const oldest of refusals.keys()) {
    if (refusals.size <= limits.maxRefusedAddresses) break;
    refusals.delete(oldest);
  }
  turn.set({ refusals });
}

export function takeInput(turn: Turn, input: InputReport): void {
  const packetAtMs = turn.nowMs - Math.max(0, input.lastPacketAgeMs);
  changeSession(turn, input.sessionId, { input, packetAtMs, isHeard: true, toldAtMs: turn.nowMs });
}

/** Media of a session has come, so it is alive. */
export function markAlive(turn: Turn, id: SessionId): void {
  const { nowMs } = turn;
  changeSession(turn, id, { feeds: true, offeredAtMs: nowMs, packetAtMs: nowMs, toldAtMs: nowMs });
}

function changeSession(turn: Turn, id: SessionId, change: Partial<Session>): void {
  turn.set({ sessions: turn.state.sessions.map((one) => (one.id === id ? { ...one, ...change } : one)) });
}

export function detach(turn: Turn, { sessionId, reason }: DetachParams): void {
  if (!turn.state.sessions.some((one) => one.id === sessionId)) return;
  turn.say('info', 'a session has left', { sessionId, reason });
  if (isRefusal(reason)) turn.set({ lastRefusal: { atMs: turn.nowMs, reason } });
  dropSessions(turn, (one) => one.id === sessionId);
}

/** Faults of what a publisher sent, or did not send: the publisher has to know of them (S5). */
const faultsOfPublishers: ReadonlySet<ErrorCode> = new Set([
  'CODEC_REFUSED',
  'KEYFRAME_INTERVAL',
  'MEDIA_INVALID',
  'PUBLISHER_SILENT',
]);

/** Whether a session left for a fault of its publisher: it then detaches with `CODE: sentence` (S5). */
function isRefusal(reason: string): boolean {
  const [code] = reason.split(':');
  return isErrorCode(code) && faultsOfPublishers.has(code);
}

/** Drops the sessions that have reported nothing for 20 s: they are gone, with their node. */
export function dropSilentSessions(turn: Turn): void {
  const { state, nowMs } = turn;
  dropSessions(turn, (one) => nowMs - one.toldAtMs >= limits.silentSessionMs && !isOutOfHearing(state, one));
}

/** The sessions that a successor is told of (S8). */
export function feeding({ sessions }: OwnerState): readonly FeedingSession[] {
  return sessions.flatMap(({ id, node, remoteAddress, encoder, priority, ladder, isActive }) =>
    isActive
      ? [
          {
            sessionId: id,
            node,
            remoteAddress,
            priority,
            ladder,
            ...(encoder === undefined ? {} : { encoder }),
          },
        ]
      : [],
  );
}

/** The sessions that a hand-over named; they feed the next owner from the start (S8). */
export function handedOver(feeders: readonly FeedingSession[], nowMs: number): readonly Session[] {
  return feeders.map(({ sessionId: id, node, remoteAddress, encoder, priority, ladder }) => ({
    id,
    node,
    remoteAddress,
    encoder,
    priority,
    ladder,
    isActive: true,
    candidateSinceMs: undefined,
    input: undefined,
    feeds: true,
    offeredAtMs: undefined,
    isHeard: false,
    twinDueUntilMs: undefined,
    outlivedSinceMs: undefined,
    packetAtMs: nowMs,
    toldAtMs: nowMs,
  }));
}

/** Drops the sessions of a node that is gone. */
export function dropSessionsOf(turn: Turn, node: NodeId): void {
  dropSessions(turn, (one) => one.node === node);
}

function dropSessions(turn: Turn, isGone: (session: Session) => boolean): void {
  const left = turn.state.sessions.filter((one) => !isGone(one));
  if (left.length === turn.state.sessions.length) return;
  const sessions = left.some((one) => one.isActive) ? left : left.map(promoted);
  const isIdle = !sessions.some((one) => one.isActive);
  turn.set({ sessions, idleSinceAtMs: isIdle ? (turn.state.idleSinceAtMs ?? turn.nowMs) : undefined });
}

/** Makes a candidate the publisher, when the active sessions are gone (S6). */
const promoted = (session: Session): Session =>
  session.candidateSinceMs === undefined
    ? session
    : { ...session, isActive: true, candidateSinceMs: undefined };
