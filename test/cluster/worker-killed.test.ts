/** A node that only encodes dies in the middle of a task, on real processes: another one does it, and viewers see nothing (C9). */
import { expect, test } from 'vitest';
import { isPresent, type IndexEntry } from '../../cluster/contract/index-records.ts';
import type { TranscodeTask } from '../../cluster/contract/transcode-task.ts';
import type { DemoNode } from '../../scripts/demo/site.ts';
import { startTestCluster, type TestCluster } from '../support/cluster/demo.ts';
import { flashAndBeep, publish, x264 } from '../support/media/ffmpeg-publisher.ts';
import {
  accountOf,
  decidedLog,
  grownBy,
  hasJoined,
  nothingLost,
  playing,
  playlistPath,
} from '../support/cluster/live-cluster.ts';
import { ManifestWatch } from '../support/cluster/manifest-watch.ts';
import { addNode } from '../support/cluster/more-nodes.ts';
import { holdTask, watchTasks, type TaskWatch } from '../support/ports/worker-tasks.ts';

const withoutWorkers = { TANGAZA_ROLES: 'ingest,edge-delivery,control' };
/** Of deaths about one in three is answered late. */
const mostDeaths = 10;
const workerOnly = { TANGAZA_ROLES: 'transcode-worker', TANGAZA_WORKER_SLOTS: '1' };
/** Kills the node while its ffmpeg works. @returns the attempt that died with it */
async function killAtWork(worker: DemoNode, tasks: TaskWatch): Promise<TranscodeTask> {
  const task = await holdTask(worker, tasks);
  await worker.process.kill('SIGKILL');
  return task;
}

async function publishedAgain({ taskId, attempt }: TranscodeTask, tasks: TaskWatch): Promise<void> {
  const attempts = (): number =>
    tasks.seen.filter((one) => one.taskId === taskId && one.attempt > attempt).length;
  await expect.poll(attempts).toBeGreaterThan(0);
}

/** The owner did it for the worker's death, not because the task was slow. */
async function isForDeath(
  cluster: TestCluster,
  owner: DemoNode,
  { taskId }: TranscodeTask,
): Promise<boolean> {
  const lines = (await cluster.log(owner.node)).split('\n');
  return lines.some(
    (line) => line.includes("a dead worker's task is published again") && line.includes(taskId),
  );
}

const absentIn = (entries: readonly IndexEntry[]): readonly string[] =>
  entries.flatMap(({ record }) =>
    record.kind !== 'commit'
      ? []
      : Object.entries(record.renditions).flatMap(([name, media]) =>
          isPresent(media) ? [] : [`${record.number} ${name} ${media.absent}`],
        ),
  );

// Goal: the death of a worker costs nobody anything. Method: two nodes that ingest, own and serve, two that only encode; a
// small picture, so that these have time to spare. The ffmpeg
// of one of these is stopped in the middle of a segment, and then its node is killed. The same task must be published again, and
// be committed with every rendition. A death is answered within about a second, as a slow task is (M12), and now and then that is
// faster; then the worker comes back, and it is the other one's turn, until a death was answered first.
test('a worker-only node is killed in the middle of a task: no gap, no rendition absent, nothing twice', async () => {
  await using cluster = await startTestCluster({ nodes: 2, env: withoutWorkers });
  const [owner, edge] = cluster.nodes;
  const [region] = cluster.regions;
  if (owner === undefined || edge === undefined || region === undefined) throw new Error('no cluster');
  await using one = await addNode(cluster, 'worker-1', workerOnly);
  await using two = await addNode(cluster, 'worker-2', workerOnly);
  const workers = [one, two];
  for (const worker of workers) await hasJoined(cluster, worker, owner);
  await using tasks = await watchTasks(region);
  await using publisher = publish(
    `${owner.rtmp}/${cluster.stream.key}`,
    flashAndBeep(270, 480, 12),
    x264(12, 2),
  );
  await playing(edge);
  await using watch = new ManifestWatch(cluster.nodes, playlistPath);

  const died: TranscodeTask[] = [];
  let isAnswered = false;
  for (let round = 0; !isAnswered; round += 1) {
    if (round === mostDeaths)
      throw new Error(`no death of ${mostDeaths} was answered before the task was slow`);
    const victim = died.length % 2 === 0 ? one : two;
    for (const worker of workers) {
      worker.process.start(); // of one that runs this is nothing
      await hasJoined(cluster, worker, owner);
    }
    const task = await killAtWork(victim, tasks);
    died.push(task);
    await publishedAgain(task, tasks);
    await grownBy(edge, 1);
    isAnswered = await isForDeath(cluster, owner, task);
  }

  expect(publisher.output()).toBe('');
  await publisher.kill('SIGTERM');
  const entries = await decidedLog(cluster, owner);
  expect(accountOf(entries)).toEqual({ ...nothingLost, opens: 1 });
  expect(absentIn(entries)).toEqual([]);
  const committed = entries.flatMap(({ record }) => (record.kind === 'commit' ? [record.start90k] : []));
  for (const { start90k } of died) expect(committed.filter((start) => start === start90k)).toHaveLength(1);
  expect(watch.faults).toEqual([]);
});
