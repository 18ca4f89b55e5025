/**
 * Benchmark of fail-over: kills and freezes real processes, and measures how long recovery takes and what viewers lose.
 *
 * Each case has its own cluster: three nodes with every role, a nats-server (or three), and encoders that send a clip of 640x360 in real
 * time. The benchmark follows the index log, the membership view and the task queue through NATS, and a playlist as a player does. One run
 * is one fault, and lasts until the cluster is whole again. Times count from just before the signal until the benchmark hears of the
 * result, so they include one way through NATS.
 *
 * A run fails when the benchmark itself has trouble, or when the cluster is not whole within a minute. It is reported with the folder of
 * its logs, and its case does not reach its target.
 *
 * F1. A failed run ends only its own cluster, and the next run begins on a new one. Three in a row end their case, and no other.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeFeed, type Feed } from '../../../test/support/media/media-feed.ts';
import { failoverCases, type FailoverCase } from './failover-catalogue.ts';
import { judge, type CaseResult, type FailoverBenchResult, type Run } from './failover-report.ts';
import { Rig } from './failover-rig.ts';

export interface FailoverBenchOptions {
  /** Runs of each case. By default 20. */
  readonly runs?: number;
  /** Runs only this case. By default all. */
  readonly only?: string;
  /** How many sockets each stream has, with 20 comments a second. By default none. */
  readonly audience?: number | undefined;
  /** Called as soon as a case is through. */
  readonly onCase?: (result: CaseResult) => void;
  readonly progress?: (line: string) => void;
}

interface CaseOptions {
  readonly feed: Feed;
  readonly audience: number | undefined;
  readonly wantedRuns: number;
  readonly progress: (line: string) => void;
}

const defaultRuns = 20;
const faultsInARow = 3;
/** After this many runs in a row that did not show what they should measure, the case ends. */
const missesInARow = 5;

export async function benchFailover(options: FailoverBenchOptions = {}): Promise<FailoverBenchResult> {
  const { progress = () => {}, only, audience } = options;
  progress('encoding the clip');
  // Longer than the 64 pictures among which a twin is looked for (M2).
  const videoArgs = ['-b:v', '400k', '-maxrate', '500k', '-bufsize', '500k'];
  const feed = await makeFeed({ seconds: 240, size: '640x360', fps: 25, gop: 50, videoArgs });
  const cores = cpus().length;
  const cases: CaseResult[] = [];
  for (const one of failoverCases.filter(({ name }) => only === undefined || name === only)) {
    progress(`${one.name}: ${one.about}`);
    const wantedRuns = options.runs ?? one.runs ?? defaultRuns;
    const runs = await collect(one, { feed, audience, wantedRuns, progress });
    const load = Math.round((loadavg()[0] ?? 0) * 10) / 10;
    const name = audience === undefined ? one.name : `${one.name} with ${audience} sockets`;
    const result = judge({ ...one, name }, runs, { wantedRuns, measuredAt: new Date().toISOString(), load });
    cases.push(result);
    options.onCase?.(result);
  }
  return { cases, cores, isReached: cases.every(({ isReached }) => isReached) };
}

/** Collects the runs, on as many clusters as it takes (F1). */
async function collect(one: FailoverCase, options: CaseOptions): Promise<readonly Run[]> {
  const { wantedRuns, progress } = options;
  const runs: Run[] = [];
  while (runs.length < wantedRuns) {
    const dataDir = await mkdtemp(join(tmpdir(), 'tangaza-bench-failover-'));
    try {
      await collectOnOneCluster(one, runs, { ...options, dataDir });
      await rm(dataDir, { recursive: true, force: true });
    } catch (error) {
      await removeAllButLogs(dataDir);
      const fault = `${reasonOf(error)} (${join(dataDir, 'logs')})`;
      progress(`${one.name} ${Math.min(runs.length + 1, wantedRuns)}/${wantedRuns} failed: ${fault}`);
      if (runs.length < wantedRuns) runs.push({ fault });
    }
    if (runs.length >= faultsInARow && runs.slice(-faultsInARow).every((run) => 'fault' in run)) break;
  }
  return runs;
}

/** Adds runs until there are as many as wanted. @throws Error of the run that failed, or of the cluster's end */
async function collectOnOneCluster(
  { name, measure, natsServers }: FailoverCase,
  runs: Run[],
  { feed, audience, wantedRuns, progress, dataDir }: CaseOptions & { readonly dataDir: string },
): Promise<void> {
  await using rig = await Rig.start({ feed, natsServers, dataDir, audience });
  let missed = 0;
  for await (const figures of measure(rig)) {
    if (figures === undefined) {
      missed += 1;
      if (missed > missesInARow) throw new Error(`${missed} runs in a row met nothing to measure`);
      continue;
    }
    missed = 0;
    runs.push({ figures });
    const found = Object.entries(figures).map(([figure, value]) => `${figure} ${Math.round(value)}`);
    progress(`${name} ${runs.length}/${wantedRuns}: ${found.join(', ')}`);
    if (runs.length >= wantedRuns) return;
  }
}

async function removeAllButLogs(dataDir: string): Promise<void> {
  const names = await readdir(dataDir);
  for (const name of names)
    if (name !== 'logs') await rm(join(dataDir, name), { recursive: true, force: true });
}

/** The reason in one line, with its causes. */
function reasonOf(error: unknown): string {
  if (error instanceof SuppressedError) return `${reasonOf(error.suppressed)}; then ${reasonOf(error.error)}`;
  if (!(error instanceof Error)) return String(error);
  const text = error.message.replaceAll(/\s+/g, ' ');
  return error.cause === undefined ? text : `${text}: ${reasonOf(error.cause)}`;
}
