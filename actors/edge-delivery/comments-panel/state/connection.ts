/**
 * The panel's connection as a state machine: a socket that is opened, heard, lost and opened again. A refused event returns the same state.
 *
 * A shell makes the socket what the state wants: `opening` with a new number asks for a new one. Pauses between attempts grow from 0.5 s to
 * 30 s and are spread, so that pages which lost one edge do not come back together. While no socket is welcome, pages are read by HTTP.
 */
import { unreachable } from '../../../../cluster/model/unreachable.ts';

export type Connection =
  | { readonly kind: 'idle' }
  | Waiting
  | Opening
  | Open
  /** Nothing is to be heard of this stream any more. */
  | { readonly kind: 'over' };

interface Waiting {
  readonly kind: 'waiting';
  readonly number: number;
  readonly failures: number;
  readonly dueAtMs: number;
  /** Where to come back to; undefined: the edge that is next in order. */
  readonly url: string | undefined;
}

interface Opening {
  readonly kind: 'opening';
  /** Counts the sockets. */
  readonly number: number;
  /** How many attempts in a row led to nothing. */
  readonly failures: number;
  readonly sinceMs: number;
  readonly url: string | undefined;
}

interface Open {
  readonly kind: 'open';
  readonly number: number;
  /** How many attempts in a row led to nothing; none once it is welcome. */
  readonly failures: number;
  readonly isWelcome: boolean;
  readonly sinceMs: number;
  readonly heardAtMs: number;
  readonly askedAtMs: number;
  /** Since when nobody knows whether it is still one. */
  readonly doubtedAtMs: number | undefined;
  /** Where to come back to. */
  readonly url: string | undefined;
  readonly move: { readonly url: string; readonly atMs: number } | undefined;
}

export type ConnectionEvent =
  | SocketEvent
  | { readonly kind: 'started' }
  /** The browser is on line again, or the viewer looks at the page again. */
  | { readonly kind: 'woke' }
  /** The connection cannot be trusted: one that is open is asked, and opened again where nothing is heard. */
  | { readonly kind: 'again' }
  | { readonly kind: 'ended' }
  | { readonly kind: 'tick' };

/** What happened to one of the sockets. */
type SocketEvent =
  | { readonly kind: 'opened'; readonly number: number }
  | { readonly kind: 'heard'; readonly number: number }
  | { readonly kind: 'asked'; readonly number: number }
  | { readonly kind: 'closed'; readonly number: number; readonly code: number }
  | { readonly kind: 'welcomed'; readonly number: number; readonly url: string | undefined }
  | { readonly kind: 'moved'; readonly number: number; readonly url: string; readonly withinMs: number };

export interface Moment {
  readonly nowMs: number;
  /** 0 to 1. */
  readonly random: number;
}

export const idle: Connection = { kind: 'idle' };

const openWithinMs = 8_000;
const welcomeWithinMs = 10_000;
const askAfterMs = 25_000;
const doubtMs = 5_000;
const goneAfterMs = 75_000;
const leastPauseMs = 500;
const mostPauseMs = 30_000;
const unknownCode = 4404;
const removedCode = 4410;
const floodCode = 4429;
const unavailableCode = 4503;
const floodPauseMs = 60_000;
/** After so many failures in a row the panel reads by HTTP. */
const pollAfterFailures = 2;

export function advanceConnection(state: Connection, event: ConnectionEvent, at: Moment): Connection {
  if (state.kind === 'over') return state;
  switch (event.kind) {
    case 'started':
      return state.kind === 'idle' ? opening(1, 0, at.nowMs) : state;
    case 'woke':
      return woken(state, at.nowMs);
    case 'again':
      return again(state, at.nowMs);
    case 'ended':
      return { kind: 'over' };
    case 'tick':
      return tick(state, at);
    default:
      return ofSocket(state, event, at);
  }
}

/** An earlier socket changes nothing any more. */
function ofSocket(state: Connection, event: SocketEvent, at: Moment): Connection {
  if ((state.kind !== 'opening' && state.kind !== 'open') || state.number !== event.number) return state;
  if (event.kind === 'closed') return closed(state, event.code, at);
  if (state.kind === 'opening') return event.kind === 'opened' ? openOf(state, at.nowMs) : state;
  switch (event.kind) {
    case 'opened':
      return state;
    case 'heard':
      return { ...state, heardAtMs: at.nowMs, doubtedAtMs: undefined };
    case 'asked':
      return { ...state, askedAtMs: at.nowMs };
    case 'welcomed':
      return { ...state, isWelcome: true, failures: 0, url: event.url ?? state.url };
    case 'moved':
      return { ...state, move: moveOf(event, at) };
    default:
      return unreachable(event);
  }
}

/** Does the connection carry comments both ways? */
export const isLive = (state: Connection): boolean => state.kind === 'open' && state.isWelcome;

/** Are pages to be read by HTTP meanwhile? */
export function mustPoll(state: Connection): boolean {
  return state.kind !== 'idle' && state.kind !== 'over' && state.failures >= pollAfterFailures;
}

/** Is the server to be asked whether it is there, in doubt or because nothing was heard for long? */
export function mustAsk(state: Connection, nowMs: number): boolean {
  if (state.kind !== 'open') return false;
  if (state.doubtedAtMs !== undefined && state.askedAtMs < state.doubtedAtMs) return true;
  return nowMs - Math.max(state.heardAtMs, state.askedAtMs) >= askAfterMs;
}

const opening = (number: number, failures: number, sinceMs: number, url?: string): Connection => ({
  kind: 'opening',
  number,
  failures,
  sinceMs,
  url,
});

const openOf = ({ number, failures, url }: Opening, nowMs: number): Connection => ({
  kind: 'open',
  number,
  failures,
  isWelcome: false,
  sinceMs: nowMs,
  heardAtMs: nowMs,
  askedAtMs: nowMs,
  doubtedAtMs: undefined,
  url,
  move: undefined,
});

/** At a moment of its own within the bound, so that the pages of an edge that leaves do not all come at once. */
const moveOf = (event: { readonly url: string; readonly withinMs: number }, { nowMs, random }: Moment) => ({
  url: event.url,
  atMs: nowMs + random * 0.8 * Math.max(0, event.withinMs),
});

/** The codes by which a server says whether to come back, as the contract of the socket has them. */
function closed(state: Opening | Open, code: number, at: Moment): Connection {
  if (code === unknownCode || code === removedCode) return { kind: 'over' };
  if (code === floodCode) return { ...waiting(state, 1, at), dueAtMs: at.nowMs + floodPauseMs };
  return code === unavailableCode ? waiting(state, state.failures + 1, at) : lost(state, at);
}

function lost(state: Opening | Open, at: Moment): Connection {
  // One that nobody welcomed was no better than none.
  const wasWelcome = state.kind === 'open' && state.isWelcome;
  return wasWelcome ? waiting(state, 0, at, state.url) : waiting(state, state.failures + 1, at);
}

function waiting(
  { number }: Opening | Open,
  failures: number,
  { nowMs, random }: Moment,
  url?: string,
): Waiting {
  const spreadMs = Math.min(leastPauseMs * 2 ** Math.min(failures, 10), mostPauseMs - leastPauseMs);
  return { kind: 'waiting', number, failures, dueAtMs: nowMs + leastPauseMs + random * spreadMs, url };
}

const woken = (state: Connection, nowMs: number): Connection =>
  state.kind === 'waiting' ? opening(state.number + 1, state.failures, nowMs, state.url) : state;

function again(state: Connection, nowMs: number): Connection {
  if (state.kind === 'open') return { ...state, doubtedAtMs: state.doubtedAtMs ?? nowMs };
  if (state.kind === 'opening') return opening(state.number + 1, state.failures, nowMs, state.url);
  return woken(state, nowMs);
}

function tick(state: Connection, at: Moment): Connection {
  const { nowMs } = at;
  switch (state.kind) {
    case 'waiting':
      return nowMs >= state.dueAtMs ? woken(state, nowMs) : state;
    case 'opening':
      return nowMs - state.sinceMs >= openWithinMs ? lost(state, at) : state;
    case 'open':
      if (state.move !== undefined && nowMs >= state.move.atMs)
        return opening(state.number + 1, 0, nowMs, state.move.url);
      if (state.doubtedAtMs !== undefined && nowMs - state.doubtedAtMs >= doubtMs)
        return opening(state.number + 1, state.failures, nowMs, state.url);
      if (!state.isWelcome && nowMs - state.sinceMs >= welcomeWithinMs) return lost(state, at);
      return nowMs - state.heardAtMs >= goneAfterMs ? lost(state, at) : state;
    default:
      return state;
  }
}
