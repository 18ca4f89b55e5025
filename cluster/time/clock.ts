/** The clock port: pure code and actors get time from here only, so that tests and the simulator own it. */
export interface Clock {
  /** UTC, in milliseconds since 1970. May jump; never used for a fencing decision (C6). */
  utcMs(): number;
  /**
   * Monotonic, in milliseconds since an arbitrary zero, standstills of this process included: for the age of what was read or heard,
   * and for the speed of others.
   */
  monotonicMs(): number;
  /**
   * As `monotonicMs`, but only while this process ran: for every time-out that ends somebody else's connection, session, task or
   * turn (running-time.ts). Its zero is another one.
   */
  runningMs(): number;
  /** Resolves after `ms` in which this process ran, or rejects with the signal's reason. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `run` every `ms` until the returned function is called; never overlaps itself when `run` is async. */
  every(ms: number, run: () => void | Promise<void>): () => void;
}

/** Aborts, as by a time-out, after `ms` in which this process ran; disposed of, never. */
export function abortAfter(
  clock: Pick<Clock, 'sleep'>,
  ms: number,
): Disposable & { readonly signal: AbortSignal } {
  const late = new AbortController();
  const done = new AbortController();
  clock.sleep(ms, done.signal).then(
    () => late.abort(new DOMException(`Nothing came within ${ms} ms.`, 'TimeoutError')),
    () => {},
  );
  return { signal: late.signal, [Symbol.dispose]: () => done.abort() };
}
