/**
 * What needs a real Cassandra. It is started once for all of it, as two data centres of one node each; so its parts are functions of other
 * files, called here in order. Those that kill a node come last.
 */
import { afterAll, beforeAll } from 'vitest';
import { startTwoDataCentres, type TestCassandra } from '../support/cassandra/two-data-centres.ts';
import { migrationTests } from './migrations.ts';

let cassandra: TestCassandra | undefined;
const started = (): TestCassandra => {
  if (cassandra === undefined) throw new Error('Cassandra has not been started');
  return cassandra;
};

beforeAll(async () => {
  cassandra = await startTwoDataCentres();
});
afterAll(() => cassandra?.[Symbol.asyncDispose]());

migrationTests(started);
