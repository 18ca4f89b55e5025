/**
 * The test projects. Pure ones share one process with a thread for each core: their files keep no state that another
 * one could see, and a process for each file costs more than its tests do. The ones that start real processes run one
 * file at a time and one project after the other: on two cores their timing would otherwise be each other's load.
 */
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
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

const realProcesses = (name: string, order: number, timeoutMs: number) =>
  project(name, order, {
    fileParallelism: false,
    maxWorkers: 1,
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
    // Only bounds the wait: vitest's own second is too short for a machine that is busy.
    expect: { poll: { timeout: timeoutMs / 2 } },
  });

export default defineConfig({
  test: {
    retry: 0,
    passWithNoTests: false,
    teardownTimeout: minuteMs / 2,
    allowOnly: process.env['CI'] !== 'true',
    reporters: ['default', new CountReporter()],
    projects: [
      pure('tidy', 0, minuteMs / 2),
      pure('unit', 0, minuteMs / 2),
      pure('simulation', 0, 2 * minuteMs),
      realProcesses('contract', 1, minuteMs),
      realProcesses('component', 2, minuteMs),
      realProcesses('media', 3, 3 * minuteMs),
      realProcesses('cluster', 4, 3 * minuteMs),
      realProcesses('drills', 5, 3 * minuteMs),
      realProcesses('browser', 6, 3 * minuteMs),
    ],
  },
});
