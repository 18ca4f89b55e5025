/** `tangaza node`: one node, configured by environment and config/ (production). */
import { Command } from 'commander';
import type { ServiceBroker } from 'moleculer';
import { drainActions, leavingEvent } from '../../cluster/contract/streams.ts';
import { ConfigError } from '../../config/config.ts';

/** Everything must have stopped by then (issue 4: 10 s). */
const stopTimeoutMs = 9500;
/** Of which streams may take to be handed over; what is left finds its successor by itself. */
const handOverMs = 2500;
/** And what follows: the ends of what publishers sent (G5, G6). */
const endMs = 4500;

export function nodeCommand(): Command {
  return new Command('node')
    .description('Runs one node until SIGTERM or Ctrl-C. Settings are TANGAZA_… variables: see the README.')
    .action(run);
}

/** Loads what a node is made of only when one is wanted: every other command would wait a second for it. */
async function run(): Promise<void> {
  const { ServiceBroker } = await import('moleculer');
  const { composeNode } = await import('../../moleculer.config.ts');
  const options = await composeNode(process.env).catch((error: unknown) => {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  });
  const broker = new ServiceBroker(options);
  let isStopping = false;
  const stop = (): void => {
    // A terminal's Ctrl-C comes twice where npm passes it on as well.
    if (isStopping) return;
    isStopping = true;
    setTimeout(() => process.exit(1), stopTimeoutMs).unref();
    void leave(broker)
      .then(() => broker.stop())
      .then(
        () => process.exit(0),
        () => process.exit(1),
      );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  await broker.start();
}

async function leave(broker: ServiceBroker): Promise<void> {
  void broker.broadcastLocal(leavingEvent);
  const here = { nodeID: broker.nodeID, timeout: handOverMs + endMs + 500 };
  await broker.call(drainActions.leaveNow, { handOverMs }, here).catch((error: unknown) => {
    broker.logger.warn('this node could not leave in order', error);
  });
}
