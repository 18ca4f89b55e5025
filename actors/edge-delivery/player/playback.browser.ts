/** Loads what the state of the page wants played, with the library for its format, and reports what happens. */
import type { Edges } from './edges.browser.ts';
import { nowhere, type Engine, type EngineEvents, type Position, type Quality } from './engine.browser.ts';
import type { Load, PageEvent, PageState } from '../viewing/page-state.ts';
import { isAtLive } from '../viewing/page-state.ts';
import { StartPlace } from './start-place.browser.ts';

export type Format = 'dash' | 'hls';

export interface PlaybackOptions {
  readonly streamId: string;
  readonly video: HTMLVideoElement;
  readonly edges: Edges;
  readonly format: Format;
  /** Where the first one begins, on the timeline of the stream. */
  readonly startSeconds: number | undefined;
  /** Asked when it could begin. A viewer may have changed his mind since the load began. */
  readonly mayStart: () => boolean;
  readonly tell: (event: PageEvent) => void;
  /** A library could not be fetched: the server may be of another version by now. */
  readonly onPartMissing: () => void;
  readonly onQualities: (qualities: readonly Quality[]) => void;
  readonly onQuality: (label: string) => void;
  /** From now on the manifests of the edge say that nothing newer reaches it, or say so no more. */
  readonly onStale: () => void;
}

export class Playback {
  readonly #options: PlaybackOptions;
  #engine: Engine | undefined;
  #loaded: Load = { kind: 'nothing' };
  readonly #place: StartPlace;
  #resyncs = 0;
  #standstills = 0;
  #isStale = false;
  format: Format;
  /** For tests and the curious. */
  failures = 0;
  lastFailure = '';

  constructor(options: PlaybackOptions) {
    this.#options = options;
    this.#place = new StartPlace(options.startSeconds);
    this.format = options.format;
  }

  /** Makes the player do what the state wants. */
  apply(state: PageState): void {
    if (state.resyncs !== this.#resyncs) {
      this.#resyncs = state.resyncs;
      this.goLive();
    }
    if (state.standstills.count !== this.#standstills) {
      this.#standstills = state.standstills.count;
      this.#leaveEdge('the picture stood still');
    }
    this.#engine?.follow(isAtLive(state));
    const wanted = numberOf(state.load);
    if (wanted === numberOf(this.#loaded)) return;
    this.#loaded = state.load;
    void this.#load(state.load);
  }

  get state() {
    return this.#engine?.state();
  }

  /** Where another page would begin for this viewer. */
  get lastingSeconds(): number | undefined {
    return this.#place.lasting;
  }

  position(): Position {
    const position = this.#engine?.position() ?? nowhere;
    // Where a player is that has not got to its first picture is no place of the viewer's.
    const { currentTime } = this.#options.video;
    if (position.seconds !== undefined && currentTime > 0)
      this.#place.reached(position.seconds, position.behindSeconds);
    return position;
  }

  choose(id: string): void {
    this.#engine?.choose(id);
  }

  goLive(): void {
    this.#engine?.goLive();
    void this.#options.video.play().catch(() => {});
  }

  /** Goes to a place on the stream's timeline, but never nearer to the live edge than a live viewer plays. */
  seek(seconds: number): void {
    const { seconds: now, startSeconds = 0 } = this.position();
    if (now !== undefined) this.seekBy(Math.max(seconds, startSeconds) - now);
    else this.#place.want(seconds);
  }

  seekBy(seconds: number): void {
    const { video } = this.#options;
    const { behindSeconds } = this.position();
    if (video.readyState === HTMLMediaElement.HAVE_NOTHING) return; // there is no place yet to go on from
    if (behindSeconds !== undefined && seconds > 0 && seconds >= behindSeconds) {
      if (behindSeconds > 1) this.#engine?.goLive();
      return;
    }
    const first = video.seekable.length > 0 ? video.seekable.start(0) : 0;
    video.currentTime = Math.max(video.currentTime + seconds, first);
  }

  async #load(load: Load): Promise<void> {
    const { streamId, video, edges, tell } = this.#options;
    const isCurrent = () => numberOf(load) === numberOf(this.#loaded);
    const before = this.#engine;
    this.#engine = undefined;
    if (before !== undefined) await this.#end(before);
    if (load.kind === 'nothing' || !isCurrent()) return;
    const events: EngineEvents = {
      onFailed: (why, detail) => {
        if (!isCurrent()) return;
        this.#leaveEdge(detail);
        tell({ kind: 'failed', why });
      },
      onQualities: (qualities) => void (isCurrent() && this.#options.onQualities(qualities)),
      onQuality: (label) => void (isCurrent() && this.#options.onQuality(label)),
      onManifest: (isStale) => void (isCurrent() && this.#noteStale(isStale)),
    };
    try {
      if (load.isResumed) await edges.refresh();
      const engine = await makeEngine(this.format, video, events).catch((error: unknown) => {
        this.#options.onPartMissing();
        throw error;
      });
      if (!isCurrent()) return void engine.destroy();
      this.#engine = engine;
      const isLoaded = await engine.load(this.#manifest(edges.current, streamId), this.#place.of(load));
      if (!isLoaded || !isCurrent()) return;
      const isCut = this.#place.isCut(engine.position().startSeconds);
      const wished = this.#place.begun();
      if (wished !== undefined) this.seek(wished);
      tell({
        kind: 'loaded',
        hasPicture: engine.hasPicture(),
        isLive: engine.isLive(),
        isCut: isCut && wished === undefined,
      });
      if (!this.#options.mayStart()) return tell({ kind: 'startRefused' });
      if (load.kind === 'recording' || engine.isLive()) await this.#start();
    } catch (error) {
      events.onFailed('unreachable', String(error));
    }
  }

  /**
   * A library that is stuck may never be through with its end; another one takes its place then. If it gets through after all, it takes its source
   * from the media element, whoever has that by now: so what is played then is loaded once more.
   */
  async #end(engine: Engine): Promise<void> {
    let isLate = false;
    const ended = engine
      .destroy()
      .catch(() => {}) // it is gone, however it went
      .then(() => void (isLate && this.#options.tell({ kind: 'failed', why: 'unreachable' })));
    await Promise.race([ended, sleep(destroyMs)]);
    isLate = true;
  }

  /** The next load asks the next edge (M14). */
  #leaveEdge(why: string): void {
    this.failures += 1;
    this.lastFailure = why;
    this.#options.edges.next();
  }

  #noteStale(isStale: boolean): void {
    if (isStale === this.#isStale) return;
    this.#isStale = isStale;
    this.#options.onStale();
  }

  #manifest(edge: string, streamId: string): string {
    const file = this.format === 'dash' && hasMediaSource() ? 'manifest.mpd' : 'main.m3u8';
    return `${edge}/live/${encodeURIComponent(streamId)}/${file}`;
  }

  /** Plays with sound if the browser allows it, otherwise without. */
  async #start(): Promise<void> {
    const { video, tell } = this.#options;
    const wasMuted = video.muted;
    try {
      await video.play();
      tell({ kind: 'started', isMuted: false });
    } catch (error) {
      // The viewer paused it meanwhile.
      if (!(error instanceof DOMException) || error.name !== 'NotAllowedError')
        return tell({ kind: 'startRefused' });
      video.muted = true;
      const isPlaying = await video.play().then(
        () => true,
        () => false,
      );
      if (isPlaying) return tell({ kind: 'started', isMuted: !wasMuted });
      video.muted = wasMuted;
      tell({ kind: 'startRefused' });
    }
  }
}

/** So long a library may take to end before another one takes its place. */
const destroyMs = 5000;
const sleep = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

const numberOf = (load: Load): number => (load.kind === 'nothing' ? 0 : load.number);

const hasMediaSource = (): boolean => 'MediaSource' in window || 'ManagedMediaSource' in window;

/** Each library is fetched when it is needed. */
async function makeEngine(format: Format, video: HTMLVideoElement, events: EngineEvents): Promise<Engine> {
  if (!hasMediaSource()) return new (await import('./native.browser.ts')).NativeEngine(video, events);
  if (format === 'hls') return new (await import('./hls.browser.ts')).HlsEngine(video, events);
  return new (await import('./shaka.browser.ts')).ShakaEngine(video, events);
}

/** Begins to fetch the library while the page still asks about the stream. */
export function fetchEngine(format: Format): void {
  if (!hasMediaSource()) return;
  (format === 'hls' ? import('./hls.browser.ts') : import('./shaka.browser.ts')).catch(() => {});
}
