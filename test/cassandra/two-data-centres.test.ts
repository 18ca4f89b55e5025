/**
 * What needs a real Cassandra. It is started once for all of it, as two data centres of one node each; so its parts are functions of other
 * files, called here in order. Those that kill a node come last.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openCassandraStreamRegistry } from '../../actors/control/stream-registry.cassandra.ts';
import { openCassandraCommentStore } from '../../actors/comments/store/comment-store.cassandra.ts';
import type { Database } from '../../cluster/cassandra/database.cassandra.ts';
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';
import { StreamId } from '../../cluster/model/ids.ts';
import { systemClock } from '../../cluster/time/clock.system.ts';
import {
  openTestDatabase,
  startTwoDataCentres,
  type TestCassandra,
} from '../support/cassandra/two-data-centres.ts';
import type { Subject } from '../support/ports/stores/audience-subject.ts';
import { commentContract } from '../support/ports/stores/comment-contract.ts';
import { moderationContract } from '../support/ports/stores/moderation-contract.ts';
import {
  streamRegistryContract,
  type Subject as RegistrySubject,
} from '../support/ports/stores/stream-registry-contract.ts';
import { threadContract } from '../support/ports/stores/thread-contract.ts';
import { cutTests } from './cuts.ts';
import { withdrawalContract } from '../support/ports/stores/withdrawal-contract.ts';
import { faultTests } from './faults.ts';
import { illnessTests } from './illnesses.ts';
import { migrationTests } from './migrations.ts';
import { outageTests } from './outages.ts';
import { lostRegionTests, replicationTests } from './replication.ts';

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

async function audienceSubject(): Promise<Subject> {
  const opened = new AsyncDisposableStack();
  const open = async () => {
    const database = openTestDatabase(started().settings());
    opened.defer(() => database.close());
    return openCassandraCommentStore(database, systemClock);
  };
  const stores = [await open(), await open()] as const;
  return { stores, open, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

for (const contract of [commentContract, withdrawalContract, threadContract, moderationContract])
  contract('Cassandra', audienceSubject);

/** Each test begins with an empty one. */
async function registrySubject(): Promise<RegistrySubject> {
  const databases = [
    openTestDatabase(started().settings(0)),
    openTestDatabase(started().settings(0)),
  ] as const;
  await emptyRegistry(databases[0]);
  return {
    registries: [openCassandraStreamRegistry(databases[0]), openCassandraStreamRegistry(databases[1])],
    [Symbol.asyncDispose]: async () => {
      for (const database of databases) await database.close();
    },
  };
}

async function emptyRegistry(database: Database): Promise<void> {
  const keysOf = async (table: string, key: string): Promise<readonly string[]> =>
    (await database.run(`SELECT ${key} FROM ${table}`, [])).map((row) => String(Object(row)[key]));
  for (const [table, key] of [
    ['streams', 'id'],
    ['idempotency', 'key'],
  ] as const)
    for (const value of await keysOf(table, key))
      await database.agree(`DELETE FROM ${table} WHERE ${key} = ? IF EXISTS`, [value]);
  for (const [table, key] of [
    ['streams_by_key', 'key_hash'],
    ['removed_streams', 'id'],
    ['removed_by_key', 'key_hash'],
  ] as const)
    for (const value of await keysOf(table, key))
      await database.run(`DELETE FROM ${table} WHERE ${key} = ?`, [value]);
  for (const table of ['streams_by_age', 'removed_by_age'])
    await database.run(`DELETE FROM ${table} WHERE part = ?`, [0]);
}

streamRegistryContract('Cassandra', registrySubject);

// Goal: viewers of a live stream are not told that it is gone. Method: of a removal all but its last step, the agreement, is done.
test('a stream whose removal failed is no removed one', async () => {
  await using database = asDisposable(openTestDatabase(started().settings()));
  await emptyRegistry(database.opened);
  const registry = openCassandraStreamRegistry(database.opened);
  const failing = openCassandraStreamRegistry(withoutAgreement(database.opened));
  const id = StreamId.parse('one');
  await registry.create({ id, title: 'One', ladder: 'ladder', keyHash: 'hash', keySalt: 'salt', nowMs: 1 });
  await expect(failing.remove(id, 2)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(await registry.removedSince(0)).toEqual([]);
  await registry.remove(id, 3);
  expect(await registry.removedSince(3)).toEqual([{ id, removedAtMs: 3 }]);
});

const asDisposable = (opened: Database) => ({ opened, [Symbol.asyncDispose]: () => opened.close() });

const withoutAgreement = (database: Database): Database => ({
  dataCentres: database.dataCentres,
  run: (query, values) => database.run(query, values),
  runTogether: (statements) => database.runTogether(statements),
  agree: () => Promise.reject(new TangazaError('UNAVAILABLE')),
  readAgreed: (query, values) => database.readAgreed(query, values),
  onBack: (listener) => database.onBack(listener),
  close: () => database.close(),
});

replicationTests(started);
illnessTests(started);
cutTests(started);
faultTests(started);
outageTests(started);
lostRegionTests(started);
