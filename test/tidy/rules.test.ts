import { describe, expect, test } from 'vitest';
import { checkIdsLast, checkLocalIds, checkLoneIds, checkReferences, checkRules } from './rules.ts';
import { readTree } from './tree.ts';

const files = readTree();
const paths = new Set(files.map(({ path }) => path));
const file = (path: string, text: string) => ({ path, text });
// Made up so that this file cites no rule itself.
const [known, unknown] = ['M', 'C'].map((letter) => `${letter}${90 + 1}`);

test('every rule that is cited is defined on one page, and every rule that is defined is cited', () =>
  expect(checkRules(files)).toEqual([]));
test('every file and every folder that a comment or a page names exists', () =>
  expect(checkReferences(files, paths)).toEqual([]));

test('no comment is an id alone', () => expect(checkLoneIds(files)).toEqual([]));
test('in a comment the sentence comes before the id', () => expect(checkIdsLast(files)).toEqual([]));
test('a local id is unique in its room, cited, shaped like no rule, and cited from elsewhere with its file', () =>
  expect(checkLocalIds(files)).toEqual([]));

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

  test('a comment or a page that names a folder that is not there', () => {
    const there = new Set(['cluster/log/tail.ts', 'scripts/setup']);
    const onPage = (name: string) => checkReferences([file('README.md', `See \`${name}\`.\n`)], there);
    const inCode = (name: string) =>
      checkReferences([file('cluster/a.ts', `/** As in \`${name}\`. */\n`)], there);
    for (const name of ['log/', 'cluster/log/', 'cluster/log', 'scripts/setup', 'a/b', 'node_modules/c/'])
      expect([...onPage(name), ...inCode(name)], name).toEqual([]);
    expect(onPage('clock/')).toHaveLength(1);
    for (const name of ['cluster/clock/', 'cluster/clock', 'log/tail/', 'time/clock/']) {
      expect(onPage(name), name).toHaveLength(1);
      expect(inCode(name), name).toHaveLength(1);
    }
  });

  test('an id of the shape of a region or audience rule that no page defines', () => {
    for (const letter of ['R', 'A'])
      expect(checkRules([file('cluster/a.ts', `/** It holds (${letter}${90 + 1}). */\n`)])).toEqual([
        `cluster/a.ts: ${letter}91 is defined nowhere`,
      ]);
  });

  describe('a local id', () => {
    // Made up so that this file defines and cites none itself.
    const [one, two, shaped] = ['K', 'L', 'R'].map((letter) => `${letter}${2 + 1}`);
    const defining = (id: string | undefined, rest = '') =>
      `/**\n * Holds.\n *\n * ${id}. It holds.\n */\n${rest}`;
    const kept = defining(one, `/** Keeps it (${one}). */\n`);
    const found = (...texts: readonly (readonly [string, string])[]) =>
      checkLocalIds(texts.map(([path, text]) => file(path, text)));

    test('is found in order where its file cites it, or another file with its name', () => {
      expect(found(['cluster/a/a.ts', kept])).toEqual([]);
      expect(
        found(['cluster/a/a.ts', defining(one)], ['cluster/b/b.ts', `// as a.ts ${one} says\n`]),
      ).toEqual([]);
      expect(found(['cluster/a/a.ts', kept], ['cluster/b/b.ts', kept])).toEqual([]);
      expect(found(['actors/a/x/a.ts', kept], ['actors/b/x/b.ts', kept])).toEqual([]);
    });

    test.each([
      ['nobody cites it', [['cluster/a/a.ts', defining(one)]], /nothing cites/],
      [
        'it is cited without its file',
        [['cluster/a/a.ts', `/** Keeps it (${one}). */\n`]],
        /is not defined in this file/,
      ],
      [
        'the named file defines none',
        [['cluster/a/a.ts', `/** Keeps it (${['b', 'ts'].join('.')} ${two}). */\n`]],
        /b\.ts defines no/,
      ],
      [
        'it is defined twice in a cluster folder',
        [
          ['cluster/a/a.ts', kept],
          ['cluster/a/b.ts', kept],
        ],
        /too$/,
      ],
      [
        'it is defined twice in an actor',
        [
          ['actors/a/a.ts', kept],
          ['actors/a/x/b.ts', kept],
        ],
        /too$/,
      ],
      [
        'it has the shape of a rule',
        [['cluster/a/a.ts', kept.replaceAll(String(one), String(shaped))]],
        /shape of a rule/,
      ],
    ] as const)('is found where %s', (_, texts, said) => {
      expect(found(...texts)).toEqual([expect.stringMatching(said)]);
    });
  });

  test('a comment that begins with an id', () => {
    const found = (text: string) => checkIdsLast([file('cluster/a.ts', text)]).length;
    const one = `K${2 + 1}`;
    expect(found(`/** ${one}: stops at once. */\n`)).toBe(1);
    expect(found(`  stop(); // ${one}. Stops at once.\n`)).toBe(1);
    expect(found(`/** Stops at once (${one}). */\n`)).toBe(0);
    expect(found(`/** ${one} gives 5 s. */\n`)).toBe(0);
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
