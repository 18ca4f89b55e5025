/**
 * Who may feed the stream: sessions, ghosts and rivals (C2).
 *
 * S1. Another session takes the place of an active one only as S2 or S3 says. Two are active at once when they send the same
 *     media: dual ingest of one encoder.
 * S2. A newcomer supersedes a ghost at once: one that has said to have had no packet for 1 s, and the newcomer has its address, or
 *     one of which no packet is known for 3 s. With NATS gone nothing is heard of sessions at other nodes: that is no silence of
 *     theirs. Who comes back is no newcomer: it supersedes nobody, least of all its twin.
 * S3. Of two live ones the higher priority wins, on a tie the incumbent; two rivals never kick each other for ever.
 * S4. An address refused three times in a minute is blocked for 30 s.
 * S5. Why a publisher was sent away for a fault of its own is told in health, as for one that was not let in.
 * S6. A newcomer beside a live one is a candidate: it only buffers until its media is recognised (M2, periods.ts). After 10 s
 *     without, or three segments and 2 s where those are longer, it is a rival and refused. When the active ones go, or are
 *     silent for 3 s while it sends, the candidate is the publisher.
 * S7. A session that comes back to a new owner and fed the running period already is the twin that it was.
 * S8. Those that fed a stream when it was handed over feed its next owner from the start: each comes back with its next
 *     offer, and what one of them leaves unfinished before its twin is back is nothing all the same (M4).
 * S9. An owner that died has named nobody. A session says whether another, beside which it fed the stream or was compared, was not
 *     at the owner's node: for 5 s what it leaves unfinished is not taken yet, and nothing once the other is back, and it opens no
 *     period. With nobody back by then, it is all there is.
 * S10. A session all of whose media has belonged to a period that is over for 10 s is sent away: its encoder begins anew.
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
import { limits, type OwnerState, type Refusals, type ReplyTo, type Session } from './owner-state.ts';
import type { Turn } from '../turn.ts';

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

/** S6: one at a time, and no third of one encoder. */
function mayBeCandidate(
  { sessions }: OwnerState,
  { sessionId }: AttachParams,
  actives: readonly Session[],
): boolean {
  const candidates = sessions.filter((one) => one.candidateSinceMs !== undefined && one.id !== sessionId);
  return candidates.length === 0 && actives.filter((one) => one.isHeard).length < limits.maxTwins;
}

/** S4: counted, and told who is on air. */
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

/** A publisher comes back while `end` still waits for the log: the broadcast goes on. */
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

/** Whether a newcomer takes the place of the one on air: that is a ghost (S2), or has a lower priority (S3). */
function maySupersede({ state, nowMs }: Turn, incumbent: Session, newcomer: AttachParams): boolean {
  if (silentMs(state, incumbent, nowMs) >= limits.ghostMs) return true;
  const isOfSameAddress = incumbent.remoteAddress === newcomer.remoteAddress;
  if (isOfSameAddress && saidSilentMs(incumbent) >= limits.ghostOfSameAddressMs) return true;
  return newcomer.priority > incumbent.priority;
}

/** With NATS gone nothing is heard of other nodes. */
const isOutOfHearing = ({ link, self }: OwnerState, { node }: Session): boolean =>
  link.kind === 'down' && node !== self.node;

const silentMs = (state: OwnerState, session: Session, nowMs: number): number =>
  isOutOfHearing(state, session) ? saidSilentMs(session) : packetAgeMs(session, nowMs);

/** For how long it had sent nothing when it last said so. That nothing is heard of its node says nothing of its publisher. */
const saidSilentMs = ({ packetAtMs, toldAtMs }: Pick<Session, 'packetAtMs' | 'toldAtMs'>): number =>
  toldAtMs - packetAtMs;

/** How long a session has sent nothing, as far as told; a report that is fresh counts as it is. */
export function packetAgeMs({ packetAtMs, toldAtMs }: Session, nowMs: number): number {
  return nowMs - toldAtMs <= limits.reportFreshMs ? toldAtMs - packetAtMs : nowMs - packetAtMs;
}

/** An owner that stood still, or was without NATS, has heard nobody: that is no silence of theirs. */
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

/** Feeds the stream, and has said so to this owner of late. */
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
    ...{ id, node, remoteAddress, encoder, priority, ladder, isActive, candidateSinceMs, input: undefined },
    ...{ feeds: known?.feeds ?? false, isHeard: true, twinDueUntilMs },
    ...{ packetAtMs: turn.nowMs, toldAtMs: turn.nowMs, outlivedSinceMs: undefined },
  };
  const others = turn.state.sessions.filter((one) => one.id !== id);
  // When full, the oldest superseded one is forgotten: its tail is then refused.
  turn.set({ sessions: [...others.slice(-(limits.maxSessions - 1)), session], idleSinceAtMs: undefined });
  sendAway(turn, beaten, id);
}

/** S6. One that is silent itself, if only for a second, may be of the same encoder, which is what stands still. */
export function supersedeSilent(turn: Turn, candidate: Session): void {
  const { state, nowMs } = turn;
  const { id, candidateSinceMs } = candidate;
  if (candidateSinceMs === undefined || saidSilentMs(candidate) >= limits.ghostOfSameAddressMs) return;
  const beaten = state.sessions.filter(
    (one) => one.isActive && silentMs(state, one, nowMs) >= limits.ghostMs,
  );
  sendAway(turn, beaten, id);
  if (!turn.state.sessions.some((one) => one.isActive)) admitTwin(turn, id);
}

function sendAway(turn: Turn, beaten: readonly Session[], by: SessionId): void {
  for (const { id } of beaten) {
    changeSession(turn, id, { isActive: false });
    turn.count('superseded');
    turn.say('info', 'a session takes the place of another', { sessionId: by, superseded: id });
    turn.ask({ kind: 'closeSession', sessionId: id, reason: 'another session has taken its place' });
  }
}

/** Notes since when a session sends only what belongs to a period that is over (S10). */
export function noteOutlived(turn: Turn, { id, outlivedSinceMs }: Session, isOfPast: boolean): void {
  if (!isOfPast) return changeSession(turn, id, { outlivedSinceMs: undefined });
  const sinceMs = outlivedSinceMs ?? turn.nowMs;
  const isOver = turn.nowMs - sinceMs >= limits.outlivedMs;
  changeSession(turn, id, { outlivedSinceMs: isOver ? turn.nowMs : sinceMs });
  if (!isOver) return;
  turn.say('warn', 'a session sends only what belongs to a period that is over', { sessionId: id });
  const reason = 'the broadcast has gone on without it: publish again';
  turn.ask({ kind: 'closeSession', sessionId: id, code: 'UNAVAILABLE', reason });
}

/** S6: its media was recognised. */
export function admitTwin(turn: Turn, id: SessionId): void {
  changeSession(turn, id, { isActive: true, candidateSinceMs: undefined });
}

/** S6: an active session that begins anew beside another must be recognised again. */
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

/** Blocks an address after three refusals in a minute (S4). */
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
  // When full, the address that was refused longest ago is forgotten.
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

/** Media of a session has come: it lives. */
export function markAlive(turn: Turn, id: SessionId): void {
  changeSession(turn, id, { feeds: true, packetAtMs: turn.nowMs, toldAtMs: turn.nowMs });
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

/** For what it sent, or did not send: the publisher has to know. */
const faultsOfPublishers: ReadonlySet<ErrorCode> = new Set([
  'CODEC_REFUSED',
  'KEYFRAME_INTERVAL',
  'MEDIA_INVALID',
  'PUBLISHER_SILENT',
]);

/** S5. A session that was closed for a fault detaches with `CODE: sentence`. */
function isRefusal(reason: string): boolean {
  const [code] = reason.split(':');
  return isErrorCode(code) && faultsOfPublishers.has(code);
}

/** Sessions that tell nothing any more are gone, with their node. */
export function dropSilentSessions(turn: Turn): void {
  const { state, nowMs } = turn;
  dropSessions(turn, (one) => nowMs - one.toldAtMs >= limits.silentSessionMs && !isOutOfHearing(state, one));
}

/** S8: what a successor is told. */
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

/** The sessions that a hand-over named: they feed the next owner from the start (S8). */
export function handedOver(feeders: readonly FeedingSession[], nowMs: number): readonly Session[] {
  return feeders.map(({ sessionId: id, node, remoteAddress, encoder, priority, ladder }) => ({
    ...{ id, node, remoteAddress, encoder, priority, ladder, isActive: true, candidateSinceMs: undefined },
    ...{
      input: undefined,
      feeds: true,
      isHeard: false,
      twinDueUntilMs: undefined,
      outlivedSinceMs: undefined,
    },
    ...{ packetAtMs: nowMs, toldAtMs: nowMs },
  }));
}

/** Sessions end with their node. */
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

/** The candidate that becomes the publisher when the active ones are gone (S6). */
const promoted = (session: Session): Session =>
  session.candidateSinceMs === undefined
    ? session
    : { ...session, isActive: true, candidateSinceMs: undefined };
