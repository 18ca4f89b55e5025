/**
 * What `bench regions` measures, once, on two regions of real processes: counts, and never a time. The tests share one cluster, and each leaves it healed
 * with all nodes alive.
 */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { compare, doubledPlaces } from '../../../scripts/bench/regions/regions-judge.ts';
import {
  relayingNode,
  startRegionsRig,
  watchEdges,
  type RegionsRig,
  type Watches,
} from '../../../scripts/bench/regions/regions-rig.ts';
import type { DemoNode } from '../../../scripts/demo/site.ts';
import { readIndexLog } from '../../support/cluster/demo.ts';
import { playlistOf } from '../../support/cluster/live-cluster.ts';
import { waitFor, waitUntil } from '../../support/wait.ts';

const hookMs = 240_000;
const testMs = 240_000;
const withinMs = 90_000;
/** A far edge on a busy machine has what a near one showed so long ago. */
const graceMs = 20_000;

let rig: RegionsRig;
beforeAll(async () => {
  rig = await startRegionsRig(() => {});
}, hookMs);
afterAll(() => rig[Symbol.asyncDispose](), hookMs);
afterEach(() => rig.regions.heal());

/** Until the far edges that are named show so many segments more than now, which the near one has, too. */
async function grow({ near, far }: Watches, more: number, edges = far): Promise<void> {
  const from = [near, ...edges].map(({ count }) => count);
  await waitFor(
    `each edge shows ${more} segments more`,
    () => [near, ...edges].map(({ count }, index) => count - (from[index] ?? 0)),
    (grown) => grown.every((count) => count >= more),
    { withinMs },
  );
}

/** Of these edges and the near one together. */
const harmOf = ({ near, far }: Watches, edges = far) => ({
  wentBack: edges.reduce((sum, { watched }) => sum + watched.wentBack, near.watched.wentBack),
  faults: edges.reduce((sum, { watched }) => sum + watched.faults, near.watched.faults),
  differences: edges.map(({ watched }) => compare(near.watched, watched, graceMs)),
});

const unharmed = ({ far }: Watches, edges = far) => ({
  wentBack: 0,
  faults: 0,
  differences: edges.map(() => ({ lost: 0, doubled: 0, different: 0 })),
});

const saysThatItStandsStill = (node: DemoNode): Promise<string | null> =>
  waitFor(
    `${node.node} says that its log stands still`,
    async () => (await fetch(playlistOf(node))).headers.get('tangaza-log-stale'),
    (header) => header !== null,
    { withinMs },
  );

// Goal: a cut of the link costs the near region and the far region's own streams nothing, and the far edges only time. Method: nothing passes until five
// more segments are seen on both sides, then it is healed.
test(
  'a cut of the link is felt by far viewers alone, who then have all, in order',
  async () => {
    const { regions } = rig;
    await using watches = watchEdges(regions);
    await grow(watches, 2);
    regions.cut();
    const before = { near: watches.near.count, own: watches.own.count };
    // What had crossed is shown by then, however busy the machine is.
    for (const node of regions.far.nodes) await saysThatItStandsStill(node);
    const farBefore = watches.far.map(({ count }) => count);
    await waitUntil(
      'both regions show five segments more of their own',
      () => watches.near.count >= before.near + 5 && watches.own.count >= before.own + 5,
      { withinMs },
    );
    const newMeanwhile = watches.far.map(({ count }, index) => count - (farBefore[index] ?? 0));
    expect({ isCut: newMeanwhile.every((count) => count <= 2) }).toEqual({ isCut: true });
    const newest = watches.near.watched.sightings.at(-1)?.number ?? 0;
    regions.heal();
    await waitFor(
      'the far edges have what the near one had',
      () => watches.far.map(({ watched }) => watched.sightings.at(-1)?.number ?? -1),
      (numbers) => numbers.every((number) => number >= newest),
      { withinMs },
    );
    await grow(watches, 2);
    expect(harmOf(watches)).toEqual(unharmed(watches));
    const { wentBack, faults } = watches.own.watched;
    expect({ wentBack, faults }).toEqual({ wentBack: 0, faults: 0 });
  },
  testMs,
);

test(
  'when the node that relays is killed the other one goes on, and nothing is lost or doubled',
  async () => {
    const { regions } = rig;
    const { far, stream } = regions;
    const victim = await relayingNode(regions);
    const other = far.nodes.findIndex(({ node }) => node !== victim.node);
    await using watches = watchEdges(regions);
    const edges = watches.far.slice(other, other + 1);
    await grow(watches, 2, edges);
    await victim.process.kill('SIGKILL');
    await grow(watches, 4, edges);
    victim.process.start();
    const heir = await relayingNode(regions);
    expect({ isAnother: heir.node !== victim.node }).toEqual({ isAnother: true });
    await grow(watches, 2);
    expect(harmOf(watches, edges)).toEqual(unharmed(watches, edges));
    expect({ doubledRecords: doubledPlaces(await readIndexLog(far, stream.id)) }).toEqual({
      doubledRecords: 0,
    });
  },
  testMs,
);
