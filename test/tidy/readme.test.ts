import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { catalogue } from '../../cluster/errors/catalogue.ts';
import { envSpec } from '../../config/env.ts';
import { benchNames } from '../../scripts/commands/bench.ts';
import {
  benchesOnPage,
  errorsTable,
  pagesNow,
  settingsTable,
  withTables,
} from '../../scripts/readme-tables.ts';
import { checkCatalogue, checkDependencies, checkVariables, variablesOf } from './readme.ts';
import { readTree } from './tree.ts';

const files = readTree();
const pageOf = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const readme = pageOf('README.md');
const settingsPage = pageOf('config/README.md');
const variables = variablesOf(readFileSync(new URL('../../config/env.ts', import.meta.url), 'utf8'));
const packages = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');

test('the tables of settings and errors on their pages are those of the code (else: npm run fix)', () => {
  for (const { url, tables } of pagesNow()) {
    const page = readFileSync(url, 'utf8');
    expect(page).toBe(withTables(page, tables));
  }
});

test('the page of the benchmarks shows the kept runs of each', () =>
  expect(benchesOnPage.toSorted()).toEqual(benchNames.toSorted()));

test('README is a page that can be read: fewer than 200 lines', () =>
  expect(readme.split('\n').length).toBeLessThan(200));

test('every variable named anywhere is one of config/env.ts', () => {
  expect(variables).toEqual(expect.arrayContaining(Object.keys(envSpec)));
  expect(checkVariables(files, variables)).toEqual([]);
});

test('the page of settings names every variable', () => {
  expect(variables.filter((name) => !settingsPage.includes(`\`${name}\``))).toEqual([]);
});

test('every error code is well-formed and has a type of its own', () => {
  expect(checkCatalogue(catalogue)).toEqual([]);
});

test('the README says of every dependency why it is there', () => {
  expect(checkDependencies(packages, readme)).toEqual([]);
});

describe('each rule can fail', () => {
  test('a README without a variable, with another default, and with one that is gone', () => {
    const spec = { TANGAZA_A: { schema: z.string().default('x'), help: 'A.' } };
    const page = withTables('<!-- settings --><!-- /settings -->', { settings: settingsTable(spec) });
    const other = { TANGAZA_A: { schema: z.string().default('y'), help: 'A.' } };
    expect(page).toContain('| `TANGAZA_A` | string | `x` | A. |');
    expect(withTables(page, { settings: settingsTable(spec) })).toBe(page);
    expect(withTables(page, { settings: settingsTable(other) })).not.toBe(page);
    expect(withTables(page, { settings: settingsTable({}) })).not.toBe(page);
  });

  test('a README without an error, or without its place', () => {
    const errors = { GONE: { status: 410, retry: 'never', title: 'It was here.' } };
    const page = '<!-- errors --><!-- /errors -->';
    expect(withTables(page, { errors: errorsTable(errors) })).toContain(
      '| `GONE` | 410 | never | It was here. |',
    );
    expect(() => withTables('nothing', { errors: '' })).toThrow('<!-- errors -->');
  });

  test('a variable that config/env.ts does not name', () => {
    const path = 'actors/ads/ads.system.ts';
    expect(checkVariables([{ path, text: "process.env['TANGAZA_NOVEL']" }], ['TANGAZA_KNOWN'])).toHaveLength(
      1,
    );
    expect(checkVariables([{ path, text: "process.env['TANGAZA_KNOWN']" }], ['TANGAZA_KNOWN'])).toEqual([]);
  });

  test('a code in another case, a status that is none, two codes of one type', () => {
    const good = { status: 404, retry: 'never', title: 'Not here.' };
    expect(checkCatalogue({ NotFound: good })).toHaveLength(1);
    expect(checkCatalogue({ NOT_FOUND: { ...good, status: 200 } })).toHaveLength(1);
    expect(checkCatalogue({ NOT_FOUND: { ...good, title: '' } })).toHaveLength(1);
    expect(checkCatalogue({ NOT_FOUND: good, NOT__FOUND: good })).toHaveLength(1);
    expect(checkCatalogue({ NOT_FOUND: good })).toEqual([]);
  });

  test('a dependency of which the README says nothing', () => {
    expect(checkDependencies('{ "dependencies": { "left-pad": "1.0.0" } }', '`right-pad`')).toHaveLength(1);
    expect(checkDependencies('{ "devDependencies": { "left-pad": "1.0.0" } }', '`left-pad`')).toEqual([]);
  });
});
