/** Edges tell each other their load over a real nats-server (C4). */
import { connect } from '@nats-io/transport-node';
import { expect, test } from 'vitest';
import { subjects } from '../../../cluster/contract/subjects.ts';
import { openNatsEdgeLoads } from '../../../cluster/load/edge-loads.nats.ts';
import { NodeId, RegionId } from '../../../cluster/model/ids.ts';
import { systemClock as clock } from '../../../cluster/time/clock.system.ts';
import { region } from '../../support/ports/records.ts';
import { startNats, type TestNats } from '../../support/cluster/start-nats.ts';

async function startNode(nats: TestNats, name: string) {
  const connection = await connect({ servers: nats.url });
  const loads = openNatsEdgeLoads({ connection, region, node: NodeId.parse(name), clock });
  await connection.flush();
  const dispose = async (): Promise<void> => {
    loads.close();
    await connection.close();
  };
  return { connection, loads, [Symbol.asyncDispose]: dispose };
}

test('a node knows the load of those that say it, its own at once, and nothing of the others', async () => {
  await using nats = await startNats();
  await using one = await startNode(nats, 'n1');
  await using two = await startNode(nats, 'n2');
  let own = 3;
  two.loads.tell(() => own);
  await expect.poll(() => one.loads.loadOf('n2')).toBe(3);
  own = 4;
  expect(two.loads.loadOf('n2')).toBe(4);
  await expect.poll(() => one.loads.loadOf('n2')).toBe(4);
  expect({
    own: one.loads.loadOf('n1'),
    heard: two.loads.loadOf('n1'),
    ofNobody: one.loads.loadOf('no/node'),
  }).toEqual({ own: undefined, heard: undefined, ofNobody: undefined });
});

test('a node knows what the edges of its region got from another one', async () => {
  await using nats = await startNats();
  await using one = await startNode(nats, 'n1');
  await using two = await startNode(nats, 'n2');
  one.loads.tell(
    () => 1,
    () => ({ us: 700 }),
  );
  two.loads.tell(
    () => 1,
    () => ({ us: 300, asia: 5 }),
  );
  const [us, asia, none] = ['us', 'asia', 'none'].map((id) => RegionId.parse(id));
  const from = (region = RegionId.parse('eu')): number => one.loads.bytesFrom(region);
  await expect
    .poll(() => ({ us: from(us), asia: from(asia), none: from(none) }))
    .toEqual({
      us: 1000,
      asia: 5,
      none: 0,
    });
});

test('what cannot be read is not known', async () => {
  await using nats = await startNats();
  await using one = await startNode(nats, 'n1');
  const subject = subjects.edgeLoads(region);
  for (const text of ['no json', '{"node":"n3"}', '{"node":"n3","load":-1}', '{"node":"n4","load":9}'])
    one.connection.publish(subject, text);
  await expect.poll(() => one.loads.loadOf('n4')).toBe(9);
  expect(one.loads.loadOf('n3')).toBeUndefined();
});
