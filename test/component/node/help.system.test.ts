/** Calls for help on a machine where nothing is installed: the scripts of a fresh checkout, beside no node_modules. */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../../..');
let checkout: string;
let before: readonly string[];

beforeAll(async () => {
  checkout = await mkdtemp(join(tmpdir(), 'tangaza-fresh-'));
  for (const part of ['scripts', 'package.json', 'package-lock.json'])
    await cp(join(root, part), join(checkout, part), { recursive: true });
  before = await readdir(checkout);
});
afterAll(() => rm(checkout, { recursive: true, force: true }));

function run(...words: readonly string[]): Promise<{ readonly code: number; readonly text: string }> {
  return new Promise((done) => {
    const child = execFile('sh', [...words], { cwd: checkout }, (_, stdout, stderr) =>
      done({ code: child.exitCode ?? 255, text: stdout + stderr }),
    );
  });
}

test.each([
  [['scripts/run', 'tangaza', '--help'], 0, 'Usage: tangaza [options] [command]'],
  [['scripts/run', 'tangaza', 'up', '--help'], 0, 'Usage: tangaza up [options]'],
  [['scripts/tangaza', 'help', 'who'], 0, 'Usage: tangaza who [options] <stream>'],
  [['scripts/tangaza', 'streams', 'create', '--help'], 0, 'Usage: tangaza streams create [options] <title>'],
  [['scripts/tangaza', '--version'], 0, '.'],
  [['scripts/tangaza', 'upp'], 2, "error: unknown command 'upp'"],
  [['scripts/tangaza', 'up', '--nodes', '99'], 2, 'It takes a whole number from 1 to 16.'],
  [['scripts/tangaza', 'up', '--regions', '4'], 2, 'It takes a whole number from 1 to 3.'],
  [['scripts/tangaza', 'doctor'], 1, 'run: sh scripts/setup'],
  [['scripts/run', 'test', '--help'], 0, 'every test, or what'],
  [['scripts/setup', '--help'], 0, 'Installs what Tangaza needs'],
  [['-c', 'exec sh scripts/run tangaza --help | true'], 0, ''],
  [['scripts/run', 'nonsense'], 2, 'the CLI'],
] as const)('sh %s installs nothing', async (words, code, text) => {
  expect(await run(...words)).toEqual({ code, text: expect.stringContaining(text) });
  expect(await readdir(checkout)).toEqual(before);
});
