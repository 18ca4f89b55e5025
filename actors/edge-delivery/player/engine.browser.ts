/** The port of a player library: what the page needs of it, the same for DASH and HLS. */
import type { Failure } from '../viewing/page-state.ts';

export interface Quality {
  readonly id: string;
  /** `720p` */
  readonly label: string;
}

/** Shown in the statistics. */
export interface EngineState {
  readonly library: string;
  readonly width: number;
  readonly height: number;
  readonly bitrateBps: number;
  /** Seconds between the wall clock and what is shown; undefined until it is known. */
  readonly behindLiveSeconds: number | undefined;
  /** The host that the last segment came from. */
  readonly edge: string;
}

/** Seconds on the stream's timeline, which is the same for DASH and HLS and on every edge; undefined while unknown. */
export interface Position {
  readonly seconds: number | undefined;
  /** What can be played. */
  readonly startSeconds: number | undefined;
  readonly endSeconds: number | undefined;
  /** How far before the place of a live viewer, which is the live edge less the hold-back. Undefined in a recording. */
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
  /** On the timeline of the stream. */
  | { readonly kind: 'at'; readonly seconds: number };

export interface EngineEvents {
  /** The engine has given up on this edge. The page then loads from another edge at the same playhead (M14). */
  readonly onFailed: (why: Failure, detail: string) => void;
  readonly onQualities: (qualities: readonly Quality[]) => void;
  /** The quality that plays now, while the choice is automatic. */
  readonly onQuality: (label: string) => void;
  /** A manifest came; `isStale` says that nothing newer reaches its edge. */
  readonly onManifest: (isStale: boolean) => void;
}

export interface Engine {
  /** Resolves when it can play, or when it cannot: then `onFailed` was called with the reason. It never rejects. */
  load(url: string, start: Start): Promise<boolean>;
  /** Says, once loaded, whether there is a picture: a broadcast may have sound only. */
  hasPicture(): boolean;
  /** Says, once loaded, whether more may come. */
  isLive(): boolean;
  /** Takes `auto` or the id of a quality. */
  choose(id: string): void;
  /** Goes to the live edge less the hold-back. */
  goLive(): void;
  /** Gently keeps a viewer there who follows live. A viewer who went back is left alone. */
  follow(isFollowing: boolean): void;
  position(): Position;
  state(): EngineState;
  destroy(): Promise<void>;
}

/** With this header an edge says of a manifest that nothing newer reaches it, and for how long. */
export const staleHeader = 'tangaza-log-stale';

/** The HOLD-BACK of a media playlist; undefined when it names none. */
export function holdBackOf(playlist: string): number | undefined {
  const said = /^#EXT-X-SERVER-CONTROL:(?:.*,)?HOLD-BACK=([\d.]+)/m.exec(playlist)?.[1];
  return said === undefined ? undefined : Number(said);
}

/** When the stream's timeline began, in UTC ms, from an MPD; undefined when it does not say. */
export function timelineZeroMs(mpd: string): number | undefined {
  const said = /<MPD[^>]*\savailabilityStartTime="([^"]+)"/.exec(mpd)?.[1];
  const zeroMs = said === undefined ? Number.NaN : Date.parse(said);
  return Number.isNaN(zeroMs) ? undefined : zeroMs;
}

/** The hold-back of manifests where neither long segments (M11) nor the setting ask for more (C8). */
export const shortestHoldBackSeconds = 6;

/**
 * How far behind the newest whole segment a player plays that may choose, given what the manifest asks for.
 *
 * Shaka counts from the newest whole segment and needs two segments of 2 s, so it plays less than the shortest hold-back behind, for a
 * lower delay. A longer hold-back has a reason, long segments or outages, and is kept.
 */
export function delaySeconds(askedSeconds: number): number {
  return askedSeconds > shortestHoldBackSeconds ? askedSeconds : Math.min(4, askedSeconds);
}

/** After this many failed manifests in a row the watchdog changes to the next edge (M14). */
export const manifestAttempts = 2;
