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

/** Two failed manifests in a row and the watchdog moves on (M14). */
export const manifestAttempts = 2;
