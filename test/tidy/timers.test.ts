import { expect, test } from 'vitest';
import { checkTimers } from './timers.ts';
import { readTree } from './tree.ts';

test('no actor and nothing of the cluster measures time past the clock port', () =>
  expect(checkTimers(readTree())).toEqual([]));

test.each([
  { path: 'actors/a.ts', text: 'const signal = AbortSignal.timeout(1000);', findings: 1 },
  { path: 'cluster/a.nats.ts', text: 'setTimeout(end, 1000);', findings: 1 },
  { path: 'cluster/time/clock.system.ts', text: 'performance.now()', findings: 0 },
  { path: 'actors/edge-delivery/pages/a.browser.ts', text: 'setTimeout(end, 1000);', findings: 0 },
  { path: 'scripts/a.ts', text: 'performance.now()', findings: 0 },
  { path: 'actors/a.ts', text: 'await clock.sleep(1000);', findings: 0 },
])('$path with "$text" has $findings findings', ({ findings, ...file }) =>
  expect(checkTimers([file])).toHaveLength(findings),
);
