/** Two regions of the demo beside each other (R1). */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ClusterView } from '../../../cluster/contract/api/control-views.ts';
import { Readiness } from '../../../cluster/contract/api/edge-routes.ts';
import { controlClient } from '../../support/cluster/control-client.ts';
import { startTwoRegions, type TwoRegions } from '../../support/cluster/two-regions.ts';
import { waitFor } from '../../support/wait.ts';

let regions: TwoRegions;
beforeAll(async () => {
  regions = await startTwoRegions();
});
afterAll(() => regions[Symbol.asyncDispose]());

const askReadiness = async (operator: string): Promise<Readiness> =>
  Readiness.parse(await (await fetch(`${operator}/readyz`)).json());

test('each region has its own members, and one token opens both', async () => {
  for (const { id, nodes } of [regions.near, regions.far])
    for (const { url } of nodes) {
      const client = controlClient(url, regions.token);
      const cluster = await waitFor(
        `all members of ${id} are alive`,
        () => client.call('/v1/cluster', 200, ClusterView),
        (seen) => seen.nodes.every(({ state }) => state === 'alive') && seen.nodes.length === nodes.length,
      );
      expect(cluster.nodes.map((node) => node.id)).toEqual(nodes.map(({ node }) => node));
    }
});

test('every node is ready and knows the regions', async () => {
  for (const { node, operator } of regions.nodes) {
    const { ready, parts } = await askReadiness(operator);
    expect({ node, ready, regions: parts?.find(({ name }) => name === 'regions') }).toEqual({
      node,
      ready: true,
      regions: { name: 'regions', isReady: true },
    });
  }
});
