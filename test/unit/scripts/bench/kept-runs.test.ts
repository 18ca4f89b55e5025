import { expect, test } from 'vitest';
import {
  type KeptRuns,
  runsMarkdown,
  withRun,
  type Figure,
  type Run,
} from '../../../../scripts/bench/kept-runs.ts';

const run = (machine: string, value: Figure['value'], change: Partial<Run> = {}): Run => ({
  date: '2026-11-30T08:00:00.000Z',
  commit: 'abc1234',
  command: 'tangaza bench edge',
  machine,
  load: 1.25,
  isReached: true,
  figures: [{ what: 'a: of nginx', value, unit: 'times', target: '>= 0.90' }],
  ...change,
});
const caseOf = (name: string, isReached = true) => ({ name, isReached });
const figureOf = (name: string, value: number): Figure => ({ what: `${name}: time`, value, unit: 'ms' });

test('a run takes the place of the last one of its machine, and those of six machines are kept', () => {
  const first = withRun(undefined, run('one', 1));
  const both = withRun(first, run('two', 2));
  expect(
    withRun(both, run('one', 3)).runs.map(({ machine, figures }) => [machine, figures[0]?.value]),
  ).toEqual([
    ['one', 3],
    ['two', 2],
  ]);
  const many = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].reduce(
    (kept: KeptRuns, machine) => withRun(kept, run(machine, 1)),
    first,
  );
  expect(many.runs.map(({ machine }) => machine)).toEqual(['g', 'f', 'e', 'd', 'c', 'b']);
});

test('of a run of some cases the others stay, and one of them that misses its target is not forgotten', () => {
  const before = run('one', 1, {
    isReached: false,
    figures: [figureOf('a', 1), figureOf('b', 2)],
    raw: { cases: [caseOf('a'), caseOf('b', false)] },
  });
  const part = run('one', 1, { figures: [figureOf('a', 9)], raw: { cases: [caseOf('a')] } });
  const [joined] = withRun({ runs: [before] }, part, true).runs;
  expect(joined).toMatchObject({
    isReached: false,
    figures: [figureOf('b', 2), figureOf('a', 9)],
    raw: { cases: [caseOf('b', false), caseOf('a')] },
  });
  expect(withRun({ runs: [before] }, part).runs[0]?.figures).toEqual([figureOf('a', 9)]);
});

test('the page tells date, commit, command and machine of the newest run, and a range over machines', () => {
  const kept = { runs: [run('one', 0.934), run('two', [0.67, 1.2])] };
  expect(runsMarkdown('edge', kept)).toBe(
    [
      '### edge',
      '',
      'Target reached: `tangaza bench edge`, 2026-11-30, commit abc1234, one, load 1.3.',
      '',
      '| figure | measured | target | 2 machines |',
      '| --- | --- | --- | --- |',
      '| a: of nginx | 0.93 times | >= 0.90 | 0.67 to 1.2 times |',
    ].join('\n'),
  );
});

test('the page of one machine has no range, and a target that was missed is said', () => {
  const kept = { runs: [run('one', 1234.5, { isReached: false, load: null })] };
  const page = runsMarkdown('edge', kept);
  expect(page).toContain('Target NOT reached: `tangaza bench edge`, 2026-11-30, commit abc1234, one.\n');
  expect(page).toContain('| a: of nginx | 1,235 times | >= 0.90 |');
});
