/** The map step end to end: a real queue, a real ffmpeg, a worker; the owner is a list of reports. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { expect, test } from 'vitest';
import { openFfmpegEncoder, readFingerprint } from '../../../actors/transcode-worker/encoder.ffmpeg.ts';
import type { SegmentEncoder } from '../../../actors/transcode-worker/segment-encoder.ts';
import { TranscodeWorker, type WorkerPorts } from '../../../actors/transcode-worker/worker.ts';
import type { ReportReply } from '../../../cluster/contract/stream-actions.ts';
import type { TaskReport } from '../../../cluster/contract/transcode-task.ts';
import { NodeId, RegionId } from '../../../cluster/model/ids.ts';
import { silentLogger } from '../../../cluster/observe/logger.ts';
import { noMetrics } from '../../../cluster/observe/metrics.ts';
import { openNatsTaskQueue, type TaskQueueOptions } from '../../../cluster/queue/task-queue.nats.ts';
import type { TaskQueue } from '../../../cluster/queue/task-queue.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { clipTask } from '../../support/media/clip-task.ts';
import { MemorySegmentStore } from '../../support/ports/memory-segment-store.ts';
import { h264Sources, sourceClip } from '../../support/media/source-clip.ts';
import { startNats, type TestNats } from '../../support/cluster/start-nats.ts';
import { waitForEvents } from '../../support/wait.ts';

const region = RegionId.parse('local');
const connectTo = (nats: TestNats): Promise<NatsConnection> =>
  connect({ servers: nats.url, reconnectTimeWait: 20, reconnectJitter: 20, maxReconnectAttempts: -1 });
const openQueue = (connection: NatsConnection, options: Partial<TaskQueueOptions>): Promise<TaskQueue> =>
  openNatsTaskQueue({
    connection,
    region,
    clock: systemClock,
    logger: silentLogger,
    metrics: noMetrics,
    ...options,
  });

/** An owner that keeps what it is told. */
class Owner {
  readonly reports: TaskReport[] = [];
  readonly #watchers = new Set<() => void>();

  readonly report = async (_owner: NodeId, report: TaskReport): Promise<ReportReply> => {
    this.reports.push(report);
    this.#watchers.forEach((tell) => tell());
    this.#watchers.clear();
    return { isWanted: true };
  };

  /** Until so many reports of that kind have come. */
  until(kind: TaskReport['kind'], count: number): Promise<readonly TaskReport[]> {
    return this.#until(kind, ({ length }) => length >= count);
  }

  /** Until so many tasks are done; a task that was delivered again may be among the reports twice. */
  untilDone(tasks: number): Promise<readonly TaskReport[]> {
    return this.#until('done', (found) => new Set(found.map(({ taskId }) => taskId)).size >= tasks);
  }

  async #until(
    kind: TaskReport['kind'],
    isEnough: (found: readonly TaskReport[]) => boolean,
  ): Promise<readonly TaskReport[]> {
    const found = () => this.reports.filter((report) => report.kind === kind);
    const next = () => new Promise<void>((resolve) => void this.#watchers.add(resolve));
    await waitForEvents(`enough reports are ${kind}`, () => isEnough(found()), next);
    return found();
  }
}

interface Scene extends AsyncDisposable {
  readonly nats: TestNats;
  readonly queue: TaskQueue;
  readonly store: MemorySegmentStore;
  readonly owner: Owner;
  readonly fingerprint: string;
  /** A worker with a connection and a folder of its own. */
  addWorker(
    name: string,
    changes?: Partial<WorkerPorts>,
  ): Promise<{ worker: TranscodeWorker; connection: NatsConnection }>;
}

async function openScene(options: Partial<TaskQueueOptions> = {}): Promise<Scene> {
  const stack = new AsyncDisposableStack();
  const nats = stack.use(await startNats({ jetstream: true }));
  const queue = await openQueue(stack.use(await connectTo(nats)), options);
  const folder = await mkdtemp(join(tmpdir(), 'tangaza-worker-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const store = new MemorySegmentStore();
  const owner = new Owner();
  const fingerprint = await readFingerprint('ffmpeg');
  const addWorker: Scene['addWorker'] = async (name, changes = {}) => {
    const connection = stack.use(await connectTo(nats));
    const encoder = stack.use(
      await openFfmpegEncoder({ ffmpeg: 'ffmpeg', tempRoot: join(folder, name), clock: systemClock }),
    );
    const worker = new TranscodeWorker({
      node: NodeId.parse(name),
      slots: 1,
      fingerprint,
      queue: await openQueue(connection, options),
      store,
      encoder,
      report: owner.report,
      clock: systemClock,
      logger: silentLogger,
      metrics: noMetrics,
      ...changes,
    });
    worker.start();
    stack.defer(() => worker.drain(5000));
    return { worker, connection };
  };
  const dispose = (): Promise<void> => stack.disposeAsync();
  return { nats, queue, store, owner, fingerprint, addWorker, [Symbol.asyncDispose]: dispose };
}

/** Waits until it is aborted, as an encoder that hangs. */
const stuckEncoder: SegmentEncoder = {
  encode: (_, signal) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    }),
  [Symbol.asyncDispose]: async () => {},
};

test('two workers share the segments of a clip, and every one is done once', async () => {
  await using scene = await openScene();
  const clip = await sourceClip(h264Sources['2 B-frames']);
  await scene.addWorker('worker-1');
  await scene.addWorker('worker-2');
  for (const segment of clip.segments) {
    await scene.queue.publish(await clipTask(clip, segment, scene.store, { fingerprint: scene.fingerprint }));
  }
  const done = await scene.owner.untilDone(3);
  for (const report of done) {
    if (report.kind !== 'done') continue;
    expect(Object.keys(report.outputs)).toEqual(['h264-144p', 'h264-96p']);
  }
  const inits = [...scene.store.objects.keys()].filter(
    (key) => key.includes('/init-') && !key.includes('/source/'),
  );
  expect(inits).toHaveLength(2);
});

test('a corrupt source makes one failed report and nothing else', async () => {
  // A stall of this process would let a task come again, and fail again.
  await using scene = await openScene({ ackWaitMs: 30_000 });
  const clip = await sourceClip(h264Sources['no B-frames'], { seconds: 2 });
  const [torn, whole] = clip.segments;
  if (torn === undefined || whole === undefined) throw new Error('two segments are needed');
  const garbage = torn.media.map((byte, index) => (index > 700 ? (byte * 31 + index) & 0xff : byte));
  const { fingerprint } = scene;
  const bad = await clipTask(clip, { ...torn, media: garbage }, scene.store, { fingerprint });
  const good = await clipTask(clip, whole, scene.store, { fingerprint });
  await scene.addWorker('worker-1');
  await scene.queue.publish(bad);
  await scene.queue.publish(good);
  expect(await scene.owner.until('done', 1)).toMatchObject([{ taskId: good.taskId }]);
  expect(await scene.owner.until('failed', 1)).toMatchObject([
    { taskId: bad.taskId, code: 'TRANSCODE_FAILED' },
  ]);
  expect(scene.owner.reports.filter(({ kind }) => kind === 'failed')).toHaveLength(1);
});

// Goal: the death of a worker loses nothing (C9). Method: the first worker's encoder hangs, then its connection is cut,
// as by SIGKILL; the second one gets the task when `ack_wait` is over.
test('the task of a killed worker is done by another', async () => {
  await using scene = await openScene();
  const clip = await sourceClip(h264Sources['no B-frames'], { seconds: 1 });
  const [segment] = clip.segments;
  if (segment === undefined) throw new Error('no segment');
  const victim = await scene.addWorker('worker-1', { encoder: stuckEncoder });
  await scene.queue.publish(await clipTask(clip, segment, scene.store, { fingerprint: scene.fingerprint }));
  expect(await scene.owner.until('started', 1)).toMatchObject([{ worker: 'worker-1' }]);
  await victim.connection.close();
  await scene.addWorker('worker-2');
  expect(await scene.owner.until('done', 1)).toMatchObject([{ worker: 'worker-2' }]);
  await victim.worker.drain(0);
});

test('a worker that drains says so, and its task is done by another as a new attempt', async () => {
  await using scene = await openScene();
  const clip = await sourceClip(h264Sources['no B-frames'], { seconds: 1 });
  const [segment] = clip.segments;
  if (segment === undefined) throw new Error('no segment');
  const leaver = await scene.addWorker('worker-1', { encoder: stuckEncoder });
  const task = await clipTask(clip, segment, scene.store, { fingerprint: scene.fingerprint });
  await scene.queue.publish(task);
  await scene.owner.until('started', 1);
  await scene.addWorker('worker-2');
  await leaver.worker.drain(0);
  await scene.owner.until('returned', 1);
  await scene.queue.publish({ ...task, attempt: 2 }); // as the stream's owner does
  expect(await scene.owner.until('done', 1)).toMatchObject([{ worker: 'worker-2' }]);
  expect(scene.owner.reports.filter(({ kind }) => kind === 'failed')).toEqual([]);
});

test('a restart of NATS while a segment is encoded loses no task', async () => {
  await using scene = await openScene();
  const clip = await sourceClip(h264Sources['3 adaptive B-frames, pyramid']);
  const tasks = await Promise.all(
    clip.segments.map((segment) => clipTask(clip, segment, scene.store, { fingerprint: scene.fingerprint })),
  );
  await scene.addWorker('worker-1');
  for (const task of tasks) await scene.queue.publish(task);
  await scene.owner.until('started', 1);
  await scene.nats.restart();
  // One may be done twice, when its ack went down with the server: the same bytes under the same key.
  const done = await scene.owner.untilDone(3);
  expect(new Set(done.map(({ taskId }) => taskId))).toEqual(new Set(tasks.map(({ taskId }) => taskId)));
});
