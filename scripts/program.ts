/** Puts all commands of the `tangaza` command line together. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { benchCommand } from './commands/bench.ts';
import { drainCommand, nodesCommand, regionsCommand, whoCommand } from './commands/cluster.ts';
import { doctorCommand } from './commands/doctor.ts';
import { fuzzCommand } from './commands/fuzz.ts';
import { loadCommand } from './commands/load.ts';
import { migrateCommand } from './commands/migrate.ts';
import { modeCommand } from './commands/mode.ts';
import { auditCommand, usersCommand } from './commands/moderation.ts';
import { nodeCommand } from './commands/node.ts';
import { releaseCommand } from './commands/release.ts';
import { simulateCommand } from './commands/simulation/simulate.ts';
import { streamsCommand } from './commands/streams.ts';
import { tokenCommand } from './commands/token.ts';
import { upCommand } from './commands/up.ts';

/** Wrong use is thrown as a CommanderError, after stderr has shown it. */
export function makeProgram(): Command {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const program = new Command('tangaza')
    .description('Distributed live media: RTMP in, adaptive DASH and HLS out, on air when nodes die.')
    .version(String(version))
    .addCommand(upCommand())
    .addCommand(nodeCommand())
    .addCommand(migrateCommand())
    .addCommand(streamsCommand())
    .addCommand(tokenCommand())
    .addCommand(modeCommand())
    .addCommand(auditCommand())
    .addCommand(usersCommand())
    .addCommand(whoCommand())
    .addCommand(nodesCommand())
    .addCommand(regionsCommand())
    .addCommand(drainCommand())
    .addCommand(releaseCommand())
    .addCommand(loadCommand())
    .addCommand(simulateCommand())
    .addCommand(fuzzCommand())
    .addCommand(benchCommand())
    .addCommand(doctorCommand());
  throwOnWrongUse(program);
  return program;
}

/** Commands that were made apart inherit nothing from their parent, so each one is set up here. */
function throwOnWrongUse(command: Command): void {
  command.exitOverride().showHelpAfterError('(add --help for how to use it)');
  for (const child of command.commands) throwOnWrongUse(child);
}
