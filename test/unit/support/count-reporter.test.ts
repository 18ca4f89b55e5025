import { expect, test } from 'vitest';
import { count, isGood, lineOf, type CountedModule } from '../../support/count-reporter.ts';

function moduleOf(
  states: readonly string[],
  errors: readonly unknown[] = [],
  suiteErrors: readonly unknown[] = [],
): CountedModule {
  return {
    children: {
      allTests: () => states.map((state) => ({ result: () => ({ state }) })),
      allSuites: () => [{ errors: () => suiteErrors }],
    },
    errors: () => errors,
  };
}

test('tests are counted over all files by their state', () => {
  const counts = count([moduleOf(['passed', 'failed']), moduleOf(['passed', 'skipped'])], 0);
  expect(counts).toEqual({ passed: 2, failed: 1, skipped: 1 });
  expect(lineOf(counts)).toBe('2 passed, 1 failed, 1 skipped');
});

test('the line names skipped tests only when there are some', () => {
  expect(lineOf({ passed: 3, failed: 0, skipped: 0 })).toBe('3 passed, 0 failed');
});

test('a file that cannot be loaded, a failed hook, an error outside of a test and a test that never ended are failures', () => {
  expect(count([moduleOf([], ['no such module'])], 0).failed).toBe(1);
  expect(count([moduleOf(['passed'], [], ['beforeAll failed'])], 0).failed).toBe(1);
  expect(count([moduleOf(['passed'])], 2).failed).toBe(2);
  expect(count([moduleOf(['pending'])], 0).failed).toBe(1);
});

test('a run in which no test ran is not good', () => {
  expect(isGood({ passed: 0, failed: 0, skipped: 5 })).toBe(false);
  expect(isGood({ passed: 1, failed: 0, skipped: 0 })).toBe(true);
});
