/** What both simulators print of the seeds that had violations. */

export interface SeedResult {
  readonly seed: number;
  readonly violations: readonly string[];
}

const shownSeeds = 10;
const shownViolations = 3;

export const failedOf = <Result extends SeedResult>(results: readonly Result[]): readonly Result[] =>
  results.filter(({ violations }) => violations.length > 0);

/** @param replay the command that runs a seed again */
export function failureLines(
  results: readonly SeedResult[],
  replay: (seed: number) => string,
): readonly string[] {
  const failed = failedOf(results);
  const lines = failed
    .slice(0, shownSeeds)
    .flatMap(({ seed, violations }) => [
      `seed ${seed}:`,
      ...violations.slice(0, shownViolations).map((violation) => `  ${violation}`),
      `  again: ${replay(seed)}`,
    ]);
  return [failed.length === 0 ? 'no violation' : `${failed.length} seeds with violations`, ...lines];
}
