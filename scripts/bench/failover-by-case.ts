/**
 * Cases of `bench failover` one by one (`--case NAME`): real processes are killed and frozen, and what viewers lose by it is counted.
 *
 * Each case has a cluster of its own: three nodes with every role, a nats-server (or three), encoders that send a clip
 * of 640x360 in real time, and the bench's own eyes: it follows the index log, the membership view and the task
 * queue through NATS, and a playlist as a player does. One run is one fault; the cluster is whole again before the
 * next. Times count from just before the signal to when the bench hears of it, so they hold one way through NATS more.
 */
import { cpus, loadavg } from 'node:os';
import { makeFeed } from '../../test/support/media-feed.ts';
import { natsDown60, natsLeaderKilled, natsRestarted, nodesComeAndGo } from './failover-cases-nats.ts';
import { ownerFrozen, ownerKilled, twinKilled, workerKilled, type Figures } from './failover-cases.ts';
import { Rig } from './failover-rig.ts';

export interface CaseBenchOptions {
  /** Default 20. */
  readonly runs?: number;
  /** Only this case; default all. */
  readonly only?: string;
  readonly progress?: (line: string) => void;
}

interface Row {
  readonly figure: string;
  readonly about: string;
  readonly unit: 'ms' | '';
  /** Absent: told, not judged. */
  readonly target?: { readonly of: 'p95' | 'max'; readonly atMost: number };
}

interface Case {
  readonly name: string;
  readonly about: string;
  readonly natsServers: 1 | 3;
  /** Where the case is too long for 20. */
  readonly runs?: number;
  readonly measure: (rig: Rig) => AsyncGenerator<Figures>;
  readonly rows: readonly Row[];
}

const ms = (figure: string, about: string, target?: Row['target']): Row => ({
  ...{ figure, about, unit: 'ms' },
  ...(target === undefined ? {} : { target }),
});
const count = (figure: string, about: string, atMost?: number): Row => ({
  ...{ figure, about, unit: '' },
  ...(atMost === undefined ? {} : { target: { of: 'max', atMost } }),
});
const noStall = ms('stallMs', 'stall of a player with 8 s of buffer', { of: 'max', atMost: 0 });
const natsRows = [
  count('ownershipChanges', 'ownership changes', 0),
  count('lost', 'source segments lost', 0),
  count('doubled', 'segments doubled', 0),
  count('discontinuities', 'discontinuities', 0),
];
/** C8 gives 5 s. */
const backlog = ms('backlogMs', 'server back to first commit in time', { of: 'max', atMost: 5000 });
/** From the death, for nobody outside sees when the next leader serves: the outage is in it, so 5 s do not apply. */
const leaderBacklog = ms('backlogMs', "leader's death to first commit in time");

const cases: readonly Case[] = [
  {
    name: 'owner-kill',
    about: 'SIGKILL of the owner, which has the only publisher',
    natsServers: 1,
    measure: ownerKilled,
    rows: [
      ms('effectiveMs', 'new owner effective', { of: 'p95', atMost: 2000 }),
      ms('declaredDeadMs', 'declared dead'),
      count('lost', 'logged sources lost, holes in a period', 0),
      count('doubled', 'segments doubled', 0),
      count('discontinuities', 'single ingest: discontinuities', 1),
      count('numberFaults', 'single ingest: sequence faults', 0),
      noStall,
    ],
  },
  {
    name: 'owner-freeze',
    about: 'SIGSTOP of the owner, SIGCONT 1 s after it has a successor',
    natsServers: 1,
    measure: ownerFrozen,
    rows: [
      ms('effectiveMs', 'new owner effective', { of: 'p95', atMost: 3000 }),
      ms('declaredDeadMs', 'declared dead'),
      count('staleAccepted', 'stale records in the log after SIGCONT', 0),
      count('lost', 'segments lost', 0),
      count('doubled', 'segments doubled', 0),
      count('discontinuities', 'discontinuities'),
    ],
  },
  {
    name: 'worker-kill',
    about: 'SIGKILL of a worker while it encodes',
    natsServers: 1,
    measure: workerKilled,
    rows: [
      ms('redispatchMs', 'verdict to re-dispatch', { of: 'p95', atMost: 1000 }),
      ms('declaredDeadMs', 'declared dead'),
      ms('sinceKillMs', 'kill to re-dispatch'),
      count('lost', 'segments lost', 0),
      count('doubled', 'segments doubled', 0),
      count('absent', 'renditions absent', 0),
      noStall,
    ],
  },
  {
    name: 'twin-kill',
    about: 'dual ingest: SIGKILL of the owner and of the other in turns',
    natsServers: 1,
    measure: twinKilled,
    rows: [
      count('missing', 'segments missing', 0),
      count('doubled', 'segments doubled', 0),
      count('discontinuities', 'discontinuities', 0),
      noStall,
      ms('effectiveMs', 'new owner effective (half of the runs)'),
    ],
  },
  {
    name: 'nats-kill',
    about: 'the only nats-server killed, started again after 1 s',
    natsServers: 1,
    measure: natsRestarted,
    rows: [...natsRows, backlog, noStall],
  },
  {
    name: 'nats-leader',
    about: 'three servers: the leader of the log killed, started again after 2 s',
    natsServers: 3,
    measure: natsLeaderKilled,
    rows: [...natsRows, leaderBacklog, noStall],
  },
  {
    name: 'nodes',
    about: 'six streams: the node with most of them killed, and back as a new boot',
    natsServers: 1,
    measure: nodesComeAndGo,
    rows: [
      count('othersMoved', 'streams of others moved by the leaver', 0),
      count('movedTwice', 'its streams moved more than once', 0),
      count('movedByJoin', 'streams moved by the joiner', 0),
      ms('effectiveMs', 'last of its streams has its new owner'),
    ],
  },
  {
    name: 'nats-60s',
    about: 'the only nats-server gone for 60 s',
    natsServers: 1,
    runs: 1,
    measure: natsDown60,
    rows: [
      ...natsRows,
      backlog,
      ms('stallBeyondOutageMs', 'stall beyond the outage', { of: 'max', atMost: 3000 }),
    ],
  },
];

export const caseNames: readonly string[] = cases.map(({ name }) => name);

interface RowResult {
  readonly case: string;
  readonly figure: string;
  readonly unit: string;
  readonly runs: number;
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
  readonly target: string;
  readonly verdict: 'reached' | 'NOT reached' | 'told';
}

interface CaseResult {
  readonly name: string;
  readonly about: string;
  readonly wantedRuns: number;
  readonly rows: readonly RowResult[];
  /** Raw, in order. */
  readonly runs: readonly Figures[];
  /** What ended the case before its last run. */
  readonly fault?: string;
  /** Of the machine, over the last minute, at the end. */
  readonly load: number;
}

export interface CaseBenchResult {
  readonly cases: readonly CaseResult[];
  readonly cores: number;
  readonly isReached: boolean;
}

export async function benchFailoverCases(options: CaseBenchOptions = {}): Promise<CaseBenchResult> {
  const { progress = () => {} } = options;
  progress('encoding the clip');
  // Longer than the 64 pictures that a twin is looked for in (M2).
  const videoArgs = ['-b:v', '400k', '-maxrate', '500k', '-bufsize', '500k'];
  const feed = await makeFeed({ seconds: 240, size: '640x360', fps: 25, gop: 50, videoArgs });
  const results: CaseResult[] = [];
  for (const one of cases.filter(({ name }) => options.only === undefined || name === options.only)) {
    progress(`${one.name}: ${one.about}`);
    const wantedRuns = options.runs ?? one.runs ?? 20;
    const { runs, fault } = await collect(one, wantedRuns, { feed, natsServers: one.natsServers, progress });
    const rows = one.rows.map((row) => judge(one.name, row, runs));
    const { name, about } = one;
    const load = Math.round((loadavg()[0] ?? 0) * 10) / 10;
    results.push({ name, about, wantedRuns, rows, runs, load, ...(fault === undefined ? {} : { fault }) });
  }
  const isReached = results.every(
    ({ rows, runs, wantedRuns }) =>
      runs.length >= wantedRuns && rows.every(({ verdict }) => verdict !== 'NOT reached'),
  );
  return { cases: results, cores: cpus().length, isReached };
}

async function collect(
  { name, measure }: Case,
  wantedRuns: number,
  options: Parameters<typeof Rig.start>[0],
): Promise<{ readonly runs: readonly Figures[]; readonly fault?: string }> {
  const runs: Figures[] = [];
  try {
    await using rig = await Rig.start(options);
    for await (const figures of measure(rig)) {
      runs.push(figures);
      const shown = Object.entries(figures).map(([figure, value]) => `${figure} ${Math.round(value)}`);
      options.progress(`${name} ${runs.length}/${wantedRuns}: ${shown.join(', ')}`);
      if (runs.length >= wantedRuns) break;
    }
    return { runs };
  } catch (error) {
    const fault = error instanceof Error ? error.message : String(error);
    options.progress(`${name} ended after ${runs.length} runs: ${fault}`);
    return { runs, fault };
  }
}

function judge(name: string, { figure, about, unit, target }: Row, runs: readonly Figures[]): RowResult {
  const values = runs.flatMap((run) => run[figure] ?? []).toSorted((a, b) => a - b);
  const at = (share: number): number =>
    Math.round(values[Math.min(values.length - 1, Math.ceil(share * values.length) - 1)] ?? Number.NaN);
  const found = { p50: at(0.5), p95: at(0.95), max: at(1) };
  const isReached = target === undefined || found[target.of] <= target.atMost;
  return {
    ...{ case: name, figure: about, unit, runs: values.length },
    ...found,
    target: target === undefined ? '' : `${target.of} <= ${target.atMost}${unit === '' ? '' : ` ${unit}`}`,
    verdict: target === undefined ? 'told' : isReached ? 'reached' : 'NOT reached',
  };
}

/** The report as Markdown: the verdict first, the raw runs last. */
export function casesReport(result: CaseBenchResult): string {
  const { cases: found, cores, isReached } = result;
  const lines = found.flatMap(({ rows }) =>
    rows.map(
      (row) =>
        `| ${row.case} | ${row.figure}${row.unit === '' ? '' : `, ${row.unit}`} | ${row.runs} | ${row.p50} | ${row.p95} | ${row.max} | ${row.target} | ${row.verdict} |`,
    ),
  );
  const faults = found.flatMap(({ name, fault, runs }) =>
    fault === undefined ? [] : [`${name} ended after ${runs.length} runs: ${fault}`, ''],
  );
  return [
    '## bench failover, case by case',
    '',
    `**${isReached ? 'Every target is reached' : 'NOT every target is reached'}.**`,
    '',
    ...faults,
    '| case | figure | runs | p50 | p95 | max | target | verdict |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...lines,
    '',
    ...found.map(({ name, about, load }) => `- ${name}: ${about}; load of the machine at its end ${load}`),
    '',
    `Three nodes with every role, nats-server and the encoders share ${cores} cores.`,
    '',
    '```json',
    ...found.map(({ name, runs }) => JSON.stringify({ case: name, runs: runs.map(rounded) })),
    '```',
    '',
  ].join('\n');
}

const rounded = (run: Figures): Figures =>
  Object.fromEntries(Object.entries(run).map(([figure, value]) => [figure, Math.round(value)]));
