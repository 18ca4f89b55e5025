/** Membership on a real nats-server: who is a member, who is declared dead, and what wrong members are told (C3). */
import { rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { jetstreamManager } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { connect } from '@nats-io/transport-node';
import { expect, test } from 'vitest';
import { openNatsMembership, type Membership } from '../../cluster/membership/membership.nats.ts';
import type { GoneMember, Member } from '../../cluster/membership/member-directory.ts';
import { errorCodeOf } from '../../cluster/errors/tangaza-error.ts';
import { BootId, NodeId, RegionId } from '../../cluster/model/ids.ts';
import { silentLogger } from '../../cluster/observe/logger.ts';
import { noMetrics } from '../../cluster/observe/metrics.ts';
import type { Clock } from '../../cluster/time/clock.ts';
import { systemClock } from '../../cluster/time/clock.system.ts';
import { openNatsViewStore } from '../../cluster/membership/view-store.nats.ts';
import { testMember, viewOf } from '../support/members.ts';
import { startNats, type TestNats } from '../support/start-nats.ts';

interface TestNode extends AsyncDisposable {
  readonly membership: Membership;
  readonly gone: GoneMember[];
  readonly exits: string[];
  /** Dies without a word: NATS and HTTP are gone at once. */
  crash(): Promise<void>;
}

interface NodeOptions {
  readonly change?: Partial<Member>;
  readonly secretHash?: string;
  readonly clock?: Clock;
}

async function startNode(
  nats: TestNats,
  name: string,
  { change, secretHash = 'secret', clock = systemClock }: NodeOptions = {},
): Promise<TestNode> {
  const health = createServer((_, reply) => void reply.end('ok'));
  const port = await listening(health);
  const connection = await connect({ servers: nats.url, reconnectTimeWait: 50, maxReconnectAttempts: -1 });
  const self = testMember(name, { httpUrl: `http://127.0.0.1:${port}`, ...change });
  const exits: string[] = [];
  const crash = async (): Promise<void> => {
    health.closeAllConnections();
    health.close();
    await connection.close();
  };
  try {
    const membership = await openNatsMembership({
      ...{ connection, self, secretHash, clock, random: Math.random },
      ...{ logger: silentLogger, metrics: noMetrics, exit: (why) => void exits.push(why) },
    });
    const gone: GoneMember[] = [];
    membership.onGone((one) => void gone.push(one));
    const dispose = async (): Promise<void> => {
      if (!connection.isClosed()) await membership.close();
      await crash();
    };
    return { membership, gone, exits, crash, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await crash();
    throw error;
  }
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Waits, within the test's time-out. */
async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await systemClock.sleep(20);
}

const states = ({ membership }: TestNode): readonly string[] =>
  membership.list().members.map(({ id, state }) => `${id} ${state}`);

test('a member that dies is declared dead by the others, and only once', async () => {
  await using nats = await startNats({ jetstream: true });
  await using one = await startNode(nats, 'n1');
  await using two = await startNode(nats, 'n2');
  await using three = await startNode(nats, 'n3');
  await until(() => states(one).length === 3 && states(two).length === 3);
  await three.crash();
  await until(() => one.gone.length > 0 && two.gone.length > 0);
  const death = { node: 'n3', bootId: 'boot-n3', why: 'died' };
  expect([one.gone, two.gone]).toEqual([[death], [death]]);
  expect(states(one)).toEqual(['n1 alive', 'n2 alive', 'n3 dead']);
  expect(one.membership.isAlive(NodeId.parse('n3'), BootId.parse('boot-n3'))).toBe(false);
});

test('one that leaves is no member any more, and nobody calls it dead', async () => {
  await using nats = await startNats({ jetstream: true });
  await using one = await startNode(nats, 'n1');
  {
    await using _two = await startNode(nats, 'n2');
    await until(() => states(one).length === 2);
  }
  await until(() => one.gone.length > 0);
  expect(one.gone).toEqual([{ node: 'n2', bootId: 'boot-n2', why: 'left' }]);
  expect(states(one)).toEqual(['n1 alive']);
});

test('draining is seen by all, and is no death', async () => {
  await using nats = await startNats({ jetstream: true });
  await using one = await startNode(nats, 'n1');
  await using two = await startNode(nats, 'n2');
  await two.membership.setDraining();
  await until(() => states(one).includes('n2 draining'));
  expect(one.membership.isAlive(NodeId.parse('n2'), BootId.parse('boot-n2'))).toBe(true);
  expect(one.gone).toEqual([]);
});

// Goal: a process that was frozen and given up knows it, and comes back. Method: another member writes its death.
test('a node that was declared dead tells its actors, and rejoins in a higher incarnation', async () => {
  await using nats = await startNats({ jetstream: true });
  await using one = await startNode(nats, 'n1');
  const connection = await connect({ servers: nats.url });
  try {
    const died = new Promise<void>((resolve) => void one.membership.onDeclaredDead(resolve));
    const kv = await new Kvm(connection).open('members-r1');
    const entry = await kv.get('view');
    const text = entry
      ?.string()
      .replace('"state":"alive"', '"state":"dead"')
      .replace('"version":1', '"version":2');
    await kv.update('view', text ?? '', entry?.revision ?? 0);
    await died;
    await until(() => states(one)[0] === 'n1 alive');
    expect(one.membership.list().members[0]?.incarnation).toBe(2);
    expect(one.exits).toEqual([]);
  } finally {
    await connection.close();
  }
});

test.each(['emptied', 'corrupt'])(
  'a view that is %s is built again, and nobody is taken for dead',
  async (how) => {
    await using nats = await startNats({ jetstream: true });
    await using one = await startNode(nats, 'n1');
    await using two = await startNode(nats, 'n2');
    await until(() => states(one).length === 2 && states(two).length === 2);
    const connection = await connect({ servers: nats.url });
    try {
      const kv = await new Kvm(connection).open('members-r1');
      await (how === 'emptied' ? kv.purge('view') : kv.put('view', '{"version":'));
      const isRebuilt = async (): Promise<boolean> => {
        const entry = await kv.get('view');
        const text = entry?.operation === 'PUT' ? entry.string() : '';
        return text.includes('"n1"') && text.includes('"n2"');
      };
      while (!(await isRebuilt())) await systemClock.sleep(50);
      await until(() => states(one).length === 2 && states(two).length === 2);
      expect([one.gone, two.gone]).toEqual([[], []]);
    } finally {
      await connection.close();
    }
  },
);

test('of two processes with one node id the second does not start while the first lives', async () => {
  await using nats = await startNats({ jetstream: true });
  await using one = await startNode(nats, 'n1', { change: { pid: 4711 } });
  const second = startNode(nats, 'n1', { change: { bootId: BootId.parse('boot-2') } });
  await expect(second).rejects.toThrow(
    /A node n1 runs already \(process 4711 on h\): set another TANGAZA_NODE_ID/,
  );
  await one.crash();
  await using third = await startNode(nats, 'n1', { change: { bootId: BootId.parse('boot-3') } });
  expect(third.membership.list().members.map(({ bootId }) => bootId)).toEqual(['boot-3']);
});

test('a node with another secret, or of another protocol, is told what to do and does not start', async () => {
  await using nats = await startNats({ jetstream: true });
  await using one = await startNode(nats, 'n1');
  const stranger = startNode(nats, 'n2', { secretHash: 'other' });
  expect(await stranger.then(() => 'none', errorCodeOf)).toBe('CONFLICT');
  await expect(startNode(nats, 'n2', { secretHash: 'other' })).rejects.toThrow(/another secret/);
  await expect(startNode(nats, 'n2', { change: { protocol: 2 } })).rejects.toThrow(/run the same version/);
  expect(states(one)).toEqual(['n1 alive']);
});

test('a member whose wall clock is a minute off is named, and stays a member', async () => {
  await using nats = await startNats({ jetstream: true });
  await using one = await startNode(nats, 'n1');
  const late: Clock = { ...systemClock, utcMs: () => systemClock.utcMs() - 60_000 };
  await using _two = await startNode(nats, 'n2', { clock: late });
  await until(() => one.membership.warnings().length > 0);
  expect(one.membership.warnings()).toEqual([
    expect.stringMatching(/^the clock of n2 is -60\.0 s away from ours/),
  ]);
  expect(states(one)).toEqual(['n1 alive', 'n2 alive']);
  expect(Math.abs(one.membership.clockOffsetMs(NodeId.parse('n2')) ?? 1e9)).toBeLessThan(10_000);
});

// Goal: NATS gone is no death (C8). Method: SIGKILL nats-server for longer than any verdict takes, start it again.
test('without NATS nobody is declared dead, and the view stays as it was', async () => {
  await using nats = await startNats({ jetstream: true });
  await using one = await startNode(nats, 'n1');
  await using two = await startNode(nats, 'n2');
  await until(() => states(one).length === 2 && states(two).length === 2);
  await nats.kill();
  await systemClock.sleep(3000);
  await nats.restart();
  await using three = await startNode(nats, 'n3');
  await until(() => states(one).length === 3 && states(two).length === 3);
  expect([one.gone, two.gone, three.gone]).toEqual([[], [], []]);
});

// Goal: a node hears of deaths whatever became of its watch of the view: the server that held the watch's consumer may be gone, for ever.
// Method: the consumers are deleted; then a member joins and dies.
test('with the watch of the view gone, who joins and who dies is still heard of', async () => {
  await using nats = await startNats({ jetstream: true });
  await using one = await startNode(nats, 'n1');
  await using two = await startNode(nats, 'n2');
  await until(() => states(one).length === 2 && states(two).length === 2);
  await using connection = await connect({ servers: nats.url });
  const manager = await jetstreamManager(connection);
  for await (const { stream_name, name } of manager.consumers.list('KV_members-r1'))
    await manager.consumers.delete(stream_name, name);
  await using three = await startNode(nats, 'n3');
  await until(() => states(one).length === 3 && states(two).length === 3);
  await three.crash();
  await until(() => one.gone.length > 0 && two.gone.length > 0);
  expect([one.gone, two.gone].flat().map(({ node, why }) => `${node} ${why}`)).toEqual([
    'n3 died',
    'n3 died',
  ]);
});

// Goal: the bucket may go with its server's disk (C7), and membership goes on. Method: it is destroyed at a high revision; the members
// make it again, nobody is taken for dead, and a death after that is heard of by all.
test('a bucket that is destroyed is made again by its members, and they go on in it', async () => {
  await using nats = await startNats({ jetstream: true });
  await using one = await startNode(nats, 'n1');
  await using two = await startNode(nats, 'n2');
  await using three = await startNode(nats, 'n3');
  const nodes = [one, two, three];
  await two.membership.setDraining();
  await until(() => nodes.every((node) => states(node).includes('n2 draining')));
  await using connection = await connect({ servers: nats.url });
  const manager = await jetstreamManager(connection);
  await manager.streams.delete('KV_members-r1');
  const isWhole = async (): Promise<boolean> => {
    const text = await new Kvm(connection)
      .open('members-r1')
      .then((kv) => kv.get('view'))
      .then((entry) => entry?.string() ?? '')
      .catch(() => '');
    return ['n1', 'n2', 'n3'].every((id) => text.includes(`"${id}"`));
  };
  while (!(await isWhole())) await systemClock.sleep(50);
  expect(nodes.map(({ gone }) => gone)).toEqual([[], [], []]);
  await three.crash();
  await until(() => one.gone.length > 0 && two.gone.length > 0);
  expect([one.gone, two.gone].flat().map(({ node, why }) => `${node} ${why}`)).toEqual([
    'n3 died',
    'n3 died',
  ]);
});

test('of two processes with one node id the second does not start while the first lives', async () => {
  await using nats = await startNats({ jetstream: true });
  await using one = await startNode(nats, 'n1', { change: { pid: 4711 } });
  const second = startNode(nats, 'n1', { change: { bootId: BootId.parse('boot-2') } });
  await expect(second).rejects.toThrow(
    /A node n1 runs already \(process 4711 on h\): set another TANGAZA_NODE_ID/,
  );
  await one.crash();
  await using third = await startNode(nats, 'n1', { change: { bootId: BootId.parse('boot-3') } });
  expect(third.membership.list().members.map(({ bootId }) => bootId)).toEqual(['boot-3']);
});

test('a node with another secret, or of another protocol, is told what to do and does not start', async () => {
  await using nats = await startNats({ jetstream: true });
  await using one = await startNode(nats, 'n1');
  const stranger = startNode(nats, 'n2', { secretHash: 'other' });
  expect(await stranger.then(() => 'none', errorCodeOf)).toBe('CONFLICT');
  await expect(startNode(nats, 'n2', { secretHash: 'other' })).rejects.toThrow(/another secret/);
  await expect(startNode(nats, 'n2', { change: { protocol: 2 } })).rejects.toThrow(/run the same version/);
  expect(states(one)).toEqual(['n1 alive']);
});

test('a member whose wall clock is a minute off is named, and stays a member', async () => {
  await using nats = await startNats({ jetstream: true });
  await using one = await startNode(nats, 'n1');
  const late: Clock = { ...systemClock, utcMs: () => systemClock.utcMs() - 60_000 };
  await using _two = await startNode(nats, 'n2', { clock: late });
  await until(() => one.membership.warnings().length > 0);
  expect(one.membership.warnings()).toEqual([
    expect.stringMatching(/^the clock of n2 is -60\.0 s away from ours/),
  ]);
  expect(states(one)).toEqual(['n1 alive', 'n2 alive']);
  expect(Math.abs(one.membership.clockOffsetMs(NodeId.parse('n2')) ?? 1e9)).toBeLessThan(10_000);
});

/** Of the region of every test's members. */
const region = RegionId.parse('r1');

async function openStore(nats: TestNats) {
  const connection = await connect({ servers: nats.url, reconnectTimeWait: 50, maxReconnectAttempts: -1 });
  const store = await openNatsViewStore({ connection, region, clock: systemClock, logger: silentLogger });
  const { streams } = await jetstreamManager(connection);
  const bucket = `KV_members-${region}`;
  const isThere = (): Promise<boolean> =>
    streams.info(bucket).then(
      () => true,
      () => false,
    );
  return {
    ...{ store, isThere, lose: () => streams.delete(bucket) },
    [Symbol.asyncDispose]: () => connection.close(),
  };
}

// Goal: a changed view is learnt of after a lost disk. Method: the view has changed often; kill nats-server, empty
// its folder, start it again: revisions begin again, below those that the members know.
test('members go on in a bucket that was lost with its disk, and see who joins there', async () => {
  await using nats = await startNats({ jetstream: true });
  await using one = await startNode(nats, 'n1');
  await using two = await startNode(nats, 'n2');
  await until(() => states(one).length === 2 && states(two).length === 2);
  await using writing = await openStore(nats);
  for (let times = 0; times < 10; times += 1) {
    const { view = viewOf(), revision } = await writing.store.read();
    await writing.store.write({ ...view, version: view.version + 1 }, revision);
  }
  await nats.kill();
  await rm(nats.dir, { recursive: true });
  await nats.restart();
  await until(() => states(one).length === 2 && states(two).length === 2);
  await using three = await startNode(nats, 'n3');
  await until(() => [one, two, three].every((node) => states(node).length === 3));
  expect([one.gone, two.gone, three.gone, one.exits, two.exits]).toEqual([[], [], [], [], []]);
});

// Goal: the watch itself goes on. Method: delete the bucket under a store whose revisions are high, wait until the watch has
// made it again, and let another store write there, where revisions begin again.
test('a watch begins again in a bucket that was lost, and ends when its store is closed', async () => {
  await using nats = await startNats({ jetstream: true });
  await using watching = await openStore(nats);
  await using writing = await openStore(nats);
  const [before, after] = [viewOf('n1', 'n2'), viewOf('n3')];
  for (let revision = 0; revision < 5; revision += 1) await writing.store.write(before, revision);
  const views = watching.store.watch()[Symbol.asyncIterator]();
  expect((await views.next()).value).toEqual({ view: before, revision: 5 });
  const next = views.next();
  await writing.lose();
  while (!(await writing.isThere())) await systemClock.sleep(20);
  await writing.store.write(after, 0);
  expect((await next).value).toEqual({ view: after, revision: 1 });
  const end = views.next();
  await watching.store.close();
  expect((await end).done).toBe(true);
});

test.each(['read', 'write'] as const)(
  'a bucket that was lost is made again by the first %s that meets it',
  async (how) => {
    await using nats = await startNats({ jetstream: true });
    await using writing = await openStore(nats);
    await writing.lose();
    const { store } = writing;
    const met = how === 'read' ? store.read() : store.write(viewOf('n1'), 0);
    expect(await met.then(() => 'none', errorCodeOf)).toBe('LOG_UNAVAILABLE');
    expect(await writing.isThere()).toBe(true);
    expect(await store.read()).toEqual({ view: undefined, revision: 0 });
  },
);
