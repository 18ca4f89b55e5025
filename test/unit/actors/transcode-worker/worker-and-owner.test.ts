/** A worker and the owner whose tasks it pulls: what is wanted is made, whatever their wall clocks say (M12). */
import { expect, test } from 'vitest';
import { isWanted } from '../../../../actors/stream/owner/task-reports.ts';
import type { SegmentEncoder } from '../../../../actors/transcode-worker/segment-encoder.ts';
import { TranscodeWorker } from '../../../../actors/transcode-worker/worker.ts';
import type { TaskReport } from '../../../../cluster/contract/transcode-task.ts';
import { isPresent } from '../../../../cluster/contract/index-records.ts';
import { Epoch, NodeId } from '../../../../cluster/model/ids.ts';
import { silentLogger } from '../../../../cluster/observe/logger.ts';
import { noMetrics } from '../../../../cluster/observe/metrics.ts';
import type { Clock } from '../../../../cluster/time/clock.ts';
import { threePictures } from '../../../support/media/byte-stream.ts';
import { sha256 } from '../../../support/media/clip-task.ts';
import { FakeTaskQueue, type Settled } from '../../../support/ports/fake-task-queue.ts';
import { MemorySegmentStore } from '../../../support/ports/memory-segment-store.ts';
import { OwnerHarness } from '../../../support/ingest/owner-harness.ts';

const media = Buffer.from('the media of the source');
const encoder: SegmentEncoder = {
  encode: async ({ outputs }) => outputs.map(() => threePictures),
  [Symbol.asyncDispose]: async () => {},
};
/** Ends when it is told to. */
const endless: SegmentEncoder = {
  ...encoder,
  encode: (_, signal) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    }),
};

/** An owner that has emitted the tasks of one segment of three pictures. */
function ownerOfOne(): OwnerHarness {
  const owner = new OwnerHarness();
  const period = owner.begin();
  const { video, ...segment } = owner.segment(period, 0);
  if (video === undefined) throw new Error('no video');
  const source = { sha256: sha256(media), bytes: media.length, frames: 3 };
  owner.offer({ ...segment, times90k: [0, 60_000, 120_000], video: { ...video, ...source } });
  return owner;
}

/** Has the owner's tasks done by a worker whose wall clock is off. @returns how they were settled, and what was reported */
async function work(
  owner: OwnerHarness,
  { skewMs, ...by }: { readonly skewMs: number; readonly encoder: SegmentEncoder },
): Promise<{ readonly settled: readonly Settled[]; readonly reported: readonly string[] }> {
  const clock: Clock = {
    utcMs: () => owner.now.utcMs + skewMs,
    monotonicMs: () => owner.nowMs,
    runningMs: () => owner.nowMs,
    sleep: (_, signal) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
      }),
    every: () => () => {},
  };
  const queue = new FakeTaskQueue(clock);
  const store = new MemorySegmentStore();
  const reported: string[] = [];
  const report = async (_: NodeId, told: TaskReport) => {
    reported.push(told.kind);
    owner.do({ kind: 'report', report: told });
    return { isWanted: isWanted(owner.state, told) };
  };
  const worker = new TranscodeWorker({
    node: NodeId.parse('w1'),
    slots: 1,
    fingerprint: 'test',
    queue,
    store,
    report,
    clock,
    ...by,
    logger: silentLogger,
    metrics: noMetrics,
  });
  for (const task of owner.tasks) {
    store.objects.set(task.source.key, media);
    store.objects.set(task.source.initKey, Buffer.from('init'));
    queue.push(task);
  }
  worker.start();
  const settled = await queue.untilSettled(owner.tasks.length);
  await worker.drain(1000);
  return { settled, reported };
}

test.each([-3_600_000, -60_000, 60_000, 3_600_000])(
  'a worker whose clock is %i ms off makes all that its owner waits for',
  async (skewMs) => {
    const owner = ownerOfOne();
    owner.pass(1000);
    const { reported } = await work(owner, { skewMs, encoder });
    expect(reported.toSorted()).toEqual(['done', 'started']);
    const [commit] = owner.ofKind('commit');
    expect(Object.values(commit?.renditions ?? { none: undefined }).every(isPresent)).toBe(true);
    expect(owner.ofKind('gap')).toEqual([]);
  },
);

test('what its owner has declared a gap meanwhile is dropped, whatever the clocks say', async () => {
  const owner = ownerOfOne();
  owner.pass(6000);
  expect(owner.ofKind('gap')).toHaveLength(1);
  const { settled, reported } = await work(owner, { skewMs: -60_000, encoder: endless });
  expect(settled.map(({ how }) => how)).toEqual(owner.tasks.map(() => 'acked'));
  expect(new Set(reported)).toEqual(new Set(['started']));
  expect(owner.ofKind('commit')).toEqual([]);
});

test('a task counts as wanted until it is done, and only by an owner of its epoch or a later one', () => {
  const owner = ownerOfOne();
  const [task] = owner.tasks;
  if (task === undefined) throw new Error('no task');
  const { taskId, attempt, epoch, streamId } = task;
  const started = { kind: 'started' as const, taskId, attempt, epoch, streamId, worker: NodeId.parse('w1') };
  expect(isWanted(owner.state, started)).toBe(true);
  expect(isWanted(owner.state, { ...started, epoch: Epoch.parse(epoch + 1) })).toBe(false);
  owner.done(task);
  expect(isWanted(owner.state, started)).toBe(false);
});
