import { expect, test } from 'vitest';
import { parseMigration, planOf, statementFor, unfitFor } from '../../../../cluster/cassandra/migrations.ts';

const one = parseMigration('001-one.cql', 'CREATE TABLE a (x int PRIMARY KEY);');
const two = parseMigration('002-two.cql', 'CREATE TABLE b (x int PRIMARY KEY);');

test('a file is cut into its statements, without comments', () => {
  const text =
    '-- first; a table\nCREATE TABLE a (\n  x int PRIMARY KEY -- of whole numbers\n);\n\n-- second\nDROP TABLE b;\n';
  expect(parseMigration('007-two-things.cql', text)).toMatchObject({
    version: 7,
    name: 'two-things',
    statements: ['CREATE TABLE a (\n  x int PRIMARY KEY -- of whole numbers\n)', 'DROP TABLE b'],
  });
});

test('a file that is named otherwise, or has no statement, is refused', () => {
  expect(() => parseMigration('1-a.cql', 'SELECT 1;')).toThrow('001-name.cql');
  expect(() => parseMigration('001-a.cql', '-- nothing;\n')).toThrow('no statement');
});

test('what was not run is run, in order', () => {
  expect(planOf([two, one], [])).toEqual({ kind: 'run', migrations: [one, two] });
  expect(planOf([one, two], [one])).toEqual({ kind: 'run', migrations: [two] });
  expect(planOf([one, two], [two, one])).toEqual({ kind: 'run', migrations: [] });
});

test('a newer schema, and a migration with other statements, are refused', () => {
  expect(planOf([one], [one, two])).toEqual({ kind: 'newer', version: 2 });
  const other = { ...one, sha256: 'another' };
  expect(planOf([one, two], [other])).toEqual({ kind: 'changed', migration: other });
});

test('a node is told what is wrong with a schema, and what to do', () => {
  expect(unfitFor([one, two], [one, two])).toBeUndefined();
  expect(unfitFor([one, two], [one])).toContain('run tangaza migrate');
  expect(unfitFor([one], [one, two])).toContain('use a later Tangaza');
  expect(unfitFor([one], [{ ...one, sha256: 'another' }])).toContain('use the one that ran it');
});

test('a table has one id in a keyspace, whoever creates it, and another in another keyspace', () => {
  const idIn = (keyspace: string, table: string) =>
    statementFor(keyspace, `CREATE TABLE IF NOT EXISTS ${table} (x int PRIMARY KEY) WITH id = {id}`).split(
      '= ',
    )[1];
  expect(idIn('tangaza', 'a')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(idIn('tangaza', 'a')).toBe(idIn('tangaza', 'a'));
  expect(new Set([idIn('tangaza', 'a'), idIn('tangaza', 'b'), idIn('other', 'a')]).size).toBe(3);
});
