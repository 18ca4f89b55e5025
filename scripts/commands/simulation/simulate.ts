/** `tangaza simulate`: runs the cluster's core with simulated clocks and a simulated network, seed by seed. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { Command, Option } from 'commander';
import {
  simulate,
  type Sabotage,
  type SimulationOptions,
  type SimulationResult,
} from '../../simulation/simulate.ts';
import { UnusableError } from '../../../config/unusable.ts';
import { print } from '../../client/api.ts';
import { NumberOption } from '../../usage/number-option.ts';
import { regionSabotages, type RegionSabotage } from '../../simulation/regions/simulate-regions.ts';
import { newEdgeFold } from './edge-fold.ts';
import { failedOf, failureLines } from './failed-seeds.ts';
import { runRegions } from './simulate-regions.ts';
import { SimulationNews } from './simulation-news.ts';

interface Flags {
  readonly seed: number;
  readonly seeds: number;
  readonly nodes: number;
  readonly streams: number;
  readonly hours: number;
  readonly regions: number;
  readonly break?: Sabotage | RegionSabotage;
  readonly trace?: true;
  readonly json?: true;
}

const progressEveryMs = 1000;

const count = { least: 1, most: 10_000_000, isWhole: true } as const;
const regions = { least: 1, most: 3, isWhole: true } as const;
const hours = { least: 0.001, most: 1000, isWhole: false } as const;

export function simulateCommand(): Command {
  return new Command('simulate')
    .description(
      'Failure detection, membership view, placement, succession, take-over and the fold of the log, as the product has them, under simulated clocks and a simulated network, with processes that die and freeze and clocks that jump. NATS, and the owner (without media), are models. Exit code 1 when an invariant breaks.',
    )
    .addOption(new NumberOption('--seed <n>', 'first seed; the same seed is the same run', count).default(1))
    .addOption(new NumberOption('--seeds <n>', 'how many seeds from there on', count).default(1))
    .addOption(new NumberOption('--nodes <n>', 'nodes of the region', count).default(12))
    .addOption(new NumberOption('--streams <n>', 'streams on air', count).default(200))
    .addOption(new NumberOption('--hours <n>', 'simulated hours', hours).default(1))
    .addOption(
      new NumberOption(
        '--regions <n>',
        'with 2 or 3: one stream in so many regions, whose links fail; nodes, streams and hours do not count then',
        regions,
      ).default(1),
    )
    .addOption(
      new Option(
        '--break <what>',
        'sabotage that must be found: the log takes every append, fencing trusts wall clocks (one region); with several regions edges do not shift the numbers or dates of another one, owners name periods by their own log alone, an owner that comes back is not relayed to, or a region takes a stream back below the epoch that it gave away',
      ).choices(['clock', ...regionSabotages]),
    )
    .option('--trace', 'prints every event; one seed')
    .option('--json', 'print JSON')
    .action(run);
}

async function run(flags: Flags): Promise<void> {
  if (flags.trace === true && flags.seeds > 1) throw new UnusableError('--trace is for one seed');
  if (flags.regions === 1) return runNodes(flags);
  const { break: what, ...rest } = flags;
  if (what === 'clock') throw new UnusableError('--break clock is for one region: without --regions');
  const failed = runRegions({ ...rest, ...(what === undefined ? {} : { break: what }) });
  process.exitCode = failed > 0 ? 1 : 0;
  return undefined;
}

async function runNodes(flags: Flags): Promise<void> {
  if (flags.break !== undefined && !isOfNodes(flags.break))
    throw new UnusableError(`--break ${flags.break} is for several regions: add --regions 2`);
  const startMs = performance.now();
  const results = flags.trace === true ? [await traced(flags)] : await inThreads(flags);
  const seconds = (performance.now() - startMs) / 1000;
  const failed = failedOf(results);
  const summary = { seeds: results.length, failed: failed.length, seconds, results };
  print(flags, summary, () => report(flags, results, seconds));
  process.exitCode = failed.length > 0 ? 1 : 0;
}

const optionsOf = (flags: Flags, seed: number): Omit<SimulationOptions, 'newFold'> => ({
  seed,
  nodes: flags.nodes,
  streams: flags.streams,
  hours: flags.hours,
  ...(flags.break === undefined || !isOfNodes(flags.break) ? {} : { breaks: flags.break }),
});

const isOfNodes = (what: Sabotage | RegionSabotage): what is Sabotage =>
  what === 'fencing' || what === 'clock';

const traced = (flags: Flags): Promise<SimulationResult> =>
  simulate({
    ...optionsOf(flags, flags.seed),
    newFold: newEdgeFold,
    onTrace: (line) => void process.stderr.write(`${line}\n`),
  });

/** The results of the seeds so far; for those that run, the simulated time that they have reached. */
interface Progress {
  readonly results: SimulationResult[];
  readonly underWayMs: Map<number, number>;
}

/** One thread for each core. Each gets the next seed when it has answered. */
async function inThreads(flags: Flags): Promise<readonly SimulationResult[]> {
  const progress: Progress = { results: [], underWayMs: new Map() };
  let next = flags.seed;
  const end = flags.seed + flags.seeds;
  const shown = setInterval(
    () => process.stderr.write(`${progressLine(flags, progress)}\n`),
    progressEveryMs,
  );
  const runOne = async (): Promise<void> => {
    const worker = new Worker(new URL('simulation-worker.system.ts', import.meta.url));
    try {
      for (let seed = next++; seed < end; seed = next++) {
        progress.results.push(await asked(worker, optionsOf(flags, seed), progress));
        progress.underWayMs.delete(seed);
      }
    } finally {
      await worker.terminate();
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(availableParallelism(), flags.seeds) }, runOne));
  } finally {
    clearInterval(shown);
  }
  return progress.results.toSorted((a, b) => a.seed - b.seed);
}

function asked(
  worker: Worker,
  options: Omit<SimulationOptions, 'newFold'>,
  { underWayMs }: Progress,
): Promise<SimulationResult> {
  return new Promise<SimulationResult>((resolve, reject) => {
    const hear = (raw: unknown): void => {
      const news = SimulationNews.parse(raw);
      if (news.kind === 'progress') return void underWayMs.set(news.seed, news.nowMs);
      worker.off('message', hear);
      worker.off('error', reject);
      resolve(news.result);
    };
    worker.on('message', hear);
    worker.on('error', reject);
    // oxlint-disable-next-line require-post-message-target-origin -- a thread, not a window
    worker.postMessage(options);
  });
}

/** With a large region one seed takes minutes, so its progress is shown. */
function progressLine({ seeds, hours }: Flags, { results, underWayMs }: Progress): string {
  const failed = failedOf(results).length;
  const underWay = [...underWayMs].map(
    ([seed, nowMs]) => `, seed ${seed} at ${Math.round(nowMs / 1000)} of ${Math.round(hours * 3600)} s`,
  );
  return `· ${results.length} of ${seeds} seeds, ${failed} failed${underWay.join('')}`;
}

function report(flags: Flags, results: readonly SimulationResult[], seconds: number): string {
  return [
    `${results.length} seeds (${flags.nodes} nodes, ${flags.streams} streams, ${flags.hours} h each) in ${seconds.toFixed(1)} s`,
    sums(flags, results),
    ...(flags.seeds === 1 ? [`trace ${results[0]?.traceHash}`] : []),
    ...failureLines(results, (seed) => replay(flags, seed)),
    '',
  ].join('\n');
}

function sums({ nodes, streams }: Flags, results: readonly SimulationResult[]): string {
  const sum = (of: (result: SimulationResult) => number): number =>
    results.reduce((total, result) => total + of(result), 0);
  const most = Math.max(...results.map(({ mostOwned }) => mostOwned));
  return [
    `${sum(({ faults }) => faults)} faults`,
    `${sum(({ deaths }) => deaths)} changes of the view`,
    `${sum(({ moves }) => moves)} moves of a stream to another node`,
    `at the end no node owns more than ${most} streams (an even share is ${Math.round((10 * streams) / nodes) / 10})`,
    `${sum(({ events }) => events)} events`,
  ].join(', ');
}

function replay({ nodes, streams, hours, break: what }: Flags, seed: number): string {
  const sabotage = what === undefined ? '' : ` --break ${what}`;
  return `tangaza simulate --seed ${seed} --nodes ${nodes} --streams ${streams} --hours ${hours}${sabotage} --trace`;
}
