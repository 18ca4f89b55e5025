/**
 * The viewer's player, on `/watch/{id}` and `/embed/{id}`: connects the state of the page, its view and its player.
 *
 * `?format=dash|hls` chooses the library; the default is DASH. When an edge fails twice, a watchdog continues from the next edge at the
 * same playhead (M14). Its pauses grow, and it tries for as long as the stream is on air.
 */
import { embedComments, LazyComments } from '../comments-panel/load.browser.ts';
import {
  listenToKeys,
  listenToRequests,
  makeSettings,
  showQualities,
  showTimes,
  type ControlWishes,
} from '../player/controls.browser.ts';
import { Edges } from '../player/edges.browser.ts';
import { Embedding } from '../player/embed.browser.ts';
import { errorOf, flag, playerOptions, type EmbedCommand } from '../viewing/embed-messages.ts';
import { Follower } from '../player/follow.browser.ts';
import { advance, firstState, isStarting, type PageEvent, type Wish } from '../viewing/page-state.ts';
import type { PlayerFacts } from '../viewing/player-facts.ts';
import { viewOf } from '../viewing/page-view.ts';
import { fetchEngine, Playback, type Format } from '../player/playback.browser.ts';
import { readAnswer, type Answer } from '../viewing/public-stream.ts';
import { makeShare } from '../player/share.browser.ts';
import { streamIdIn } from '../viewing/share.ts';
import { Renewal } from '../player/renew.browser.ts';
import { Show } from '../player/show.browser.ts';
import { buildStage } from '../player/stage.browser.ts';
import { showStatistics } from '../player/statistics.browser.ts';

const tickMs = 500;
const streamId = streamIdIn(location.pathname);
const query = new URLSearchParams(location.search);
const options = playerOptions(query, { origin: location.origin, isFramed: window.parent !== window });
const isEmbedded = document.body.classList.contains('embed');
const ui = buildStage(document.querySelector('#stage'));
const show = new Show(ui);
const renewal = new Renewal(query);
const edges = new Edges(streamId);
const commentsRoot = document.querySelector<HTMLElement>('#comments');
const hasComments = commentsRoot !== null && (!isEmbedded || flag(query.get('comments'), false));
const embedding = isEmbedded ? new Embedding(streamId, query, obey) : undefined;
let state = firstState({ nowMs: Date.now(), mayStart: options.mayStart });

const playback = new Playback({
  streamId,
  video: ui.video,
  edges,
  format: chosenFormat(query.get('format')),
  startSeconds: options.startSeconds,
  mayStart: () => state.mayStart,
  tell,
  onPartMissing: lookForRenewal,
  onQualities: (qualities) => showQualities(ui, qualities),
  onQuality: (label) => (ui.auto.textContent = `Auto (${label})`),
  onStale: () => follower.ask(),
});

const comments = hasComments
  ? new LazyComments({
      root: commentsRoot,
      streamId,
      mediaSeconds: () => playback.position().seconds,
      onPartMissing: lookForRenewal,
    })
  : undefined;

const follower = new Follower({
  streamId,
  edge: () => edges.current,
  onSilent: () => edges.next(),
  onAnswer: (answer) => tell({ kind: 'answered', answer }),
});

function lookForRenewal(): void {
  const { lastingSeconds: seconds, format } = playback;
  void renewal.look(() => ({ seconds, format, isMuted: ui.video.muted }));
}

function tell(event: PageEvent): void {
  state = advance(state, event, Date.now());
  playback.apply(state);
  render();
}

function wish(wish: Wish): void {
  tell({ kind: 'wished', wish });
  if (wish === 'retry') follower.ask();
}

function render(): void {
  const view = viewOf(state, Date.now());
  show.view(view, posterNow());
  comments?.page(view.kind);
  showTitle();
  embedding?.tellChange({
    type: 'state',
    state: view.kind,
    title: titleNow() ?? '',
    isMuted: ui.video.muted,
  });
}

let toldError = '';
function tick(): void {
  const wokeMs = Date.now() - state.tickedAtMs;
  tell({ kind: 'tick', facts: factsOf() });
  // After a standstill all that is known is outdated.
  if (wokeMs > 10 * tickMs) follower.ask();
  showTimes(ui, playback);
  showStatistics(ui.stats, ui.video, playback.state);
  const error = errorOf(viewOf(state, Date.now()).kind);
  if (error !== undefined && error.code !== toldError) embedding?.tell({ type: 'error', ...error });
  toldError = error?.code ?? '';
}

function factsOf(): PlayerFacts {
  const { currentTime, paused, ended, muted } = ui.video;
  return {
    positionSeconds: currentTime,
    isPaused: paused && !ended,
    isEnded: ended,
    isMuted: muted,
    isHidden: document.hidden,
    behindSeconds: playback.position().behindSeconds,
  };
}

function tellTime(): void {
  const { seconds, behindSeconds, startSeconds, endSeconds } = playback.position();
  if (state.media.kind !== 'playing') return;
  embedding?.tell({
    type: 'time',
    seconds: seconds ?? null,
    behindSeconds: behindSeconds ?? null,
    startSeconds: startSeconds ?? null,
    endSeconds: endSeconds ?? null,
  });
}

function play(): void {
  wish('play');
  if (state.load.kind !== 'nothing') void ui.video.play().catch(() => {});
}

function toggle(): void {
  if (isStarting(state)) {
    wish('wait');
    ui.video.pause();
  } else if (ui.video.paused) play();
  else ui.video.pause();
}

function obey(command: EmbedCommand): void {
  switch (command.kind) {
    case 'play':
      return play();
    case 'pause':
      return ui.video.pause();
    case 'mute':
    case 'unmute':
      ui.video.muted = command.kind === 'mute';
      return render();
    case 'live':
      return wish('live');
    case 'seek':
      return playback.seek(command.seconds);
  }
}

const titleNow = (): string | undefined =>
  state.known.kind === 'stream' && state.known.stream.title !== '' ? state.known.stream.title : undefined;

function posterNow(): string | undefined {
  if (options.poster.kind === 'given') return options.poster.url;
  if (options.poster.kind === 'none' || state.known.kind !== 'stream') return undefined;
  return state.known.stream.poster;
}

/** The page was delivered with what was known at that moment. */
function answerOfPage(): Answer | undefined {
  const text = document.querySelector('#page-data')?.textContent;
  const answer = text === undefined || text === null ? undefined : readAnswer(200, JSON.parse(text));
  return answer?.kind === 'stream' ? answer : undefined;
}

/** The page was delivered with the title. A later title replaces it. */
function showTitle(): void {
  const { kind } = state.known;
  const title = kind === 'unknown' ? 'Not found' : kind === 'removed' ? 'Removed' : titleNow();
  if (title === undefined) return;
  for (const element of document.querySelectorAll('.title'))
    if (element.textContent !== title) element.textContent = title;
  const full = `${title} · Tangaza`;
  if (document.title !== full) document.title = full;
}

function chosenFormat(text: string | null): Format {
  return text === 'hls' ? 'hls' : 'dash';
}

const wishes: ControlWishes = {
  onPlay: play,
  onToggle: toggle,
  onLive: () => wish('live'),
  onFormat: (format) => {
    playback.format = chosenFormat(format);
    wish('otherFormat');
  },
};

if (isEmbedded && hasComments) embedComments(commentsRoot);
ui.titleLink.href = `/watch/${encodeURIComponent(streamId)}`;
ui.video.muted = options.isMuted;
ui.stage.toggleAttribute('data-no-controls', !options.hasControls);
ui.format.value = playback.format === 'dash' ? 'dash' : 'hls';
ui.poster.addEventListener('load', () => (ui.poster.hidden = false));
ui.poster.addEventListener('error', () => (ui.poster.hidden = true));
ui.action.addEventListener('click', () => {
  const { action } = ui.action.dataset;
  if (action === 'recording' || action === 'retry') wish(action);
  else play();
});
ui.onAir.addEventListener('click', () => wish('live'));
ui.unmute.addEventListener('click', () => (ui.video.muted = false));
for (const change of ['play', 'pause', 'ended', 'seeked', 'volumechange'])
  ui.video.addEventListener(change, tick);
document.querySelector('#toggle-stats')?.addEventListener('click', ({ currentTarget }) => {
  ui.stats.hidden = !ui.stats.hidden;
  if (currentTarget instanceof Element) currentTarget.setAttribute('aria-pressed', String(!ui.stats.hidden));
});
listenToKeys(ui, playback, wishes);
listenToRequests(ui, playback, wishes);
makeSettings(ui, playback, wishes);
makeShare({
  streamId,
  title: () => titleNow() ?? 'Tangaza',
  seconds: () => playback.position().seconds,
});
/** For tests and the curious: what the player sees. */
Object.assign(window, {
  tangaza: {
    state: () => ({
      ...playback.state,
      failures: playback.failures,
      lastFailure: playback.lastFailure,
      format: playback.format,
      view: viewOf(state, Date.now()).kind,
      position: playback.position(),
    }),
  },
});
fetchEngine(playback.format);
const answer = answerOfPage();
if (answer !== undefined) tell({ kind: 'answered', answer });
follower.ask();
void edges.refresh();
render();
setInterval(tick, tickMs);
setInterval(tellTime, 1000);
