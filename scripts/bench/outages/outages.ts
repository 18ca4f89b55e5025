/**
 * What viewers said, and liked, outlives kill, freeze and cut of a data centre, of a node, of an edge and of NATS, judged by the checker of
 * scripts/audience. 120 users comment and like at three edges of a region with two data centres, 50 comments a second. A test runs it as well, with
 * shorter outages and fewer users.
 *
 * Each of the four is broken in each of the three ways, three at once in four rounds; the third node is left alone. After each round the load must go
 * on and all nodes be alive. In the end everybody who watches has heard everything, each edge has all of it, and likes are the users who like.
 *
 * No node starts just after its data centre was frozen or cut off: it would not know that this one lacks something still (A3).
 */
import { join } from 'node:path';
import { migrate } from '../../../cluster/cassandra/migrate.cassandra.ts';
import { readMigrations } from '../../../cluster/cassandra/migrations.disk.ts';
import { systemClock as clock } from '../../../cluster/time/clock.system.ts';
import { startTwoDataCentres, type TestCassandra } from '../../../test/support/cassandra/two-data-centres.ts';
import { allAlive } from '../../../test/support/cluster/live-cluster.ts';
import { waitUntil } from '../../../test/support/wait.ts';
import type { HistoryReport } from '../../audience/check-history.ts';
import {
  startOutagesRig,
  type Fault,
  type FaultKind,
  type Member,
  type OutagesAudience,
  type OutagesRig,
} from './outages-rig.ts';

type Round = readonly (readonly [FaultKind, Member])[];

const rounds: readonly Round[] = [
  [
    ['freeze', 'NATS'],
    ['cut', 'node'],
    ['kill', 'edge'],
  ],
  [
    ['freeze', 'data centre'],
    ['kill', 'NATS'],
    ['freeze', 'edge'],
  ],
  [
    ['kill', 'data centre'],
    ['cut', 'NATS'],
    ['kill', 'node'],
  ],
  [
    ['cut', 'data centre'],
    ['freeze', 'node'],
    ['cut', 'edge'],
  ],
];

const goesOnWithin = { withinMs: 60_000, everyMs: 100 };
const lookEveryMs = 100;

export interface OutagesOptions {
  readonly outageMs: number;
  /** Before a round that is not the first: a data centre that was away is asked again after it has answered for 30 s (A3). */
  readonly restMs: number;
  readonly audience: OutagesAudience;
  readonly progress: (line: string) => void;
}

export interface OutagesResult {
  readonly report: HistoryReport;
  readonly outageMs: number;
  /** The longest time in which nobody was acknowledged a comment. */
  readonly longestSilenceMs: number;
}

/** @throws Error when the load does not go on after a round, or the cluster does not come together */
export async function runOutages(
  cassandra: TestCassandra,
  { outageMs, restMs, audience, progress }: OutagesOptions,
): Promise<OutagesResult> {
  await using rig = await startOutagesRig(cassandra, audience);
  const silence = new Silence(rig);
  const stop = clock.every(lookEveryMs, () => silence.look());
  try {
    await goesOn(rig);
    for (const [index, round] of rounds.entries()) {
      if (index > 0) await clock.sleep(restMs);
      const before = rig.load.counts.acknowledged;
      await breakAndMend(
        round.map(([kind, member]) => rig.faultOf(kind, member)),
        outageMs,
      );
      await goesOn(rig);
      await allAlive(rig.cluster, rig.witness);
      const words = round.map(([kind, member]) => `${kind} of ${member}`).join(', ');
      progress(`${words}: ${rig.load.counts.acknowledged - before} acknowledged until all was well again`);
    }
  } finally {
    stop();
  }
  return { report: await rig.load.end(), outageMs, longestSilenceMs: silence.longestMs };
}

async function breakAndMend(faults: readonly Fault[], outageMs: number): Promise<void> {
  try {
    await Promise.all(faults.map(async (fault) => fault.begin()));
    await clock.sleep(outageMs);
  } finally {
    await Promise.all(faults.map(async (fault) => fault.end()));
  }
}

/** @throws Error when two seconds' comments are not acknowledged within the bound */
async function goesOn({ load, audience }: OutagesRig): Promise<void> {
  const wanted = load.counts.acknowledged + 2 * audience.perSecond;
  await waitUntil(
    `${wanted} comments are acknowledged`,
    () => load.counts.acknowledged >= wanted,
    goesOnWithin,
  );
}

class Silence {
  readonly #rig: OutagesRig;
  #acknowledged = 0;
  #sinceMs = clock.monotonicMs();
  longestMs = 0;

  constructor(rig: OutagesRig) {
    this.#rig = rig;
  }

  look(): void {
    const { acknowledged } = this.#rig.load.counts;
    const nowMs = clock.monotonicMs();
    this.longestMs = Math.max(this.longestMs, nowMs - this.#sinceMs);
    if (acknowledged === this.#acknowledged) return;
    this.#acknowledged = acknowledged;
    this.#sinceMs = nowMs;
  }
}

export interface OutagesBenchOptions {
  /** Of each outage. */
  readonly seconds?: number;
  readonly progress: (line: string) => void;
}

const migrations = join(import.meta.dirname, '../../../config/cassandra');
const defaultSeconds = 60;
const restMs = 40_000;
const audience = { watchers: 12, writers: 108, perSecond: 50 } as const;

export async function benchOutages({
  seconds = defaultSeconds,
  progress,
}: OutagesBenchOptions): Promise<OutagesResult> {
  progress('two data centres start');
  await using cassandra = await startTwoDataCentres();
  await migrate(cassandra.settings(), readMigrations(migrations), { clock });
  return await runOutages(cassandra, { outageMs: 1000 * seconds, restMs, audience, progress });
}
