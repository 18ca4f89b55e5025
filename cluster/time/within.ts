/**
 * Waits for work, but not for ever: a wait with a bound goes through here.
 *
 * The bound counts time in which this process ran (`Clock.sleep`). Whichever comes first, the timer ends. The work itself goes on, as a
 * promise cannot be stopped; nobody hears an error that comes after the bound.
 */
import type { Clock } from './clock.ts';

export interface Bound<R> {
  readonly clock: Pick<Clock, 'sleep'>;
  readonly ms: number;
  /** What the wait gives when the bound is reached first. It throws where that is a fault. */
  readonly late: () => R;
}

/** For the sleep: an abort without a reason makes an error with its stack, for every call that is in time. */
const workIsDone = 'the work came first';

/**
 * @returns what the work gives, or what `late` gives
 * @throws what the work throws before the bound, or what `late` throws
 */
export async function within<T, R = T>(work: Promise<T>, { clock, ms, late }: Bound<R>): Promise<T | R> {
  const over = new AbortController();
  const bound = clock.sleep(ms, over.signal).then(late);
  bound.catch(() => {}); // the sleep is aborted when the work comes first
  try {
    return await Promise.race([work, bound]);
  } finally {
    over.abort(workIsDone);
  }
}

/** Waits until the work is done or has failed, `ms` at most. @returns whether that was in time */
export function isOverWithin(
  work: Promise<unknown>,
  { clock, ms }: Pick<Bound<boolean>, 'clock' | 'ms'>,
): Promise<boolean> {
  const over = (): boolean => true;
  return within(work.then(over, over), { clock, ms, late: () => false });
}

/** @throws the signal's reason as soon as it aborts; the work goes on, and nobody hears of it */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort);
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
