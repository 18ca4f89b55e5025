/**
 * Hands a stream over by consent (stream-actor.ts N3): the outbox runs empty, the successor claims, the activation
 * ends.
 */
import type { AdoptParams } from '../../../cluster/contract/stream-actions.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { NodeId } from '../../../cluster/model/ids.ts';
import type { Logger } from '../../../cluster/observe/logger.ts';
import type { Activation } from '../activation.ts';

export interface HandOverPorts {
  readonly node: NodeId;
  readonly logger: Logger;
  /** Asks that node to take a stream over. @throws TangazaError */
  readonly askToAdopt: (node: NodeId, params: AdoptParams) => Promise<unknown>;
}

/** How long a hand-over waits for the owner's outbox to run empty. */
const quietWithinMs = 2000;
const closeWithinMs = 2000;

/**
 * @param signal ends the wait: without NATS neither the log nor the successor answers
 * @throws TangazaError as the successor answers; `STALE_EPOCH` when the stream is given up already; `UNAVAILABLE` when
 *   `signal` ended the wait, and the stream stays here
 */
export async function handOver(
  activation: Activation,
  to: NodeId,
  ports: HandOverPorts,
  signal: AbortSignal,
): Promise<void> {
  const { node, logger, askToAdopt } = ports;
  const { stream, epoch } = activation;
  await activation.logged(quietWithinMs, signal);
  await activation.whileGivenAway(async (sessions) => {
    await unlessAborted(askToAdopt(to, { streamId: stream, from: node, epoch, sessions }), signal);
    await activation.close(closeWithinMs);
  });
  logger.info({ stream, to }, 'the stream is handed over');
}

/**
 * Waits until `signal` ends the wait. A successor that adopts the stream later all the same fences this owner: the log
 * decides (C1).
 */
async function unlessAborted(asked: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const ended = Promise.withResolvers<never>();
  const end = (): void =>
    ended.reject(new TangazaError('UNAVAILABLE', 'The successor has not answered in time.'));
  signal.addEventListener('abort', end);
  if (signal.aborted) end();
  try {
    await Promise.race([asked, ended.promise]);
  } finally {
    signal.removeEventListener('abort', end);
  }
}
