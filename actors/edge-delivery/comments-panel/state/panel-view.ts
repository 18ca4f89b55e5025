/** Decides what the panel says and offers around the comments. Pure. */
import type { ViewKind } from '../../viewing/page-view.ts';
import type { Mode, PageComment, Person } from './comment.ts';
import type { OwnComment } from './own-comment.ts';
import { problemWords, secondsText } from './problem.ts';

export interface PanelFacts {
  readonly page: ViewKind;
  readonly connection: 'connecting' | 'live' | 'polling' | 'lost';
  /** The browser says that it has no network. */
  readonly isOffline: boolean;
  /** Did the first page of comments come? */
  readonly isRead: boolean;
  readonly mode: Mode;
  readonly me: Person | undefined;
  /** Until then the viewer waits, by slow mode. */
  readonly slowUntilMs: number;
  readonly isFlood: boolean;
  readonly leftOut: number;
  readonly nowMs: number;
}

export interface PanelView {
  readonly isShown: boolean;
  /** Empty when all is as usual. */
  readonly banner: string;
  /** What stands where no comments are. */
  readonly emptyWords: string;
  readonly writing: 'open' | 'signIn' | 'closed';
  readonly send: string;
  readonly maySend: boolean;
}

export const isStaff = (me: Person | undefined): boolean => (me?.permissions.length ?? 0) > 0;

export const may = (me: Person | undefined, permission: string): boolean =>
  me?.permissions.includes(permission) === true;

export function panelViewOf(facts: PanelFacts): PanelView {
  const waitMs = isStaff(facts.me) ? 0 : facts.slowUntilMs - facts.nowMs;
  const writing = writingOf(facts);
  return {
    isShown: facts.page !== 'unknown' && facts.page !== 'removed',
    banner: bannerOf(facts),
    emptyWords: facts.isRead ? emptyWords(facts, writing) : 'Comments are on their way…',
    writing,
    send: waitMs > 0 ? `Wait ${secondsText(waitMs / 1000)}` : 'Send',
    maySend: writing === 'open' && waitMs <= 0,
  };
}

function writingOf({ mode, me }: PanelFacts): PanelView['writing'] {
  if (isStaff(me)) return 'open';
  if (mode.mode === 'closed') return 'closed';
  return mode.mode === 'accounts' && me?.isGuest !== false ? 'signIn' : 'open';
}

function bannerOf({ connection, isOffline, isFlood, leftOut, mode }: PanelFacts): string {
  if (isOffline)
    return 'You are offline. What you write is sent if you are back within a minute. Later, press Try again.';
  if (connection === 'lost')
    return 'Connecting again… What you write is sent then; after a minute, press Try again.';
  if (isFlood)
    return `Very busy: a part of the comments is shown (${leftOut.toLocaleString('en')} left out).`;
  if (mode.mode === 'closed') return 'The comments are switched off.';
  const slow = mode.slowSeconds > 0 ? `one comment every ${secondsText(mode.slowSeconds)}` : '';
  if (mode.mode === 'accounts') return `Only accounts may comment${slow === '' ? '' : `, ${slow}`}.`;
  return slow === '' ? '' : `Slow mode: ${slow}.`;
}

function emptyWords({ page }: PanelFacts, writing: PanelView['writing']): string {
  if (writing === 'closed') return 'There are no comments.';
  if (page === 'notBegun') return 'Nobody has said anything yet. Say hello while you wait.';
  if (page === 'ended' || page === 'recording') return 'Nobody said anything.';
  return 'Nobody has said anything yet. Be the first.';
}

/** How far a comment of the viewer's own is; empty where there is nothing more to say. */
export function ownWords(own: OwnComment, hasReplication: boolean, nowMs: number): string {
  const { state } = own;
  switch (state.kind) {
    case 'waiting':
      return nowMs - state.sinceMs > 4000 ? 'Waiting for a connection…' : 'Sending…';
    case 'sending':
      return 'Sending…';
    case 'lookedFor':
      return 'Sending again…';
    case 'accepted':
      return hasReplication ? 'Sent' : '';
    case 'replicated':
      return '';
    case 'failed': {
      const waitSeconds = state.retryAtMs === undefined ? undefined : (state.retryAtMs - nowMs) / 1000;
      return `Not sent. ${problemWords(state.problem, waitSeconds)}`;
    }
  }
}

/** Kept, where there is one region; sent, and then safe, where another region keeps it as well. */
export type OwnMark = '' | 'kept' | 'sent' | 'safe';

/** What the little mark behind one's own comment says. */
export function ownMark(own: OwnComment, hasReplication: boolean): OwnMark {
  if (own.state.kind === 'replicated') return 'safe';
  if (own.state.kind !== 'accepted') return '';
  return hasReplication ? 'sent' : 'kept';
}

export type RowAction =
  | 'retry'
  | 'discard'
  | 'reply'
  | 'like'
  | 'unlike'
  | 'report'
  | 'release'
  | 'hide'
  | 'restore'
  | 'ban';

export function actionsFor(
  comment: PageComment,
  own: OwnComment | undefined,
  { me, mayWrite }: { readonly me: Person | undefined; readonly mayWrite: boolean },
): readonly RowAction[] {
  if (own?.state.kind === 'failed') return ['retry', 'discard'];
  if (own !== undefined && own.state.kind !== 'accepted' && own.state.kind !== 'replicated') return [];
  return [...talkActions(comment, me, mayWrite), ...moderationActions(comment, me)];
}

const isOf = (comment: PageComment, me: Person | undefined): boolean =>
  me !== undefined && comment.author.id === me.id;

function talkActions(comment: PageComment, me: Person | undefined, mayWrite: boolean): readonly RowAction[] {
  if (comment.isHidden) return [];
  const mayReport = me !== undefined && !isOf(comment, me) && !isStaff(me);
  return [
    ...(mayWrite && !comment.isHeld ? (['reply'] as const) : []),
    comment.isLikedByMe === true ? 'unlike' : 'like',
    ...(mayReport ? (['report'] as const) : []),
  ];
}

function moderationActions(comment: PageComment, me: Person | undefined): readonly RowAction[] {
  const isMine = isOf(comment, me);
  const isWaiting = comment.isHeld || comment.reports > 0;
  return [
    ...(isWaiting && may(me, 'comment.release') ? (['release'] as const) : []),
    ...(isMine || may(me, 'comment.hide')
      ? [comment.isHidden ? ('restore' as const) : ('hide' as const)]
      : []),
    ...(!isMine && may(me, 'user.ban') ? (['ban'] as const) : []),
  ];
}

/** Makes `14:05` of a time, with the day in front where it is not today's. */
export function makeTimeText(timeZone?: string): (atMs: number, nowMs: number) => string {
  const zone = timeZone === undefined ? {} : { timeZone };
  const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', ...zone });
  const time = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', ...zone });
  return (atMs, nowMs) =>
    day.format(atMs) === day.format(nowMs) ? time.format(atMs) : `${day.format(atMs)}, ${time.format(atMs)}`;
}
