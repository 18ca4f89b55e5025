import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { makeProgram } from '../../scripts/program.ts';
import { manifestUrl, usageOf } from '../../scripts/usage/manifest.ts';

test('the help that any Node prints is that of the commands (else: npm run fix)', () => {
  expect(JSON.parse(readFileSync(manifestUrl, 'utf8'))).toEqual(usageOf(makeProgram()));
});
