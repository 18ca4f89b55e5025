/** The task queue on a real JetStream. */
import { rm } from 'node:fs/promises';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { describe, expect, test } from 'vitest';
import type { TranscodeTask } from '../../../cluster/contract/transcode-task.ts';
import { RegionId } from '../../../cluster/model/ids.ts';
import { silentLogger } from '../../../cluster/observe/logger.ts';
import { noMetrics } from '../../../cluster/observe/metrics.ts';
import type { TaskQueue } from '../../../cluster/queue/task-queue.ts';
import { openNatsTaskQueue, type TaskQueueOptions } from '../../../cluster/queue/task-queue.nats.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { startNats, type TestNats } from '../../support/cluster/start-nats.ts';
import { Puller, queuedTask as task } from '../../support/ports/task-puller.ts';
import { sampleTask } from '../../support/ports/transcode-task.ts';
import { waitForEvents } from '../../support/wait.ts';

const region = RegionId.parse('local');

async function connectTo(nats: TestNats): Promise<NatsConnection> {
  return connect({ servers: nats.url, reconnectTimeWait: 20, reconnectJitter: 20, maxReconnectAttempts: -1 });
}

const openQueue = (connection: NatsConnection, options: Partial<TaskQueueOptions> = {}): Promise<TaskQueue> =>
  openNatsTaskQueue({
    connection,
    region,
    clock: systemClock,
    logger: silentLogger,
    metrics: noMetrics,
    // Longer than any stall of this process, where nothing is to come again.
    ackWaitMs: 30_000,
    ...options,
  });

/** As owners do: again, until the queue is back. */
async function publishSoon(queue: TaskQueue, one: TranscodeTask): Promise<void> {
  for (let left = 100; ; left -= 1) {
    try {
      return await queue.publish(one);
    } catch (error) {
      if (left === 0) throw error;
      await systemClock.sleep(100);
    }
  }
}

// Goal: the backstop of C9. Method: the first worker takes the task and its connection dies, as by SIGKILL. (This one and the next
// wait for `ack_wait`, each on a server of its own: together.)
test.concurrent('the task of a killed worker comes again, counted', async () => {
  const soon = { ackWaitMs: 1500 };
  await using nats = await startNats({ jetstream: true });
  await using connection = await connectTo(nats);
  const queue = await openQueue(connection, soon);
  const doomed = await connectTo(nats);
  const victim = new Puller(await openQueue(doomed, soon), 1);
  await queue.publish(task(0));
  expect((await victim.next()).deliveries).toBe(1);
  await doomed.close();
  await using puller = new Puller(queue, 1);
  const again = await puller.next();
  expect(again.task).toEqual(task(0));
  expect(again.deliveries).toBe(2);
});

// Goal: a long encode is not taken for a dead worker. Method: one worker says `working` for longer than ack_wait
// while another waits; the marker that is queued after it arrives at the other, and the task itself does not.
test.concurrent('a task that is worked on does not come again', async () => {
  await using nats = await startNats({ jetstream: true });
  await using connection = await connectTo(nats);
  const queue = await openQueue(connection, { ackWaitMs: 6000 });
  await queue.publish(task(0));
  await using busy = new Puller(queue, 1);
  const held = await busy.next();
  await using idle = new Puller(queue, 1);
  const next = idle.next();
  for (let beats = 0; beats < 15; beats += 1) {
    held.working();
    await systemClock.sleep(500);
  }
  await queue.publish(task(1));
  expect((await next).task.start90k).toBe(1);
});

// Goal: a restart of NATS loses no task and needs no restart of ours. Method: SIGKILL it while one task is worked on,
// one is queued, and a puller waits; both come after it is back, and a new one too.
test('a restart of the server in between loses no task', async () => {
  await using nats = await startNats({ jetstream: true });
  await using connection = await connectTo(nats);
  const queue = await openQueue(connection);
  await using puller = new Puller(queue, 3);
  await queue.publish(task(0));
  const held = await puller.next();
  await queue.publish(task(1));
  const waiting = puller.next();
  await nats.restart();
  let pulled = await waiting;
  expect(pulled.task.start90k).toBe(1);
  await held.ack();
  await queue.publish(task(2));
  // An ack that the server did not hear lets the task come again.
  const isLast = (): boolean => pulled.task.start90k === 2;
  await waitForEvents('the task that was published last comes', isLast, async () => {
    await pulled.ack();
    pulled = await puller.next();
  });
});

test('a server that comes back empty gets its stream and consumers again', async () => {
  await using nats = await startNats({ jetstream: true });
  await using connection = await connectTo(nats);
  const queue = await openQueue(connection);
  await using puller = new Puller(queue, 1);
  const waiting = puller.next();
  await nats.kill();
  await rm(nats.dir, { recursive: true });
  await nats.restart();
  await publishSoon(queue, task(5));
  expect((await waiting).task.start90k).toBe(5);
});

test('with the server gone, publishing and asking for the depth fail with a code', async () => {
  await using nats = await startNats({ jetstream: true });
  await using connection = await connectTo(nats);
  const queue = await openQueue(connection);
  await nats.kill();
  await expect(queue.publish(task(0))).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
  await expect(queue.depth()).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
  await connection.close();
});

test('a message that is no task is removed, and the next task comes', async () => {
  await using nats = await startNats({ jetstream: true });
  await using connection = await connectTo(nats);
  const queue = await openQueue(connection);
  connection.publish('tz.local.task.upper', '{ "no": "task" }');
  connection.publish('tz.local.task.upper', 'no json');
  await queue.publish(task(0));
  await using puller = new Puller(queue, 1);
  const pulled = await puller.next();
  expect(pulled.task).toEqual(task(0));
  await pulled.ack();
  expect(await queue.depth()).toEqual({ waiting: 0, inFlight: 0 });
});

test('a task acknowledged by a stream of another name is not taken for queued', async () => {
  await using nats = await startNats({ jetstream: true });
  await using connection = await connectTo(nats);
  const queue = await openQueue(connection);
  const { jetstreamManager } = await import('@nats-io/jetstream');
  const manager = await jetstreamManager(connection);
  await manager.streams.delete('TASKS-local');
  await manager.streams.add({ name: 'FOREIGN', subjects: ['tz.local.task.>'] });
  await expect(queue.publish(task(0))).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
});

describe('while the queue is silent, a task goes to the worker of its own node', () => {
  const own = { fingerprint: sampleTask().fingerprint };

  test('as long as that has a free slot, and with the server back by the queue again', async () => {
    await using nats = await startNats({ jetstream: true });
    await using connection = await connectTo(nats);
    const queue = await openQueue(connection, own);
    await using puller = new Puller(queue, 1);
    const first = puller.next();
    await nats.kill();
    await queue.publish(task(0));
    const held = await first;
    expect({ task: held.task, deliveries: held.deliveries }).toEqual({ task: task(0), deliveries: 1 });
    const second = puller.next();
    await expect(queue.publish(task(1))).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
    await held.ack();
    await queue.publish(task(2));
    const next = await second;
    expect(next.task.start90k).toBe(2);
    await nats.restart();
    // The only slot is taken, so that this one waits in the queue.
    await publishSoon(queue, task(3));
    const { waiting, inFlight } = await queue.depth();
    expect(waiting + inFlight).toBe(1);
    next.giveBack(0);
    expect((await puller.next()).task.start90k).toBe(3);
  });

  test.each([
    ['a node without a worker', own, 0],
    ["an encoder that is not the period's", { fingerprint: 'another' }, 1],
  ])('%s takes none', async (_, options, slots) => {
    await using nats = await startNats({ jetstream: true });
    await using connection = await connectTo(nats);
    const queue = await openQueue(connection, options);
    await using puller = slots === 0 ? undefined : new Puller(queue, slots);
    const waiting = puller?.next().catch(() => undefined);
    await nats.kill();
    await expect(queue.publish(task(0))).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
    puller?.stop();
    expect(await waiting).toBeUndefined();
    await connection.close();
  });
});
