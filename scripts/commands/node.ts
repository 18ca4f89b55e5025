/** `tangaza node`: one node, configured by environment and config/ (production). */
import { Command } from 'commander';
import { ServiceBroker } from 'moleculer';
import { composeNode } from '../../moleculer.config.ts';
import { ConfigError } from '../../config/config.ts';

/** Everything must have stopped by then (issue 4: 10 s). */
const stopTimeoutMs = 9500;

export function nodeCommand(): Command {
  return new Command('node')
    .description('Runs one node until SIGTERM or Ctrl-C. Settings are TANGAZA_… variables: see the README.')
    .action(run);
}

async function run(): Promise<void> {
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
