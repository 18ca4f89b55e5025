/** What every request to a KV bucket has in common: its errors in the words of the catalogue. */
import { JetStreamApiError } from '@nats-io/jetstream';
import { TangazaError } from '../errors/tangaza-error.ts';

/** Of create() and of update(): `wrong last sequence`, with and without the sequence told. */
const wrongLastSequence = new Set([10071, 10164]);

/** Another was faster: the compare-and-set named a revision that is no longer the last. */
export const isWrongRevision = (error: unknown): boolean =>
  error instanceof JetStreamApiError && wrongLastSequence.has(error.code);

/** @throws TangazaError as `ask` throws it; `LOG_UNAVAILABLE` for every other error */
export async function asking<T>(what: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof TangazaError) throw error;
    const why = error instanceof Error ? error.message : 'no answer';
    throw new TangazaError('LOG_UNAVAILABLE', `${what}: ${why}`, { cause: error });
  }
}
