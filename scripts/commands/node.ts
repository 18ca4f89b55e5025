/** `tangaza node`: runs one node, configured by environment and config/ (production). */
import { availableParallelism } from 'node:os';
import { Command } from 'commander';
import type { ServiceBroker } from 'moleculer';
import { drainActions, leavingEvent } from '../../cluster/contract/drain-actions.ts';
import { loadConfig } from '../../config/config.ts';
import { lockFolder } from '../../config/folder-lock.sqlite.ts';
import { UnusableError } from '../../config/unusable.ts';

/** How much of the time of a stop the hand-over of streams may take. What is left finds its successor by itself. */
const handOverMs = 2500;
/** How long a node that is told to stop while it starts may take to close what it has opened. */
const giveUpMs = 3000;
/** What is left for the services once all was given away, or could not be. */
const servicesMs = 2000;

export function nodeCommand(): Command {
  return new Command('node')
    .description(
      'Runs one node until SIGTERM or Ctrl-C. Settings are TANGAZA_… variables: see config/README.md.',
    )
    .action(run);
}

/** Loads the code of a node only when one is wanted, as every other command would wait a second for it. */
async function run(): Promise<void> {
  const { ServiceBroker } = await import('moleculer');
  const { composeNode } = await import('../../moleculer.config.ts');
  const starting = new AbortController();
  /** It may wait for NATS or its database: what it has opened by then is closed, and it is over. */
  const giveUp = (): void => {
    starting.abort();
    setTimeout(() => process.exit(0), giveUpMs).unref();
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, giveUp);
  const compose = async () => {
    const config = loadConfig(process.env, availableParallelism());
    const lock = lockFolder(config.dataDir, { kind: 'node', id: config.nodeId, command: 'tangaza node' });
    process.once('exit', () => lock.release());
    return { stopWithinMs: config.stopSeconds * 1000, options: await composeNode(config, starting.signal) };
  };
  const { stopWithinMs, options } = await compose().catch((error: unknown) => {
    if (starting.signal.aborted) process.exit(0);
    if (!(error instanceof UnusableError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  });
  const broker = new ServiceBroker(options);
  let isStopping = false;
  const stop = (): void => {
    // Where npm passes a terminal's Ctrl-C on as well, it arrives twice.
    if (isStopping) return;
    isStopping = true;
    setTimeout(() => process.exit(1), stopWithinMs).unref();
    void leave(broker, stopWithinMs - servicesMs)
      .then(() => broker.stop())
      .then(
        () => process.exit(0),
        () => process.exit(1),
      );
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.off(signal, giveUp).on(signal, stop);
  if (starting.signal.aborted) return stop();
  await broker.start().catch(async (error: unknown) => {
    if (isStopping) return;
    await broker.stop().catch(() => {}); // what did start closes, so that the others do not have to detect a death
    throw error;
  });
}

async function leave(broker: ServiceBroker, withinMs: number): Promise<void> {
  void broker.broadcastLocal(leavingEvent);
  const here = { nodeID: broker.nodeID, timeout: withinMs };
  await broker.call(drainActions.leaveNow, { handOverMs }, here).catch((error: unknown) => {
    broker.logger.warn('this node could not leave in order', error);
  });
}
