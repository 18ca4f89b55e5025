/** A database under test: the product's store in this process beside the node's own, the bare driver, and a quick way to fill it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { AudienceStore } from '../../../actors/comments/store/audience-store.ts';
import { openCassandraCommentStore } from '../../../actors/comments/store/comment-store.cassandra.ts';
import { openSqliteCommentStore } from '../../../actors/comments/store/comment-store.sqlite.ts';
import type { CommentBody } from '../../../actors/comments/store/comment-store.ts';
import { openCassandra } from '../../../cluster/cassandra/database.cassandra.ts';
import type { CassandraSettings } from '../../../cluster/cassandra/settings.ts';
import { silentLogger } from '../../../cluster/observe/logger.ts';
import { noMetrics } from '../../../cluster/observe/metrics.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import type { DemoRegion } from '../../demo/site.ts';
import { openBareCassandra, openBareSqlite, type BareDriver } from './bare-driver.ts';
import { fillCassandra } from './bulk-writes.ts';
import { takeTurns } from './turns.ts';

export const databases = ['sqlite', 'cassandra'] as const;
export type DatabaseName = (typeof databases)[number];

export interface TestedDatabase extends AsyncDisposable {
  readonly name: DatabaseName;
  readonly title: string;
  readonly store: AudienceStore;
  /** To be called when all is filled. */
  openBare(): Promise<BareDriver>;
  fill(comments: readonly CommentBody[]): Promise<void>;
}

/** @param region of the demo cluster that uses it */
export function openTested(
  name: DatabaseName,
  region: Pick<DemoRegion, 'id' | 'dataDir'>,
): Promise<TestedDatabase> {
  return name === 'sqlite' ? openSqlite(region) : openTestedCassandra(region);
}

async function openSqlite({ dataDir }: Pick<DemoRegion, 'dataDir'>): Promise<TestedDatabase> {
  const file = join(dataDir, 'comments.sqlite');
  const store = await openSqliteCommentStore({
    file,
    clock: systemClock,
    metrics: noMetrics,
    logger: silentLogger,
  });
  return {
    name: 'sqlite',
    title: 'SQLite',
    store,
    openBare: () => openBareSqlite(join(dataDir, 'bare.sqlite'), file),
    fill: async (comments) => {
      const nowMs = Date.now();
      await takeTurns({ count: comments.length, callers: 2000 }, async (index) => {
        const body = comments[index];
        if (body !== undefined) await store.add(body, { isHeld: false, nowMs });
      });
    },
    [Symbol.asyncDispose]: () => store.close(),
  };
}

async function openTestedCassandra(region: Pick<DemoRegion, 'id' | 'dataDir'>): Promise<TestedDatabase> {
  const settings = cassandraOf(region);
  const database = openCassandra(settings, { clock: systemClock, logger: silentLogger, metrics: noMetrics });
  const store = openCassandraCommentStore(database, systemClock);
  return {
    name: 'cassandra',
    title: 'Cassandra',
    store,
    openBare: async () => openBareCassandra(settings),
    fill: (comments) => fillCassandra(settings, comments),
    [Symbol.asyncDispose]: async () => {
      await store.close();
      await database.close();
    },
  };
}

const Ports = z.object({ native: z.number() });

/** As the demo has started it. */
function cassandraOf({ id, dataDir }: Pick<DemoRegion, 'id' | 'dataDir'>): CassandraSettings {
  const { native } = Ports.parse(JSON.parse(readFileSync(join(dataDir, 'cassandra-ports.json'), 'utf8')));
  return {
    dataCentres: [{ name: id, contactPoints: [`127.0.0.1:${native}`] }],
    keyspace: 'tangaza',
    replication: 1,
    user: undefined,
    password: undefined,
  };
}
