/** Membership on a real nats-server: who is a member, who is declared dead, and what wrong members are told (C3). */
import { Kvm } from '@nats-io/kv';
import { connect } from '@nats-io/transport-node';
import { expect, test } from 'vitest';
import { errorCodeOf } from '../../../cluster/errors/tangaza-error.ts';
import { BootId, NodeId } from '../../../cluster/model/ids.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { declareDead, startNode, states, until } from '../../support/cluster/member-nodes.ts';
import { startNats } from '../../support/cluster/start-nats.ts';
import { waitUntil } from '../../support/wait.ts';

test('a member that dies is declared dead by the others, and only once', async () => {
  await using nats = await startNats({ jetstream: true });
  await using one = await startNode(nats, 'n1');
  await using two = await startNode(nats, 'n2');
  await using three = await startNode(nats, 'n3');
  await until(() => states(one).length === 3 && states(two).length === 3);
  await three.crash();
  await until(() => one.gone.length > 0 && two.gone.length > 0);
  const death = { node: 'n3', bootId: 'boot-n3', why: 'died' };
  expect({ oneGone: one.gone, twoGone: two.gone }).toEqual({ oneGone: [death], twoGone: [death] });
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

test('a node that advertises its loopback to a cluster of several hosts is told what to set and does not start', async () => {
  await using nats = await startNats({ jetstream: true });
  await using one = await startNode(nats, 'n1', { change: { httpUrl: 'http://192.0.2.1' } });
  await expect(startNode(nats, 'n2', { change: { host: 'elsewhere' } })).rejects.toThrow(
    /n2 on elsewhere .*set TANGAZA_PUBLIC_URL/,
  );
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
  const died = new Promise<void>((resolve) => void one.membership.onDeclaredDead(resolve));
  await declareDead(nats);
  await died;
  await until(() => states(one)[0] === 'n1 alive');
  expect(one.membership.list().members[0]?.incarnation).toBe(2);
  expect(one.exits).toEqual([]);
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
      await waitUntil('the view names both members', isRebuilt);
      await until(() => states(one).length === 2 && states(two).length === 2);
      expect({ oneGone: one.gone, twoGone: two.gone }).toEqual({ oneGone: [], twoGone: [] });
    } finally {
      await connection.close();
    }
  },
);

test('of two processes with one node id the second does not start while the first lives', async () => {
  await using nats = await startNats({ jetstream: true });
  await using one = await startNode(nats, 'n1', { change: { pid: 4711, host: 'h' } });
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
    expect.stringMatching(/^the clock of n2 is -(?:5[5-9]|6\d)\.\d s away from ours/),
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
  expect({ oneGone: one.gone, twoGone: two.gone, threeGone: three.gone }).toEqual({
    oneGone: [],
    twoGone: [],
    threeGone: [],
  });
});
