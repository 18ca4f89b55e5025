/** Eyes and a hand on the map step: what tasks an owner publishes, and one that is kept from ending in its worker. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { TranscodeTask } from '../../../cluster/contract/transcode-task.ts';
import { subjects } from '../../../cluster/contract/subjects.ts';
import { connectNats } from '../../../cluster/nats/connection.nats.ts';
import { RegionId } from '../../../cluster/model/ids.ts';
import { silentLogger } from '../../../cluster/observe/logger.ts';
import { noMetrics } from '../../../cluster/observe/metrics.ts';
import { systemClock as clock } from '../../../cluster/time/clock.system.ts';
import type { DemoNode } from '../../../scripts/demo/site.ts';
import type { LogOfRegion } from '../cluster/demo.ts';
import { waitFor } from '../wait.ts';

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
      const task = error === null ? TranscodeTask.safeParse(message.json()) : undefined;
      if (task?.success === true) seen.push(task.data);
    },
  });
  await nats.connection.flush();
  return { seen, [Symbol.asyncDispose]: () => nats.close() };
}

/**
 * Waits until the node's ffmpeg encodes a segment, and stops it there, so that it cannot end before the node does.
 *
 * @returns the attempt that it is; one that others were published beside is let go on, for they cannot be told apart
 */
export async function holdTask({ process: worker }: DemoNode, { seen }: TaskWatch): Promise<TranscodeTask> {
  const look = async (): Promise<TranscodeTask> => {
    for (const pid of await childrenOf(worker.pid)) {
      signal(pid, 'SIGSTOP');
      const encoding = await encodingOf(pid).catch(() => undefined); // it has just ended
      const [task, ...others] = seen.filter((one) => encoding !== undefined && isOf(one, encoding));
      if (task !== undefined && others.length === 0) return task;
      signal(pid, 'SIGCONT');
    }
    throw new Error('it encodes none, or one of several attempts');
  };
  return waitFor(`process ${worker.pid} encodes a task`, look, () => true, { withinMs: 90_000, everyMs: 5 });
}

async function childrenOf(node = 0): Promise<readonly number[]> {
  const text = await readFile(`/proc/${node}/task/${node}/children`, 'utf8').catch(() => '');
  return text.trim().split(' ').filter(Boolean).map(Number);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Gone already.
  }
}

interface Encoding {
  readonly source: Uint8Array;
  readonly outputs: readonly string[];
}

/** What a stopped ffmpeg has in its folder and on its command line. */
async function encodingOf(pid: number): Promise<Encoding | undefined> {
  const state = /\) (\w) /.exec(await readFile(`/proc/${pid}/stat`, 'utf8'))?.[1];
  if (state !== 'T') return undefined;
  const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0');
  const outputs = words.filter((word) => word.endsWith('.h264'));
  return { outputs, source: await readFile(`/proc/${pid}/cwd/source.mp4`) };
}

function isOf(task: TranscodeTask, { source, outputs }: Encoding): boolean {
  const media = source.subarray(source.byteLength - task.source.bytes);
  const isSource = createHash('sha256').update(media).digest('hex') === task.source.sha256;
  const names = task.renditions.map(({ name }) => `${name}.h264`);
  return isSource && isDeepStrictEqual(names.toSorted(), outputs.toSorted());
}
