/**
 * One comment of the viewer's own as a state machine: what was written is shown at once, and says how far it is. A refused event returns
 * the same object.
 *
 * It is sent again with the same id until somebody answers: the same id from the same author is the same comment (A2). One that is too old is
 * looked for, and written anew where it is not there. What is accepted may be lost with its region, so it is sent again with its receipt
 * until another region has it (A6).
 */
import { unreachable } from '../../../../cluster/model/unreachable.ts';
import { isPassing, leftUnsent, noAnswer, type Problem } from './problem.ts';

export interface Draft {
  readonly clientId: string;
  /** Who wrote it: nobody else sends it, as the same id from another author is another comment (A2). */
  readonly authorId: string;
  readonly text: string;
  readonly createdAtMs: number;
  readonly parentId: string | undefined;
  readonly mediaTime: number | undefined;
}

export type OwnState =
  | {
      readonly kind: 'waiting';
      readonly attempts: number;
      readonly sinceMs: number;
      readonly dueAtMs: number;
    }
  | { readonly kind: 'sending'; readonly attempts: number; readonly sinceMs: number; readonly atMs: number }
  /** It was too old: is it there? */
  | { readonly kind: 'lookedFor'; readonly isAsked: boolean }
  | Accepted
  | { readonly kind: 'replicated'; readonly id: string }
  | { readonly kind: 'failed'; readonly problem: Problem; readonly retryAtMs: number | undefined };

interface Accepted {
  readonly kind: 'accepted';
  readonly id: string;
  /** Undefined where its answer was lost, and others told of it: sent again, it gets one. */
  readonly receipt: string | undefined;
  readonly sentAtMs: number;
  /** It would be refused for good if it were sent again. */
  readonly isFinal: boolean;
}

export interface OwnComment {
  readonly draft: Draft;
  readonly state: OwnState;
  /** How often it was written anew. */
  readonly renewals: number;
}

export type OwnEvent =
  | { readonly kind: 'sent' | 'unanswered' | 'retried' | 'asked' }
  | {
      readonly kind: 'acked';
      readonly id: string;
      readonly isReplicated: boolean;
      readonly receipt: string | undefined;
    }
  | { readonly kind: 'refused'; readonly problem: Problem }
  /** After a time without, a server answers again. */
  | { readonly kind: 'reached'; readonly serverNowMs: number }
  | { readonly kind: 'found'; readonly id: string }
  /** It is not there; `draft` says the same under a new id. */
  | { readonly kind: 'missed'; readonly draft: Draft };

export type Duty = 'sendLive' | 'post' | 'lookFor' | 'resend' | 'giveUpWaiting';

/** How long an answer may take. */
const answerWithinMs = 8_000;
/** Without a socket for so long, it goes by HTTP. */
const patienceMs = 1_500;
/** After so long without an answer the viewer decides. */
const triedForMs = 60_000;
const mostAttempts = 8;
const resendAfterMs = 60_000;
const askReceiptAfterMs = 2_000;
/** A comment younger than this is sent by itself when a server is there again; an older one is offered. */
const stillMeantMs = 100_000;

/** @param serverNowMs drafts have the server's time */
export const isStillMeant = ({ createdAtMs }: Draft, serverNowMs: number): boolean =>
  serverNowMs - createdAtMs < stillMeantMs;

export function ownComment(draft: Draft, nowMs: number): OwnComment {
  return { draft, state: { kind: 'waiting', attempts: 0, sinceMs: nowMs, dueAtMs: nowMs }, renewals: 0 };
}

export function advanceOwn(own: OwnComment, event: OwnEvent, nowMs: number): OwnComment {
  switch (event.kind) {
    case 'sent':
      return sent(own, nowMs);
    case 'acked':
      return acked(own, event, nowMs);
    case 'refused':
      return refused(own, event.problem, nowMs);
    case 'unanswered':
      return refused(own, noAnswer, nowMs);
    case 'retried':
      return own.state.kind === 'failed' ? ownComment(own.draft, nowMs) : own;
    case 'reached':
      return reached(own, event.serverNowMs, nowMs);
    case 'asked':
      return own.state.kind === 'lookedFor' ? { ...own, state: { kind: 'lookedFor', isAsked: true } } : own;
    case 'found':
      return own.state.kind === 'lookedFor'
        ? acked(own, { id: event.id, isReplicated: false, receipt: undefined }, nowMs)
        : own;
    case 'missed':
      return own.state.kind === 'lookedFor'
        ? { ...ownComment(event.draft, nowMs), renewals: own.renewals + 1 }
        : own;
    default:
      return unreachable(event);
  }
}

export interface Circumstances {
  readonly nowMs: number;
  /** Is there a socket to send over? */
  readonly isLive: boolean;
  /** The browser says that it has no network: an attempt would be for nothing. */
  readonly isOffline: boolean;
  readonly hasReplication: boolean;
}

/** What is to be done for the comment now. */
export function dutyOf({ state }: OwnComment, at: Circumstances): Duty | undefined {
  if (at.isOffline && state.kind !== 'sending') return undefined;
  switch (state.kind) {
    case 'waiting':
      return at.nowMs < state.dueAtMs ? undefined : wayOf(state, at);
    case 'sending':
      return at.nowMs - state.atMs >= answerWithinMs ? 'giveUpWaiting' : undefined;
    case 'lookedFor':
      return state.isAsked ? undefined : 'lookFor';
    case 'accepted':
      return mustResend(state, at) ? 'resend' : undefined;
    case 'replicated':
    case 'failed':
      return undefined;
    default:
      return unreachable(state);
  }
}

/** Once by the socket, and by HTTP after that, or where no socket is. */
function wayOf(
  state: Extract<OwnState, { kind: 'waiting' }>,
  { nowMs, isLive }: Circumstances,
): Duty | undefined {
  if (state.attempts > 0) return 'post';
  if (isLive) return 'sendLive';
  return nowMs - state.sinceMs >= patienceMs ? 'post' : undefined;
}

const mustResend = (
  { receipt, sentAtMs, isFinal }: Accepted,
  { nowMs, hasReplication }: Circumstances,
): boolean =>
  hasReplication &&
  !isFinal &&
  nowMs - sentAtMs >= (receipt === undefined ? askReceiptAfterMs : resendAfterMs);

/** The comment's id, once a server has given it. */
export function idOf({ state }: OwnComment): string | undefined {
  return state.kind === 'accepted' || state.kind === 'replicated' ? state.id : undefined;
}

function sent(own: OwnComment, nowMs: number): OwnComment {
  const { state } = own;
  if (state.kind === 'accepted') return { ...own, state: { ...state, sentAtMs: nowMs } };
  if (state.kind !== 'waiting') return own;
  const { attempts, sinceMs } = state;
  return { ...own, state: { kind: 'sending', attempts: attempts + 1, sinceMs, atMs: nowMs } };
}

function acked(
  own: OwnComment,
  {
    id,
    isReplicated,
    receipt,
  }: { readonly id: string; readonly isReplicated: boolean; readonly receipt: string | undefined },
  nowMs: number,
): OwnComment {
  const { state } = own;
  if (state.kind === 'replicated') return own;
  if (isReplicated) return { ...own, state: { kind: 'replicated', id } };
  const known = state.kind === 'accepted' ? state.receipt : undefined;
  return {
    ...own,
    state: { kind: 'accepted', id, receipt: receipt ?? known, sentAtMs: nowMs, isFinal: false },
  };
}

function reached(own: OwnComment, serverNowMs: number, nowMs: number): OwnComment {
  const { draft, state, renewals } = own;
  // Its region may be the one that the page had to leave.
  if (state.kind === 'accepted') return { ...own, state: { ...state, sentAtMs: -Infinity } };
  const isUnanswered = state.kind === 'failed' && state.problem.code === noAnswer.code;
  if (state.kind !== 'waiting' && !isUnanswered) return own;
  if (isStillMeant(draft, serverNowMs)) return { ...ownComment(draft, nowMs), renewals };
  return { ...own, state: { kind: 'failed', problem: leftUnsent, retryAtMs: undefined } };
}

function refused(own: OwnComment, problem: Problem, nowMs: number): OwnComment {
  const { state } = own;
  // What is accepted stays so: it is sent again another time, or never, where that would be refused for good.
  if (state.kind === 'accepted' && isForGood(problem)) return { ...own, state: { ...state, isFinal: true } };
  if (state.kind !== 'sending' && state.kind !== 'waiting' && state.kind !== 'lookedFor') return own;
  if (problem.code === 'COMMENT_EXPIRED' && own.renewals === 0) {
    return { ...own, state: { kind: 'lookedFor', isAsked: false } };
  }
  if (state.kind !== 'lookedFor' && isPassing(problem) && mayGoOn(state, nowMs)) {
    const pauseMs = Math.max(
      500 * 2 ** Math.max(0, state.attempts - 1),
      (problem.retryAfterSeconds ?? 0) * 1000,
    );
    const { attempts, sinceMs } = state;
    return {
      ...own,
      state: { kind: 'waiting', attempts: Math.max(1, attempts), sinceMs, dueAtMs: nowMs + pauseMs },
    };
  }
  const { retryAfterSeconds } = problem;
  const retryAtMs = retryAfterSeconds === undefined ? undefined : nowMs + retryAfterSeconds * 1000;
  return { ...own, state: { kind: 'failed', problem, retryAtMs } };
}

/** A moment later, or with another token, the same may be taken. */
const isForGood = (problem: Problem): boolean =>
  !isPassing(problem) && !['TOO_MANY_COMMENTS', 'UNAUTHENTICATED'].includes(problem.code);

function mayGoOn(state: { readonly attempts: number; readonly sinceMs: number }, nowMs: number): boolean {
  return state.attempts < mostAttempts && nowMs - state.sinceMs < triedForMs;
}
