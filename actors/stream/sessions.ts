/**
 * Who may feed the stream: sessions, ghosts and rivals (C2).
 *
 * S1. One session is active at a time; another takes its place only as S2 or S3 says.
 * S2. A ghost is superseded at once: no packet for 1 s and the newcomer has its address, or none for 3 s.
 * S3. Of two live ones the higher priority wins, on a tie the incumbent; two rivals never kick each other for ever.
 * S4. An address refused three times in a minute is blocked for 30 s.
 * S5. Why a publisher was sent away on air is told in health, as for one that was not let in.
 */
import type { AttachParams, AttachReply, DetachParams, InputReport } from '../../cluster/contract/stream.ts';
import { isErrorCode, type ErrorCode } from '../../cluster/errors/catalogue.ts';
import type { NodeId, SessionId } from '../../cluster/model/ids.ts';
import { limits, type OwnerState, type Refusals, type ReplyTo, type Session } from './owner-state.ts';
import type { Turn } from './turn.ts';

export function attach(turn: Turn, params: AttachParams, reply: ReplyTo): void {
  keepAlive(turn);
  const { state, nowMs } = turn;
  if (state.life !== 'active') {
    turn.refuse(reply, 'UNAVAILABLE', 'The broadcast is being closed; publish again in a second.');
    return;
  }
  const known = state.sessions.find((one) => one.id === params.sessionId);
  const incumbent = state.sessions.find((one) => one.isActive && one.id !== params.sessionId);
  if (known?.isActive !== true && blockedFor(state, params.remoteAddress, nowMs) > 0) {
    const seconds = Math.ceil(blockedFor(state, params.remoteAddress, nowMs) / 1000);
    refusePublisher(turn, reply, {
      code: 'PUBLISHER_BLOCKED',
      detail: `Refused too often; try again in ${seconds} s.`,
    });
    return;
  }
  if (incumbent !== undefined && !maySupersede(incumbent, params, nowMs)) {
    rememberRefusal(turn, params.remoteAddress);
    const detail = `${incumbent.encoder ?? 'A publisher'} at ${incumbent.remoteAddress} is on air with this key.`;
    refusePublisher(turn, reply, { code: 'STREAM_BUSY', detail });
    return;
  }
  admit(turn, params, incumbent);
  turn.ask({ kind: 'reply', to: reply, value: attachReply(state, incumbent) });
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

/** S2, S3. */
function maySupersede(incumbent: Session, newcomer: AttachParams, nowMs: number): boolean {
  const silentMs = packetAgeMs(incumbent, nowMs);
  if (silentMs >= limits.ghostMs) return true;
  if (silentMs >= limits.ghostOfSameAddressMs && incumbent.remoteAddress === newcomer.remoteAddress)
    return true;
  return newcomer.priority > incumbent.priority;
}

/** How long a session has sent nothing, as far as told; a report that is fresh counts as it is. */
export function packetAgeMs({ packetAtMs, toldAtMs }: Session, nowMs: number): number {
  return nowMs - toldAtMs <= limits.reportFreshMs ? toldAtMs - packetAtMs : nowMs - packetAtMs;
}

function admit(turn: Turn, params: AttachParams, incumbent: Session | undefined): void {
  const { sessionId: id, node, remoteAddress, encoder, priority, ladder } = params;
  const session: Session = {
    ...{ id, node, remoteAddress, encoder, priority, ladder, isActive: true, input: undefined },
    ...{ packetAtMs: turn.nowMs, toldAtMs: turn.nowMs },
  };
  const others = turn.state.sessions
    .filter((one) => one.id !== id)
    .map((one) => (one === incumbent ? { ...one, isActive: false } : one));
  // When full, the oldest superseded one is forgotten: its tail is then refused.
  turn.set({ sessions: [...others.slice(-(limits.maxSessions - 1)), session], idleSinceAtMs: undefined });
  if (incumbent === undefined) return;
  turn.count('superseded');
  turn.say('info', 'a session takes the place of another', { sessionId: id, superseded: incumbent.id });
  turn.ask({ kind: 'closeSession', sessionId: incumbent.id, reason: 'another session has taken its place' });
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

/** S4. */
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
  changeSession(turn, input.sessionId, { input, packetAtMs, toldAtMs: turn.nowMs });
}

/** Media of a session has come: it lives. */
export function markAlive(turn: Turn, id: SessionId): void {
  changeSession(turn, id, { packetAtMs: turn.nowMs, toldAtMs: turn.nowMs });
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
  dropSessions(turn, (one) => turn.nowMs - one.toldAtMs >= limits.silentSessionMs);
}

/** Sessions end with their node. */
export function dropSessionsOf(turn: Turn, node: NodeId): void {
  dropSessions(turn, (one) => one.node === node);
}

function dropSessions(turn: Turn, isGone: (session: Session) => boolean): void {
  const sessions = turn.state.sessions.filter((one) => !isGone(one));
  if (sessions.length === turn.state.sessions.length) return;
  const isIdle = !sessions.some((one) => one.isActive);
  turn.set({ sessions, idleSinceAtMs: isIdle ? (turn.state.idleSinceAtMs ?? turn.nowMs) : undefined });
}
