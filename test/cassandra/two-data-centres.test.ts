/**
 * What needs a real Cassandra. It is started once for all of it, as two data centres of one node each; so its parts are functions of other
 * files, called here in order. Those that kill a node come last.
 */
import { afterAll, beforeAll } from 'vitest';
import { openCassandraCommentStore } from '../../actors/comments/store/comment-store.cassandra.ts';
import { systemClock } from '../../cluster/time/clock.system.ts';
import {
  openTestDatabase,
  startTwoDataCentres,
  type TestCassandra,
} from '../support/cassandra/two-data-centres.ts';
import type { Subject } from '../support/ports/stores/audience-subject.ts';
import { commentContract } from '../support/ports/stores/comment-contract.ts';
import { moderationContract } from '../support/ports/stores/moderation-contract.ts';
import { threadContract } from '../support/ports/stores/thread-contract.ts';
import { faultTests } from './faults.ts';
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

for (const contract of [commentContract, threadContract, moderationContract])
  contract('Cassandra', audienceSubject);

faultTests(started);
