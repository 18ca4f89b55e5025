/** Plays HLS with hls.js. */
import Hls, { type ErrorData, type HlsConfig, type RetryConfig } from 'hls.js';
import {
  manifestAttempts,
  nowhere,
  staleHeader,
  type Engine,
  type EngineEvents,
  type EngineState,
  type Position,
  type Start,
} from './engine.browser.ts';
import { SteeringSession } from './steering-session.browser.ts';
import { findTimelineZero } from './timeline-zero.browser.ts';

/** How often undecodable media is tried again. */
const recoveries = 2;

/** So many times a request is made again whose connection broke. hls.js takes that for final. */
const brokenRetries = 2;

/** Soon: segments are 2 s long, and a live viewer has few of them. */
const again = (maxNumRetry: number): RetryConfig => ({
  maxNumRetry,
  retryDelayMs: 300,
  maxRetryDelayMs: 2000,
  shouldRetry: (...[, count, , reply, mayRetry]) => mayRetry || (reply?.code === 0 && count < brokenRetries),
});
const atOnce = (maxNumRetry: number): RetryConfig => ({ maxNumRetry, retryDelayMs: 0, maxRetryDelayMs: 0 });

/**
 * How long hls.js waits for a reply, and how often it asks again. Its own limits are for segments of 10 s: it waits 20 s for a playlist and
 * 10 s for a segment, and then up to 8 s between two tries. An edge may take 5 s to answer, for a stream of another region (R4).
 */
const manifestPolicy = {
  default: {
    maxTimeToFirstByteMs: 8000,
    maxLoadTimeMs: 10_000,
    timeoutRetry: atOnce(1),
    errorRetry: again(2),
  },
};
const segmentPolicy = {
  default: {
    maxTimeToFirstByteMs: 6000,
    maxLoadTimeMs: 15_000,
    timeoutRetry: atOnce(3),
    errorRetry: again(6),
  },
};
const config: Partial<HlsConfig> = {
  backBufferLength: 60,
  liveDurationInfinity: true,
  manifestLoadPolicy: manifestPolicy,
  playlistLoadPolicy: manifestPolicy,
  fragLoadPolicy: segmentPolicy,
};

/** At its time 0, the beginning of the first playlist, nobody has asked for anything: hls.js begins live. */
const leastStartSeconds = 0.1;
/** So many segments after the oldest it begins when the wanted place is no longer kept. */
const slackSegments = 2;

export class HlsEngine implements Engine {
  readonly #video: HTMLVideoElement;
  readonly #events: EngineEvents;
  readonly #hls = new Hls(config);
  readonly #session = new SteeringSession();
  #manifestErrors = 0;
  #recoveries = 0;
  #edge = '';
  #zeroMs: number | undefined;

  constructor(video: HTMLVideoElement, events: EngineEvents) {
    this.#video = video;
    this.#events = events;
  }

  async load(url: string, start: Start): Promise<boolean> {
    const zero = findTimelineZero(url).then((zeroMs) => (this.#zeroMs = zeroMs));
    this.#tellQualities();
    const hls = this.#hls;
    hls.on(Hls.Events.LEVEL_LOADED, (_event, { networkDetails }) => this.#playlistCame(networkDetails));
    hls.on(Hls.Events.FRAG_LOADED, (_event, { frag }) => this.#fragmentCame(frag));
    hls.on(Hls.Events.STEERING_MANIFEST_LOADED, (_event, { steeringManifest }) =>
      this.#session.learn(steeringManifest),
    );
    if (start.kind === 'beginning') hls.config.startPosition = 0;
    const loaded = new Promise<boolean>((resolve) => {
      hls.on(Hls.Events.ERROR, (_event, error) => {
        if (this.#failed(error)) resolve(false);
      });
      hls.once(Hls.Events.LEVEL_LOADED, () => resolve(true));
    });
    hls.attachMedia(this.#video);
    hls.loadSource(url);
    if (!(await loaded)) return false;
    if (start.kind === 'at') {
      await zero;
      this.#startAt(start.seconds);
    }
    return true;
  }

  hasPicture(): boolean {
    return (
      this.#hls.levels.length === 0 ||
      this.#hls.levels.some(({ height, videoCodec }) => height > 0 || !!videoCodec)
    );
  }

  isLive(): boolean {
    return this.#hls.latestLevelDetails?.live ?? true;
  }

  choose(id: string): void {
    this.#hls.nextLevel = id === 'auto' ? -1 : Number(id);
  }

  goLive(): void {
    const edge = this.#hls.liveSyncPosition;
    if (edge !== null) this.#video.currentTime = edge;
  }

  follow(): void {
    // hls.js never changes the speed by itself.
  }

  position(): Position {
    const details = this.#hls.latestLevelDetails;
    if (details === null) return nowhere;
    const { currentTime } = this.#video;
    const live = this.#hls.liveSyncPosition;
    const offset = this.#offsetSeconds();
    return {
      seconds: offset === undefined ? undefined : currentTime + offset,
      startSeconds: offset === undefined ? undefined : details.fragmentStart + offset,
      endSeconds:
        offset === undefined ? undefined : (details.live ? (live ?? details.edge) : details.edge) + offset,
      behindSeconds: details.live && live !== null ? live - currentTime : undefined,
    };
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
    this.#session.end();
  }

  /**
   * hls.js 1.7.4 waits for ever when steering changes the edge while its first segment is under way. It drops the segment, as the new
   * edge's playlist is not there yet, and continues as if it were still loading. So it is told to begin again.
   */
  #fragmentCame({ url, type, level }: { url: string; type: string; level: number }): void {
    this.#edge = new URL(url).host;
    const hls = this.#hls;
    const isDropped = type === 'main' && hls.levels[level]?.details === undefined;
    if (isDropped && this.#video.buffered.length === 0) hls.startLoad(hls.startPosition);
  }

  #playlistCame(request: unknown): void {
    this.#manifestErrors = 0;
    if (request instanceof XMLHttpRequest)
      this.#events.onManifest(request.getResponseHeader(staleHeader) !== null);
  }

  #tellQualities(): void {
    const hls = this.#hls;
    hls.on(Hls.Events.MANIFEST_PARSED, (_event, { levels }) => {
      const seen = levels.map(({ height }, index) => ({ id: String(index), label: `${height}p`, height }));
      this.#events.onQualities(seen.filter(({ height }) => height > 0).toReversed());
    });
    hls.on(Hls.Events.LEVEL_SWITCHED, (_event, { level }) => {
      const height = hls.levels[level]?.height ?? 0;
      if (height > 0) this.#events.onQuality(`${height}p`);
    });
  }

  /** @returns whether the engine has given up */
  #failed({ type, details, fatal }: ErrorData): boolean {
    if (details === Hls.ErrorDetails.LEVEL_LOAD_ERROR || details === Hls.ErrorDetails.LEVEL_LOAD_TIMEOUT)
      this.#manifestErrors += 1;
    if (!fatal && this.#manifestErrors < manifestAttempts) return false;
    const isMedia = type === Hls.ErrorTypes.MEDIA_ERROR;
    if (fatal && isMedia && this.#recoveries < recoveries) {
      this.#recoveries += 1;
      this.#hls.recoverMediaError();
      return false;
    }
    const isUnplayable = isMedia || details === Hls.ErrorDetails.MANIFEST_INCOMPATIBLE_CODECS_ERROR;
    this.#events.onFailed(isUnplayable ? 'unplayable' : 'unreachable', details);
    return true;
  }

  /** What is added to the player's own time to get the stream's time. */
  #offsetSeconds(): number | undefined {
    const fragments = this.#hls.latestLevelDetails?.fragments ?? [];
    const dated = fragments.findLast(({ programDateTime }) => programDateTime !== null);
    if (dated === undefined || dated.programDateTime === null || this.#zeroMs === undefined) return undefined;
    return (dated.programDateTime - this.#zeroMs) / 1000 - dated.start;
  }

  #startAt(seconds: number): void {
    const details = this.#hls.latestLevelDetails;
    const offset = this.#offsetSeconds();
    if (details === null || offset === undefined) return;
    const latest = this.#hls.liveSyncPosition ?? details.edge;
    const wanted = seconds - offset;
    // The oldest segment may leave before it came.
    const oldest = details.fragmentStart + (details.live ? slackSegments * details.targetduration : 0);
    const position = Math.min(wanted < details.fragmentStart ? oldest : wanted, latest);
    this.#video.currentTime = Math.max(position, leastStartSeconds);
  }
}
