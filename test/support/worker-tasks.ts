/** Eyes and a hand on the map step: what tasks an owner publishes, and one that is kept from ending in its worker. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { TranscodeTask } from '../../cluster/contract/transcode.ts';
import { TranscodeTask as Task } from '../../cluster/contract/transcode.ts';
import { subjects } from '../../cluster/contract/subjects.ts';
import { connectNats } from '../../cluster/membership/connection.nats.ts';
import { RegionId } from '../../cluster/model/ids.ts';
import { silentLogger } from '../../cluster/observe/logger.ts';
import { noMetrics } from '../../cluster/observe/metrics.ts';
import { systemClock as clock } from '../../cluster/time/clock.system.ts';
import type { DemoNode } from '../../scripts/demo/demo-cluster.ts';
import type { LogOfRegion } from './demo.ts';

export interface TaskWatch extends AsyncDisposable {
  /** Every attempt that was published, in order. */
  readonly seen: readonly TranscodeTask[];
}

export async function watchTasks({ id, natsUrl }: LogOfRegion): Promise<TaskWatch> {
  const common = { logger: silentLogger, metrics: noMetrics, clock };
  const nats = await connectNats({ ...common, servers: natsUrl.split(','), name: 'test' });
  const seen: TranscodeTask[] = [];
  nats.connection.subscribe(subjects.allTasks(RegionId.parse(id)), {
    callback: (error, message) => {
      const task = error === null ? Task.safeParse(message.json()) : undefined;
      if (task?.success === true) seen.push(task.data);
    },
  });
  await nats.connection.flush();
  return { seen, [Symbol.asyncDispose]: () => nats.close() };
}

/** What an encoder is at work on, found in its folder and on its command line. */
export interface HeldTask {
  readonly source: Uint8Array;
  readonly commandLine: string;
}

/** Waits until the node's ffmpeg encodes a segment, and stops it there, so that it cannot end before the node does. */
export async function holdTask({ process: worker }: DemoNode): Promise<HeldTask> {
  for (;;) {
    for (const pid of await childrenOf(worker.pid)) {
      const held = await hold(pid).catch(() => undefined); // it may be gone by now
      if (held !== undefined) return held;
    }
    await clock.sleep(5);
  }
}

async function childrenOf(pid = 0): Promise<readonly number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return text.trim().split(' ').filter(Boolean).map(Number);
}

async function hold(pid: number): Promise<HeldTask | undefined> {
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8');
  if (!commandLine.includes('source.mp4')) return undefined;
  process.kill(pid, 'SIGSTOP');
  const state = /\) (\w) /.exec(await readFile(`/proc/${pid}/stat`, 'utf8'))?.[1];
  return state === 'T' ? { commandLine, source: await readFile(`/proc/${pid}/cwd/source.mp4`) } : undefined;
}

/** Which of the published attempts that is: the last one of its source and renditions. */
export function attemptOf({ source, commandLine }: HeldTask, tasks: readonly TranscodeTask[]): TranscodeTask {
  const task = tasks.findLast((one) => {
    const media = source.subarray(source.byteLength - one.source.bytes);
    const isSource = createHash('sha256').update(media).digest('hex') === one.source.sha256;
    return isSource && one.renditions.every(({ name }) => commandLine.includes(`${name}.h264`));
  });
  if (task === undefined) throw new Error(`no task was published for ${commandLine}`);
  return task;
}
