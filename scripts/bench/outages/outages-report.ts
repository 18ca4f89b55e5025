/** Writes the report of `bench outages`, the verdict first. */
import { faults } from '../../audience/check-history.ts';
import { reportText, sentenceOf } from '../../audience/report.ts';
import type { Figure } from '../kept-runs.ts';
import type { OutagesResult } from './outages.ts';

export function outagesReport({ report, outageMs, longestSilenceMs }: OutagesResult): string {
  const { isGood, counts, faults: found } = report;
  const verdict = `of ${counts.acknowledged} acknowledged comments ${found.lost} are lost, ${found.doubled} doubled, ${found.goingBack} going back`;
  return [
    '## bench outages',
    '',
    `**${isGood ? 'Target reached' : 'Target NOT reached'}: ${verdict}, and ${found.wrongLikes} have wrong likes.**`,
    '',
    `Outages of ${outageMs / 1000} s; for at most ${(longestSilenceMs / 1000).toFixed(1)} s nobody was acknowledged anything.`,
    '',
    reportText(report),
    '',
  ].join('\n');
}

export const outagesFigures = ({ report, outageMs, longestSilenceMs }: OutagesResult): readonly Figure[] => [
  ...faults.map((fault) => ({
    what: `comments ${sentenceOf(fault)}`,
    value: report.faults[fault],
    unit: '',
    target: '0',
  })),
  { what: 'comments acknowledged', value: report.counts.acknowledged, unit: '' },
  { what: 'likes answered', value: report.counts.likes, unit: '' },
  { what: 'length of each outage', value: outageMs / 1000, unit: 's' },
  { what: 'longest time without an acknowledgement', value: longestSilenceMs / 1000, unit: 's' },
];
