/** HLS through hls.js. */
import Hls from 'hls.js';
import { manifestAttempts, type Engine, type EngineEvents, type EngineState } from './engine.browser.ts';

export class HlsEngine implements Engine {
  readonly #video: HTMLVideoElement;
  readonly #events: EngineEvents;
  readonly #hls = new Hls({ backBufferLength: 60, liveDurationInfinity: true });
  #manifestErrors = 0;
  #edge = '';

  constructor(video: HTMLVideoElement, events: EngineEvents) {
    this.#video = video;
    this.#events = events;
  }

  load(url: string, startSeconds?: number): Promise<void> {
    const hls = this.#hls;
    if (startSeconds !== undefined) hls.config.startPosition = startSeconds;
    hls.on(Hls.Events.MANIFEST_PARSED, (_event, { levels }) => {
      this.#events.onQualities(
        levels.map(({ height }, index) => ({ id: String(index), label: `${height}p` })).toReversed(),
      );
    });
    hls.on(Hls.Events.LEVEL_SWITCHED, (_event, { level }) => {
      const height = hls.levels[level]?.height;
      if (height !== undefined) this.#events.onQuality(`${height}p`);
    });
    hls.on(Hls.Events.LEVEL_LOADED, () => (this.#manifestErrors = 0));
    hls.on(Hls.Events.FRAG_LOADED, (_event, { frag }) => (this.#edge = new URL(frag.url).host));
    return new Promise((resolve, reject) => {
      hls.on(Hls.Events.ERROR, (_event, { type, details, fatal }) => {
        if (details === Hls.ErrorDetails.LEVEL_LOAD_ERROR || details === Hls.ErrorDetails.LEVEL_LOAD_TIMEOUT)
          this.#manifestErrors += 1;
        if (!fatal && this.#manifestErrors < manifestAttempts) return;
        if (fatal && type === Hls.ErrorTypes.MEDIA_ERROR) return void hls.recoverMediaError();
        this.#events.onFailed(details);
        reject(new Error(details));
      });
      hls.once(Hls.Events.LEVEL_LOADED, () => resolve());
      hls.attachMedia(this.#video);
      hls.loadSource(url);
    });
  }

  choose(id: string): void {
    this.#hls.nextLevel = id === 'auto' ? -1 : Number(id);
  }

  goLive(): void {
    const edge = this.#hls.liveSyncPosition;
    if (edge !== null) this.#video.currentTime = edge;
    void this.#video.play();
  }

  state(): EngineState {
    const level = this.#hls.levels[this.#hls.currentLevel];
    const shown = this.#hls.playingDate;
    return {
      library: `hls.js ${Hls.version}`,
      width: level?.width ?? 0,
      height: level?.height ?? 0,
      bitrateBps: level?.bitrate ?? 0,
      behindLiveSeconds: shown === null ? undefined : (Date.now() - shown.getTime()) / 1000,
      edge: this.#edge,
    };
  }

  async destroy(): Promise<void> {
    this.#hls.destroy();
  }
}
