/** Decides what a viewer sees of the page's state: a picture, words, a badge and at most one button. Pure. */
import { unreachable } from '../../../cluster/model/unreachable.ts';
import { clockText } from './clock-text.ts';
import { isAtLive, isStalled, isWatchingRecording, liveWithinSeconds, type PageState } from './page-state.ts';
import type { BroadcastState, PublicStream, Unheard } from './public-stream.ts';

export type ViewKind =
  | 'connecting'
  | 'notBegun'
  | 'loading'
  | 'ready'
  | 'live'
  | 'behind'
  | 'paused'
  | 'interrupted'
  | 'unheard'
  | 'ended'
  | 'recording'
  | 'playingRecording'
  | 'removed'
  | 'unknown'
  | 'offline'
  | 'reconnecting'
  | 'cannotPlay';

export type Action = 'play' | 'recording' | 'retry';
export type Hint = 'unmute' | 'live' | 'away' | 'oldest' | 'unheard';

export interface Badge {
  readonly text: string;
  readonly tone: 'live' | 'grey' | 'away';
}

export interface PageView {
  readonly kind: ViewKind;
  readonly badge: Badge;
  /** Empty while the picture needs no words. */
  readonly headline: string;
  readonly detail: string;
  /** What lies behind the words: the poster, the dimmed last picture, or the video itself without words. */
  readonly picture: 'video' | 'dimmed' | 'poster';
  readonly isBusy: boolean;
  readonly action: Action | undefined;
  readonly hint: Hint | undefined;
  /** The words of a hint that has none of its own. */
  readonly hintText: string;
  readonly isAudioOnly: boolean;
}

type Words = Pick<PageView, 'kind' | 'badge'> & Partial<PageView>;

const grey = (text: string): Badge => ({ text, tone: 'grey' });
const onAir: Badge = { text: 'LIVE', tone: 'live' };
const away: Badge = { text: 'INTERRUPTED', tone: 'away' };
const linkDown: Badge = { text: 'LINK DOWN', tone: 'away' };

/** After this many unanswered questions the page says so. */
const unansweredTold = 2;

export function viewOf(state: PageState, nowMs: number): PageView {
  const words = wordsOf(state, nowMs);
  return {
    headline: '',
    detail: '',
    picture: words.headline === undefined ? 'video' : 'poster',
    isBusy: false,
    action: undefined,
    ...hinted(words.headline === undefined ? hintOf(state, nowMs) : undefined, state),
    isAudioOnly: !state.hasPicture && state.media.kind === 'playing',
    ...words,
  };
}

function wordsOf(state: PageState, nowMs: number): Words {
  const { known } = state;
  switch (known.kind) {
    case 'asking':
      return state.unanswered >= unansweredTold ? offline(state, 'poster') : asking;
    case 'unknown':
      return unknown;
    case 'removed':
      return removed;
    case 'stream':
      return ofStream(state, known.stream, nowMs);
    default:
      return unreachable(known);
  }
}

function ofStream(state: PageState, stream: PublicStream, nowMs: number): Words {
  const { load, media, facts } = state;
  const broadcast = stream.state;
  if (load.kind === 'nothing') return withoutPlayer(state, stream);
  switch (media.kind) {
    case 'failed':
      return failed(state, media.retryAtMs === undefined);
    case 'idle':
    case 'loading':
      if (state.failures > 0) return failed(state, false);
      if (!state.mayStart) return ready(badgeOf(state, broadcast));
      return { ...loading, badge: badgeOf(state, broadcast) };
    case 'refused':
      return ready(badgeOf(state, broadcast));
    case 'playing':
      if (isStalled(state, nowMs)) return stalled(state, broadcast);
      if (facts.isPaused) return { kind: 'paused', badge: badgeOf(state, broadcast), action: 'play' };
      return playing(state, broadcast);
    default:
      return unreachable(media);
  }
}

function withoutPlayer(state: PageState, { state: broadcast, unheard }: PublicStream): Words {
  switch (broadcast) {
    case 'notBegun':
      if (state.unanswered >= unansweredTold) return offline(state, 'poster');
      return unheard === undefined ? notBegun : { ...notBegun, detail: asFarAsKnown(unheard) };
    case 'live':
    case 'interrupted':
      return ready(broadcast === 'live' ? onAir : away);
    case 'ended':
      return unheard === undefined ? ended : { ...ended, badge: linkDown, detail: againOnAir(unheard) };
    case 'recording':
      return unheard === undefined ? recording : { ...recording, detail: recordingOfCut(unheard) };
    default:
      return unreachable(broadcast);
  }
}

function playing(state: PageState, broadcast: BroadcastState): Words {
  const badge = badgeOf(state, broadcast);
  if (state.load.kind === 'recording') return { kind: 'playingRecording', badge };
  if (unheardOf(state) !== undefined) return { kind: 'unheard', badge };
  if (broadcast === 'interrupted') return { kind: 'interrupted', badge };
  if (broadcast !== 'live') return { kind: 'ended', badge };
  return { kind: isAtLive(state) || isUnplaced(state) ? 'live' : 'behind', badge };
}

/** It plays, and it is not known yet where. */
const isUnplaced = ({ facts }: PageState): boolean => facts.behindSeconds === undefined && !facts.isPaused;

/** The badge is red for a viewer who plays live, and for a live stream that waits to be played. */
function badgeOf(state: PageState, broadcast: BroadcastState): Badge {
  const { load, facts, media } = state;
  if (load.kind === 'recording') return grey('RECORDING');
  if (unheardOf(state) !== undefined) return linkDown;
  if (broadcast === 'interrupted') return away;
  if (broadcast !== 'live') return grey('ENDED');
  if (media.kind === 'refused') return onAir;
  if (media.kind !== 'playing') return grey('LIVE');
  const behind = facts.behindSeconds ?? 0;
  if (behind >= liveWithinSeconds) return grey(`${clockText(behind)} behind`);
  return facts.isPaused ? grey('PAUSED') : onAir;
}

function hintOf(state: PageState, nowMs: number): Hint | undefined {
  if (state.known.kind !== 'stream' || state.media.kind !== 'playing') return undefined;
  const { stream } = state.known;
  if (isWatchingRecording(state) && stream.state === 'live') return 'live';
  if (nowMs < state.cutToldUntilMs) return 'oldest';
  if (unheardOf(state) !== undefined && state.load.kind === 'live') return 'unheard';
  if (state.startedMuted && state.facts.isMuted) return 'unmute';
  return stream.state === 'interrupted' && state.load.kind === 'live' ? 'away' : undefined;
}

function hinted(hint: Hint | undefined, state: PageState): Pick<PageView, 'hint' | 'hintText'> {
  const unheard = hint === 'unheard' ? unheardOf(state) : undefined;
  return { hint, hintText: unheard === undefined ? '' : `${isDown(unheard)}. ${untilThen(unheard)}` };
}

/** The region of a broadcast that goes on where this page cannot hear it; undefined for one that is over. */
function unheardOf({ known }: PageState): Unheard | undefined {
  if (known.kind !== 'stream') return undefined;
  const { state, unheard } = known.stream;
  return state === 'live' || state === 'interrupted' ? unheard : undefined;
}

function stalled(state: PageState, broadcast: BroadcastState): Words {
  if (state.unanswered >= unansweredTold) return offline(state, lastPicture(state));
  const unheard = unheardOf(state);
  if (unheard !== undefined && state.load.kind === 'live') return cutOff(state, unheard);
  if (broadcast === 'interrupted' && state.load.kind === 'live') return interrupted;
  return { kind: 'loading', badge: badgeOf(state, broadcast), isBusy: true };
}

function failed(state: PageState, isOver: boolean): Words {
  if (isOver) return cannotPlay;
  if (state.unanswered >= unansweredTold) return offline(state, lastPicture(state));
  const unheard = unheardOf(state);
  if (unheard !== undefined) return cutOff(state, unheard);
  return {
    kind: 'reconnecting',
    badge: grey('RECONNECTING'),
    headline: 'Connecting again…',
    detail: state.hasPlayed ? 'The picture goes on from here.' : 'The page tries again by itself.',
    picture: lastPicture(state),
    isBusy: true,
  };
}

/** A player that is at its very beginning has none: it has not played, or was let go of. */
const lastPicture = ({ facts }: PageState): PageView['picture'] =>
  facts.positionSeconds > 0 ? 'dimmed' : 'poster';

const offline = ({ isOffline }: PageState, picture: PageView['picture']): Words => ({
  kind: 'offline',
  badge: grey('OFFLINE'),
  headline: isOffline ? 'You are offline' : 'Connecting again…',
  detail: isOffline
    ? 'The page goes on by itself when the connection is back.'
    : 'No server can answer at the moment. The page tries again by itself.',
  picture,
  isBusy: !isOffline,
});

/** The picture has gone as far as it arrived, or none has arrived. */
const cutOff = (state: PageState, unheard: Unheard): Words => ({
  kind: 'unheard',
  badge: linkDown,
  headline: isDown(unheard),
  detail: state.hasPlayed
    ? `${untilThen(unheard)} It goes on by itself.`
    : 'The broadcast is on air there. It starts here by itself.',
  picture: lastPicture(state),
});

const isDown = ({ region }: Unheard): string => `The link to ${region} is down`;
const untilThen = ({ since }: Unheard): string => `You see what arrived until ${since}.`;
const asFarAsKnown = (unheard: Unheard): string =>
  `That is what is known here: ${withSmall(isDown(unheard))} since ${unheard.since}. It starts here by itself.`;
const againOnAir = ({ region }: Unheard): string =>
  `It is on air again in ${region}, and the link to there is down. It starts here by itself.`;
const recordingOfCut = (unheard: Unheard): string =>
  `You can watch it from the start. It is on air again in ${unheard.region}, and the link to there is down.`;
const withSmall = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

const ready = (badge: Badge): Words => ({ kind: 'ready', badge, picture: 'poster', action: 'play' });

const asking: Words = {
  kind: 'connecting',
  badge: grey('CONNECTING'),
  picture: 'poster',
  isBusy: true,
};
const loading = { kind: 'loading', picture: 'poster', isBusy: true } as const;
const notBegun: Words = {
  kind: 'notBegun',
  badge: grey('NOT STARTED'),
  headline: 'The broadcast has not begun',
  detail: 'It starts here by itself.',
};
const interrupted: Words = {
  kind: 'interrupted',
  badge: away,
  headline: 'The broadcast is interrupted',
  detail: 'It goes on here as soon as the broadcaster is back.',
  picture: 'dimmed',
};
const ended: Words = {
  kind: 'ended',
  badge: grey('ENDED'),
  headline: 'The broadcast has ended',
  detail: 'If it goes on air again, it starts here by itself.',
};
const recording: Words = {
  kind: 'recording',
  badge: grey('RECORDING'),
  headline: 'The broadcast has ended',
  detail: 'You can watch it from the start.',
  action: 'recording',
};
const removed: Words = {
  kind: 'removed',
  badge: grey('REMOVED'),
  headline: 'This broadcast was removed',
  detail: 'It can no longer be watched.',
};
const unknown: Words = {
  kind: 'unknown',
  badge: grey('NOT FOUND'),
  headline: 'There is no such broadcast',
  detail: 'Check the address, or see what is on air.',
  action: 'retry',
};
const cannotPlay: Words = {
  kind: 'cannotPlay',
  badge: grey('NOT PLAYING'),
  headline: 'The picture cannot be played here',
  detail: 'Another format in the settings, or another browser, may help.',
  action: 'retry',
};
