/** Hand-over by consent (N6 of the stream actor): the queue runs empty, the successor claims, the activation ends. */
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

/** How long a hand-over waits for the owner's queue to run empty. */
const quietWithinMs = 2000;
const closeWithinMs = 2000;

/**
 * @param signal ends the wait: with NATS gone, neither the log nor the successor answers
 * @throws TangazaError as the successor answers, `STALE_EPOCH` when it is given up already, `UNAVAILABLE` when the wait was ended: the stream stays here then
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

/** One that adopts all the same, later, fences this owner: the log decides (C1). */
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
