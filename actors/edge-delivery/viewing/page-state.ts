/**
 * What a viewer's page knows and wants: one state machine that gets its events from the stream's public resource and from the player.
 *
 * It decides what to load (`load`), when to jump to the live edge (`resyncs`), and when to give up. `page-view.ts` says in words what a
 * viewer sees of it. Time is an argument, in milliseconds of the wall clock, as that continues while a laptop sleeps.
 */
import { unreachable } from '../../../cluster/model/unreachable.ts';
import { pauseAfter, resyncEveryMs, sleepMs, wakeMs } from './page-times.ts';
import { idleFacts, type PlayerFacts } from './player-facts.ts';
import type { Answer, PublicStream } from './public-stream.ts';
import { mustGiveUp, noStandstills, stoodAgain, type Standstills } from './standstills.ts';

export type Failure = 'unreachable' | 'unplayable';
export type Wish = 'play' | 'wait' | 'recording' | 'live' | 'retry' | 'otherFormat';

export type PageEvent =
  | { readonly kind: 'answered'; readonly answer: Answer }
  | {
      readonly kind: 'loaded';
      readonly hasPicture: boolean;
      readonly isLive: boolean;
      /** The place that was asked for is older than all that is kept, so it begins with the oldest. */
      readonly isCut: boolean;
    }
  | { readonly kind: 'started'; readonly isMuted: boolean }
  | { readonly kind: 'startRefused' }
  | { readonly kind: 'failed'; readonly why: Failure }
  | { readonly kind: 'tick'; readonly facts: PlayerFacts }
  | { readonly kind: 'wished'; readonly wish: Wish };

export type Known =
  | { readonly kind: 'asking' }
  | { readonly kind: 'stream'; readonly stream: PublicStream }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'removed' };

/** What is to be played. A new `number` means: load again. */
export type Load =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'live' | 'recording'; readonly number: number; readonly isResumed: boolean };

export type Media =
  | { readonly kind: 'idle' }
  | { readonly kind: 'loading' }
  | { readonly kind: 'refused' }
  | { readonly kind: 'playing' }
  | { readonly kind: 'failed'; readonly why: Failure; readonly retryAtMs: number | undefined };

export interface PageState {
  readonly known: Known;
  /** How many answers in a row were 404 or 410. */
  readonly refusals: number;
  /** How many questions in a row were unanswered, and since when. */
  readonly unanswered: number;
  readonly unansweredSinceMs: number;
  readonly isOffline: boolean;
  /** True when it may play without being asked. */
  readonly mayStart: boolean;
  readonly load: Load;
  readonly loads: number;
  readonly media: Media;
  readonly failures: number;
  readonly hasPicture: boolean;
  /** True when what is loaded has played, if only before a failure. */
  readonly hasPlayed: boolean;
  /** True when the browser only let it play without sound. */
  readonly startedMuted: boolean;
  /** True when it begins later than was asked for, and until when the viewer is told so. */
  readonly isCut: boolean;
  readonly cutToldUntilMs: number;
  readonly facts: PlayerFacts;
  /** The load whose playing the facts are of; 0 while none has played at a tick. The position of another one is no place of this one's. */
  readonly tickedLoad: number;
  readonly movedAtMs: number;
  readonly tickedAtMs: number;
  /** Since when the picture should have moved and has not; now, while it need not move. */
  readonly stoodSinceMs: number;
  readonly standstills: Standstills;
  /** A viewer who was live before the machine slept, or before the stream's home was cut off, is taken back to live until this time. */
  readonly wokeUntilMs: number;
  /** Whether he was live when the home was cut off, and did not go back since. */
  readonly wasLiveAtCut: boolean;
  /** How many times the player should have jumped to the live edge so far. */
  readonly resyncs: number;
  readonly resyncedAtMs: number;
}

/** A viewer less far behind the place of a live viewer counts as live. */
export const liveWithinSeconds = 8;
/** For this long a viewer is told that the asked place is no longer kept. */
export const cutToldMs = 10_000;
/** A picture that does not move for this long has stopped. */
export const stallMs = 2500;
/** A known stream is believed gone when two answers in a row say so. */
const refusalsOfKnown = 2;

export function firstState(options: { readonly nowMs: number; readonly mayStart: boolean }): PageState {
  return {
    known: { kind: 'asking' },
    refusals: 0,
    unanswered: 0,
    unansweredSinceMs: options.nowMs,
    isOffline: false,
    mayStart: options.mayStart,
    load: { kind: 'nothing' },
    loads: 0,
    media: { kind: 'idle' },
    failures: 0,
    hasPicture: true,
    hasPlayed: false,
    startedMuted: false,
    isCut: false,
    cutToldUntilMs: 0,
    facts: idleFacts,
    tickedLoad: 0,
    movedAtMs: options.nowMs,
    tickedAtMs: options.nowMs,
    stoodSinceMs: options.nowMs,
    standstills: noStandstills,
    wokeUntilMs: 0,
    wasLiveAtCut: false,
    resyncs: 0,
    resyncedAtMs: 0,
  };
}

export function advance(state: PageState, event: PageEvent, nowMs: number): PageState {
  switch (event.kind) {
    case 'answered':
      return answered(state, event.answer, nowMs);
    case 'loaded':
      // The edge said that the stream is live, and the loaded media has ended. The page tries again and asks the edge.
      if (state.load.kind === 'live' && !event.isLive) return failed(state, 'unreachable', nowMs);
      return { ...state, hasPicture: event.hasPicture, isCut: event.isCut };
    case 'started':
      return {
        ...state,
        media: { kind: 'playing' },
        hasPlayed: true,
        failures: 0,
        startedMuted: event.isMuted,
        cutToldUntilMs: state.isCut ? nowMs + cutToldMs : 0,
        movedAtMs: nowMs,
        stoodSinceMs: nowMs,
      };
    case 'startRefused':
      return { ...state, media: { kind: 'refused' } };
    case 'failed':
      return failed(state, event.why, nowMs);
    case 'tick':
      return ticked(state, event.facts, nowMs);
    case 'wished':
      return wished(state, event.wish);
    default:
      return unreachable(event);
  }
}

const isOnAir = ({ known }: PageState): boolean =>
  known.kind === 'stream' && (known.stream.state === 'live' || known.stream.state === 'interrupted');
const isOver = ({ known }: PageState): boolean =>
  known.kind === 'stream' && (known.stream.state === 'ended' || known.stream.state === 'recording');

/** Says whether it neither is paused nor has moved for a while. */
export function isStalled({ media, facts, movedAtMs }: PageState, nowMs: number): boolean {
  return media.kind === 'playing' && !facts.isPaused && !facts.isEnded && nowMs - movedAtMs >= stallMs;
}

function answered(state: PageState, answer: Answer, nowMs: number): PageState {
  switch (answer.kind) {
    case 'none': {
      const unansweredSinceMs = state.unanswered === 0 ? nowMs : state.unansweredSinceMs;
      return { ...state, unanswered: state.unanswered + 1, unansweredSinceMs, isOffline: answer.isOffline };
    }
    case 'unknown':
    case 'removed': {
      const heard = { ...state, unanswered: 0, isOffline: false, refusals: state.refusals + 1 };
      if (state.known.kind === 'stream' && answer.kind === 'unknown' && heard.refusals < refusalsOfKnown)
        return heard;
      return { ...stopped(heard), known: { kind: answer.kind } };
    }
    case 'stream': {
      const known: Known = { kind: 'stream', stream: answer.stream };
      return follow(healed({ ...state, known, unanswered: 0, isOffline: false, refusals: 0 }, state));
    }
    default:
      return unreachable(answer);
  }
}

/** Says whether it will play without being asked again. */
export function isStarting({ known, load, media, mayStart }: PageState): boolean {
  if (load.kind === 'nothing') return mayStart && known.kind === 'asking';
  return mayStart && media.kind === 'loading';
}

/** Once the home of the stream is heard again, what failed meanwhile is tried at once. Who is paused then stays where he is. */
function healed(state: PageState, before: PageState): PageState {
  if (!isCutOff(before) || isCutOff(state)) return state;
  const { media, load, facts, wasLiveAtCut } = state;
  const isWaiting = media.kind === 'failed' && media.retryAtMs !== undefined && load.kind !== 'nothing';
  const tried = isWaiting ? begin(state, load.kind, true) : state;
  const isPaused = media.kind === 'playing' && facts.isPaused;
  return { ...tried, wasLiveAtCut: wasLiveAtCut && !isPaused };
}

/**
 * Whoever was live when the home was cut off stays one who was, while he stands still or is paused, until he goes back on purpose. He is
 * taken to live once his picture moves on after the heal. The answer that the link is back may come long before the first segment does:
 * a jump would lead then to where nothing is, and the time for more jumps would be over.
 */
function followedAcrossCut(before: PageState, state: PageState): PageState {
  const { isPaused, positionSeconds } = state.facts;
  const step = positionSeconds - before.facts.positionSeconds;
  // A player that loads again begins at 0, and may play before the next tick.
  const isPlaying = state.tickedLoad !== 0 && state.tickedLoad === before.tickedLoad;
  const hasGoneBack = isPlaying && step < -1;
  const isTaken = state.wasLiveAtCut || state.tickedAtMs <= state.wokeUntilMs;
  if (isCutOff(state)) return { ...state, wasLiveAtCut: wasAtLive(state) || (isTaken && !hasGoneBack) };
  if (hasGoneBack) return { ...state, wasLiveAtCut: false, wokeUntilMs: 0 };
  if (!state.wasLiveAtCut || !isPlaying || (step === 0 && !isPaused)) return state;
  return { ...state, wasLiveAtCut: false, wokeUntilMs: isPaused ? 0 : state.tickedAtMs + wakeMs };
}

/** Says whether he played live when his picture last moved: while it stands still, the live edge of the clock leaves it behind. */
function wasAtLive(state: PageState): boolean {
  const { facts, tickedAtMs, movedAtMs } = state;
  if (facts.behindSeconds === undefined) return false;
  const behindSeconds = facts.behindSeconds - (tickedAtMs - movedAtMs) / 1000;
  return isAtLive({ ...state, facts: { ...facts, behindSeconds } });
}

const isCutOff = ({ known }: PageState): boolean =>
  known.kind === 'stream' && known.stream.unheard !== undefined;

/** What to play, now that the state of the stream is known. */
function follow(state: PageState): PageState {
  const broadcast = state.known.kind === 'stream' ? state.known.stream.state : undefined;
  if (isOnAir(state)) {
    const isAnother = state.load.kind === 'live' && state.facts.isEnded && state.media.kind === 'playing';
    if (isAnother && broadcast === 'live') return begin(state, 'live');
    if (!state.mayStart || state.load.kind === 'live' || isWatchingRecording(state)) return state;
    return begin(state, 'live');
  }
  if (!isOver(state)) return stopped(state);
  // A viewer who watches sees the rest. A player that plays nothing yet will get nothing either.
  return state.load.kind === 'live' && state.media.kind !== 'playing' ? stopped(state) : state;
}

/** Also while it is tried again. */
export function isWatchingRecording({ load, media, facts }: PageState): boolean {
  const isGivenUp = media.kind === 'failed' && media.retryAtMs === undefined;
  return load.kind === 'recording' && !isGivenUp && !facts.isEnded;
}

function begin(state: PageState, kind: 'live' | 'recording', isResumed = false): PageState {
  const loads = state.loads + 1;
  return {
    ...state,
    load: { kind, number: loads, isResumed },
    loads,
    media: { kind: 'loading' },
    failures: isResumed ? state.failures : 0,
    hasPlayed: isResumed && state.hasPlayed,
    stoodSinceMs: state.tickedAtMs,
    isCut: false,
    cutToldUntilMs: 0,
    facts: { ...state.facts, isEnded: false, behindSeconds: undefined },
  };
}

function stopped(state: PageState): PageState {
  if (state.load.kind === 'nothing') return state;
  return { ...state, load: { kind: 'nothing' }, media: { kind: 'idle' }, facts: idleFacts };
}

function failed(state: PageState, why: Failure, nowMs: number): PageState {
  if (state.load.kind === 'nothing') return state;
  if (state.load.kind === 'live' && isOver(state)) return stopped(state);
  const failures = state.failures + 1;
  const pauseMs = pauseAfter(failures, why === 'unplayable' ? why : state.load.kind);
  const retryAtMs = pauseMs === undefined ? undefined : nowMs + pauseMs;
  return { ...state, failures, media: { kind: 'failed', why, retryAtMs } };
}

function ticked(state: PageState, facts: PlayerFacts, nowMs: number): PageState {
  const hasSlept = nowMs - state.tickedAtMs >= sleepMs;
  const hasMoved = facts.positionSeconds !== state.facts.positionSeconds;
  // If the browser kept the player from starting, pressing play starts it.
  const media: Media = state.media.kind === 'refused' && !facts.isPaused ? { kind: 'playing' } : state.media;
  const seen: PageState = {
    ...state,
    facts,
    media,
    tickedLoad: media.kind === 'playing' && state.load.kind !== 'nothing' ? state.load.number : 0,
    tickedAtMs: nowMs,
    movedAtMs: hasMoved || facts.isPaused ? nowMs : state.movedAtMs,
    startedMuted: state.startedMuted && facts.isMuted,
    stoodSinceMs: hasMoved || hasSlept || !shouldMove(state, facts) ? nowMs : state.stoodSinceMs,
    wokeUntilMs: hasSlept && isAtLive(state) ? nowMs + wakeMs : state.wokeUntilMs,
  };
  const kept = retried(givenUp(followedAcrossCut(state, seen), nowMs), nowMs);
  return resynced(exhausted(kept, nowMs), nowMs);
}

/** Says whether a live picture is to be expected: the edge says that it is on air, it is wanted, and somebody sees it. */
function shouldMove(state: PageState, { isPaused, isEnded, isHidden }: PlayerFacts): boolean {
  const { known, load, media, mayStart, unanswered } = state;
  const isOn = known.kind === 'stream' && known.stream.state === 'live' && !isCutOff(state);
  const isRunning = media.kind === 'loading' || (media.kind === 'playing' && !isPaused && !isEnded);
  return isOn && unanswered === 0 && load.kind === 'live' && mayStart && isRunning && !isHidden;
}

/** A player library may wait for ever for what will not come. One that stands still for long is loaded again, from the next edge (M14). */
function givenUp(state: PageState, nowMs: number): PageState {
  if (!mustGiveUp(state, nowMs)) return state;
  const standstills = stoodAgain(state.standstills, nowMs);
  return { ...failed(state, 'unreachable', nowMs), standstills, stoodSinceMs: nowMs };
}

function retried(state: PageState, nowMs: number): PageState {
  const { media, load } = state;
  if (media.kind !== 'failed' || media.retryAtMs === undefined || load.kind === 'nothing') return state;
  return nowMs < media.retryAtMs ? state : begin(state, load.kind, true);
}

/** Everything was played, and the broadcast is over. */
function exhausted(state: PageState, nowMs: number): PageState {
  if (state.media.kind !== 'playing' || !isOver(state)) return state;
  const isDone = state.facts.isEnded || (state.load.kind === 'live' && isStalled(state, nowMs));
  return isDone ? stopped(state) : state;
}

function resynced(state: PageState, nowMs: number): PageState {
  const { facts, media, load, resyncs } = state;
  const isPlaying = media.kind === 'playing' && load.kind === 'live' && !facts.isPaused;
  if (nowMs > state.wokeUntilMs || !isPlaying || isCutOff(state)) return state;
  const isBehind = (facts.behindSeconds ?? 0) >= liveWithinSeconds;
  if (!isBehind || nowMs - state.resyncedAtMs < resyncEveryMs) return state;
  return { ...state, resyncs: resyncs + 1, resyncedAtMs: nowMs };
}

/** Says whether it plays where live viewers play. */
export function isAtLive({ load, media, facts }: PageState): boolean {
  return (
    load.kind === 'live' &&
    media.kind === 'playing' &&
    !facts.isPaused &&
    facts.behindSeconds !== undefined &&
    facts.behindSeconds < liveWithinSeconds
  );
}

function wished(state: PageState, wish: Wish): PageState {
  switch (wish) {
    case 'play':
      if (state.load.kind !== 'nothing') return { ...state, mayStart: true };
      return isOver(state) ? wished(state, 'recording') : follow({ ...state, mayStart: true });
    case 'wait':
      return { ...state, mayStart: false };
    case 'recording':
      return isOver(state) ? begin({ ...state, mayStart: true }, 'recording') : state;
    case 'live':
      if (!isOnAir(state)) return state;
      if (state.load.kind === 'live') return { ...state, mayStart: true, resyncs: state.resyncs + 1 };
      return begin({ ...state, mayStart: true }, 'live');
    case 'retry':
      return asked(state);
    case 'otherFormat':
      return state.load.kind === 'nothing' ? state : begin({ ...state, failures: 0 }, state.load.kind, true);
    default:
      return unreachable(wish);
  }
}

/** Begins again, as when the page was opened. */
function asked(state: PageState): PageState {
  const isGone = state.known.kind === 'unknown' || state.known.kind === 'removed';
  const known: Known = isGone ? { kind: 'asking' } : state.known;
  const fresh = { ...state, known, refusals: 0, unanswered: 0, failures: 0, mayStart: true };
  return state.load.kind === 'nothing' ? follow(fresh) : begin(fresh, state.load.kind);
}
