/** Says in words what `check-history.ts` found. Pure. */
import { faults, type Fault, type HistoryReport } from './check-history.ts';

const sentences: Readonly<Record<Fault, string>> = {
  unread: 'not read to the end',
  away: 'users out of reach in the end',
  lost: 'acknowledged and lost',
  missed: 'acknowledged and never shown to somebody who was there',
  doubled: 'doubled',
  goingBack: 'known to a user and not in a later page of his',
  refusedAndThere: 'refused and yet there',
  changed: 'changed',
  disorder: 'out of order',
  hiddenAndSeen: 'hidden and yet seen',
  wrongLikes: 'with other likes than the set has',
};

/** What the comments are that have it. */
export const sentenceOf = (fault: Fault): string => sentences[fault];

export function reportText(report: HistoryReport): string {
  const { counts, examples, refusals } = report;
  const lines = [
    `${counts.users} users on ${counts.edges} edges: ${counts.comments} comments, ${counts.acknowledged} acknowledged, ` +
      `${counts.refused} refused, ${counts.open} without an answer.`,
    `${counts.joins} sockets, ${counts.frames} messages, ${counts.reads} pages, ${counts.likes} likes.`,
    ...(Object.keys(refusals).length === 0 ? [] : [`Refused: ${listOf(refusals)}.`]),
    ...faults.map((fault) => `${String(report.faults[fault]).padStart(7)} ${sentences[fault]}`),
    ...examples.map(({ fault, comment, what }) => `  ${fault}: ${comment} ${what}`),
    report.isGood ? 'Nothing is lost, doubled or going back.' : 'This is not right.',
  ];
  return lines.join('\n');
}

const listOf = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([code, count]) => `${count} ${code}`)
    .join(', ');
