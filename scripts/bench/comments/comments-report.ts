/** Writes the report of `bench comments` as Markdown, the verdict first. */
import type { Figure } from '../kept-runs.ts';
import { commentTargets, type CommentsBenchResult } from './comments.ts';
import type { Turns } from './turns.ts';

export function commentsReport(result: CommentsBenchResult): string {
  const { callers, writes, pages, threads, isReached } = result;
  const rows: readonly (readonly [string, Turns])[] = [
    ['comments posted through the API', writes.api],
    ['bare driver, a transaction for each', writes.driver],
    ["the product's database without the API", writes.store],
    ['first page through the API', pages.first],
    ['first page of the database', pages.storeFirst],
    ['a page anywhere through the API', pages.anywhere],
    ['a page anywhere of the database', pages.storeAnywhere],
    ['first page of a thread of 20,000 through the API', threads.first],
    ['first page of that thread of the database', threads.storeFirst],
    ['first page of 5,000 siblings through the API', threads.siblings],
    ['first page of those of the database', threads.storeSiblings],
  ];
  return [
    '## bench comments',
    '',
    `**${throughput(result).toFixed(2)} of the bare driver's throughput (target >= ${commentTargets.throughput}), p99 ${latency(result).toFixed(2)} times its (target <= ${commentTargets.p99}): ${isReached ? 'reached' : 'NOT reached'}.**`,
    '',
    `Writes by ${callers} callers at once, reads by 4, of a stream of 200,000 comments; SQLite, one node, load on the same machine.`,
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

export function commentsFigures(result: CommentsBenchResult): readonly Figure[] {
  const { writes, pages, threads } = result;
  const times = (what: string, value: number, target?: string): Figure => ({
    what,
    value,
    unit: 'times',
    ...(target === undefined ? {} : { target }),
  });
  const page = (what: string, { p99Ms }: Turns): Figure => ({
    what,
    value: p99Ms,
    unit: 'ms',
    target: `<= ${commentTargets.pageMs}`,
  });
  return [
    times(
      "writes through the API: throughput of the bare driver's",
      throughput(result),
      `>= ${commentTargets.throughput}`,
    ),
    times("writes through the API: p99 of the bare driver's", latency(result), `<= ${commentTargets.p99}`),
    times(
      "writes through the API: throughput of the database's without it",
      writes.api.perSecond / writes.store.perSecond,
    ),
    times("writes through the API: p99 of the database's without it", writes.api.p99Ms / writes.store.p99Ms),
    { what: 'comments posted through the API', value: writes.api.perSecond, unit: 'a second' },
    page('first page of 200,000 comments, API: p99', pages.first),
    times("first page, API: p99 of the database's", pages.first.p99Ms / pages.storeFirst.p99Ms),
    times("a page anywhere, API: p99 of the database's", pages.anywhere.p99Ms / pages.storeAnywhere.p99Ms),
    page('first page of a thread of 20,000, API: p99', threads.first),
    page('first page of 5,000 siblings, API: p99', threads.siblings),
  ];
}

const throughput = ({ writes: { api, driver } }: CommentsBenchResult): number =>
  api.perSecond / driver.perSecond;
const latency = ({ writes: { api, driver } }: CommentsBenchResult): number => api.p99Ms / driver.p99Ms;
