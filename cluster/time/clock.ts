/** The port of the clock. Pure code and actors get time only from here, so that tests and the simulator control it. */
export interface Clock {
  /** UTC, in milliseconds since 1970. It may jump, so no fencing decision uses it (C6). */
  utcMs(): number;
  /**
   * Monotonic time in milliseconds from an arbitrary zero, including standstills of this process. For the age of what was read or heard,
   * and for the speed of others.
   */
  monotonicMs(): number;
  /**
   * Like `monotonicMs`, but counts only while this process runs, and from another zero. For every time-out that ends somebody else's
   * connection, session, task or turn (running-time.ts).
   */
  runningMs(): number;
  /** Resolves after `ms` in which this process ran, or rejects with the signal's reason. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `run` every `ms` until the returned function is called. An async `run` is never called again before it has ended. */
  every(ms: number, run: () => void | Promise<void>): () => void;
}

/** Makes a signal that aborts, as by a time-out, after `ms` in which this process ran. Once disposed of, it never aborts. */
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
