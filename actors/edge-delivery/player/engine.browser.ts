/** What the page needs of a player library, so that DASH and HLS look alike to it. */
import type { Failure } from '../viewing/page-state.ts';

export interface Quality {
  readonly id: string;
  /** `720p` */
  readonly label: string;
}

/** For the statistics. */
export interface EngineState {
  readonly library: string;
  readonly width: number;
  readonly height: number;
  readonly bitrateBps: number;
  /** Seconds between the wall clock and what is shown; undefined until known. */
  readonly behindLiveSeconds: number | undefined;
  /** Host that the last segment came from. */
  readonly edge: string;
}

/** Seconds of the stream's timeline, which is the same for DASH and HLS, on every edge; undefined while unknown. */
export interface Position {
  readonly seconds: number | undefined;
  /** What can be played. */
  readonly startSeconds: number | undefined;
  readonly endSeconds: number | undefined;
  /** How far before the place of a live viewer, which is the live edge less the hold-back; undefined in a recording. */
  readonly behindSeconds: number | undefined;
}

export const nowhere: Position = {
  seconds: undefined,
  startSeconds: undefined,
  endSeconds: undefined,
  behindSeconds: undefined,
};

export type Start =
  | { readonly kind: 'live' | 'beginning' }
  /** Of the stream's timeline. */
  | { readonly kind: 'at'; readonly seconds: number };

export interface EngineEvents {
  /** The engine has given up on this edge: load from another at the same playhead (M14). */
  readonly onFailed: (why: Failure, detail: string) => void;
  readonly onQualities: (qualities: readonly Quality[]) => void;
  /** What is played now, when the choice is automatic. */
  readonly onQuality: (label: string) => void;
}

export interface Engine {
  /** Resolves when it can play, or cannot: `onFailed` was told why. Never rejects. */
  load(url: string, start: Start): Promise<boolean>;
  /** Whether there is a picture, once loaded: a broadcast may be sound alone. */
  hasPicture(): boolean;
  /** Once loaded: more may come. */
  isLive(): boolean;
  /** `auto` or the id of a quality. */
  choose(id: string): void;
  /** To the live edge less the hold-back. */
  goLive(): void;
  /** A viewer who follows live is kept there, gently; one who went back is left alone. */
  follow(isFollowing: boolean): void;
  position(): Position;
  state(): EngineState;
  destroy(): Promise<void>;
}

/** HOLD-BACK of a media playlist; undefined when it names none. */
export function holdBackOf(playlist: string): number | undefined {
  const said = /^#EXT-X-SERVER-CONTROL:(?:.*,)?HOLD-BACK=([\d.]+)/m.exec(playlist)?.[1];
  return said === undefined ? undefined : Number(said);
}

/** When the stream's timeline began, UTC ms, of an MPD; undefined when it does not say. */
export function timelineZeroMs(mpd: string): number | undefined {
  const said = /<MPD[^>]*\savailabilityStartTime="([^"]+)"/.exec(mpd)?.[1];
  const zeroMs = said === undefined ? Number.NaN : Date.parse(said);
  return Number.isNaN(zeroMs) ? undefined : zeroMs;
}

/** What manifests say where neither long segments (M11) nor the setting asks for more (C8). */
export const shortestHoldBackSeconds = 6;

/**
 * How far behind the newest whole segment a player plays that may choose, of what the manifest asks for.
 *
 * Shaka counts from the newest whole segment and needs two of 2 s, so the shortest hold-back is undercut for the sake of
 * the delay behind live. A longer one has a reason, long segments or outages, and is kept.
 */
export function delaySeconds(askedSeconds: number): number {
  return askedSeconds > shortestHoldBackSeconds ? askedSeconds : Math.min(4, askedSeconds);
}

/** Two failed manifests in a row and the watchdog moves on (M14). */
export const manifestAttempts = 2;
