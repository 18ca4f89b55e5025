/**
 * Prints one plain line at the very end, `N passed, N failed[, N skipped]`, counted from the results.
 *
 * A file that could not be loaded and an error outside of any test count as failures, and a run in which no test ran
 * fails. The line is written when the process exits, after all that vitest itself has to say.
 */
import { writeSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** What the reporter reads of a module; a part of vitest's TestModule. */
export interface CountedModule {
  readonly children: {
    allTests(): Iterable<{ result(): { readonly state: string } }>;
    allSuites(): Iterable<Erring>;
  };
  errors(): readonly unknown[];
}

interface Erring {
  errors(): readonly unknown[];
}

/** @param unhandled how many errors happened outside of any test */
export function count(modules: readonly CountedModule[], unhandled: number): Counts {
  const states = modules.flatMap((module) =>
    [...module.children.allTests()].map((test) => test.result().state),
  );
  const broken = modules
    .flatMap((module) => [module, ...module.children.allSuites()])
    .filter((part) => part.errors().length > 0);
  return {
    passed: states.filter((state) => state === 'passed').length,
    failed:
      states.filter((state) => state === 'failed' || state === 'pending').length + broken.length + unhandled,
    skipped: states.filter((state) => state === 'skipped').length,
  };
}

export function lineOf({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** A run is good when a test ran and none failed. */
export function isGood({ passed, failed }: Counts): boolean {
  return passed > 0 && failed === 0;
}

export class CountReporter implements Reporter {
  #counts: Counts = { passed: 0, failed: 0, skipped: 0 };

  constructor() {
    process.once('exit', () => {
      if (!isGood(this.#counts) && !process.exitCode) process.exitCode = 1;
      writeSync(1, `\n${lineOf(this.#counts)}\n`);
    });
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    this.#counts = count(modules, unhandled.length);
  }
}
