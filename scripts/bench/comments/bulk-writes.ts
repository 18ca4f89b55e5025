/**
 * Fills Cassandra with the rows of very many comments: the product's own statements, of which all for one partition go together in batches
 * that are not logged. One by one they would take minutes.
 */
import { types, type Client } from 'cassandra-driver';
import { CommentTables } from '../../../actors/comments/store/cassandra/comment-tables.cassandra.ts';
import { Minutes } from '../../../actors/comments/store/cassandra/minutes.cassandra.ts';
import type { CommentBody } from '../../../actors/comments/store/comment-store.ts';
import { clientOf } from '../../../cluster/cassandra/client.cassandra.ts';
import type { Database, Statement } from '../../../cluster/cassandra/database.cassandra.ts';
import type { CassandraSettings } from '../../../cluster/cassandra/settings.ts';
import { takeTurns } from './turns.ts';

const mostInBatch = 40;
const callers = 64;

/** How many of a statement's first values say its partition, by table. */
const partitionValues: Readonly<Record<string, number>> = {
  comments_by_stream: 2,
  comments_by_author: 1,
  comments_by_thread: 2,
  comment_minutes: 2,
  shown_answers: 1,
};

/** Nothing of it is acknowledged before all of it is there. */
export async function fillCassandra(
  settings: CassandraSettings,
  comments: readonly CommentBody[],
): Promise<void> {
  const [centre] = settings.dataCentres;
  if (centre === undefined) throw new Error('there is no data centre');
  const gathered = new Gathered();
  const tables = new CommentTables(gathered.database, new Minutes(gathered.database));
  for (const body of comments) await tables.insert(body, { arrivedAtMs: body.createdAtMs, isHeld: false });
  const client = clientOf(centre, settings);
  try {
    await writeAll(client, gathered.batches());
  } finally {
    await client.shutdown();
  }
}

class Gathered {
  readonly #byPartition = new Map<string, Statement[]>();

  get database(): Database {
    const none = (): never => {
      throw new Error('only writes are gathered');
    };
    const runTogether = async (statements: readonly Statement[]): Promise<string> => {
      for (const statement of statements) this.#add(statement);
      return 'gathered';
    };
    return {
      dataCentres: [],
      run: none,
      runTogether,
      agree: none,
      readAgreed: none,
      onBack: none,
      close: none,
    };
  }

  batches(): readonly (readonly Statement[])[] {
    return [...this.#byPartition.values()].flatMap((all) =>
      Array.from({ length: Math.ceil(all.length / mostInBatch) }, (_, index) =>
        all.slice(index * mostInBatch, (index + 1) * mostInBatch),
      ),
    );
  }

  #add(statement: Statement): void {
    const table = /INSERT INTO (\w+)/.exec(statement.query)?.[1] ?? '';
    const partition = [table, ...statement.values.slice(0, partitionValues[table] ?? 0)].join(' ');
    const all = this.#byPartition.get(partition);
    if (all === undefined) this.#byPartition.set(partition, [statement]);
    else all.push(statement);
  }
}

async function writeAll(client: Client, batches: readonly (readonly Statement[])[]): Promise<void> {
  const options = { prepare: true, logged: false, consistency: types.consistencies.localQuorum };
  await takeTurns({ count: batches.length, callers }, async (index) => {
    const statements = batches[index] ?? [];
    await client.batch(
      statements.map(({ query, values }) => ({ query, params: [...values] })),
      options,
    );
  });
}
