/** Help and wrong use where nothing is installed: the same as from commander, which answers elsewhere. */
import { CommanderError, type Command } from 'commander';
import { expect, test } from 'vitest';
import { makeProgram } from '../../../scripts/program.ts';
import { judge } from '../../../scripts/usage/judge.js';
import { usageOf } from '../../../scripts/usage/manifest.ts';

const version = '1.2.3';
const usage = usageOf(makeProgram());

interface Answer {
  readonly isWrong: boolean;
  readonly text: string;
}

/** What commander prints, without its suggestions of a similar name. Nothing given to it here may run. */
async function commanderOn(line: string): Promise<Answer> {
  const program = makeProgram();
  let text = '';
  const hear = (command: Command): void => {
    const write = (words: string): void => void (text += words);
    command.configureOutput({
      writeOut: write,
      writeErr: write,
      getOutHelpWidth: () => 80,
      getErrHelpWidth: () => 80,
    });
    command.commands.forEach(hear);
  };
  hear(program);
  try {
    await program.parseAsync(wordsOf(line), { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return { isWrong: error.exitCode !== 0, text: text.replace(/\(Did you mean .*\)\n/, '') };
  }
  throw new Error(`commander ran: ${line}`);
}

const wordsOf = (line: string): string[] => line.split(' ').filter((word) => word !== '');

test.each([
  ...['', '--help', '-h', 'help', 'help up', 'help streams', 'up --help', 'up -h', 'streams --help'],
  ...['streams create x --help', 'up --nodes 2 --help', 'up --what --help', 'who a b c --help'],
  ...[
    'upp',
    'streams',
    'streams shw',
    'up --foo',
    'up --data',
    'up --nodes 99',
    'up --nodes two',
    'up --nodes=0',
  ],
  ...[
    'up --store x',
    'up extra',
    'who',
    'who a b',
    'bench nope',
    'bench edge --seconds 0',
    'simulate --hours 0',
  ],
  ...['up --regions 4', 'doctor --for x', 'streams create', 'who -- -a -b'],
])('tangaza %s', async (line) => {
  const verdict = judge(usage, wordsOf(line), version);
  expect(verdict).toMatchObject({ text: expect.any(String) });
  const text = 'text' in verdict ? verdict.text : '';
  expect({ isWrong: verdict.kind === 'wrong', text }).toEqual(await commanderOn(line));
});

test.each([
  ...[
    'up',
    'up --nodes 3 --json',
    'up --data=--help',
    'up --data --help',
    'who demo',
    'who -- --help',
    'bench',
  ],
  ...['bench edge --seconds 5', 'streams list', 'simulate --seed 7 --hours 0.5', 'node'],
])('tangaza %s is to be run', (line) => {
  expect(judge(usage, wordsOf(line), version)).toEqual({ kind: 'run' });
});

test('help for a command that is not there is wrong use', () => {
  expect(judge(usage, ['help', 'nothing'], version)).toMatchObject({ kind: 'wrong' });
});

test('the version is printed', () => {
  expect(judge(usage, ['--version'], version)).toEqual({ kind: 'print', text: '1.2.3\n' });
});
