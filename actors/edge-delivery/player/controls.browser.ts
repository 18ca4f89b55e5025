/** The controls beyond those of media-chrome: keys, settings, the live button, and the times on the scrubber. */
import { clockText } from '../viewing/clock-text.ts';
import { keyAction, keySteps, type KeyAction, type KeyPress } from '../viewing/keys.ts';
import type { Quality } from './engine.browser.ts';
import type { Playback } from './playback.browser.ts';
import type { Stage } from './stage.browser.ts';

export interface ControlWishes {
  readonly onPlay: () => void;
  /** Plays what does not play, and keeps from playing what plays or is about to. */
  readonly onToggle: () => void;
  readonly onLive: () => void;
  readonly onFormat: (format: string) => void;
}

export function listenToKeys(ui: Stage, playback: Playback, wishes: ControlWishes): void {
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || document.querySelector('dialog[open]') !== null) return;
    const action = keyAction({
      key: event.key,
      hasModifier: event.ctrlKey || event.altKey || event.metaKey,
      target: targetOf(event.composedPath()[0]),
    });
    if (action === undefined) return;
    event.preventDefault();
    perform(action, ui, playback, wishes);
  });
}

function targetOf(element: EventTarget | undefined): KeyPress['target'] {
  if (!(element instanceof HTMLElement)) return 'other';
  if (element instanceof HTMLInputElement && element.type === 'range') return 'slider';
  if (element.isContentEditable || element.matches('input, textarea, select')) return 'field';
  return element.matches('button, a[href], summary, [role=button], [role=slider]') ? 'pressable' : 'other';
}

function perform(action: KeyAction, ui: Stage, playback: Playback, wishes: ControlWishes): void {
  const { video } = ui;
  const volumeTo = (volume: number): void => {
    video.volume = Math.min(1, Math.max(0, volume));
    if (volume > 0) video.muted = false;
  };
  const performs: Readonly<Record<KeyAction, () => void>> = {
    toggle: () => wishes.onToggle(),
    mute: () => void (video.muted = !video.muted),
    fullscreen: () => toggleFullscreen(ui.fullscreen),
    back: () => playback.seekBy(-keySteps.seconds),
    forward: () => playback.seekBy(keySteps.seconds),
    louder: () => volumeTo(video.volume + keySteps.volume),
    quieter: () => volumeTo(video.volume - keySteps.volume),
    live: () => wishes.onLive(),
  };
  performs[action]();
}

/**
 * Goes by the document, as the button hears of a change with the next frame only and would take a second press for the first one.
 * Where no element but the video itself can fill the screen (an iPhone), the document knows nothing and the button decides.
 */
function toggleFullscreen(button: HTMLElement): void {
  if (!document.fullscreenEnabled) return button.click();
  const request =
    document.fullscreenElement === null ? 'mediaenterfullscreenrequest' : 'mediaexitfullscreenrequest';
  button.dispatchEvent(new CustomEvent(request, { composed: true, bubbles: true }));
}

/** The page decides whether to play. The scrubber never leads nearer to the live edge than a live viewer plays. */
export function listenToRequests(ui: Stage, playback: Playback, wishes: ControlWishes): void {
  ui.stage.addEventListener(
    'mediaplayrequest',
    (event) => {
      event.stopPropagation();
      wishes.onPlay();
    },
    { capture: true },
  );
  ui.stage.addEventListener(
    'mediaseekrequest',
    (event) => {
      const wanted: unknown = event instanceof CustomEvent ? event.detail : undefined;
      const { behindSeconds } = playback.position();
      if (typeof wanted !== 'number' || behindSeconds === undefined) return;
      const seconds = wanted - ui.video.currentTime;
      if (seconds <= 0 || seconds < behindSeconds) return;
      event.stopPropagation();
      playback.seekBy(seconds);
    },
    { capture: true },
  );
  ui.live.addEventListener('click', wishes.onLive);
}

export function makeSettings(ui: Stage, playback: Playback, wishes: ControlWishes): void {
  const open = (isOpen: boolean): void => {
    ui.settings.hidden = !isOpen;
    ui.gear.setAttribute('aria-expanded', String(isOpen));
  };
  ui.gear.addEventListener('click', () => {
    open(ui.settings.hidden === true);
    if (!ui.settings.hidden) ui.settings.querySelector<HTMLElement>('label:not([hidden]) select')?.focus();
  });
  ui.stage.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || ui.settings.hidden) return;
    open(false);
    ui.gear.focus();
  });
  document.addEventListener('pointerdown', (event) => {
    const path = event.composedPath();
    if (!path.includes(ui.settings) && !path.includes(ui.gear)) open(false);
  });
  ui.format.addEventListener('change', () => {
    ui.quality.value = 'auto';
    wishes.onFormat(ui.format.value);
  });
  ui.quality.addEventListener('change', () => playback.choose(ui.quality.value));
  makeCaptions(ui);
}

export function showQualities(ui: Stage, qualities: readonly Quality[]): void {
  const chosen = ui.quality.value;
  ui.quality.replaceChildren(ui.auto, ...qualities.map(({ id, label }) => new Option(label, id)));
  ui.quality.value = qualities.some(({ id }) => id === chosen) ? chosen : 'auto';
  ui.qualityRow.hidden = qualities.length === 0;
}

/** Captions appear in the settings when the stream has some. */
function makeCaptions({ video, captions, captionsRow }: Stage): void {
  const tracks = () =>
    [...video.textTracks].filter(
      ({ kind, label }) => /^(?:captions|subtitles)$/.test(kind) && label !== shakaTrack,
    );
  const list = (): void => {
    const seen = tracks();
    const names = seen.map(
      ({ label, language }, index) => new Option(label || language || 'On', String(index)),
    );
    captions.replaceChildren(new Option('Off', 'off'), ...names);
    captions.value = String(seen.findIndex(({ mode }) => mode === 'showing')).replace('-1', 'off');
    captionsRow.hidden = seen.length === 0;
  };
  for (const change of ['addtrack', 'removetrack', 'change']) video.textTracks.addEventListener(change, list);
  captions.addEventListener('change', () => {
    for (const [index, track] of tracks().entries())
      track.mode = String(index) === captions.value ? 'showing' : 'disabled';
  });
}

/** Shaka keeps a text track of its own for what it may show later. */
const shakaTrack = 'Shaka Player TextTrack';

/** `-0:45` behind live, `1:02 / 20:00` in a recording, and nothing while live. */
export function showTimes(ui: Stage, playback: Playback): void {
  const { behindSeconds, seconds, startSeconds, endSeconds } = playback.position();
  ui.time.textContent = timesText({ behindSeconds, seconds, startSeconds, endSeconds });
  const pointed = Number(ui.range.getAttribute('mediapreviewtime') ?? Number.NaN);
  const first = ui.video.seekable.length > 0 ? ui.video.seekable.start(0) : 0;
  if (Number.isNaN(pointed)) return;
  const beforeLive = behindSeconds === undefined ? undefined : behindSeconds + ui.video.currentTime - pointed;
  ui.preview.textContent =
    beforeLive === undefined
      ? clockText(pointed - first)
      : beforeLive < 1
        ? 'LIVE'
        : `-${clockText(beforeLive)}`;
}

function timesText({
  behindSeconds,
  seconds,
  startSeconds,
  endSeconds,
}: ReturnType<Playback['position']>): string {
  if (behindSeconds !== undefined) return behindSeconds < 3 ? '' : `-${clockText(behindSeconds)}`;
  if (seconds === undefined || startSeconds === undefined || endSeconds === undefined) return '';
  return `${clockText(seconds - startSeconds)} / ${clockText(endSeconds - startSeconds)}`;
}
