/** Writes the report of `bench comments` as Markdown, the verdict first. */
import type { Figure } from '../kept-runs.ts';
import { commentTargets, type CommentsBenchResult, type CommentsCase } from './comments.ts';
import type { Turns } from './turns.ts';

export const commentsReport = ({ cases }: CommentsBenchResult): string => cases.map(caseReport).join('\n');

function caseReport(one: CommentsCase): string {
  const { name, callers, writes, pages, isReached } = one;
  const rows: readonly (readonly [string, Turns])[] = [
    ['comments posted through the API', writes.api],
    ['bare driver, the same statements', writes.driver],
    ["the product's database without the API", writes.store],
    ['first page through the API, from the ring', pages.ring],
    ['first page through the API, from the database', pages.first],
    ['first page of the database', pages.storeFirst],
    ['a page anywhere through the API', pages.anywhere],
    ['a page anywhere of the database', pages.storeAnywhere],
    ['first page of a thread of 20,000 through the API', pages.thread],
    ['first page of that thread of the database', pages.storeThread],
    ['first page of 5,000 siblings through the API', pages.siblings],
    ['first page of those of the database', pages.storeSiblings],
  ];
  return [
    `## bench comments, ${name}`,
    '',
    `**${writes.throughput.toFixed(2)} of the bare driver's throughput (target >= ${commentTargets.throughput}), p99 ${writes.p99.toFixed(2)} times its (target <= ${commentTargets.p99}): ${isReached ? 'reached' : 'NOT reached'}.**`,
    '',
    `Writes by ${callers} callers at once, reads by 4, of a stream of 200,000 comments; one node; load and database on the same machine.`,
    '',
    '| what | per second | p50, ms | p99, ms |',
    '| --- | --- | --- | --- |',
    ...rows.map(
      ([what, { perSecond, p50Ms, p99Ms }]) =>
        `| ${what} | ${perSecond.toFixed(0)} | ${p50Ms.toFixed(1)} | ${p99Ms.toFixed(1)} |`,
    ),
    '',
  ].join('\n');
}

export const commentsFigures = ({ cases }: CommentsBenchResult): readonly Figure[] =>
  cases.flatMap(figuresOf);

/** Each begins with the name of its case (kept-runs.ts). */
function figuresOf(one: CommentsCase): readonly Figure[] {
  const { name, writes, pages } = one;
  const times = (what: string, value: number, target?: string): Figure => ({
    what: `${name}: ${what}`,
    value,
    unit: 'times',
    ...(target === undefined ? {} : { target }),
  });
  const page = (what: string, { p99Ms }: Turns, mostMs: number = commentTargets.pageMs): Figure => ({
    what: `${name}: ${what}: p99`,
    value: p99Ms,
    unit: 'ms',
    target: `<= ${mostMs}`,
  });
  return [
    times(
      "writes through the API, throughput of the bare driver's",
      writes.throughput,
      `>= ${commentTargets.throughput}`,
    ),
    times("writes through the API, p99 of the bare driver's", writes.p99, `<= ${commentTargets.p99}`),
    times(
      "writes through the API, throughput of the database's without it",
      writes.api.perSecond / writes.store.perSecond,
    ),
    {
      what: `${name}: comments posted through the API`,
      value: writes.api.perSecond,
      unit: 'a second',
    },
    {
      what: `${name}: comments written by the bare driver`,
      value: writes.driver.perSecond,
      unit: 'a second',
    },
    page('first page of 200,000 comments from the ring', pages.ring, commentTargets.ringMs),
    page('first page of 200,000 comments from the database', pages.first),
    page('first page of a thread of 20,000', pages.thread),
    page('first page of 5,000 siblings', pages.siblings),
  ];
}
