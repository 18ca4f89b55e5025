import { describe, expect, test } from 'vitest';
import { checkLoneIds, checkReferences, checkRules } from './rules.ts';
import { readTree } from './tree.ts';

const files = readTree();
const paths = new Set(files.map(({ path }) => path));
const file = (path: string, text: string) => ({ path, text });
// Made up so that this file cites no rule itself.
const [known, unknown] = ['M', 'C'].map((letter) => `${letter}${90 + 1}`);

test('every rule that is cited is defined on one page, and every rule that is defined is cited', () =>
  expect(checkRules(files)).toEqual([]));
test('every file that a comment or a page names exists', () =>
  expect(checkReferences(files, paths)).toEqual([]));

test('no comment is an id alone', () => expect(checkLoneIds(files)).toEqual([]));

describe('each rule can fail', () => {
  const page = file('cluster/README.md', `### ${known}. It holds\n`);
  const citing = file('cluster/a.ts', `/** It holds (${known}). */\n`);

  test('a rule that is defined nowhere, twice, or cited nowhere', () => {
    expect(checkRules([page, citing])).toEqual([]);
    expect(checkRules([page, citing, file('cluster/b.ts', `// kept by ${unknown}\n`)])).toHaveLength(1);
    expect(checkRules([page, citing, file('actors/README.md', page.text)])).toHaveLength(1);
    expect(checkRules([page])).toHaveLength(1);
  });

  test('a comment or a page that names a file that is not there', () => {
    const there = new Set(['cluster/log/tail.ts']);
    const named = (name: string) => [file('cluster/a.ts', `/** As in ${name}. */\n`)];
    expect(checkReferences(named('tail.ts'), there)).toEqual([]);
    expect(checkReferences(named('log/tail.ts'), there)).toEqual([]);
    expect(checkReferences(named('head.ts'), there)).toHaveLength(1);
    expect(checkReferences([file('README.md', 'See [this](docs/gone.md).\n')], there)).toHaveLength(1);
  });

  test('a comment that is an id alone, on its own line and behind code', () => {
    const found = (text: string) => checkLoneIds([file('cluster/a.ts', text)]).length;
    const [one, two] = ['K', 'L'].map((letter) => `${letter}3`);
    expect(found(`/** ${one}. */\n`)).toBe(1);
    expect(found(`/** ${one}, ${two}. */\n`)).toBe(1);
    expect(found(`  stop(); // ${one}\n`)).toBe(1);
    expect(found(`/** Stops at once (${one}). */\n`)).toBe(0);
  });
});
