/**
 * The drivers with the same tables and statements as the comments' databases, in this thread, as a server uses them that just calls the driver:
 * `node:sqlite` with a transaction for each comment, `cassandra-driver` with a request for each statement or batch.
 */
import { backup, DatabaseSync } from 'node:sqlite';
import { Client, types } from 'cassandra-driver';
import type { Database } from '../../../cluster/cassandra/database.cassandra.ts';
import type { CassandraSettings } from '../../../cluster/cassandra/settings.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { openCassandraCommentStore } from '../../../actors/comments/store/comment-store.cassandra.ts';
import type { CommentBody } from '../../../actors/comments/store/comment-store.ts';
import { openCommentDatabase } from '../../../actors/comments/store/sqlite/open-database.sqlite.ts';
import { operationsOn } from '../../../actors/comments/store/sqlite/operations.sqlite.ts';

export interface BareDriver extends AsyncDisposable {
  add(body: CommentBody): Promise<void>;
}

/**
 * One behind the other, as a synchronous driver has it; in a file of its own that has what is in the node's, as a commit costs more in a large
 * file.
 */
export async function openBareSqlite(file: string, nodesFile: string): Promise<BareDriver> {
  const source = new DatabaseSync(nodesFile, { readOnly: true });
  await backup(source, file);
  source.close();
  const database = openCommentDatabase(file, () => 'bench');
  const operations = operationsOn(database);
  return {
    add: async (body) => {
      // As if it had come in by a socket: others that came before have their turn.
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      database.transaction(() => operations.add(body, { isHeld: false, nowMs: Date.now() }));
    },
    [Symbol.asyncDispose]: async () => database.close(),
  };
}

/** Without the product's gate, circuit and second tries. */
export function openBareCassandra({ dataCentres: [centre], keyspace }: CassandraSettings): BareDriver {
  if (centre === undefined) throw new Error('there is no data centre');
  const client = new Client({
    contactPoints: [...centre.contactPoints],
    localDataCenter: centre.name,
    keyspace,
    queryOptions: { consistency: types.consistencies.localQuorum, prepare: true },
  });
  const run = async (query: string, values: readonly unknown[]) =>
    (await client.execute(query, [...values])).rows;
  const none = (): never => {
    throw new Error('a comment needs no lightweight transaction');
  };
  const database: Database = {
    dataCentres: [],
    run,
    runTogether: async (statements) => {
      const queries = statements.map(({ query, values }) => ({ query, params: [...values] }));
      await client.batch(queries, { prepare: true, logged: true });
      return centre.name;
    },
    agree: none,
    readAgreed: none,
    onBack: () => () => {},
    close: () => client.shutdown(),
  };
  const store = openCassandraCommentStore(database, systemClock);
  return {
    add: async (body) => {
      await store.add(body, { isHeld: false, nowMs: Date.now() });
    },
    [Symbol.asyncDispose]: async () => {
      await store.close();
      await database.close();
    },
  };
}
