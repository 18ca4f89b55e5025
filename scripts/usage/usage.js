/**
 * Answers calls for help and wrong use of `tangaza` from commands.json, with any Node >= 18 and without packages. Exit code 0: printed; 2:
 * wrong use, shown on stderr; 3: something to run.
 */
import { readFileSync } from 'node:fs';
import { judge } from './judge.js';

const read = (path) => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));

// The reader may stop reading (`| head`). The exit code is right all the same.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

const verdict = judge(read('commands.json'), process.argv.slice(2), read('../../package.json').version);
if (verdict.kind === 'print') process.stdout.write(verdict.text);
if (verdict.kind === 'wrong') process.stderr.write(verdict.text);
process.exitCode = { print: 0, wrong: 2, run: 3 }[verdict.kind];
