/** HLS through the browser itself, where there is no Media Source (iPhones before iOS 17.1). */
import type { Engine, EngineEvents, EngineState } from './engine.browser.ts';

export class NativeEngine implements Engine {
  readonly #video: HTMLVideoElement;
  readonly #events: EngineEvents;

  constructor(video: HTMLVideoElement, events: EngineEvents) {
    this.#video = video;
    this.#events = events;
  }

  load(url: string, startSeconds?: number): Promise<void> {
    const video = this.#video;
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
    if (seekable.length > 0) this.#video.currentTime = seekable.end(seekable.length - 1) - 6;
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
}
