/** The files of kept-runs.ts: read for the page, written by each benchmark that ran, with date, commit, command and machine. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { KeptRuns, withRun, type Figure, type Run } from './kept-runs.ts';

const fileOf = (bench: string): string => join(import.meta.dirname, 'results', `${bench}.json`);

/** @returns undefined when it never ran @throws Error when the file is not what a benchmark wrote */
export function readKept(bench: string): KeptRuns | undefined {
  const file = fileOf(bench);
  return existsSync(file) ? KeptRuns.parse(JSON.parse(readFileSync(file, 'utf8'))) : undefined;
}

export interface Measured {
  readonly command: string;
  readonly isReached: boolean;
  readonly figures: readonly Figure[];
  readonly raw: object;
  /** It had some of the cases: the others stay. */
  readonly isPart?: boolean;
}

export function keepRun(bench: string, { command, isReached, figures, raw, isPart }: Measured): void {
  const run: Run = {
    date: new Date().toISOString(),
    commit: commitOf(),
    command,
    machine: `${availableParallelism()} x ${cpus()[0]?.model ?? 'a processor without a name'}`,
    load: loadavg()[0] ?? null,
    isReached,
    figures: [...figures],
    raw,
  };
  writeFileSync(fileOf(bench), `${JSON.stringify(withRun(readKept(bench), run, isPart), undefined, 2)}\n`);
}

/** Whatever was not committed was measured, too: `+`. */
function commitOf(): string {
  const git = (...args: readonly string[]): string =>
    execFileSync('git', [...args], { cwd: import.meta.dirname, encoding: 'utf8', timeout: 5000 }).trim();
  try {
    const isChanged = git('status', '--porcelain', '--untracked-files=no') !== '';
    return `${git('rev-parse', '--short', 'HEAD')}${isChanged ? '+' : ''}`;
  } catch {
    return 'unknown';
  }
}
