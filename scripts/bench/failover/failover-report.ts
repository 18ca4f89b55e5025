/** What `bench failover` concludes from its runs: a verdict on each case, one table, and what is kept of it. */
import type { Figure } from '../kept-runs.ts';
import type { FailoverCase, HarmFigure, TimeFigure } from './failover-catalogue.ts';
import type { Figures } from './failover-harm.ts';

/** A run that measured, or one that failed because of the bench itself. */
export type Run = { readonly figures: Figures } | { readonly fault: string };

/** Statistics of one figure over all runs that have it; null when none has. */
interface Spread {
  readonly about: string;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly max: number | null;
}

interface HarmFound {
  readonly about: string;
  readonly unit: 'ms' | '';
  /** The statistics over all runs. */
  readonly sum: number;
  /** The worst run; null when none has the figure. */
  readonly most: number | null;
}

export interface CaseResult {
  readonly name: string;
  readonly about: string;
  readonly measuredAt: string;
  readonly wantedRuns: number;
  /** ms */
  readonly time: Spread;
  readonly harm: readonly HarmFound[];
  readonly alsoTold: readonly Spread[];
  readonly target: string;
  readonly isReached: boolean;
  /** The load of the machine over the last minute, at the end. */
  readonly load: number;
  /** Raw, in order. */
  readonly runs: readonly Run[];
}

export interface FailoverBenchResult {
  readonly cases: readonly CaseResult[];
  readonly cores: number;
  readonly isReached: boolean;
}

export interface Circumstances {
  readonly wantedRuns: number;
  readonly measuredAt: string;
  readonly load: number;
}

/** A case is reached when each wanted run measured, and every judged figure is within its target. */
export function judge(one: FailoverCase, runs: readonly Run[], circumstances: Circumstances): CaseResult {
  const measured = runs.flatMap((run) => ('figures' in run ? [run.figures] : []));
  const time = spreadOf(one.time, measured);
  const harm = one.harm.map((figure) => harmOf(figure, measured));
  const isWhole = measured.length >= circumstances.wantedRuns && measured.length === runs.length;
  const isUnharmed = one.harm.every(({ atMost }, index) => isWithin(harm[index]?.most, atMost));
  const { target } = one.time;
  const isFast = target === undefined || isWithin(time[target.of], target.atMostMs);
  return {
    name: one.name,
    about: one.about,
    ...circumstances,
    time,
    harm,
    alsoTold: one.alsoTold.map((figure) => spreadOf(figure, measured)),
    target: targetOf(one),
    isReached: isWhole && isFast && isUnharmed,
    runs: runs.map((run) => ('figures' in run ? { figures: rounded(run.figures) } : run)),
  };
}

/** A figure that nobody measured is not within its limit. */
function isWithin(found: number | null | undefined, atMost: number | undefined): boolean {
  if (atMost === undefined) return true;
  return typeof found === 'number' && found <= atMost;
}

function spreadOf({ figure, about }: TimeFigure, runs: readonly Figures[]): Spread {
  const values = valuesOf(figure, runs);
  const at = (share: number): number | null => {
    const value = values[Math.min(values.length - 1, Math.ceil(share * values.length) - 1)];
    return value === undefined ? null : Math.round(value);
  };
  return { about, p50: at(0.5), p95: at(0.95), max: at(1) };
}

function harmOf({ figure, about, unit }: HarmFigure, runs: readonly Figures[]): HarmFound {
  const values = valuesOf(figure, runs).map(Math.round);
  return { about, unit, sum: values.reduce((sum, value) => sum + value, 0), most: values.at(-1) ?? null };
}

/** The values in ascending order, without those that are no numbers. */
const valuesOf = (figure: string, runs: readonly Figures[]): readonly number[] =>
  runs
    .flatMap((run) => run[figure] ?? [])
    .filter(Number.isFinite)
    .toSorted((a, b) => a - b);

function targetOf({ time, harm }: FailoverCase): string {
  const limits = harm.flatMap(({ about, unit, atMost }) => {
    if (atMost === undefined) return [];
    return [`${atMost === 0 ? '' : '<= '}${atMost}${unit === '' ? '' : ` ${unit}`} ${about}`];
  });
  const most = time.target === undefined ? [] : [`${time.target.of} <= ${time.target.atMostMs} ms`];
  return [...most, `each run ${limits.join(', ')}`].join('; ');
}

/** One table, and below it the failures and the other figures. */
export function failoverReport({ cases, cores, isReached }: FailoverBenchResult): string {
  return [
    '## bench failover',
    '',
    `**${isReached ? 'Every target is reached' : 'NOT every target is reached'}.** Three nodes with every role, nats-server and the encoders share ${cores} cores.`,
    '',
    '| case | runs | p50, ms | p95, ms | max, ms | lost, doubled, discontinuities, stalls | target | reached |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...cases.map(lineOf),
    '',
    ...cases.map(noteOf),
    '',
  ].join('\n');
}

function lineOf({ name, time, harm, target, isReached, runs }: CaseResult): string {
  const failed = runs.filter((run) => 'fault' in run).length;
  const told = failed === 0 ? `${runs.length}` : `${runs.length}, ${failed} failed`;
  const cells = [time.p50, time.p95, time.max].map(shown);
  const found = harm.map(({ about, unit, sum, most }) =>
    unit === '' ? `${most === null ? 'none' : sum} ${about}` : `${shown(most)} ${unit} ${about}`,
  );
  const verdict = isReached ? 'yes' : 'NO';
  return `| ${name}: ${time.about} | ${told} | ${cells.join(' | ')} | ${found.join(', ')} | ${target} | ${verdict} |`;
}

const shown = (value: number | null): string => (value === null ? 'none' : String(value));

function noteOf({ name, about, alsoTold, load, runs }: CaseResult): string {
  const told = alsoTold.map(
    ({ about, p50, p95, max }) => `; ${about} ${[p50, p95, max].map(shown).join(' / ')} ms`,
  );
  const faults = runs.flatMap((run, index) =>
    'fault' in run ? [`\n  - run ${index + 1} failed: ${run.fault}`] : [],
  );
  return `- ${name}: ${about}${told.join('')}; load of the machine at its end ${load}${faults.join('')}`;
}

const rounded = (figures: Figures): Figures =>
  Object.fromEntries(Object.entries(figures).map(([figure, value]) => [figure, Math.round(value)]));

export function failoverFigures(cases: readonly CaseResult[]): readonly Figure[] {
  return cases.map(({ name, time, target, runs }) => ({
    what: `${name}: ${time.about}, p95 of ${runs.length}`,
    value: time.p95 ?? Number.MAX_SAFE_INTEGER,
    unit: 'ms',
    target,
  }));
}
