/** The worker's dealings with queue, owner and store; its encoder writes three canned pictures. */
import { expect, test } from 'vitest';
import type { SegmentEncoder } from '../../../../actors/transcode-worker/segment-encoder.ts';
import { TranscodeWorker, type WorkerPorts } from '../../../../actors/transcode-worker/worker.ts';
import type { TaskReport, TranscodeTask } from '../../../../cluster/contract/transcode-task.ts';
import { TangazaError } from '../../../../cluster/errors/tangaza-error.ts';
import { NodeId, type Sha256 } from '../../../../cluster/model/ids.ts';
import { silentLogger } from '../../../../cluster/observe/logger.ts';
import { noMetrics } from '../../../../cluster/observe/metrics.ts';
import type { Clock } from '../../../../cluster/time/clock.ts';
import { threePictures } from '../../../support/media/byte-stream.ts';
import { sha256 } from '../../../support/media/clip-task.ts';
import { FakeTaskQueue } from '../../../support/ports/fake-task-queue.ts';
import { MemorySegmentStore } from '../../../support/ports/memory-segment-store.ts';
import { sampleTask, taskFields } from '../../../support/ports/transcode-task.ts';
import { waitForEvents } from '../../../support/wait.ts';

const fingerprint = taskFields.fingerprint;
const sourceMedia = Buffer.from('the media of the source');

/** Time stands still; a sleep is over at once, except those that bound something, which never end by themselves. */
const clock: Clock = {
  utcMs: () => 0,
  monotonicMs: () => 0,
  runningMs: () => 0,
  sleep: (ms, signal) =>
    ms < 1000
      ? Promise.resolve()
      : new Promise((_, reject) =>
          signal?.addEventListener('abort', () => reject(signal.reason), { once: true }),
        ),
  every: (_, run) => {
    void run();
    return () => {};
  },
};

const task = (start: number, changes: Record<string, unknown> = {}): TranscodeTask =>
  sampleTask({
    taskId: `demo/7/${start}/lowest`,
    start90k: start,
    times90k: [0, 60_000, 120_000],
    source: { key: 'source', initKey: 'source-init', sha256: sha256(sourceMedia), bytes: sourceMedia.length },
    ...changes,
  });

interface Scene extends AsyncDisposable {
  readonly queue: FakeTaskQueue;
  readonly store: MemorySegmentStore;
  readonly reports: TaskReport[];
  readonly worker: TranscodeWorker;
}

const cannedEncoder: SegmentEncoder = {
  encode: async ({ outputs }) => outputs.map(() => threePictures),
  [Symbol.asyncDispose]: async () => {},
};

/** Waits until it is aborted. */
const stuckEncoder: SegmentEncoder = {
  encode: (_, signal) => {
    const { promise, reject } = Promise.withResolvers<never>();
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    return promise;
  },
  [Symbol.asyncDispose]: async () => {},
};

function scene(changes: Partial<WorkerPorts> = {}): Scene {
  const queue = new FakeTaskQueue(clock);
  const store = new MemorySegmentStore();
  store.objects.set('source', sourceMedia);
  store.objects.set('source-init', Buffer.from('init'));
  const reports: TaskReport[] = [];
  const worker = new TranscodeWorker({
    node: NodeId.parse('worker-1'),
    slots: 2,
    fingerprint,
    queue,
    store,
    encoder: cannedEncoder,
    clock,
    report: async (_, report) => {
      reports.push(report);
      return { isWanted: true };
    },
    logger: silentLogger,
    metrics: noMetrics,
    ...changes,
  });
  worker.start();
  return { queue, store, reports, worker, [Symbol.asyncDispose]: () => worker.drain(1000) };
}

const kinds = (reports: readonly TaskReport[]): readonly string[] => reports.map(({ kind }) => kind);

test('a task is reported started, stored, reported done, and then acked', async () => {
  await using it = scene();
  it.queue.push(task(0));
  expect(await it.queue.untilSettled(1)).toEqual([{ taskId: 'demo/7/0/lowest', how: 'acked' }]);
  expect(kinds(it.reports)).toEqual(['started', 'done']);
  const [, done] = it.reports;
  if (done?.kind !== 'done') throw new Error('not done');
  expect(done).toMatchObject({ worker: 'worker-1', streamId: 'demo', attempt: 1, epoch: 1 });
  expect(Object.values(done.outputs)).toMatchObject([{ startTime: 0, duration: 180_000, frames: 3 }]);
  expect([...it.store.objects.keys()].filter((key) => key.startsWith('demo/7/h264-240p/'))).toHaveLength(2);
  expect(it.queue.beats).toBeGreaterThan(0);
});

test('a reference init segment that is equal is not stored again', async () => {
  await using it = scene();
  it.queue.push(task(0));
  await it.queue.untilSettled(1);
  const done = it.reports.find((report) => report.kind === 'done');
  const init = Object.values(done?.outputs ?? {})[0]?.init;
  const before = it.store.objects.size;
  it.queue.push(task(180_000, { inits: { 'h264-240p': init } }));
  await it.queue.untilSettled(2);
  expect(it.store.objects.size).toBe(before + 1);
});

test.each([
  ['a source that is gone', { source: { ...task(0).source, key: 'gone' } }, 'SEGMENT_NOT_FOUND'],
  [
    'a source with another hash',
    { source: { ...task(0).source, sha256: 'e'.repeat(64) as Sha256 } },
    'MEDIA_INVALID',
  ],
  ['a wrong number of pictures', { times90k: [0, 90_000] }, 'TRANSCODE_FAILED'],
  [
    'another init segment',
    { inits: { 'h264-240p': { sha256: 'f'.repeat(64), bytes: 9 } } },
    'FINGERPRINT_DIFFERS',
  ],
])('%s is reported by its code, acked, and nothing is stored', async (_, changes, code) => {
  await using it = scene();
  const before = it.store.objects.size;
  it.queue.push(task(0, changes));
  expect(await it.queue.untilSettled(1)).toEqual([{ taskId: 'demo/7/0/lowest', how: 'acked' }]);
  expect(it.reports.at(-1)).toMatchObject({ kind: 'failed', code });
  expect(it.store.objects.size).toBe(before);
});

test('a task of another encoder goes back unreported, and is refused when nobody took it', async () => {
  await using it = scene({ fingerprint: 'ffmpeg-6/args-1/x' });
  it.queue.push(task(0));
  const settled = await it.queue.untilSettled(3);
  expect(settled.map(({ how }) => how)).toEqual(['givenBack', 'givenBack', 'acked']);
  expect(it.reports).toMatchObject([{ kind: 'failed', code: 'FINGERPRINT_DIFFERS' }]);
});

// Goal: backlog that nobody waits for does not hold up what is live. Method: the encoder would never end by itself.
test('a task that its owner wants no more is stopped and acked, and nothing more is reported', async () => {
  const reports: TaskReport[] = [];
  await using it = scene({
    encoder: stuckEncoder,
    report: async (_, report) => {
      reports.push(report);
      return { isWanted: false };
    },
  });
  const before = it.store.objects.size;
  it.queue.push(task(0));
  expect(await it.queue.untilSettled(1)).toMatchObject([{ how: 'acked' }]);
  expect(kinds(reports)).toEqual(['started']);
  expect(it.store.objects.size).toBe(before);
});

// Goal: an owner that died loses nothing. Method: every report is refused; the output is stored and the task acked
// after five tries, as the successor will emit it again (C2).
test('with the owner gone the output is stored all the same', async () => {
  let calls = 0;
  await using it = scene({
    report: async () => {
      calls += 1;
      throw new TangazaError('UNAVAILABLE');
    },
  });
  it.queue.push(task(0));
  expect(await it.queue.untilSettled(1)).toMatchObject([{ how: 'acked' }]);
  expect([...it.store.objects.keys()].filter((key) => key.startsWith('demo/7/h264-240p/'))).toHaveLength(2);
  expect(calls).toBe(6);
});

test('a failure that cannot be reported goes back to the queue', async () => {
  await using it = scene({ report: () => Promise.reject(new TangazaError('UNAVAILABLE')) });
  it.queue.push(task(0, { times90k: [0] }));
  expect(await it.queue.untilSettled(1)).toEqual([
    { taskId: 'demo/7/0/lowest', how: 'givenBack', delayMs: 1000 },
  ]);
});

test('a drain gives back what is not done within its bound, and reports no failure', async () => {
  const it = scene({ encoder: stuckEncoder });
  it.queue.push(task(0));
  await untilReported(it, 1);
  await it.worker.drain(0);
  expect(it.queue.settled).toEqual([{ taskId: 'demo/7/0/lowest', how: 'acked' }]);
  expect(kinds(it.reports)).toEqual(['started', 'returned']);
});

test('a drain whose owner cannot be told gives it back to the queue', async () => {
  const isAsked = Promise.withResolvers<void>();
  const it = scene({
    encoder: stuckEncoder,
    report: async () => {
      isAsked.resolve();
      throw new TangazaError('UNAVAILABLE');
    },
  });
  it.queue.push(task(0));
  await isAsked.promise;
  await it.worker.drain(0);
  expect(it.queue.settled).toEqual([{ taskId: 'demo/7/0/lowest', how: 'givenBack', delayMs: 0 }]);
});

test('a segment over 1.1 x maxrate is encoded once more at CRF + 3, and taken then (M8)', async () => {
  const tried: (readonly number[])[] = [];
  const encoder: SegmentEncoder = {
    ...cannedEncoder,
    encode: async ({ outputs }) => {
      tried.push(outputs.map(({ settings }) => settings.crf));
      return outputs.map(() => threePictures);
    },
  };
  await using it = scene({ encoder });
  const [rung] = task(0).renditions;
  if (rung?.origin.kind !== 'encode') throw new Error('no rung');
  const settings = { ...rung.origin.settings, maxrateBps: 1000, bufsizeBits: 1000 };
  const small = { ...rung, name: 'h264-96p', origin: { kind: 'encode', settings } };
  it.queue.push(task(0, { renditions: [rung, small] }));
  await it.queue.untilSettled(1);
  expect(tried).toEqual([[26, 26], [29]]);
  expect(it.reports.at(-1)).toMatchObject({ kind: 'done' });
});

const restMs = 500;

function failingStore(): MemorySegmentStore {
  const store = new MemorySegmentStore();
  store.get = async () => {
    throw new TangazaError('STORE_UNAVAILABLE');
  };
  return store;
}

async function untilReported({ reports }: Scene, count: number): Promise<void> {
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  await waitForEvents(`${count} tasks are reported`, () => reports.length >= count, turn);
}

// Goal: a slot rests while the store fails (worker.ts V4). Method: one slot and two tasks; the rest of the slot ends when the test
// says so.
test('a store that fails makes a failed report, not a crash, and its slot rests before the next task', async () => {
  const rest = Promise.withResolvers<void>();
  const sleep: Clock['sleep'] = (ms, signal) => (ms === restMs ? rest.promise : clock.sleep(ms, signal));
  await using it = scene({ store: failingStore(), slots: 1, clock: { ...clock, sleep } });
  it.queue.push(task(0));
  it.queue.push(task(180_000));
  await untilReported(it, 2);
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(it.reports).toMatchObject([{ kind: 'started' }, { kind: 'failed', code: 'STORE_UNAVAILABLE' }]);
  expect(it.queue.settled).toEqual([]);
  rest.resolve();
  expect((await it.queue.untilSettled(2)).map(({ how }) => how)).toEqual(['acked', 'acked']);
  expect(kinds(it.reports)).toEqual(['started', 'failed', 'started', 'failed']);
});

test('a drain does not wait for a slot that rests', async () => {
  const sleep: Clock['sleep'] = (ms, signal) => clock.sleep(ms === restMs ? 1000 : ms, signal);
  const it = scene({ store: failingStore(), clock: { ...clock, sleep } });
  it.queue.push(task(0));
  await untilReported(it, 2);
  await it.worker.drain(1000);
  expect(it.queue.settled).toEqual([{ taskId: 'demo/7/0/lowest', how: 'acked' }]);
});
