/** Hand-over by consent (N6 of the stream actor): the queue runs empty, the successor claims, the activation ends. */
import type { AdoptParams } from '../../cluster/contract/stream.ts';
import type { NodeId } from '../../cluster/model/ids.ts';
import type { Logger } from '../../cluster/observe/logger.ts';
import type { Clock } from '../../cluster/time/clock.ts';
import type { Activation } from './activation.ts';

export interface HandOverPorts {
  readonly node: NodeId;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Asks that node to take a stream over. @throws TangazaError */
  readonly askToAdopt: (node: NodeId, params: AdoptParams) => Promise<unknown>;
}

/** How long a hand-over waits for the owner's queue to run empty. */
const quietWithinMs = 2000;
const quietLookMs = 20;
const closeWithinMs = 2000;

/** @throws TangazaError as the successor answers: the stream stays here then */
export async function handOver(activation: Activation, to: NodeId, ports: HandOverPorts): Promise<void> {
  const { node, clock, logger, askToAdopt } = ports;
  const { stream, epoch } = activation;
  const deadlineMs = clock.monotonicMs() + quietWithinMs;
  while (activation.queuedRecords > 0 && clock.monotonicMs() < deadlineMs) await clock.sleep(quietLookMs);
  await askToAdopt(to, { streamId: stream, from: node, epoch, sessions: [...activation.feeding] });
  await activation.close(closeWithinMs);
  logger.info({ stream, to }, 'the stream is handed over');
}
