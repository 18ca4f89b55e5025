/**
 * The viewer's player, on `/watch/{id}` and `/embed/{id}`.
 *
 * `?format=dash|hls|shaka-hls` chooses the library; DASH by default. When an edge fails twice the watchdog goes on from
 * the next edge at the same playhead (M14), with growing pauses, for as long as the page is open.
 */
import 'media-chrome';
import type { Engine, EngineEvents, Quality } from './engine.browser.ts';

type Format = 'dash' | 'hls' | 'shaka-hls';

const retry = { firstMs: 500, mostMs: 8000 } as const;
const statisticsEveryMs = 500;
const streamId = decodeURIComponent(location.pathname.split('/')[2] ?? '');
const query = new URLSearchParams(location.search);
const ui = buildStage(document.querySelector('#stage'));

let format = chosenFormat(query.get('format'));
let edges: readonly string[] = [location.origin];
let edgeIndex = 0;
let engine: Engine | undefined;
let waitMs: number = retry.firstMs;
let generation = 0;
let failures = 0;

async function play(startSeconds?: number): Promise<void> {
  generation += 1;
  const mine = generation;
  await engine?.destroy();
  const events = {
    onFailed: (why: string) => void (mine === generation && failed(why)),
    onQualities: showQualities,
    onQuality: (label: string) => (ui.auto.textContent = `Auto (${label})`),
  };
  const current = await newEngine(format, events);
  engine = current;
  const edge = edges[edgeIndex % edges.length] ?? location.origin;
  const file = format === 'dash' ? 'manifest.mpd' : 'main.m3u8';
  try {
    await current.load(`${edge}/live/${encodeURIComponent(streamId)}/${file}`, startSeconds);
    waitMs = retry.firstMs;
    ui.notice.hidden = true;
    await start();
  } catch (error) {
    if (mine === generation) failed(error instanceof Error ? error.message : String(error));
  }
}

/** Only the library that is used is loaded. */
async function newEngine(wanted: Format, events: EngineEvents): Promise<Engine> {
  if (!('MediaSource' in window) && !('ManagedMediaSource' in window))
    return new (await import('./native.browser.ts')).NativeEngine(ui.video, events);
  if (wanted === 'hls') return new (await import('./hls.browser.ts')).HlsEngine(ui.video, events);
  return new (await import('./shaka.browser.ts')).ShakaEngine(ui.video, events);
}

/** Goes on from the next edge at the same playhead. */
function failed(why: string): void {
  failures += 1;
  generation += 1;
  const mine = generation;
  const at = ui.video.currentTime > 0 ? ui.video.currentTime : undefined;
  edgeIndex += 1;
  say('Connecting again…', why);
  setTimeout(() => {
    if (mine === generation) void findEdges().then(() => play(at));
  }, waitMs);
  waitMs = Math.min(waitMs * 2, retry.mostMs);
}

async function findEdges(): Promise<void> {
  const known = [...edges];
  const asked = known[edgeIndex % known.length] ?? location.origin;
  const reply = await fetch(`${asked}/v1/streams/${encodeURIComponent(streamId)}/edges`, {
    signal: AbortSignal.timeout(3000),
  }).catch(() => undefined);
  if (reply?.status === 404) say('There is no such stream.', streamId);
  if (reply?.ok !== true) return;
  const { items }: { items: readonly { url: string }[] } = await reply.json();
  const urls = items.map(({ url }) => url).filter((url) => url !== location.origin);
  edges = [location.origin, ...urls];
}

/** Plays with sound if the browser lets us, muted if not. */
async function start(): Promise<void> {
  try {
    await ui.video.play();
  } catch {
    ui.video.muted = true;
    await ui.video.play().catch(() => {});
  }
  ui.unmute.hidden = !ui.video.muted;
}

function showQualities(qualities: readonly Quality[]): void {
  const chosen = ui.quality.value;
  ui.quality.replaceChildren(ui.auto, ...qualities.map(({ id, label }) => new Option(label, id)));
  ui.quality.value = qualities.some(({ id }) => id === chosen) ? chosen : 'auto';
  ui.quality.hidden = qualities.length === 0;
}

function say(headline: string, detail: string): void {
  const strong = document.createElement('strong');
  strong.textContent = headline;
  const small = document.createElement('small');
  small.className = 'quiet';
  small.textContent = detail;
  ui.notice.replaceChildren(strong, small);
  ui.notice.hidden = false;
}

function showStatistics(): void {
  const state = engine?.state();
  const badge = document.querySelector('#state');
  if (state === undefined) return;
  const { buffered, currentTime } = ui.video;
  const ahead = buffered.length === 0 ? 0 : buffered.end(buffered.length - 1) - currentTime;
  const rows: readonly (readonly [string, string])[] = [
    ['player', state.library],
    ['picture', `${state.width}x${state.height}`],
    ['bitrate', `${Math.round(state.bitrateBps / 1000)} kbit/s`],
    ['behind live', state.behindLiveSeconds === undefined ? '…' : `${state.behindLiveSeconds.toFixed(1)} s`],
    ['buffer', `${ahead.toFixed(1)} s`],
    ['edge', state.edge],
  ];
  ui.stats.replaceChildren(
    ...rows.flatMap(([name, value]) => {
      const term = document.createElement('dt');
      term.textContent = name;
      const detail = document.createElement('dd');
      detail.textContent = value;
      return [term, detail];
    }),
  );
  if (badge === null) return;
  const isLive = ui.video.readyState > 2 && ui.notice.hidden;
  badge.className = isLive ? 'badge live' : 'badge';
  badge.textContent = isLive ? 'LIVE' : 'connecting';
}

function buildStage(stage: Element | null): ReturnType<typeof elements> {
  if (stage === null) throw new Error('the page has no #stage');
  stage.innerHTML = `
    <media-controller defaultstreamtype="live" defaulttargetlivewindow="Infinity" defaultsubtitles="false">
      <video slot="media" playsinline crossorigin></video>
      <media-loading-indicator slot="centered-chrome" noautohide></media-loading-indicator>
      <media-control-bar>
        <media-play-button></media-play-button>
        <media-mute-button></media-mute-button>
        <media-volume-range></media-volume-range>
        <media-live-button></media-live-button>
        <media-time-range></media-time-range>
        <select class="format" aria-label="Format"><option value="dash">DASH</option><option value="hls">HLS</option></select>
        <select class="quality" aria-label="Quality" hidden><option value="auto">Auto</option></select>
        <media-captions-button></media-captions-button>
        <media-pip-button></media-pip-button>
        <media-fullscreen-button></media-fullscreen-button>
      </media-control-bar>
    </media-controller>
    <button class="unmute" type="button" hidden>Tap to unmute</button>
    <dl class="stats" hidden></dl>
    <div class="notice" role="status"><strong>Loading…</strong></div>`;
  return elements(stage);
}

function elements(stage: Element) {
  const find = <T extends Element>(selector: string, kind: new () => T): T => {
    const element = stage.querySelector(selector);
    if (!(element instanceof kind)) throw new Error(`the player has no ${selector}`);
    return element;
  };
  return {
    video: find('video', HTMLVideoElement),
    live: find('media-live-button', HTMLElement),
    format: find('select.format', HTMLSelectElement),
    quality: find('select.quality', HTMLSelectElement),
    auto: find('select.quality option', HTMLOptionElement),
    unmute: find('.unmute', HTMLButtonElement),
    stats: find('.stats', HTMLElement),
    notice: find('.notice', HTMLElement),
  };
}

function chosenFormat(text: string | null): Format {
  return text === 'hls' || text === 'shaka-hls' ? text : 'dash';
}

async function showTitle(): Promise<void> {
  const title = document.querySelector('#title');
  const embed = document.querySelector('#embed');
  if (embed instanceof HTMLAnchorElement) embed.href = `/embed/${encodeURIComponent(streamId)}`;
  if (title === null) return;
  title.textContent = streamId;
  const reply = await fetch('/v1/live').catch(() => undefined);
  if (reply?.ok !== true) return;
  const { items }: { items: readonly { id: string; title: string }[] } = await reply.json();
  title.textContent = items.find(({ id }) => id === streamId)?.title ?? streamId;
  document.title = `${title.textContent} · Tangaza`;
}

ui.format.value = format === 'dash' ? 'dash' : 'hls';
ui.format.addEventListener('change', () => {
  format = chosenFormat(ui.format.value);
  ui.quality.value = 'auto';
  void play();
});
ui.quality.addEventListener('change', () => engine?.choose(ui.quality.value));
ui.live.addEventListener('click', () => engine?.goLive());
ui.unmute.addEventListener('click', () => {
  ui.video.muted = false;
  ui.unmute.hidden = true;
});
ui.video.addEventListener('volumechange', () => (ui.unmute.hidden = !ui.video.muted));
document.querySelector('#toggle-stats')?.addEventListener('click', ({ currentTarget }) => {
  ui.stats.hidden = !ui.stats.hidden;
  if (currentTarget instanceof Element) currentTarget.setAttribute('aria-pressed', String(!ui.stats.hidden));
});
setInterval(showStatistics, statisticsEveryMs);
/** For tests and the curious: what the player sees. */
Object.assign(window, { tangaza: { state: () => ({ ...engine?.state(), failures, format }), play } });
void showTitle();
await findEdges();
await play();
