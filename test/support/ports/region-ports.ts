/** A stream actor on a real nats-server, with a memory store and a queue and workers that the test commands. */
import { connect } from '@nats-io/transport-node';
import { parseLadder } from '../../../actors/media/ladder/ladder.ts';
import { StreamActor, type StreamOptions } from '../../../actors/stream/stream-actor.ts';
import type { CloseSessionsParams } from '../../../cluster/contract/ingest-actions.ts';
import type { TranscodeTask } from '../../../cluster/contract/transcode-task.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import { BootId, NodeId } from '../../../cluster/model/ids.ts';
import { silentLogger } from '../../../cluster/observe/logger.ts';
import { noMetrics } from '../../../cluster/observe/metrics.ts';
import type { IndexLog } from '../../../cluster/log/index-log.ts';
import { openNatsIndexLog } from '../../../cluster/log/index-log.nats.ts';
import { OwnershipMemory } from '../../../cluster/ownership/known-ownership.ts';
import { openNatsOwnershipStore } from '../../../cluster/ownership/ownership-store.nats.ts';
import type { TaskQueue } from '../../../cluster/queue/task-queue.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { MemorySegmentStore } from './memory-segment-store.ts';
import { region } from './records.ts';
import type { TestNats } from '../cluster/start-nats.ts';
import { waitForEvents } from '../wait.ts';

const rung = (height: number, maxrateBps: number) => ({
  height,
  maxrateBps,
  crf: 24,
  preset: 'veryfast',
  profile: 'high',
});
const ladder = parseLadder('test', { rungs: [rung(480, 1_400_000), rung(240, 400_000)] });

export interface TestActor extends AsyncDisposable {
  readonly actor: StreamActor;
  readonly log: IndexLog;
  /** Resolves with the next task that was published, in order. */
  nextTask(): Promise<TranscodeTask>;
  /** What it was made with, for a service on the same ports. */
  readonly options: StreamOptions;
  readonly closed: readonly CloseSessionsParams[];
}

export interface TestActorOptions {
  readonly node?: string;
  readonly boot?: string;
  readonly alive?: boolean;
  readonly options?: Partial<StreamOptions>;
  /** Puts something between the actor and its log, e.g. to freeze it. */
  readonly around?: (log: IndexLog) => IndexLog;
}

export async function startActor(
  nats: TestNats,
  { node = 'n1', boot = `boot-${node}`, alive = true, options, around }: TestActorOptions = {},
): Promise<TestActor> {
  const connection = await connect({ servers: nats.url, reconnectTimeWait: 50, maxReconnectAttempts: -1 });
  const log = await openNatsIndexLog({ connection, region, metrics: noMetrics, logger: silentLogger });
  const records = await openNatsOwnershipStore({ connection, region, logger: silentLogger });
  const ownership = new OwnershipMemory({ store: records, clock: systemClock, isDown: () => false });
  const tasks = new Mailbox<TranscodeTask>();
  const closed: CloseSessionsParams[] = [];
  const all: StreamOptions = {
    node: NodeId.parse(node),
    region,
    bootId: BootId.parse(boot),
    clock: systemClock,
    ownership,
    log: around?.(log) ?? log,
    queue: queueInto(tasks),
    store: new MemorySegmentStore(),
    ladders: new Map([['default', ladder]]),
    fingerprint: 'test',
    metrics: noMetrics,
    logger: silentLogger,
    isAlive: () => alive,
    refreshMembers: async () => {},
    candidates: () => [],
    askToAdopt: () => Promise.reject(new TangazaError('UNAVAILABLE')),
    askEdges: async () => [],
    askFold: async () => undefined,
    closeSessions: (params) => void closed.push(params),
    ...options,
  };
  const actor = new StreamActor(all);
  await actor.start();
  const dispose = async (): Promise<void> => {
    await actor.stop();
    await connection.close();
  };
  return { actor, log, nextTask: () => tasks.take(), closed, options: all, [Symbol.asyncDispose]: dispose };
}

class Mailbox<T> {
  readonly #items: T[] = [];
  #wake: (() => void) | undefined;

  put(item: T): void {
    this.#items.push(item);
    this.#wake?.();
  }

  async take(): Promise<T> {
    const next = () => new Promise<void>((resolve) => (this.#wake = resolve));
    await waitForEvents('a task is published', () => this.#items.length > 0, next);
    return this.#items.shift() ?? this.take();
  }
}

function queueInto(tasks: Mailbox<TranscodeTask>): TaskQueue {
  return {
    publish: async (task) => tasks.put(task),
    pull: () => {
      throw new Error('no worker here');
    },
    depth: async () => ({ waiting: 0, inFlight: 0 }),
  };
}
