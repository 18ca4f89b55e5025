/** Calls between nodes over Moleculer on a real nats-server: what is left of a call that nobody answers. */
import { Context, ServiceBroker } from 'moleculer';
import { expect, test } from 'vitest';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import { nodeCalls, type NodeCalls } from '../../../cluster/rpc/node-calls.moleculer.ts';
import { BootId, Epoch, NodeId } from '../../../cluster/model/ids.ts';
import { baseBrokerOptions } from '../../../cluster/observe/broker-options.moleculer.ts';
import { silentLogger, type Logger } from '../../../cluster/observe/logger.ts';
import { systemClock as clock } from '../../../cluster/time/clock.system.ts';
import { testMember } from '../../support/cluster/members.ts';
import { region, stream } from '../../support/ports/records.ts';
import { startNats, type TestNats } from '../../support/cluster/start-nats.ts';

function brokerOf(nats: TestNats, node: string, logger: Logger): ServiceBroker {
  const shared = { region, natsAccess: { servers: [nats.url] }, addSource: () => {} };
  return new ServiceBroker(baseBrokerOptions({ ...shared, brokerId: `${node}.boot-${node}`, logger }));
}

/** Writes down what Moleculer warns of, and worse. */
function listening(lines: string[]): Logger {
  const note = (_: object, message: string): void => void lines.push(message);
  const logger: Logger = { ...silentLogger, warn: note, error: note, child: () => logger };
  return logger;
}

/** Of `n1`, which knows `n2`. */
function callsOf(broker: ServiceBroker): NodeCalls {
  return nodeCalls({
    broker,
    self: NodeId.parse('n1'),
    bootId: BootId.parse('boot-n1'),
    clock,
    members: {
      list: () => ({
        revision: 1,
        readAtMs: 0,
        members: [{ ...testMember('n2'), isAlive: true, state: 'alive', incarnation: 1 }],
      }),
      refresh: async () => {},
      isAlive: () => true,
      onGone: () => () => {},
      onDeclaredDead: () => () => {},
      setDraining: async () => {},
      close: async () => {},
    },
  });
}

// Goal: a node's stop waits for nobody who will never answer. Method: an edge is asked for its head and keeps silent; the asker
// gives up, as it does with a frozen or a dead one, and stops.
test('a call that was never answered leaves nothing that a stop waits for', async () => {
  await using nats = await startNats();
  const lines: string[] = [];
  const asker = brokerOf(nats, 'n1', listening(lines));
  const silent = brokerOf(nats, 'n2', silentLogger);
  const asked = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const head = (): Promise<void> => {
    asked.resolve();
    return release.promise;
  };
  silent.createService({ name: 'edge-delivery', actions: { head } });
  await Promise.all([asker.start(), silent.start()]);
  try {
    await asker.waitForServices('edge-delivery');
    const calls = callsOf(asker);
    expect(await calls.askEdges(stream)).toEqual([]);
    await asked.promise;
  } finally {
    await asker.stop();
    release.resolve();
    await silent.stop();
  }
  expect(lines.filter((line) => !line.includes('is timed out'))).toEqual([]);
});

const record = {
  owner: NodeId.parse('n2'),
  region,
  bootId: BootId.parse('boot-n2'),
  epoch: Epoch.parse(1),
  since: '2026-11-24T12:00:00.000Z',
  reason: 'first publish',
};

// Goal: a node that starts is called as soon as it is known, and no line is written for each try before. Method: the callee's broker
// runs; its service comes while the call is being tried.
test('a call that comes before the service of its node is known waits for it, and nothing is warned of', async () => {
  await using nats = await startNats();
  const lines: string[] = [];
  const asker = brokerOf(nats, 'n1', listening(lines));
  const starting = brokerOf(nats, 'n2', silentLogger);
  await Promise.all([asker.start(), starting.start()]);
  try {
    const asked = callsOf(asker).askFold(NodeId.parse('n2'), stream);
    starting.createService({ name: 'edge-delivery', actions: { fold: () => 'the fold' } });
    expect(await asked).toBe('the fold');
    expect(lines).toEqual([]);
    await expect(callsOf(asker).askHealth(record, stream)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(lines).toEqual([]);
  } finally {
    await Promise.all([asker.stop(), starting.stop()]);
  }
});

test('a worker hears whether its task is wanted; of an owner that does not say it, it is', async () => {
  await using nats = await startNats();
  const asker = brokerOf(nats, 'n1', silentLogger);
  const owner = brokerOf(nats, 'n2', silentLogger);
  const said: unknown[] = [{ isWanted: false }, { isWanted: true }, undefined];
  owner.createService({ name: 'stream', actions: { report: () => said.shift() } });
  await Promise.all([asker.start(), owner.start()]);
  try {
    const { report } = callsOf(asker);
    const worker = NodeId.parse('n1');
    const told = {
      kind: 'started',
      streamId: stream,
      taskId: 't',
      attempt: 1,
      epoch: record.epoch,
      worker,
    } as const;
    const heard = [];
    for (let left = said.length; left > 0; left -= 1) heard.push(await report(record.owner, told));
    expect(heard.map(({ isWanted }) => isWanted)).toEqual([false, true, true]);
  } finally {
    await Promise.all([asker.stop(), owner.stop()]);
  }
});

// Goal: calls to whoever has a service, and to all ingests, are refused when they come late, as the others are (C6). Method: the callee, at
// another node, does not know the caller's clock at first, and writes down how it was called.
test('a call to whoever has the service, and one to all ingests, says until when it is wanted', async () => {
  await using nats = await startNats();
  const asker = brokerOf(nats, 'n1', silentLogger);
  const callee = brokerOf(nats, 'n2', silentLogger);
  const calls: unknown[] = [];
  const answer = (ctx: Context): string => {
    calls.push(ctx.meta);
    if (calls.length === 1) throw new TangazaError('DEADLINE_UNKNOWN');
    return 'answered';
  };
  callee.createService({ name: 'control', actions: { authenticate: answer } });
  callee.createService({ name: 'ingest', actions: { closeSessions: answer } });
  await Promise.all([asker.start(), callee.start()]);
  try {
    await asker.waitForServices(['control', 'ingest']);
    const { authenticate, closeAllSessions } = callsOf(asker);
    expect(await authenticate('key')).toBe('answered');
    await closeAllSessions({ streamId: stream, reason: 'test' });
    const wanted = expect.objectContaining({ from: 'n1', deadlineMs: expect.any(Number) });
    expect(calls).toEqual([wanted, wanted, wanted]);
  } finally {
    await Promise.all([asker.stop(), callee.stop()]);
  }
});

// Goal: what a node does itself costs no call, and behaves as one. Method: an action of the node's own writes down how it was called, and then
// fails, at once and later.
test('an action of the own node is called as a function, and its errors keep their codes', async () => {
  await using nats = await startNats();
  const broker = brokerOf(nats, 'n1', silentLogger);
  const called: unknown[] = [];
  const full = new TangazaError('STORE_FULL');
  const ask = (call: unknown): string => {
    called.push(call);
    return 'answered';
  };
  const fail = (): never => {
    throw full;
  };
  broker.createService({ name: 'own', actions: { ask, fail, failLater: () => Promise.reject(full) } });
  await broker.start();
  try {
    const { callAction } = callsOf(broker);
    const input = { params: {}, query: {}, body: {}, origin: 'http://here' };
    expect(await callAction('own.ask', input)).toBe('answered');
    const meta = { from: 'n1', deadlineMs: expect.any(Number) };
    expect(called).toEqual([expect.objectContaining({ params: input, meta, nodeID: broker.nodeID })]);
    expect(called[0]).not.toBeInstanceOf(Context);
    for (const action of ['own.fail', 'own.failLater'])
      await expect(callAction(action, input)).rejects.toMatchObject({ code: 'STORE_FULL' });
    await expect(callAction('nobody.asks', input)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  } finally {
    await broker.stop();
  }
});
