/** `tangaza simulate --regions`: runs one stream in two or three regions whose links fail, seed by seed. */
import { print } from '../../client/api.ts';
import {
  simulateRegions,
  type RegionResult,
  type RegionSabotage,
} from '../../simulation/regions/simulate-regions.ts';

export interface RegionFlags {
  readonly seed: number;
  readonly seeds: number;
  readonly regions: number;
  readonly break?: RegionSabotage;
  readonly trace?: true;
  readonly json?: true;
}

const shownFailures = 10;

/** Prints what broke. @returns how many seeds had violations */
export function runRegions(flags: RegionFlags): number {
  const startMs = performance.now();
  const sabotage = flags.break === undefined ? {} : { breaks: flags.break };
  const traced =
    flags.trace === true ? { onTrace: (line: string) => void process.stderr.write(`${line}\n`) } : {};
  const results: RegionResult[] = [];
  for (let seed = flags.seed; seed < flags.seed + flags.seeds; seed += 1)
    results.push(simulateRegions({ seed, regions: flags.regions, ...sabotage, ...traced }));
  const seconds = (performance.now() - startMs) / 1000;
  const failed = results.filter(({ violations }) => violations.length > 0);
  const summary = { seeds: results.length, failed: failed.length, seconds, results };
  print(flags, summary, () => report(flags, results, seconds));
  return failed.length;
}

function report(flags: RegionFlags, results: readonly RegionResult[], seconds: number): string {
  const failed = results.filter(({ violations }) => violations.length > 0);
  const sum = (of: (result: RegionResult) => number): number =>
    results.reduce((total, result) => total + of(result), 0);
  const lines = failed
    .slice(0, shownFailures)
    .flatMap(({ seed, violations }) => [
      `seed ${seed}:`,
      ...violations.slice(0, 3).map((violation) => `  ${violation}`),
      `  again: ${replay(flags, seed)}`,
    ]);
  return [
    `${results.length} seeds (one stream in ${flags.regions} regions, 3 min each) in ${seconds.toFixed(1)} s`,
    `${sum(({ faults }) => faults)} faults, ${sum(({ changes }) => changes)} changes of region, ${sum(({ records }) => records)} records`,
    failed.length === 0 ? 'no violation' : `${failed.length} seeds with violations`,
    ...lines,
    '',
  ].join('\n');
}

function replay({ regions, break: what }: RegionFlags, seed: number): string {
  const sabotage = what === undefined ? '' : ` --break ${what}`;
  return `tangaza simulate --seed ${seed} --regions ${regions}${sabotage} --trace`;
}
