/** Plays DASH with Shaka Player. */
import shaka from 'shaka-player/dist/shaka-player.compiled.js';
import {
  delaySeconds,
  manifestAttempts,
  nowhere,
  staleHeader,
  type Engine,
  type EngineEvents,
  type EngineState,
  type Position,
  type Quality,
  type Start,
} from './engine.browser.ts';
import { SteeringSession } from './steering-session.browser.ts';

export class ShakaEngine implements Engine {
  readonly #video: HTMLVideoElement;
  readonly #events: EngineEvents;
  readonly #player = new shaka.Player();
  readonly #session = new SteeringSession();
  #edge = '';
  #isFollowing = true;

  constructor(video: HTMLVideoElement, events: EngineEvents) {
    this.#video = video;
    this.#events = events;
  }

  async load(url: string, start: Start): Promise<boolean> {
    shaka.polyfill.installAll();
    await this.#player.attach(this.#video);
    this.#player.configure({
      manifest: {
        dash: { manifestPreprocessorTXml: chooseDelay },
        retryParameters: { maxAttempts: manifestAttempts, timeout: 5000, baseDelay: 500 },
      },
      streaming: {
        retryParameters: { maxAttempts: 4, timeout: 15_000, baseDelay: 300 },
        bufferingGoal: 12,
        bufferBehind: 60,
        lowLatencyMode: false,
        // A segment that a manifest has just named is fetched so soon; by default a player that waits for one looks once a second.
        updateIntervalSeconds: 0.25,
        // After a slow start it catches up gently, counted from the end of that delay.
        liveSync: {
          enabled: true,
          targetLatency: 0.5,
          targetLatencyTolerance: 0.5,
          maxPlaybackRate: 1.05,
          minPlaybackRate: 1,
        },
      },
      abr: { defaultBandwidthEstimate: 3_000_000 },
    });
    this.#player.addEventListener('error', (event: Event) => this.#failed(event));
    this.#player.addEventListener('trackschanged', () => this.#tell());
    this.#player.addEventListener('adaptation', () => this.#tell());
    this.#player.getNetworkingEngine()?.registerResponseFilter((type, response) => {
      const { CONTENT_STEERING, MANIFEST } = shaka.net.NetworkingEngine.RequestType;
      if (type === CONTENT_STEERING) return this.#steered(response.data);
      this.#edge = new URL(response.uri).host;
      if (type === MANIFEST) this.#events.onManifest(response.headers[staleHeader] !== undefined);
    });
    try {
      await this.#player.load(url, startTime(start));
      this.#tell();
      return true;
    } catch (error) {
      this.#report(error);
      return false;
    }
  }

  hasPicture(): boolean {
    return !this.#player.isAudioOnly();
  }

  isLive(): boolean {
    return this.#player.isLive();
  }

  choose(id: string): void {
    const track = this.#player.getVariantTracks().find((one) => String(one.id) === id);
    this.#player.configure({ abr: { enabled: track === undefined } });
    if (track !== undefined) this.#player.selectVariantTrack(track, true);
  }

  goLive(): void {
    this.#player.goToLive();
  }

  follow(isFollowing: boolean): void {
    if (isFollowing === this.#isFollowing) return;
    this.#isFollowing = isFollowing;
    this.#player.configure({ streaming: { liveSync: { enabled: isFollowing } } });
    if (!isFollowing) this.#video.playbackRate = 1;
  }

  position(): Position {
    const { start, end } = this.#player.seekRange();
    if (end === 0) return nowhere;
    const { currentTime } = this.#video;
    return {
      seconds: currentTime,
      startSeconds: start,
      endSeconds: end,
      behindSeconds: this.#player.isLive() ? end - currentTime : undefined,
    };
  }

  state(): EngineState {
    const track = this.#active();
    const shown = this.#player.getPlayheadTimeAsDate();
    return {
      library: `Shaka ${shaka.Player.version}`,
      width: track?.width ?? 0,
      height: track?.height ?? 0,
      bitrateBps: track?.bandwidth ?? 0,
      behindLiveSeconds: shown === null ? undefined : (Date.now() - shown.getTime()) / 1000,
      edge: this.#edge,
    };
  }

  async destroy(): Promise<void> {
    await this.#player.destroy();
    this.#session.end();
  }

  #steered(data: ArrayBuffer | ArrayBufferView): void {
    this.#session.learnFrom(new TextDecoder().decode(data));
  }

  #active(): shaka.extern.Track | undefined {
    return this.#player.getVariantTracks().find((track) => track.active);
  }

  #tell(): void {
    const tracks = this.#player.getVariantTracks().toSorted((a, b) => (b.height ?? 0) - (a.height ?? 0));
    const qualities: Quality[] = tracks.map((track) => ({
      id: String(track.id),
      label: `${track.height ?? '?'}p`,
    }));
    this.#events.onQualities(tracks.some((track) => track.height !== null) ? qualities : []);
    const height = this.#active()?.height;
    if (typeof height === 'number') this.#events.onQuality(`${height}p`);
  }

  #failed(event: Event): void {
    const detail: unknown = 'detail' in event ? event.detail : undefined;
    if (detail instanceof shaka.util.Error && detail.severity === shaka.util.Error.Severity.CRITICAL)
      this.#report(detail);
  }

  #report(error: unknown): void {
    if (!(error instanceof shaka.util.Error)) return this.#events.onFailed('unreachable', String(error));
    const { Category, Code } = shaka.util.Error;
    // The caller that destroys it or loads again knows this.
    if (error.code === Code.LOAD_INTERRUPTED || error.code === Code.OPERATION_ABORTED) return;
    const isUnplayable =
      error.category === Category.MEDIA || error.code === Code.CONTENT_UNSUPPORTED_BY_BROWSER;
    this.#events.onFailed(isUnplayable ? 'unplayable' : 'unreachable', `Shaka error ${error.code}`);
  }
}

/** Shaka begins a live stream at the live edge less its delay, and all others at 0 or where the media begins. */
function startTime(start: Start): number | null {
  return start.kind === 'at' ? start.seconds : null;
}

/** Writes into the MPD, before it is parsed, how far behind its newest whole segment to play. */
function chooseDelay({ attributes }: shaka.extern.xml.Node): void {
  const asked = /^PT([\d.]+)S$/.exec(attributes['suggestedPresentationDelay'] ?? '')?.[1];
  if (asked !== undefined) attributes['suggestedPresentationDelay'] = `PT${delaySeconds(Number(asked))}S`;
}
