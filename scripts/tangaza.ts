/** The `tangaza` command line. Exit code 0, 1 (failed) or 2 (wrong use). */
import { CommanderError } from 'commander';
import { UnusableError } from '../config/unusable.ts';
import { makeProgram } from './program.ts';

try {
  await makeProgram().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : 2);
  process.stderr.write(`tangaza: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(error instanceof UnusableError ? 2 : 1);
}
