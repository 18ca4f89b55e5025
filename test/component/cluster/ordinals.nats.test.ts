/** What a region's bucket remembers of ordinals, on a real nats-server (R1). */
import { connect } from '@nats-io/transport-node';
import { expect, test } from 'vitest';
import { RegionId } from '../../../cluster/model/ids.ts';
import { silentLogger } from '../../../cluster/observe/logger.ts';
import { rememberOrdinals } from '../../../cluster/region/topology/ordinals.nats.ts';
import { noGateway, topologyOfOne, type Topology } from '../../../cluster/region/topology/topology.ts';
import { startNats } from '../../support/cluster/start-nats.ts';

const [eu, us, ap] = [RegionId.parse('eu'), RegionId.parse('us'), RegionId.parse('ap')];

const topology = (...ids: readonly RegionId[]): Topology => ({
  version: 1,
  regions: ids.map((id, ordinal) => ({ id, ordinal, gateway: noGateway, position: undefined, weight: 1 })),
});

// Goal: nodes of one region that start at once agree, and the region then knows whose each ordinal is. Method: eight nodes with a good file,
// then one with a bad file, which changes nothing.
test('a region remembers whose each ordinal is, and refuses another', async () => {
  await using nats = await startNats({ jetstream: true });
  await using connection = await connect({ servers: nats.url });
  const options = { connection, region: eu, logger: silentLogger };
  expect(await rememberOrdinals(topologyOfOne(eu), options)).toEqual([]);
  const starts = Array.from({ length: 8 }, () => rememberOrdinals(topology(eu, us), options));
  expect((await Promise.all(starts)).flat()).toEqual([]);
  const refused = [expect.stringMatching(/^ordinal 1 was that of region us/)];
  expect(await rememberOrdinals(topology(eu, ap), options)).toEqual(refused);
  expect(await rememberOrdinals(topology(eu, us, ap), options)).toEqual([]);
  expect(await rememberOrdinals(topology(eu, ap, us), options)).toHaveLength(4);
});
