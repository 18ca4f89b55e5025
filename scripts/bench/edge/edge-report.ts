/** Writes the report of `bench edge` as Markdown, the verdict first. */
import { median, sides, waitedOf, type EdgeBenchResult } from './edge.ts';
import type { Figure } from '../kept-runs.ts';

export function edgeReport({ cases, generator, connections, target, isReached }: EdgeBenchResult): string {
  const rows = cases.map(({ name, bytes, ofBare, ofNginx, frontOfNginx, rounds }) => {
    const figures = sides.map((side) => median(rounds.map((round) => round[side].perCpuSecond)).toFixed(0));
    const waited = `${(100 * median(rounds.map(waitedOf))).toFixed(0)} %`;
    const ratios = [`**${ofBare.toFixed(2)}**`, ofNginx.toFixed(2), frontOfNginx.toFixed(2)];
    return `| ${[name, bytes, ...ratios, ...figures, waited].join(' | ')} |`;
  });
  return [
    '## bench edge',
    '',
    `**One core of the edge against one of a bare uWebSockets.js: target of ${target.toFixed(2)} ${isReached ? 'reached' : 'NOT reached'}.**`,
    '',
    `Servers on core 0, load (${generator}, ${connections} keep-alive connections) on core 1, turns interleaved, medians of ${cases[0]?.rounds.length ?? 0} rounds, requests per second of the server's CPU time.`,
    'Waited: share of its time that a server waited for its core; above 10 % the machine was not quiet.',
    '',
    `| reply | bytes | edge / bare | edge / nginx | front / nginx | ${sides.join(' | ')} | waited |`,
    `| --- | --- | --- | --- | --- |${' --- |'.repeat(sides.length)} --- |`,
    ...rows,
    '',
  ].join('\n');
}

/** One of nginx and the front beside what is judged. */
export function edgeFigures({ cases, target }: EdgeBenchResult): readonly Figure[] {
  const unit = 'times';
  const judged = cases.map(({ name, ofBare }) => ({
    what: `${name}: edge of the bare library`,
    value: ofBare,
    unit,
    target: `>= ${target.toFixed(2)}`,
  }));
  const told = cases.flatMap(({ name, ofNginx, frontOfNginx }) => [
    { what: `${name}: edge of nginx`, value: ofNginx, unit },
    { what: `${name}: \`config/front/\` of nginx`, value: frontOfNginx, unit },
  ]);
  return [...judged, ...told];
}
