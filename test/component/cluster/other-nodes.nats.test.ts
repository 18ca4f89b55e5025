/** Nodes that tell each other over a real NATS which data centres of the database they do without. */
import { connect } from '@nats-io/transport-node';
import { expect, test } from 'vitest';
import { openOtherNodes } from '../../../cluster/cassandra/other-nodes.nats.ts';
import { subjects } from '../../../cluster/contract/subjects.ts';
import { RegionId } from '../../../cluster/model/ids.ts';
import { startNats } from '../../support/cluster/start-nats.ts';
import { region } from '../../support/ports/records.ts';

// Goal: a node that cannot know hears what any other one of its region has seen, and of no other region's. Method: two nodes answer, one of them with
// what was away; a third writes what nobody understands; a fourth is of another region.
test('what one node of the region does without is known to who asks, and silence is no answer', async () => {
  await using nats = await startNats();
  await using connection = await connect({ servers: nats.url });
  const asking = openOtherNodes(connection, region);
  const silent = await asking.doWithout();
  asking.answer(() => []);
  await expect.poll(() => asking.doWithout()).toEqual(new Set());
  openOtherNodes(connection, region).answer(() => ['region-1']);
  openOtherNodes(connection, RegionId.parse('far')).answer(() => ['region-2']);
  connection.subscribe(subjects.doneWithout(region), { callback: (_, message) => void message.respond('{') });
  await expect.poll(() => asking.doWithout()).toEqual(new Set(['region-1']));
  expect(silent).toBe(undefined);
});

test('nobody answers where NATS is gone', async () => {
  await using nats = await startNats();
  const connection = await connect({ servers: nats.url });
  const asking = openOtherNodes(connection, region);
  asking.answer(() => []);
  await connection.close();
  expect(await asking.doWithout()).toBeUndefined();
});
