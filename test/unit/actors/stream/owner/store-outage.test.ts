/** A segment store that fails under workers: their task waits for it, within its segment's deadline (C9, M12). */
import { expect, test } from 'vitest';
import { pipelineLimits } from '../../../../../actors/stream/owner/state/pipeline-state.ts';
import type { TranscodeTask } from '../../../../../cluster/contract/transcode-task.ts';
import { OwnerHarness } from '../../../../support/ingest/owner-harness.ts';

/** Segment 0 is committed; segment 1 came in behind it, so that its lowest rung is a task of its own (tasks.ts T1). */
function begun() {
  const owner = new OwnerHarness({ settings: { endAfterMs: 2 * pipelineLimits.catchUpMs } });
  owner.pass(pipelineLimits.catchUpMs); // since it took over
  const period = owner.begin();
  for (const index of [0, 1]) owner.offer(owner.segment(period, index));
  for (const task of owner.tasksOf(0)) owner.done(task);
  return { owner, period };
}

function lowestOf(owner: OwnerHarness, attempt?: number): TranscodeTask {
  const found = owner
    .tasksOf(180_000, 'lowest')
    .findLast((task) => attempt === undefined || task.attempt === attempt);
  if (found === undefined) throw new Error('no such task');
  return found;
}

// Goal: a store that fails uses up no try (task-reports.ts T8). Method: whatever attempt a worker of two nodes takes, its
// store fails at once, for 5 s; then it works.
test.each(['STORE_UNAVAILABLE', 'STORE_FULL'])(
  'a store that fails under workers (%s) poisons nothing, and is tried again after growing pauses',
  (code) => {
    const { owner } = begun();
    owner.done(owner.tasksOf(180_000, 'upper')[0] ?? lowestOf(owner));
    const beganMs = owner.nowMs;
    const triedMs: number[] = [];
    const tryAll = (): void => {
      for (let attempt = triedMs.length + 1; attempt <= lowestOf(owner).attempt; attempt += 1) {
        triedMs.push(owner.nowMs - beganMs);
        owner.failed(lowestOf(owner, attempt), `w${attempt % 2}`, code);
        owner.failed(lowestOf(owner, attempt), `w${attempt % 2}`, code); // said twice: it waits already
      }
    };
    for (let tick = 0; tick < 50; tick += 1) {
      tryAll();
      owner.pass(100);
    }
    expect(triedMs).toEqual([0, 300, 800, 1300, 1800, 2300, 2800, 3300, 3800, 4300, 4800]);
    expect({
      storeFailures: owner.counted('storeFailure'),
      retries: owner.counted('retry'),
      poison: owner.counted('poison'),
    }).toEqual({ storeFailures: 11, retries: 0, poison: 0 });
    owner.pass(400);
    owner.done(lowestOf(owner));
    const [, commit] = owner.ofKind('commit');
    expect(Object.values(commit?.renditions ?? {}).filter((media) => 'absent' in media)).toEqual([]);
    expect(owner.ofKind('gap')).toEqual([]);
  },
);

test('failures of a task count as before, whatever the store did in between', () => {
  const { owner } = begun();
  for (let round = 0; round < 3; round += 1) {
    owner.failed(lowestOf(owner), 'w1', 'STORE_UNAVAILABLE');
    owner.pass(1000);
    owner.failed(lowestOf(owner), `w${round}`);
  }
  expect(owner.ofKind('gap')).toMatchObject([{ reason: 'poison: TRANSCODE_FAILED' }]);
});

// Method: two sources; no worker can store anything of the first, and nobody takes the second.
test('an outage of the store is given the time of backlog, also for what came in behind it, and no more', () => {
  const { owner, period } = begun();
  const failFor = (ms: number): void => {
    for (let passed = 0; passed < ms; passed += 100) {
      owner.failed(lowestOf(owner), 'w1', 'STORE_UNAVAILABLE');
      owner.pass(100);
    }
  };
  failFor(2000);
  owner.offer(owner.segment(period, 2));
  failFor(9900);
  expect(owner.ofKind('gap')).toEqual([]);
  failFor(200);
  expect(owner.ofKind('gap')).toMatchObject([
    { start90k: 180_000, reason: 'the lowest rung was not there in time' },
  ]);
  owner.pass(11_800);
  expect(owner.ofKind('gap')).toHaveLength(1);
  owner.pass(300);
  expect(owner.ofKind('gap')).toHaveLength(2);
});

// Goal: no endless loop even where no deadline counts (commits.ts K2). Method: the log is silent, the queue is this node's own worker.
test('with the log silent as well, store failures are counted after so many', () => {
  const { owner } = begun();
  owner.logMode = 'silent';
  owner.ownSlots = 1000;
  for (let tick = 0; tick < 2200; tick += 1) {
    owner.failed(lowestOf(owner), `w${tick % 2}`, 'STORE_UNAVAILABLE');
    owner.pass(100);
  }
  expect({ storeFailures: owner.counted('storeFailure'), poison: owner.counted('poison') }).toEqual({
    storeFailures: pipelineLimits.maxStoreFailures,
    poison: 1,
  });
  expect(lowestOf(owner).attempt).toBeLessThan(pipelineLimits.attemptNumbers);
});
