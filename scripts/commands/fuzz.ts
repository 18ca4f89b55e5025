/** `tangaza fuzz`: mutated sessions of publishers against the ingest, from a seed. */
import { Command, InvalidArgumentError } from 'commander';
import { print } from '../client/api.ts';

interface Flags {
  readonly seed: number;
  readonly seconds: number;
  readonly case?: number;
  readonly json?: true;
}

export function fuzzCommand(): Command {
  return new Command('fuzz')
    .description(
      'Sessions of publishers, mutated from a seed, against the parsers and a real RTMP listener in this process. Exit code 1 when one breaks more than itself; the command that replays it is printed. Needs what the tests need.',
    )
    .option('--seed <n>', 'the same seed makes the same cases', count, 1)
    .option('--seconds <n>', 'how long', count, 60)
    .option('--case <n>', 'only this case', count)
    .option('--json', 'print JSON')
    .action(run);
}

async function run(flags: Flags): Promise<void> {
  const { seed, seconds, case: only, json } = flags;
  // Loaded here, for it needs packages that only tests have.
  const { fuzz, fuzzFeeds } = await import('../fuzz/fuzz.ts');
  const { replayOf } = await import('../fuzz/replay.ts');
  const isShown = json !== true && process.stderr.isTTY;
  const onProgress = (cases: number, heapBytes: number): void =>
    void process.stderr.write(`\r${cases} cases, ${Math.round(heapBytes / 2 ** 20)} MiB `);
  const result = await fuzz(await fuzzFeeds(), {
    ...{ seed, seconds },
    ...(only === undefined ? {} : { only }),
    ...(isShown ? { onProgress } : {}),
  });
  print(flags, { seed, ...result }, () => {
    const found = result.findings.map((finding) => `${replayOf(seed, finding)}\n`).join('');
    return `${found}${result.cases} cases, ${result.wireCases} over a socket, ${result.findings.length} findings (seed ${seed})\n`;
  });
  process.exitCode = result.findings.length > 0 ? 1 : 0;
}

function count(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new InvalidArgumentError('a whole number is wanted');
}
