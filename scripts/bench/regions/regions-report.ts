/** Writes the report of `bench regions`, the verdict first, and what is kept of it. */
import type { Figure } from '../kept-runs.ts';
import type { RegionsCase, RegionsResult } from './regions.ts';

const numbers = new Intl.NumberFormat('en-US', { maximumFractionDigits: 2 });

export function regionsReport({ cases, isReached }: RegionsResult): string {
  const rows = cases.flatMap(({ name, figures }) =>
    figures.map(({ what, value, unit, target = '', isReached: reached }) => {
      const verdict = reached === undefined ? '' : reached ? 'reached' : 'NOT reached';
      return `| ${[name, what, `${numbers.format(value)} ${unit}`.trim(), target, verdict].join(' | ')} |`;
    }),
  );
  return [
    '## bench regions',
    '',
    `**Two regions, a stream watched from afar: targets ${isReached ? 'reached' : 'NOT reached'}.**`,
    '',
    '| case | figure | measured | target | |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

/** What never came has no number in JSON: it is kept as -1. */
const never = -1;

export const regionsFigures = (cases: readonly RegionsCase[]): readonly Figure[] =>
  cases.flatMap(({ name, figures }) =>
    figures.map(({ what, value, unit, target }) => ({
      what: `${name}: ${what}${Number.isFinite(value) ? '' : ' (never: -1)'}`,
      value: Number.isFinite(value) ? value : never,
      unit,
      ...(target === undefined ? {} : { target }),
    })),
  );
