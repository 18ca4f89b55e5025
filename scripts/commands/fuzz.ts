/** `tangaza fuzz`: runs mutated sessions of publishers against the ingest, from a seed. */
import { Command } from 'commander';
import { print } from '../client/api.ts';
import { NumberOption } from '../usage/number-option.ts';

interface Flags {
  readonly seed: number;
  readonly seconds: number;
  readonly case?: number;
  readonly json?: true;
}

const count = { least: 0, most: Number.MAX_SAFE_INTEGER, isWhole: true } as const;

export function fuzzCommand(): Command {
  return new Command('fuzz')
    .description(
      'Sessions of publishers, mutated from a seed, against the parsers and a real RTMP listener in this process. Exit code 1 when one breaks more than itself; the command that replays it is printed. Needs what the tests need.',
    )
    .addOption(new NumberOption('--seed <n>', 'the same seed makes the same cases', count).default(1))
    .addOption(new NumberOption('--seconds <n>', 'how long', count).default(60))
    .addOption(new NumberOption('--case <n>', 'only this case', count))
    .option('--json', 'print JSON')
    .action(run);
}

async function run(flags: Flags): Promise<void> {
  const { seed, seconds, case: only, json } = flags;
  // Loaded here, as it needs packages that only tests have.
  const { fuzz, fuzzFeeds } = await import('../fuzz/fuzz.ts');
  const { replayOf } = await import('../fuzz/replay.ts');
  const isShown = json !== true && process.stderr.isTTY;
  const onProgress = (cases: number, heapBytes: number): void =>
    void process.stderr.write(`\r${cases} cases, ${Math.round(heapBytes / 2 ** 20)} MiB `);
  const result = await fuzz(await fuzzFeeds(), {
    seed,
    seconds,
    ...(only === undefined ? {} : { only }),
    ...(isShown ? { onProgress } : {}),
  });
  print(flags, { seed, ...result }, () => {
    const found = result.findings.map((finding) => `${replayOf(seed, finding)}\n`).join('');
    return `${found}${result.cases} cases, ${result.wireCases} over a socket, ${result.findings.length} findings (seed ${seed})\n`;
  });
  process.exitCode = result.findings.length > 0 ? 1 : 0;
}
