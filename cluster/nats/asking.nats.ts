/** Runs a request to JetStream, and translates its errors into those of the catalogue. */
import { JetStreamApiError } from '@nats-io/jetstream';
import { TangazaError } from '../errors/tangaza-error.ts';

/** What create() and update() answer for a wrong last sequence, with and without the sequence in the text. */
const wrongLastSequence = new Set([10071, 10164]);
const streamNotFound = 10_059;
/** What JetStream answers where replicas are asked for: no suitable peers, or a server without a cluster. */
const notEnoughServers = new Set([10_005, 10_074]);

/** Another writer was faster: the compare-and-set named a revision that is no longer the last. */
export const isWrongRevision = (error: unknown): boolean =>
  error instanceof JetStreamApiError && wrongLastSequence.has(error.code);

/** The stream, or the bucket that is stored in it, is gone together with its server's disk. */
export const isStreamGone = (error: unknown): boolean =>
  error instanceof JetStreamApiError && error.code === streamNotFound;

/** Says why a request failed, and what to do where that is known. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'no answer';
  if (!(error instanceof JetStreamApiError) || !notEnoughServers.has(error.code)) return error.message;
  return `${error.message}: TANGAZA_NATS_REPLICAS asks for more NATS servers than work together. Look at cluster_size in /jsz of their monitoring port; one that was left out of the group at its start must be started again.`;
}

/**
 * Runs a request. @param remake makes the bucket again when it is gone, so that the next request finds it, empty
 * @throws TangazaError as `ask` throws it; `LOG_UNAVAILABLE` for every other error
 */
export async function asking<T>(
  what: string,
  ask: () => Promise<T>,
  remake: () => Promise<unknown> = async () => {},
): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof TangazaError) throw error;
    if (isStreamGone(error)) await remake().catch(() => {});
    throw new TangazaError('LOG_UNAVAILABLE', `${what}: ${reasonOf(error)}`, { cause: error });
  }
}

/**
 * Repeats a request every `everyMs` until one of them is answered or refused. The time-out of the first request bounds all of them. It is
 * for reads only, as a request may be carried out more than once.
 */
export async function askingAgain<T>(ask: () => Promise<T>, everyMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<T>((resolve, reject) => {
      const askOnce = (): void => void ask().then(resolve, reject);
      timer = setInterval(askOnce, everyMs);
      askOnce();
    });
  } finally {
    clearInterval(timer);
  }
}
