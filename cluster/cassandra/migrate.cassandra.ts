/**
 * Brings the schema of a database up to date: `tangaza migrate`, and a demo that starts.
 *
 * 1. Every node of every data centre must answer.
 * 2. One migrates at a time, by a lightweight transaction that ends by itself after two minutes.
 * 3. Each statement is followed by agreement of all nodes on the schema. Then it is noted down, in every data centre.
 */
import { randomUUID } from 'node:crypto';
import { errors, types, type Client, type QueryOptions } from 'cassandra-driver';
import { z } from 'zod';
import { TangazaError } from '../errors/tangaza-error.ts';
import type { Clock } from '../time/clock.ts';
import { clientOf } from './client.cassandra.ts';
import type { Database } from './database.cassandra.ts';
import { faultOf, refusalOf, whyOf } from './faults.cassandra.ts';
import {
  newestOf,
  planOf,
  statementFor,
  unfitFor,
  UnusableCluster,
  type Applied,
  type Migration,
} from './migrations.ts';
import { versionsOf, type Reached } from './schema-nodes.cassandra.ts';
import type { CassandraSettings } from './settings.ts';

export interface MigrationReport {
  readonly keyspace: string;
  /** The version of the schema then. */
  readonly version: number;
  /** Those that were run now, in order. */
  readonly ran: readonly string[];
}

interface Ports {
  readonly clock: Pick<Clock, 'sleep' | 'monotonicMs'>;
  /** Told of each step, as a sentence without a full stop. */
  readonly say?: (line: string) => void;
}

/** A node that could not be asked for its schema is asked again by the others after a minute. This bears two such tries. */
const agreeWithinMs = 150_000;
const lockSeconds = 120;
const lockWithinMs = 130_000;
const pauseMs = 250;
/** They agree within some tens of ms. */
const agreePauseMs = 50;
/** A change of the schema is slower than a request. */
const ddl: QueryOptions = { prepare: false, isIdempotent: false, readTimeout: 20_000 };
const agreed: QueryOptions = { isIdempotent: false, readTimeout: 20_000 };
const LockRow = z.object({ owner: z.string() });
const everywhere: QueryOptions = { consistency: types.consistencies.eachQuorum, readTimeout: 20_000 };

const earlyCodes: ReadonlySet<number> = new Set([types.responseErrorCodes.configError]);

const ownTables = [
  `CREATE TABLE IF NOT EXISTS schema_migrations (
    part tinyint, version int, name text, sha256 text, at timestamp,
    PRIMARY KEY (part, version)
  ) WITH id = {id}`,
  `CREATE TABLE IF NOT EXISTS schema_lock (
    name text PRIMARY KEY, owner text
  ) WITH id = {id}`,
];
const AppliedRow = z.object({ version: z.number(), name: z.string(), sha256: z.string() });
const selectApplied = 'SELECT version, name, sha256 FROM schema_migrations WHERE part = 0';

/**
 * @param known all migrations that there are
 * @throws UnusableCluster with what is wrong with the database: a node is away, its schema is newer, or a migration differs
 */
export async function migrate(
  settings: CassandraSettings,
  known: readonly Migration[],
  ports: Ports,
): Promise<MigrationReport> {
  await using clients = new AsyncDisposableStack();
  const reached = settings.dataCentres.map((centre) => {
    const { keyspace: _, ...rest } = settings;
    const client = clientOf(centre, rest);
    clients.defer(() => client.shutdown());
    return { centre, client };
  });
  await Promise.all(reached.map(mustConnect));
  await mustAgree(reached, settings, ports);
  const [own] = reached;
  if (own === undefined) throw new UnusableCluster('no data centre is named: set TANGAZA_CASSANDRA');
  const site: Site = { ...ports, client: own.client, reached, settings };
  await makeKeyspace(site);
  for (const table of ownTables) await change(site, table);
  const owner = randomUUID();
  await lock(site, owner);
  try {
    return await runAll(site, known, owner);
  } finally {
    // Where nobody hears of it, the lock ends by itself.
    await own.client
      .execute('DELETE FROM schema_lock WHERE name = ? IF owner = ?', ['migrate', owner], agreed)
      .catch(() => {});
  }
}

/**
 * Looks whether a node can work with the schema that the database has.
 *
 * @returns what is wrong, and what to do; undefined when nothing is
 * @throws TangazaError `UNAVAILABLE` when it does not answer
 */
export async function unfitSchema(
  database: Pick<Database, 'run'>,
  known: readonly Migration[],
): Promise<string | undefined> {
  try {
    const rows = await database.run(selectApplied, []);
    return unfitFor(
      known,
      rows.map((row) => AppliedRow.parse(row)),
    );
  } catch (error) {
    if (error instanceof TangazaError || faultOf(error) !== 'ours') throw error;
    const why = error instanceof Error ? error.message : String(error);
    return `the database cannot be used (${why}): run tangaza migrate`;
  }
}

interface Site extends Ports {
  readonly client: Client;
  readonly reached: readonly Reached[];
  readonly settings: CassandraSettings;
}

async function mustConnect({ client, centre }: Reached): Promise<void> {
  await client.connect().catch((error: unknown) => {
    const refusal = refusalOf(error);
    if (refusal !== undefined)
      throw new UnusableCluster(`data centre ${centre.name} lets nobody in: ${refusal}`, { cause: error });
    throw new UnusableCluster(
      `data centre ${centre.name} does not answer at ${centre.contactPoints.join(', ')} (${whyOf(error)}): migrations are run when all data centres are there`,
      { cause: error },
    );
  });
}

async function makeKeyspace(site: Site): Promise<void> {
  const { client, reached, settings, say } = site;
  const { keyspace, replication } = settings;
  const copies = reached.map(({ centre }) => `'${centre.name}': ${replication}`).join(', ');
  const wanted = `{'class': 'NetworkTopologyStrategy', ${copies}}`;
  await onceKnown(site, `CREATE KEYSPACE IF NOT EXISTS ${keyspace} WITH replication = ${wanted}`);
  const query = 'SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = ?';
  const row = (await client.execute(query, [keyspace])).first();
  const is = z.object({ replication: z.record(z.string(), z.string()) }).parse(row).replication;
  const names = Object.keys(is).filter((name) => name !== 'class');
  const isRight =
    names.length === reached.length && reached.every(({ centre }) => is[centre.name] === String(replication));
  if (!isRight) {
    await onceKnown(site, `ALTER KEYSPACE ${keyspace} WITH replication = ${wanted}`);
    say?.(`keyspace ${keyspace} is kept on other nodes now: run nodetool repair on each node`);
  }
  await client.execute(`USE ${keyspace}`, [], { prepare: false });
}

/** A node that has just started refuses a keyspace in a data centre of which it has not heard all yet. */
async function onceKnown({ client, clock }: Site, statement: string): Promise<void> {
  const untilMs = clock.monotonicMs() + agreeWithinMs;
  for (;;) {
    try {
      await client.execute(statement, [], ddl);
      return;
    } catch (error) {
      const isEarly = error instanceof errors.ResponseError && earlyCodes.has(error.code);
      if (!isEarly || clock.monotonicMs() >= untilMs) throw error;
    }
    await clock.sleep(pauseMs);
  }
}

async function runAll(site: Site, known: readonly Migration[], owner: string): Promise<MigrationReport> {
  const { client, say } = site;
  const { rows } = await client.execute(selectApplied);
  const applied: readonly Applied[] = rows.map((row) => AppliedRow.parse(row));
  const plan = planOf(known, applied);
  if (plan.kind !== 'run') throw new UnusableCluster(unfitFor(known, applied));
  for (const { version, name, sha256, statements } of plan.migrations) {
    await keepLock(site, owner);
    for (const statement of statements) await change(site, statement);
    await client.execute(
      'INSERT INTO schema_migrations (part, version, name, sha256, at) VALUES (0, ?, ?, ?, ?)',
      [version, name, sha256, new Date()],
      everywhere,
    );
    say?.(`migration ${version} (${name}) is done`);
  }
  const ran = plan.migrations.map(({ version, name }) => `${String(version).padStart(3, '0')}-${name}`);
  return { keyspace: site.settings.keyspace, version: newestOf(known), ran };
}

async function change(site: Site, statement: string): Promise<void> {
  await site.client.execute(statementFor(site.settings.keyspace, statement), [], ddl);
  await mustAgree(site.reached, site.settings, site);
}

/** @throws UnusableCluster when not all nodes have the same schema in time */
async function mustAgree(
  reached: readonly Reached[],
  settings: CassandraSettings,
  ports: Ports,
): Promise<void> {
  const { clock } = ports;
  const untilMs = clock.monotonicMs() + agreeWithinMs;
  for (;;) {
    const versions = await versionsOf(reached, settings);
    if (versions.size === 1) return;
    if (clock.monotonicMs() >= untilMs)
      throw new UnusableCluster(
        `the nodes have not agreed on one schema within ${agreeWithinMs / 1000} s (${[...versions].join(', ')}): look at them with nodetool describecluster, then run tangaza migrate again`,
      );
    await clock.sleep(agreePauseMs);
  }
}

async function lock({ client, clock, say }: Site, owner: string): Promise<void> {
  const untilMs = clock.monotonicMs() + lockWithinMs;
  const query = `INSERT INTO schema_lock (name, owner) VALUES (?, ?) IF NOT EXISTS USING TTL ${lockSeconds}`;
  let hasSaid = false;
  for (;;) {
    const holder = await client.execute(query, ['migrate', owner], agreed).then(holderOf, unlessLate);
    // A try whose answer was lost may have taken it.
    if (holder === owner) return;
    if (holder !== undefined && !hasSaid) say?.('another one migrates this database; waiting for it');
    hasSaid ||= holder !== undefined;
    if (clock.monotonicMs() >= untilMs)
      throw new UnusableCluster('another one migrates this database and does not end: try again later');
    await clock.sleep(pauseMs);
  }

  function holderOf(result: types.ResultSet): string | undefined {
    return result.wasApplied() ? owner : LockRow.parse(result.first()).owner;
  }
}

/** Nodes that are busy do not agree in time, and a try that comes later finds out what became of it. */
function unlessLate(error: unknown): undefined {
  if (faultOf(error) !== 'unreachable') throw error;
}

async function keepLock({ client, clock }: Site, owner: string): Promise<void> {
  const untilMs = clock.monotonicMs() + agreeWithinMs;
  const query = `UPDATE schema_lock USING TTL ${lockSeconds} SET owner = ? WHERE name = ? IF owner = ?`;
  for (;;) {
    const result = await client.execute(query, [owner, 'migrate', owner], agreed).catch(unlessLate);
    if (result?.wasApplied() === true) return;
    if (result !== undefined)
      throw new UnusableCluster(
        'this migration took too long and another one went on: run tangaza migrate again',
      );
    if (clock.monotonicMs() >= untilMs)
      throw new UnusableCluster(
        `the nodes have not agreed on who migrates within ${agreeWithinMs / 1000} s: run tangaza migrate again when they are less busy`,
      );
    await clock.sleep(pauseMs);
  }
}
