/**
 * Writes commands.json from the commands themselves. That file answers calls for help where nothing is installed. A tidy test compares
 * them.
 */
import { writeFileSync } from 'node:fs';
import type { Argument, Command, Option } from 'commander';
import { makeProgram } from '../program.ts';
import type { Usage, UsageArgument, UsageOption } from './judge.js';
import { NumberOption } from './number-option.ts';

export const manifestUrl = new URL('commands.json', import.meta.url);
/** The width of a terminal that is not known. */
const helpWidth = 80;

/** @param command with its parents, so that its help names the whole command */
export function usageOf(command: Command): Usage {
  command.configureOutput({ getOutHelpWidth: () => helpWidth });
  return {
    name: command.name(),
    help: command.helpInformation(),
    options: command.options.map(optionOf),
    arguments: command.registeredArguments.map(argumentOf),
    commands: command.commands.map(usageOf),
  };
}

function optionOf(option: Option): UsageOption {
  const { flags, long, short, required, optional, argChoices } = option;
  return {
    flags,
    long: long ?? '',
    takesValue: required || optional,
    ...(short === undefined ? {} : { short }),
    ...(argChoices === undefined ? {} : { choices: argChoices }),
    ...(option instanceof NumberOption ? { number: option.rule } : {}),
  };
}

function argumentOf(argument: Argument): UsageArgument {
  const { argChoices, required } = argument;
  return {
    name: argument.name(),
    isRequired: required,
    ...(argChoices === undefined ? {} : { choices: argChoices }),
  };
}

if (import.meta.main) writeFileSync(manifestUrl, `${JSON.stringify(usageOf(makeProgram()), null, 2)}\n`);
