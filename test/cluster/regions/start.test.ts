/** Two regions of the demo: their members, the links between them, and what an operator sees of both (R1, R2). */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { ClusterView, RegionsView } from '../../../cluster/contract/api/control-views.ts';
import { Readiness } from '../../../cluster/contract/api/edge-routes.ts';
import { runCli } from '../../support/cluster/cli.ts';
import { controlClient } from '../../support/cluster/control-client.ts';
import { firstOf, startTwoRegions, type TwoRegions } from '../../support/cluster/two-regions.ts';
import { waitFor } from '../../support/wait.ts';
import type { DemoNode } from '../../../scripts/demo/site.ts';

let regions: TwoRegions;
beforeAll(async () => {
  regions = await startTwoRegions();
});
afterAll(() => regions[Symbol.asyncDispose]());
afterEach(() => regions.heal());

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

test('who drains a node by a node of another region is told to ask one of its own', async () => {
  const [near, far] = [firstOf(regions.near), firstOf(regions.far)];
  const { code, stderr } = await runCli(['drain', far.node, '--url', near.url], regions.token);
  expect(code).toBe(1);
  expect(stderr).toContain(`There is no node ${far.node} here`);
  expect(stderr).toContain('by asking a node of that region');
});

/** What each region says of itself and of its links, as a node of either is asked. */
async function seenBy({ url }: DemoNode): Promise<RegionsView['regions']> {
  return (await controlClient(url, regions.token).call('/v1/regions', 200, RegionsView)).regions;
}

const ofCluster = { withinMs: 90_000, everyMs: 200 };
const seenAs = (what: string, node: DemoNode, isWanted: (seen: RegionsView['regions']) => boolean) =>
  waitFor(`at ${node.node} ${what}`, () => seenBy(node), isWanted, ofCluster);

const areLinked = (seen: RegionsView['regions']): boolean =>
  seen.length === 2 &&
  seen.every(({ isReached, links }) => isReached && links.length === 1 && links.every(({ isUp }) => isUp));
const areCut = (seen: RegionsView['regions']): boolean =>
  seen.some(({ isOwn, isReached }) => !isOwn && !isReached) &&
  seen.some(({ isOwn, links }) => isOwn && links.every(({ isUp }) => !isUp));

test('both directions of the link work, and each region shows both', async () => {
  for (const { nodes, id } of [regions.near, regions.far])
    for (const node of nodes) {
      const seen = await seenAs('both regions are linked', node, areLinked);
      expect(seen.map((one) => ({ id: one.id, isOwn: one.isOwn, nodes: one.nodes }))).toEqual([
        { id: 'region-1', isOwn: id === 'region-1', nodes: 2 },
        { id: 'region-2', isOwn: id === 'region-2', nodes: 2 },
      ]);
    }
});

// Goal: a region that is cut off keeps full control of itself, is shown as it was with its age, and is linked again by itself. Method: both
// directions of the link are cut and healed.
test('regions that are cut apart show each other as they were, and find each other again', async () => {
  const [near, far] = [firstOf(regions.near), firstOf(regions.far)];
  for (const node of [near, far]) await seenAs('both regions are linked', node, areLinked);
  regions.cut();
  for (const [node, other] of [
    [near, 'region-2'],
    [far, 'region-1'],
  ] as const) {
    const seen = await seenAs('the other region is cut off', node, areCut);
    expect(seen.find(({ id }) => id === other)).toMatchObject({ nodes: 2, ageSeconds: expect.any(Number) });
    expect((await askReadiness(node.operator)).ready).toBe(true);
  }
  regions.heal();
  for (const node of [near, far]) await seenAs('both regions are linked again', node, areLinked);
});

test('a link works on when one of its two gateways is killed', async () => {
  const node = firstOf(regions.far);
  const [gateway] = (await seenAs('both regions are linked', node, areLinked)).flatMap(({ id, links }) =>
    id === 'region-1' ? links.flatMap(({ gateways }) => gateways) : [],
  );
  const killed = regions.near.nodes.find((one) => one.node === gateway);
  if (killed === undefined) throw new Error('region-1 has no gateway');
  await killed.process.kill('SIGKILL');
  await seenAs('the link has another gateway', node, (seen) =>
    seen.every(
      ({ id, links, isReached }) =>
        isReached &&
        (id !== 'region-1' ||
          links.every((link) => link.isUp && !link.gateways.some((one) => one === killed.node))),
    ),
  );
  killed.process.start();
  await seenAs(
    'both regions are whole again',
    node,
    (seen) => areLinked(seen) && seen.every(({ alive }) => alive === 2),
  );
});
