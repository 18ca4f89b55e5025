/** Membership whose watch, bucket or disk is lost, or went back, under it, on a real nats-server (C3, C7). */
import { cp, rm } from 'node:fs/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { connect } from '@nats-io/transport-node';
import { expect, test } from 'vitest';
import { errorCodeOf } from '../../../cluster/errors/tangaza-error.ts';
import { openNatsViewStore } from '../../../cluster/membership/view-store.nats.ts';
import { BootId, NodeId, RegionId } from '../../../cluster/model/ids.ts';
import { silentLogger } from '../../../cluster/observe/logger.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { startNode, states, until, type TestNode } from '../../support/cluster/member-nodes.ts';
import { viewOf } from '../../support/cluster/members.ts';
import { startNats, type TestNats } from '../../support/cluster/start-nats.ts';
import { waitUntil } from '../../support/wait.ts';

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
    store,
    isThere,
    lose: () => streams.delete(bucket),
    [Symbol.asyncDispose]: () => connection.close(),
  };
}

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
  await waitUntil('the view names all members', isWhole);
  expect(nodes.map(({ gone }) => gone)).toEqual([[], [], []]);
  await three.crash();
  await until(() => one.gone.length > 0 && two.gone.length > 0);
  expect([one.gone, two.gone].flat().map(({ node, why }) => `${node} ${why}`)).toEqual([
    'n3 died',
    'n3 died',
  ]);
});

// Goal: a bucket emptied without a trace takes nobody's membership. Method: its stream is purged, so that revisions go on and no marker of
// a deletion tells it. Whoever looks first writes a view with itself alone, of about the version that all know: nobody is gone for it.
test.each([2, 3])(
  'a bucket of %i members that is purged is built again, and nobody is taken for gone',
  async (count) => {
    await using nats = await startNats({ jetstream: true });
    await using stack = new AsyncDisposableStack();
    const names = Array.from({ length: count }, (_, index) => `n${index}`);
    const nodes: TestNode[] = [];
    for (const name of names) nodes.push(stack.use(await startNode(nats, name)));
    await until(() => nodes.every((node) => states(node).length === count));
    await using connection = await connect({ servers: nats.url });
    const { streams } = await jetstreamManager(connection);
    for (let times = 0; times < 3; times += 1) {
      await streams.purge('KV_members-r1');
      const isWhole = async (): Promise<boolean> => {
        const kv = await new Kvm(connection).open('members-r1');
        const text = (await kv.get('view'))?.string() ?? '';
        return names.every((name) => text.includes(`"${name}"`));
      };
      await waitUntil('the view names all members', isWhole);
    }
    await until(() => nodes.every((node) => states(node).length === count));
    expect(nodes.flatMap(({ gone }) => gone)).toEqual([]);
  },
);

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
  expect({
    oneGone: one.gone,
    twoGone: two.gone,
    threeGone: three.gone,
    oneExits: one.exits,
    twoExits: two.exits,
  }).toEqual({ oneGone: [], twoGone: [], threeGone: [], oneExits: [], twoExits: [] });
});

// Goal: a restored backup gives no living node up. Method: the backup was taken under an earlier boot of n2; the view has changed often
// since. Kill nats-server, put the backup in its folder's place, start it again: n2's present boot puts itself in again.
test('a view restored from a backup takes nobody for an earlier boot, and members go on in it', async () => {
  await using nats = await startNats({ jetstream: true });
  await using one = await startNode(nats, 'n1');
  const backup = `${nats.dir}-backup`;
  await using cleaning = new AsyncDisposableStack();
  cleaning.defer(() => rm(backup, { recursive: true, force: true }));
  {
    await using _earlier = await startNode(nats, 'n2');
    await until(() => states(one).length === 2);
    await nats.kill();
    await cp(nats.dir, backup, { recursive: true });
    await nats.restart();
  }
  await using two = await startNode(nats, 'n2', { change: { bootId: BootId.parse('boot-2') } });
  await until(() => one.membership.isAlive(NodeId.parse('n2'), BootId.parse('boot-2')));
  await using writing = await openStore(nats);
  for (let times = 0; times < 10; times += 1) {
    const { view = viewOf(), revision } = await writing.store.read();
    await writing.store.write({ ...view, version: view.version + 1 }, revision);
  }
  const before = [one, two].flatMap(({ gone }) => gone);
  await nats.kill();
  await rm(nats.dir, { recursive: true });
  await cp(backup, nats.dir, { recursive: true });
  await nats.restart();
  const isIn = async (): Promise<boolean> => {
    const { view } = await writing.store.read().catch(() => ({ view: undefined }));
    return view?.members.find(({ id }) => id === 'n2')?.bootId === 'boot-2';
  };
  await waitUntil('the present boot of n2 is in the view', isIn);
  await using three = await startNode(nats, 'n3');
  await until(() => [one, two, three].every((node) => states(node).length === 3));
  expect(one.membership.isAlive(NodeId.parse('n2'), BootId.parse('boot-2'))).toBe(true);
  expect([one, two].flatMap(({ gone }) => gone)).toEqual(before);
  expect({ threeGone: three.gone, oneExits: one.exits, twoExits: two.exits }).toEqual({
    threeGone: [],
    oneExits: [],
    twoExits: [],
  });
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
  await waitUntil('the bucket is made again', () => writing.isThere(), { everyMs: 20 });
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
