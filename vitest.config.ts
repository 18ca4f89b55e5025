/**
 * The test projects. Pure ones share one process with a thread for each core: their files keep no state that another
 * one could see, and a process for each file costs more than its tests do. Of those that start real processes three files
 * run side by side on two cores, or two where each is a whole cluster, for most of what such a file does is waiting. Pages without a video, and
 * Cassandra, which starts two Java processes, share the cores with each other alone. A browser that plays has them for itself: it decodes
 * several videos at once.
 */
import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { CountReporter } from './test/support/count-reporter.ts';

const minuteMs = 60_000;

function project(
  name: string,
  order: number,
  options: TestProjectInlineConfiguration['test'],
): TestProjectInlineConfiguration {
  return {
    test: {
      name,
      include: [`test/${name}/**/*.test.ts`],
      environment: 'node',
      sequence: { groupOrder: order },
      ...options,
    },
  };
}

const pure = (name: string, order: number, timeoutMs: number) =>
  project(name, order, {
    pool: 'threads',
    isolate: false,
    maxWorkers: '100%', // by default vitest leaves one core idle, which is half of two
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
  });

interface RealOptions {
  readonly timeoutMs: number;
  readonly filesAtOnce?: number;
  readonly include?: readonly string[];
}

const realProcesses = (name: string, order: number, { timeoutMs, filesAtOnce = 2, include }: RealOptions) =>
  project(name, order, {
    maxWorkers: filesAtOnce,
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
    // Only bounds the wait: vitest's own second is too short for a machine that is busy.
    expect: { poll: { timeout: timeoutMs / 2 } },
    ...(include === undefined ? {} : { include: [...include] }),
  });

/** Of tests on whole clusters or in browsers. */
const timeoutMs = 3 * minuteMs;

/** Of a test file, with the files beside it of which it consists. */
function bytesOf(file: string): number {
  const parts = readFileSync(file, 'utf8').matchAll(/from '(\.\/[^']+)'/g);
  const files = [file, ...Array.from(parts, ([, part = '']) => join(dirname(file), part))];
  return files.reduce((sum, one) => sum + (statSync(one, { throwIfNoEntry: false })?.size ?? 0), 0);
}

/** Files of one group in order of size, whatever their project: a long one that begins last would run alone. */
class LargestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const order = ({ project: { config } }: TestSpecification): number => config.sequence.groupOrder;
    const bytes = new Map(files.map(({ moduleId }) => [moduleId, bytesOf(moduleId)]));
    const sizeOf = ({ moduleId }: TestSpecification): number => bytes.get(moduleId) ?? 0;
    return files.toSorted((a, b) => order(a) - order(b) || sizeOf(b) - sizeOf(a));
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: LargestFirst },
    retry: 0,
    passWithNoTests: false,
    teardownTimeout: minuteMs / 2,
    allowOnly: process.env['CI'] !== 'true',
    reporters: ['default', new CountReporter()],
    projects: [
      pure('tidy', 0, minuteMs / 2),
      pure('unit', 0, minuteMs / 2),
      pure('simulation', 0, 2 * minuteMs),
      realProcesses('contract', 1, { timeoutMs: minuteMs, filesAtOnce: 3 }),
      realProcesses('component', 1, { timeoutMs: minuteMs, filesAtOnce: 3 }),
      realProcesses('media', 2, { timeoutMs }),
      realProcesses('cluster', 2, { timeoutMs }),
      realProcesses('pages', 3, { timeoutMs, include: ['test/browser/pages/**/*.test.ts'] }),
      realProcesses('cassandra', 3, { timeoutMs }),
      realProcesses('browser', 4, { timeoutMs, filesAtOnce: 1, include: ['test/browser/*.test.ts'] }),
    ],
  },
});
