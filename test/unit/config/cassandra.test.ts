import { expect, test } from 'vitest';
import { ConfigError, loadConfig } from '../../../config/config.ts';

const of = (env: Record<string, string>) => loadConfig({ TANGAZA_REGION: 'region-2', ...env }, 2).cassandra;

test('the data centre of the own region comes first, wherever it is named', () => {
  const { dataCentres } = of({
    TANGAZA_CASSANDRA: 'region-1/10.0.0.1, region-1/10.0.0.2:9043, region-2/10.1.0.1',
  });
  expect(dataCentres).toEqual([
    { name: 'region-2', contactPoints: ['10.1.0.1'] },
    { name: 'region-1', contactPoints: ['10.0.0.1', '10.0.0.2:9043'] },
  ]);
});

test('a node that is named alone is of the own data centre', () => {
  expect(of({ TANGAZA_CASSANDRA: '10.0.0.1' }).dataCentres).toEqual([
    { name: 'region-2', contactPoints: ['10.0.0.1'] },
  ]);
  expect(of({ TANGAZA_CASSANDRA_DATA_CENTRE: 'east', TANGAZA_CASSANDRA: 'west/b,a' }).dataCentres).toEqual([
    { name: 'east', contactPoints: ['a'] },
    { name: 'west', contactPoints: ['b'] },
  ]);
});

test.each([
  ['TANGAZA_CASSANDRA', 'a/b/c'],
  ['TANGAZA_CASSANDRA', ','],
  ['TANGAZA_CASSANDRA', "region'1/host"],
  ['TANGAZA_CASSANDRA_DATA_CENTRE', "region'1"],
  ['TANGAZA_CASSANDRA_KEYSPACE', 'a; DROP KEYSPACE b'],
  ['TANGAZA_CASSANDRA_REPLICATION', '0'],
])('%s=%s is refused by name', (name, value) => {
  expect(() => of({ [name]: value })).toThrow(ConfigError);
  expect(() => of({ [name]: value })).toThrow(`${name}: `);
});
