/** `tangaza simulate --regions`: runs one stream in two or three regions whose links fail, seed by seed. */
import { print } from '../../client/api.ts';
import {
  simulateRegions,
  type RegionResult,
  type RegionSabotage,
} from '../../simulation/regions/simulate-regions.ts';
import { failedOf, failureLines } from './failed-seeds.ts';

export interface RegionFlags {
  readonly seed: number;
  readonly seeds: number;
  readonly regions: number;
  readonly break?: RegionSabotage;
  readonly trace?: true;
  readonly json?: true;
}

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
  const failed = failedOf(results);
  const summary = { seeds: results.length, failed: failed.length, seconds, results };
  print(flags, summary, () => report(flags, results, seconds));
  return failed.length;
}

function report(flags: RegionFlags, results: readonly RegionResult[], seconds: number): string {
  const sum = (of: (result: RegionResult) => number): number =>
    results.reduce((total, result) => total + of(result), 0);
  return [
    `${results.length} seeds (one stream in ${flags.regions} regions, 3 min each) in ${seconds.toFixed(1)} s`,
    `${sum(({ faults }) => faults)} faults, ${sum(({ changes }) => changes)} changes of region, ${sum(({ records }) => records)} records`,
    ...failureLines(results, (seed) => replay(flags, seed)),
    '',
  ].join('\n');
}

function replay({ regions, break: what }: RegionFlags, seed: number): string {
  const sabotage = what === undefined ? '' : ` --break ${what}`;
  return `tangaza simulate --seed ${seed} --regions ${regions}${sabotage} --trace`;
}
