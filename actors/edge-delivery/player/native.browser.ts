/** Plays HLS with the browser itself, where there is no Media Source (iPhones before iOS 17.1). */
import {
  holdBackOf,
  nowhere,
  shortestHoldBackSeconds,
  type Engine,
  type EngineEvents,
  type EngineState,
  type Position,
  type Start,
} from './engine.browser.ts';
import { findTimelineZero } from './timeline-zero.browser.ts';

const timeoutMs = 5000;

export class NativeEngine implements Engine {
  readonly #video: HTMLVideoElement;
  readonly #events: EngineEvents;
  readonly #over = new AbortController();
  #holdBackSeconds = shortestHoldBackSeconds;
  #zeroMs: number | undefined;
  #hasSource = false;

  constructor(video: HTMLVideoElement, events: EngineEvents) {
    this.#video = video;
    this.#events = events;
  }

  async load(url: string, start: Start): Promise<boolean> {
    const video = this.#video;
    this.#findHoldBack(url).catch(() => {}); // the shortest hold-back is near enough
    const zero = findTimelineZero(url).then((zeroMs) => (this.#zeroMs = zeroMs));
    const { signal } = this.#over;
    const loaded = new Promise<boolean>((resolve) => {
      video.addEventListener('loadedmetadata', () => resolve(true), { signal, once: true });
      video.addEventListener('error', () => resolve(this.#failed()), { signal });
    });
    this.#hasSource = true;
    video.src = url;
    if (!(await loaded)) return false;
    if (start.kind === 'live') return true;
    await zero;
    const first = this.#seekable().start;
    video.currentTime = start.kind === 'at' ? Math.max(start.seconds - (this.#offset() ?? 0), first) : first;
    return true;
  }

  hasPicture(): boolean {
    return this.#video.videoHeight > 0;
  }

  isLive(): boolean {
    return !Number.isFinite(this.#video.duration);
  }

  choose(): void {
    // The browser chooses by itself.
  }

  goLive(): void {
    if (this.#video.seekable.length > 0)
      this.#video.currentTime = this.#seekable().end - this.#holdBackSeconds;
  }

  follow(): void {
    // The browser keeps its distance by itself.
  }

  position(): Position {
    const { currentTime, duration, seekable } = this.#video;
    if (seekable.length === 0) return nowhere;
    const { start, end } = this.#seekable();
    const offset = this.#offset();
    const isLive = !Number.isFinite(duration);
    const last = isLive ? end - this.#holdBackSeconds : end;
    const shifted = (seconds: number) => (offset === undefined ? undefined : seconds + offset);
    return {
      seconds: shifted(currentTime),
      startSeconds: shifted(start),
      endSeconds: shifted(last),
      behindSeconds: isLive ? last - currentTime : undefined,
    };
  }

  state(): EngineState {
    const { videoWidth, videoHeight } = this.#video;
    return {
      library: 'native HLS',
      width: videoWidth,
      height: videoHeight,
      bitrateBps: 0,
      behindLiveSeconds: undefined,
      edge: '',
    };
  }

  async destroy(): Promise<void> {
    this.#over.abort();
    if (!this.#hasSource) return; // what the element plays is of another engine
    this.#video.removeAttribute('src');
    this.#video.load();
  }

  #failed(): false {
    const { error } = this.#video;
    const isUnplayable = error?.code === MediaError.MEDIA_ERR_DECODE;
    this.#events.onFailed(
      isUnplayable ? 'unplayable' : 'unreachable',
      error?.message ?? 'the browser gave up',
    );
    return false;
  }

  #seekable(): { readonly start: number; readonly end: number } {
    const { seekable } = this.#video;
    return seekable.length === 0
      ? { start: 0, end: 0 }
      : { start: seekable.start(0), end: seekable.end(seekable.length - 1) };
  }

  /** Safari tells the date of its time 0. */
  #offset(): number | undefined {
    const video: HTMLVideoElement & { getStartDate?: () => Date } = this.#video;
    const startMs = video.getStartDate?.().getTime() ?? Number.NaN;
    return Number.isNaN(startMs) || this.#zeroMs === undefined ? undefined : (startMs - this.#zeroMs) / 1000;
  }

  /** The browser keeps the hold-back and does not tell it, so it is read from the first variant's playlist. */
  async #findHoldBack(url: string): Promise<void> {
    const textOf = async (address: string | URL): Promise<string> =>
      (await fetch(address, { signal: AbortSignal.timeout(timeoutMs) })).text();
    const variant = (await textOf(url)).split('\n').find((line) => line !== '' && !line.startsWith('#'));
    if (variant === undefined) return;
    this.#holdBackSeconds = holdBackOf(await textOf(new URL(variant, url))) ?? shortestHoldBackSeconds;
  }
}
