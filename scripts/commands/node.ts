/** `tangaza node`: one node, configured by environment and config/ (production). */
import { Command } from 'commander';
import { ConfigError } from '../../config/config.ts';

/** Everything must have stopped by then (issue 4: 10 s). */
const stopTimeoutMs = 9500;

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
    if (isStopping) return;
    isStopping = true;
    setTimeout(() => process.exit(1), stopTimeoutMs).unref();
    broker.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  await broker.start();
}
