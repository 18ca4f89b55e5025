/** Logs what a node waits for, and for how long already, so that nobody must guess why it does not start. */
import type { Clock } from '../time/clock.ts';
import type { Logger } from './logger.ts';

const everyMs = 10_000;

/**
 * Runs `work`, and logs every 10 s that the node waits for it.
 *
 * @param what is waited for, in words: `NATS`, `the segment store`
 * @param about what an operator needs to find it, without secrets
 * @param work gets a function to report its last failure with, which the next line shows
 */
export async function sayWhile<T>(
  what: string,
  about: object,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
  work: (failed: (error: unknown) => void) => Promise<T>,
): Promise<T> {
  const sinceMs = clock.monotonicMs();
  let last: unknown;
  const stop = clock.every(everyMs, () => {
    const seconds = Math.round((clock.monotonicMs() - sinceMs) / 1000);
    const why = last instanceof Error ? { why: last.message } : {};
    logger.warn({ waitsFor: what, seconds, ...about, ...why }, 'the node waits');
  });
  try {
    return await work((error) => {
      last = error;
    });
  } finally {
    stop();
  }
}
