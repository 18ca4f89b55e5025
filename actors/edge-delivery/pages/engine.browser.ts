/** What the watch page needs of a player library, so that DASH and HLS look alike to it. */
export interface Quality {
  readonly id: string;
  /** `720p` */
  readonly label: string;
}

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

export interface EngineEvents {
  /** The engine has given up on this edge: load from another at the same playhead (M14). */
  readonly onFailed: (why: string) => void;
  readonly onQualities: (qualities: readonly Quality[]) => void;
  /** What is played now, when the choice is automatic. */
  readonly onQuality: (label: string) => void;
}

export interface Engine {
  /** @param startSeconds playhead to begin at; the live edge when undefined */
  load(url: string, startSeconds?: number): Promise<void>;
  /** `auto` or the id of a quality. */
  choose(id: string): void;
  goLive(): void;
  state(): EngineState;
  destroy(): Promise<void>;
}

/** HOLD-BACK of a media playlist; undefined when it names none. */
export function holdBackOf(playlist: string): number | undefined {
  const said = /^#EXT-X-SERVER-CONTROL:(?:.*,)?HOLD-BACK=([\d.]+)/m.exec(playlist)?.[1];
  return said === undefined ? undefined : Number(said);
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
