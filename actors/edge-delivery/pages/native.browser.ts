/** HLS through the browser itself, where there is no Media Source (iPhones before iOS 17.1). */
import {
  holdBackOf,
  shortestHoldBackSeconds,
  type Engine,
  type EngineEvents,
  type EngineState,
} from './engine.browser.ts';

const timeoutMs = 5000;

export class NativeEngine implements Engine {
  readonly #video: HTMLVideoElement;
  readonly #events: EngineEvents;
  #holdBackSeconds = shortestHoldBackSeconds;

  constructor(video: HTMLVideoElement, events: EngineEvents) {
    this.#video = video;
    this.#events = events;
  }

  load(url: string, startSeconds?: number): Promise<void> {
    const video = this.#video;
    this.#findHoldBack(url).catch(() => {}); // the shortest is near enough
    return new Promise((resolve, reject) => {
      video.addEventListener('loadedmetadata', () => {
        if (startSeconds !== undefined) video.currentTime = startSeconds;
        resolve();
      });
      video.addEventListener('error', () => {
        const why = video.error?.message ?? 'the browser cannot play it';
        this.#events.onFailed(why);
        reject(new Error(why));
      });
      video.src = url;
    });
  }

  choose(): void {
    // The browser chooses by itself.
  }

  goLive(): void {
    const { seekable } = this.#video;
    if (seekable.length > 0)
      this.#video.currentTime = seekable.end(seekable.length - 1) - this.#holdBackSeconds;
    void this.#video.play();
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
    this.#video.removeAttribute('src');
    this.#video.load();
  }

  /** The browser keeps it and does not tell: read out of the first variant's playlist. */
  async #findHoldBack(url: string): Promise<void> {
    const textOf = async (address: string | URL): Promise<string> =>
      (await fetch(address, { signal: AbortSignal.timeout(timeoutMs) })).text();
    const variant = (await textOf(url)).split('\n').find((line) => line !== '' && !line.startsWith('#'));
    if (variant === undefined) return;
    this.#holdBackSeconds = holdBackOf(await textOf(new URL(variant, url))) ?? shortestHoldBackSeconds;
  }
}
