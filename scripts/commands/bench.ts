/** `tangaza bench [NAME]`: runs the benchmarks, one at a time. Exit code 0 when the target is reached, 1 when it is not. */
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import type { DatabaseName } from '../bench/comments/tested-database.ts';
import type { CaseResult } from '../bench/failover/failover-report.ts';
import type { Figure } from '../bench/kept-runs.ts';
import type { RegionsCase } from '../bench/regions/regions.ts';
import { table } from '../client/api.ts';
import { NumberOption } from '../usage/number-option.ts';

interface BenchOptions {
  readonly seconds?: number;
  readonly runs?: number;
  readonly case?: string;
  readonly audience?: number;
  readonly database?: DatabaseName;
  readonly json?: true;
}

interface Outcome {
  readonly isReached: boolean;
  /** What `--json` prints. */
  readonly result: object;
  /** Markdown. */
  readonly report: string;
  /** What is kept of it, and told on scripts/bench/README.md. */
  readonly figures: readonly Figure[];
  /** It may have had some of its cases only: the others stay. */
  readonly isPart?: boolean;
}

interface RunOptions {
  readonly seconds?: number;
  readonly runs?: number;
  /** Runs only this case of a benchmark with several cases. */
  readonly only?: string;
  readonly audience?: number;
  readonly database?: DatabaseName;
  readonly progress: (line: string) => void;
  /** Keeps what there is before all of it is there. */
  readonly keep: (outcome: Omit<Outcome, 'report'>) => void;
}

interface Bench {
  readonly name: string;
  readonly about: string;
  readonly target: string;
  /** Says what `--seconds` is the length of. */
  readonly seconds: string;
  readonly run: (options: RunOptions) => Promise<Outcome>;
}

/** Each loads its own code when it runs, as other commands need neither a browser nor an encoder. */
const benches: readonly Bench[] = [
  {
    name: 'transcode',
    about: 'CPU time of the map-reduced ladder against one continuous ffmpeg',
    target: '<= 1.10',
    seconds: 'the clip',
    run: async (options) => {
      const { benchTranscode, transcodeMarkdown, transcodeFigures } = await import('../bench/transcode.ts');
      const result = await benchTranscode(options);
      return {
        result,
        report: transcodeMarkdown(result),
        figures: transcodeFigures(result),
        isReached: result.passed,
      };
    },
  },
  {
    name: 'edge',
    about:
      'requests that one core of the edge serves against a bare uWebSockets.js; nginx and config/front/ beside it',
    target: '>= 0.90 of the bare library',
    seconds: 'one turn',
    run: async (options) => {
      const { benchEdge } = await import('../bench/edge/edge.ts');
      const { edgeFigures, edgeReport } = await import('../bench/edge/edge-report.ts');
      const result = await benchEdge(options);
      return {
        result,
        report: edgeReport(result),
        figures: edgeFigures(result),
        isReached: result.isReached,
      };
    },
  },
  {
    name: 'fanout',
    about:
      "CPU time of the live socket for each delivered message, against `ws` and Socket.IO; an idle socket's memory",
    target: '<= 1/3 of both; see its table',
    seconds: 'one turn; --runs',
    run: async ({ progress, seconds, runs }) => {
      const { benchFanout } = await import('../bench/fanout/fanout.ts');
      const { fanoutFigures, fanoutReport } = await import('../bench/fanout/fanout-report.ts');
      const lengths = {
        ...(seconds === undefined ? {} : { seconds }),
        ...(runs === undefined ? {} : { runs }),
      };
      const result = await benchFanout({ progress, ...lengths });
      return {
        result,
        report: fanoutReport(result),
        figures: fanoutFigures(result),
        isReached: result.isReached,
      };
    },
  },
  {
    name: 'ingest',
    about: 'CPU time of a publisher from RTMP to stored segments and playlists',
    target: '<= 0.8 % of a core',
    seconds: 'the window',
    run: async (options) => {
      const { benchIngest, ingestReport, ingestFigures } = await import('../bench/ingest.ts');
      const result = await benchIngest(options);
      return {
        result,
        report: ingestReport(result),
        figures: ingestFigures(result),
        isReached: result.isReached,
      };
    },
  },
  {
    name: 'live',
    about: 'how far a browser plays behind live; memory of one node with 100 viewers',
    target: '< 300 MB (behind live <= 7 s is told, not judged)',
    seconds: 'the viewing by 100',
    run: async (options) => {
      const { benchLive, liveReport, liveFigures } = await import('../bench/live.ts');
      const result = await benchLive(options);
      return {
        result,
        report: liveReport(result),
        figures: liveFigures(result),
        isReached: result.isReached,
      };
    },
  },
  {
    name: 'page',
    about: 'first paint of the watch page over a slow line with an empty cache, shell and picture',
    target: 'at 1,500 kbit/s shell <= 1 s, picture <= 6 s',
    seconds: 'not used; --runs',
    run: async (options) => {
      const { benchPage, pageReport, pageFigures } = await import('../bench/page.ts');
      const result = await benchPage(options);
      return {
        result,
        report: pageReport(result),
        figures: pageFigures(result),
        isReached: result.isReached,
      };
    },
  },
  {
    name: 'comments',
    about: 'comments through the API against the bare driver; pages of a stream of 200,000',
    target: '>= 0.7 of its throughput, p99 <= 2 times its; pages <= 50 ms, from the ring <= 20 ms',
    seconds: 'not used; --database',
    run: async ({ progress, database }) => {
      const { benchComments } = await import('../bench/comments/comments.ts');
      const { commentsFigures, commentsReport } = await import('../bench/comments/comments-report.ts');
      const result = await benchComments({ progress, database });
      return {
        result,
        report: commentsReport(result),
        figures: commentsFigures(result),
        isPart: true,
        isReached: result.isReached,
      };
    },
  },
  {
    name: 'outages',
    about:
      'what viewers said and liked over kill, freeze and cut of a data centre of Cassandra, a node, an edge and NATS',
    target: '0 lost, 0 doubled, 0 going back, likes equal to the set',
    seconds: 'each outage, 60 by default',
    run: async ({ progress, seconds }) => {
      const { benchOutages } = await import('../bench/outages/outages.ts');
      const { outagesFigures, outagesReport } = await import('../bench/outages/outages-report.ts');
      const result = await benchOutages({ progress, ...(seconds === undefined ? {} : { seconds }) });
      return {
        result: { ...result.report, outageMs: result.outageMs, longestSilenceMs: result.longestSilenceMs },
        report: outagesReport(result),
        figures: outagesFigures(result),
        isReached: result.report.isGood,
      };
    },
  },
  {
    name: 'partition',
    about: 'look-ups per second and keys moved, against a hash ring and Moleculer',
    target: 'none moved for nothing',
    seconds: 'not used',
    run: async ({ progress }) => {
      const { benchPartition, partitionReport, partitionFigures } = await import('../bench/partition.ts');
      const result = await benchPartition(progress);
      return {
        result,
        report: partitionReport(result),
        figures: partitionFigures(result),
        isReached: result.isReached,
      };
    },
  },
  {
    name: 'regions',
    about:
      'two regions: how far the far one is behind, what crosses, a cut of the link, a gateway killed, comments across',
    target: 'of each case: see the table',
    seconds: 'the cut, 60 by default; --runs, --case',
    run: async ({ progress, keep, seconds, runs, only }) => {
      const { benchRegions, regionsCaseNames } = await import('../bench/regions/regions.ts');
      const { regionsFigures, regionsReport } = await import('../bench/regions/regions-report.ts');
      if (only !== undefined && !regionsCaseNames.includes(only))
        throw new InvalidArgumentError(`--case is one of ${regionsCaseNames.join(', ')}`);
      const onCase = (one: RegionsCase): void =>
        keep({
          result: { cases: [one] },
          isReached: one.isReached,
          figures: regionsFigures([one]),
          isPart: true,
        });
      const result = await benchRegions({
        progress,
        onCase,
        ...(seconds === undefined ? {} : { seconds }),
        ...(runs === undefined ? {} : { runs }),
        ...(only === undefined ? {} : { only }),
      });
      return {
        result,
        report: regionsReport(result),
        figures: regionsFigures(result.cases),
        isPart: true,
        isReached: result.isReached,
      };
    },
  },
  {
    name: 'failover',
    about: 'deaths of owners, workers, ingests and NATS on real processes',
    target: 'of each case: see the table',
    seconds: 'not used; --runs, --case, --audience',
    run: async ({ progress, keep, runs, only, audience }) => {
      const { benchFailover } = await import('../bench/failover/failover.ts');
      const { failoverFigures, failoverReport } = await import('../bench/failover/failover-report.ts');
      const { failoverCaseNames } = await import('../bench/failover/failover-catalogue.ts');
      if (only !== undefined && !failoverCaseNames.includes(only))
        throw new InvalidArgumentError(`--case is one of ${failoverCaseNames.join(', ')}`);
      const counts = {
        ...(runs === undefined ? {} : { runs }),
        ...(only === undefined ? {} : { only }),
        ...(audience === undefined ? {} : { audience }),
      };
      const onCase = (one: CaseResult): void =>
        keep({
          result: { cases: [one] },
          isReached: one.isReached,
          figures: failoverFigures([one]),
          isPart: true,
        });
      const result = await benchFailover({ progress, onCase, ...counts });
      return {
        result,
        report: failoverReport(result),
        figures: failoverFigures(result.cases),
        isPart: true,
        isReached: result.isReached,
      };
    },
  },
];

const upToAnHour = { least: 1, most: 3600, isWhole: true } as const;

export const benchNames: readonly string[] = benches.map(({ name }) => name);

export function benchCommand(): Command {
  return new Command('bench')
    .description(
      'Benchmarks side by side with peers, as ratios; lists them without a name. Exit code 1 below the target.',
    )
    .addArgument(new Argument('[name]', 'which one').choices(benchNames))
    .addOption(
      new NumberOption(
        '--seconds <n>',
        'length of what is measured; see the list for what that is',
        upToAnHour,
      ),
    )
    .addOption(
      new NumberOption(
        '--runs <n>',
        'how often each case of `failover` (20 by default) or `fanout` (3), or line of `page` (3), is run; how many gateways of `regions` are killed (3)',
        upToAnHour,
      ),
    )
    .option('--case <name>', 'only this case of `failover` or `regions`; all by default')
    .addOption(
      new NumberOption(
        '--audience <n>',
        'sockets on each stream of `failover`, with 20 comments a second; none by default',
        upToAnHour,
      ),
    )
    .addOption(
      new Option('--database <name>', 'of `comments`; sqlite by default').choices(['sqlite', 'cassandra']),
    )
    .option('--json', 'print JSON')
    .action(bench);
}

async function bench(name: string | undefined, options: BenchOptions, command: Command): Promise<void> {
  const chosen = benches.find((one) => one.name === name);
  if (chosen === undefined) {
    list(options);
    return;
  }
  const { seconds, runs, case: only, audience, database, json } = options;
  const progress = (line: string): void => void process.stderr.write(`· ${line}\n`);
  const { keepRun } = await import('../bench/kept-runs.disk.ts');
  const { writeGeneratedPages } = await import('../readme-tables.ts');
  const words = ['tangaza', ...process.argv.slice(2)].join(' ');
  const keep = ({ result: raw, ...kept }: Omit<Outcome, 'report'>): void => {
    keepRun(chosen.name, { command: words, raw, ...kept });
    writeGeneratedPages();
  };
  const outcome = chosen.run({
    progress,
    keep,
    ...(seconds === undefined ? {} : { seconds }),
    ...(runs === undefined ? {} : { runs }),
    ...(only === undefined ? {} : { only }),
    ...(audience === undefined ? {} : { audience }),
    ...(database === undefined ? {} : { database }),
  });
  const { isReached, result, report, figures, isPart } = await outcome.catch((error: unknown) => {
    // Commander shows only what is wrong while it parses.
    if (error instanceof InvalidArgumentError) return command.error(`error: ${error.message}`);
    throw error;
  });
  keep({ isReached, result, figures, ...(isPart === undefined ? {} : { isPart }) });
  const text = json
    ? JSON.stringify({ bench: chosen.name, isReached, target: chosen.target, result })
    : report.trimEnd();
  process.stdout.write(`${text}\n`);
  process.exitCode = isReached ? 0 : 1;
}

function list({ json }: BenchOptions): void {
  const rows = benches.map(({ name, about, target, seconds }) => ({
    bench: name,
    target,
    about,
    '--seconds': seconds,
  }));
  process.stdout.write(json ? `${JSON.stringify(rows)}\n` : table(rows, 'No benchmarks.'));
}
