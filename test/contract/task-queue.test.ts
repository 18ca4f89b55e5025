/** The contract of the task-queue port, held by JetStream and by the queue in memory that tests use. */
import { connect } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RegionId } from '../../cluster/model/ids.ts';
import { silentLogger } from '../../cluster/observe/logger.ts';
import { noMetrics } from '../../cluster/observe/metrics.ts';
import type { TaskQueue } from '../../cluster/queue/task-queue.ts';
import { openNatsTaskQueue } from '../../cluster/queue/task-queue.nats.ts';
import { systemClock } from '../../cluster/time/clock.system.ts';
import { FakeTaskQueue } from '../support/ports/fake-task-queue.ts';
import { startNats } from '../support/cluster/start-nats.ts';
import { Puller, queuedTask as task } from '../support/ports/task-puller.ts';

interface Subject extends AsyncDisposable {
  /** A new and empty one, of at most `maxTasks`. */
  open(maxTasks: number): Promise<TaskQueue>;
}

async function natsSubject(): Promise<Subject> {
  const nats = await startNats({ jetstream: true });
  const connection = await connect({ servers: nats.url });
  let regions = 0;
  return {
    open: (maxTasks) =>
      openNatsTaskQueue({
        connection,
        region: RegionId.parse(`r${(regions += 1)}`),
        maxTasks,
        clock: systemClock,
        logger: silentLogger,
        metrics: noMetrics,
        // Longer than any stall of this process, where nothing is to come again.
        ackWaitMs: 30_000,
      }),
    [Symbol.asyncDispose]: async () => {
      await connection.close();
      await nats[Symbol.asyncDispose]();
    },
  };
}

const memorySubject = async (): Promise<Subject> => ({
  open: async (maxTasks) => new FakeTaskQueue(systemClock, maxTasks),
  [Symbol.asyncDispose]: async () => {},
});

describe.each([
  ['JetStream', natsSubject],
  ['memory', memorySubject],
])('the task queue in %s', (_, start) => {
  let subject: Subject;
  beforeAll(async () => {
    subject = await start();
  });
  afterAll(() => subject[Symbol.asyncDispose]());
  const open = (maxTasks = 100): Promise<TaskQueue> => subject.open(maxTasks);

  test('gives a task that was published once to one worker, once; acked, it is gone', async () => {
    const queue = await open();
    await queue.publish(task(0));
    await using puller = new Puller(queue, 1);
    const pulled = await puller.next();
    expect(pulled).toMatchObject({ task: task(0), deliveries: 1 });
    expect(await queue.depth()).toEqual({ waiting: 0, inFlight: 1 });
    await pulled.ack();
    expect(await queue.depth()).toEqual({ waiting: 0, inFlight: 0 });
  });

  test('queues the same task and attempt once; a further attempt is another message', async () => {
    const queue = await open();
    await queue.publish(task(0));
    await queue.publish(task(0));
    await queue.publish(task(0, 'upper', 2));
    expect(await queue.depth()).toEqual({ waiting: 2, inFlight: 0 });
  });

  test('gives lowest tasks first, however late they were queued', async () => {
    const queue = await open();
    for (const at of [0, 1, 2]) await queue.publish(task(at, 'upper'));
    for (const at of [0, 1, 2]) await queue.publish(task(at, 'lowest'));
    await using puller = new Puller(queue, 1);
    const order: string[] = [];
    for (let left = 6; left > 0; left -= 1) {
      const pulled = await puller.next();
      order.push(`${pulled.task.group} ${pulled.task.start90k}`);
      await pulled.ack();
    }
    expect(order).toEqual(['lowest 0', 'lowest 1', 'lowest 2', 'upper 0', 'upper 1', 'upper 2']);
  });

  // Goal: a task never waits inside a busy worker. Method: two slots, three tasks; what is in flight stays two.
  test('gives no more tasks than there are free slots', async () => {
    const queue = await open();
    for (const at of [0, 1, 2]) await queue.publish(task(at));
    await using puller = new Puller(queue, 2);
    const first = await puller.next();
    await puller.next();
    const third = puller.next();
    expect(await queue.depth()).toEqual({ waiting: 1, inFlight: 2 });
    await first.ack();
    expect((await third).task.start90k).toBe(2);
  });

  test('gives each of two waiting workers one, when two tasks come at once', async () => {
    const queue = await open();
    await using one = new Puller(queue, 1);
    await using other = new Puller(queue, 1);
    const both = [one.next(), other.next()];
    await Promise.all([queue.publish(task(0, 'lowest')), queue.publish(task(0, 'upper'))]);
    const got = await Promise.all(both);
    expect(got.map((pulled) => pulled.task.group).toSorted()).toEqual(['lowest', 'upper']);
  });

  test('gives a task again that was given back, counted; what is settled twice is settled once', async () => {
    const queue = await open();
    await queue.publish(task(0));
    await using puller = new Puller(queue, 1);
    (await puller.next()).giveBack(0);
    const again = await puller.next();
    expect(again.deliveries).toBe(2);
    again.giveBack(0);
    again.giveBack(0);
    await again.ack();
    expect((await puller.next()).deliveries).toBe(3);
  });

  test('refuses what is new when it is full, and keeps what it has', async () => {
    const queue = await open(2);
    await queue.publish(task(0));
    await queue.publish(task(1));
    await expect(queue.publish(task(2))).rejects.toMatchObject({ code: 'OVERLOADED' });
    await using puller = new Puller(queue, 2);
    const kept = [await puller.next(), await puller.next()];
    expect(kept.map((one) => one.task.start90k)).toEqual([0, 1]);
  });

  test('ends the iteration when its signal aborts, also with every slot taken', async () => {
    const queue = await open();
    await queue.publish(task(0));
    const puller = new Puller(queue, 1);
    await puller.next();
    const ended = puller.next().catch((error: unknown) => String(error));
    puller.stop();
    expect(await ended).toContain('the puller has ended');
  });
});
