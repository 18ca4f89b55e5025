/**
 * Two regions for tests: the demo's own code, with a proxy in each direction of the link between them, which can be cut, delayed and healed.
 *
 * A start takes many seconds. So the tests of a file share one cluster, and each leaves it healed and with all nodes alive:
 *
 *     let regions: TwoRegions;
 *     beforeAll(async () => {
 *       regions = await startTwoRegions({ nodes: 1 });
 *     });
 *     afterAll(() => regions[Symbol.asyncDispose]());
 *     afterEach(() => regions.heal());
 */
import { openDemoLinks } from '../../../scripts/demo/demo-links.ts';
import type { LinkProxy } from '../../../scripts/demo/link-proxy.system.ts';
import type { DemoNode, DemoOptions, DemoRegion } from '../../../scripts/demo/site.ts';
import { startTestCluster, type TestCluster } from './demo.ts';

export interface TwoRegions extends TestCluster {
  /** Where tests publish: `region-1`. */
  readonly near: DemoRegion;
  /** From where tests look at it: `region-2`. */
  readonly far: DemoRegion;
  /** By direction: through the link of A to B go the calls of A, what its edges fetch over HTTP, and the events of B that somebody in A listens to. */
  readonly links: { readonly nearToFar: LinkProxy; readonly farToNear: LinkProxy };
  /** Cuts both directions: nothing passes any more, and nobody is told. */
  cut(): void;
  /** Both directions pass again, without delay. */
  heal(): void;
  /** Both directions carry bytes so much later, each way. */
  delay(ms: number): void;
}

/** @param options of the demo; by default two nodes in each region, without a publisher */
export async function startTwoRegions(options: Partial<DemoOptions> = {}): Promise<TwoRegions> {
  await using opening = new AsyncDisposableStack();
  const proxies = opening.use(openDemoLinks());
  const links = proxies.ofDemo;
  const cluster = opening.use(await startTestCluster({ nodes: 2, ...options, regions: 2, links }));
  const [near, far] = cluster.regions;
  if (near === undefined || far === undefined) throw new Error('the demo has not started two regions');
  const both = (change: (link: LinkProxy) => void): void => proxies.all.forEach(change);
  const all = opening.move();
  return {
    ...cluster,
    near,
    far,
    links: { nearToFar: proxies.between(near.id, far.id), farToNear: proxies.between(far.id, near.id) },
    cut: () => both((link) => link.cut()),
    heal: () =>
      both((link) => {
        link.delay(0);
        link.heal();
      }),
    delay: (ms) => both((link) => link.delay(ms)),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** The only node of a region that has one, or its first. */
export function firstOf({ nodes }: DemoRegion): DemoNode {
  const [node] = nodes;
  if (node === undefined) throw new Error('the region has no node');
  return node;
}
