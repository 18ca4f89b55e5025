/**
 * What a benchmark leaves behind: `results/NAME.json`, one format for all of them, newest run first, one run for each machine.
 * `scripts/bench/README.md` is made of these files.
 */
import { z } from 'zod';

/** A figure; two numbers are the least and the most of several runs. */
const Figure = z.object({
  what: z.string(),
  value: z.union([z.number(), z.tuple([z.number(), z.number()])]),
  unit: z.string(),
  /** In words; absent for what is told and not judged. */
  target: z.string().optional(),
});
export type Figure = z.infer<typeof Figure>;

const Run = z.object({
  date: z.iso.datetime(),
  /** Short; ends in `+` when files had changes that were not committed. */
  commit: z.string(),
  command: z.string(),
  /** Of processors, their number with it. */
  machine: z.string(),
  /** Processes that wanted to run, over the last minute, when it ended; null when nobody wrote it down. */
  load: z.number().nullable(),
  isReached: z.boolean(),
  figures: z.array(Figure),
  /** All that was measured, in the benchmark's own form. */
  raw: z.unknown().optional(),
});
export type Run = z.infer<typeof Run>;

export const KeptRuns = z.object({ runs: z.array(Run).min(1) });
export type KeptRuns = z.infer<typeof KeptRuns>;

/** More machines than this are not told of: the one measured first goes. */
const mostRuns = 6;

/** A run takes the place of the last one of its machine. @param isPart it had some of the cases: the others stay */
export function withRun(kept: KeptRuns | undefined, run: Run, isPart = false): KeptRuns {
  const runs = kept?.runs ?? [];
  const before = runs.find(({ machine }) => machine === run.machine);
  const others = runs.filter((one) => one !== before);
  const whole = isPart && before !== undefined ? joined(before, run) : run;
  return { runs: [whole, ...others].slice(0, mostRuns) };
}

const Case = z.looseObject({ name: z.string(), isReached: z.boolean() });
const Cases = z.looseObject({ cases: z.array(Case) });

/** Figures of a case begin with its name and a colon. */
function joined(before: Run, part: Run): Run {
  const [old, fresh] = [before.raw, part.raw].map((raw) => Cases.safeParse(raw).data?.cases ?? []);
  const names = new Set((fresh ?? []).map(({ name }) => name));
  const cases = [...(old ?? []).filter(({ name }) => !names.has(name)), ...(fresh ?? [])];
  const isOld = ({ what }: Figure): boolean => !names.has(what.split(':')[0] ?? '');
  return {
    ...part,
    isReached: cases.every(({ isReached }) => isReached),
    figures: [...before.figures.filter(isOld), ...part.figures],
    raw: { cases },
  };
}

/** Markdown: when and how the newest was run, and its figures; beside them the range over machines where there are several. */
export function runsMarkdown(name: string, { runs }: KeptRuns): string {
  const [newest, ...others] = runs;
  if (newest === undefined) return '';
  const { date, commit, command, machine, load, isReached, figures } = newest;
  const hasRange = others.length > 0;
  const head = ['figure', 'measured', 'target', ...(hasRange ? [`${runs.length} machines`] : [])];
  const rows = figures.map((figure) => [
    figure.what,
    told(figure),
    figure.target ?? '',
    ...(hasRange ? [rangeOf(figure, runs)] : []),
  ]);
  const loaded = load === null ? '' : `, load ${load.toFixed(1)}`;
  return [
    `### ${name}`,
    '',
    `${isReached ? 'Target reached' : 'Target NOT reached'}: \`${command}\`, ${date.slice(0, 10)}, commit ${commit}, ${machine}${loaded}.`,
    '',
    row(head),
    row(head.map(() => '---')),
    ...rows.map(row),
  ].join('\n');
}

function rangeOf({ what, unit }: Figure, runs: readonly Run[]): string {
  const values = runs.flatMap(({ figures }) =>
    figures.flatMap((figure) => (figure.what === what ? figure.value : [])),
  );
  const value: Figure['value'] = [Math.min(...values), Math.max(...values)];
  return told({ what, unit, value });
}

function told({ value, unit }: Figure): string {
  const texts = [...new Set([value].flat().map(short))];
  return `${texts.join(' to ')}${unit === '' ? '' : ` ${unit}`}`;
}

/** Three digits that count, or whole. */
function short(value: number): string {
  if (Math.abs(value) >= 100 || Number.isInteger(value)) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(Math.abs(value) >= 1 ? 3 : 2)));
}

const row = (cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
