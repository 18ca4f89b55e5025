/** The clock port: pure code and actors get time from here only, so that tests and the simulator own it. */
export interface Clock {
  /** UTC, in milliseconds since 1970. May jump; never used for a fencing decision (C6). */
  utcMs(): number;
  /** Monotonic, in milliseconds since an arbitrary zero. */
  monotonicMs(): number;
  /** Resolves after `ms`, or rejects with the signal's reason. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `run` every `ms` until the returned function is called; never overlaps itself when `run` is async. */
  every(ms: number, run: () => void | Promise<void>): () => void;
}
