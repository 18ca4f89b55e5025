/**
 * Benchmark of two regions: what a viewer of the region that is not a stream's home gets, and when, on real processes.
 *
 * Each region has two nodes and a nats-server; the links between them go through the project's own TCP proxy. The demo's stream is published to both nodes of
 * the near region and watched at an edge of each node of the far region, 40 times a second. All runs on one machine, so times compare.
 *
 * `behind`: how much later a far edge shows a segment than a near one; `behind-delayed`: with 100 ms each way between the regions.
 * `crossings`: 200 light viewers at the far edges. When nobody publishes any more: the requests that the near region answered, for each object in the far region's store.
 * `comments`: made near by HTTP, timed at a live socket and on the page of a browser at a far edge.
 * `cut`: nothing passes for 60 s, while 20 comments a second are made on each side and a browser plays at a far edge.
 * `gateway-kill`: the far node that relays the stream gets SIGKILL; the other edge of the region is watched.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { systemClock as clock } from '../../../cluster/time/clock.system.ts';
import { readIndexLog } from '../../../test/support/cluster/demo.ts';
import { firstOf } from '../../../test/support/cluster/two-regions.ts';
import { waitFor, waitUntil } from '../../../test/support/wait.ts';
import { startLoad } from '../../audience/audience-load.ts';
import { launchChromium } from '../chromium.ts';
import { watch } from '../live-viewers.ts';
import { measureFarComments } from './far-comments.ts';
import { FarPlayer } from './far-player.ts';
import {
  behindFigures,
  commentFigures,
  crossingFigures,
  cutFigures,
  gatewayFigures,
  isCaseReached,
  targets,
  type GatewaySeen,
  type JudgedFigure,
} from './regions-figures.ts';
import { doubledPlaces, type Span } from './regions-judge.ts';
import { crossedInAll, relayingNode, startRegionsRig, watchEdges, type RegionsRig } from './regions-rig.ts';

export interface RegionsBenchOptions {
  /** The length of the cut. By default 60 s. */
  readonly seconds?: number;
  /** How many nodes are killed. By default 3. */
  readonly runs?: number;
  /** Runs only this case. By default all. */
  readonly only?: string;
  /** Called as soon as a case is through. */
  readonly onCase?: (result: RegionsCase) => void;
  readonly progress: (line: string) => void;
}

export interface RegionsCase {
  readonly name: string;
  readonly isReached: boolean;
  readonly figures: readonly JudgedFigure[];
}

export interface RegionsResult {
  readonly cases: readonly RegionsCase[];
  readonly isReached: boolean;
}

interface CaseOptions {
  readonly seconds: number;
  readonly runs: number;
}

type Measure = (rig: RegionsRig, options: CaseOptions) => Promise<readonly JudgedFigure[]>;

const behindForMs = 40_000;
const delayMs = 100;
const viewers = 200;
const viewedForMs = 30_000;
/** The last segments are still encoded, stored and fetched. */
const lastObjectsMs = 5000;
const comments = 100;
const audience = { watchers: 20, writers: 100, perSecond: 40 } as const;
const afterHealMs = 20_000;
const afterKillMs = 20_000;
const withinMs = 60_000;

const measures: Readonly<Record<string, Measure>> = {
  behind: (rig) => behind(rig, 0, targets.behindMs),
  'behind-delayed': (rig) => behind(rig, delayMs, targets.behindDelayedMs),
  crossings,
  comments: farComments,
  cut,
  'gateway-kill': gatewayKill,
};

export const regionsCaseNames = Object.keys(measures);

/** @throws Error when the regions do not start, or a case cannot be measured */
export async function benchRegions({
  seconds = 60,
  runs = 3,
  only,
  onCase = () => {},
  progress,
}: RegionsBenchOptions): Promise<RegionsResult> {
  await using rig = await startRegionsRig(progress);
  const cases: RegionsCase[] = [];
  for (const [name, measure] of Object.entries(measures)) {
    if (only !== undefined && name !== only) continue;
    progress(`${name} is measured`);
    const figures = await measure(rig, { seconds, runs });
    rig.regions.heal();
    const result = { name, figures, isReached: isCaseReached(figures) };
    cases.push(result);
    onCase(result);
    for (const { what, value, unit } of figures) progress(`${name}: ${what}: ${round(value)} ${unit}`);
  }
  return { cases, isReached: cases.every(({ isReached }) => isReached) };
}

const round = (value: number): number => Math.round(value * 100) / 100;

async function behind(rig: RegionsRig, ms: number, limitMs: number): Promise<readonly JudgedFigure[]> {
  rig.regions.delay(ms);
  await using watches = watchEdges(rig.regions);
  await delay(behindForMs);
  return behindFigures(
    watches.near.watched,
    watches.far.map(({ watched }) => watched),
    limitMs,
  );
}

async function crossings({ regions, publisher }: RegionsRig): Promise<readonly JudgedFigure[]> {
  const stop = new AbortController();
  const edges = regions.far.nodes;
  const watching = edges.map(({ url }) =>
    watch(`${url}/live/${regions.stream.id}/main.m3u8`, viewers / edges.length, stop.signal),
  );
  await delay(viewedForMs);
  await publisher.stop();
  await delay(lastObjectsMs);
  stop.abort();
  const viewings = await Promise.all(watching);
  const crossed = await crossedInAll(regions);
  publisher.start();
  await using watches = watchEdges(regions);
  await waitFor('the stream goes on', () => watches.far.map(({ count }) => count), areSome, { withinMs });
  const sum = (of: 'segments' | 'gaps' | 'faults'): number =>
    viewings.reduce((all, viewing) => all + viewing[of], 0);
  return crossingFigures({
    crossed,
    viewers,
    viewing: { segments: sum('segments'), gaps: sum('gaps'), faults: sum('faults') },
  });
}

/** Of each edge more than it had when it was first looked at. */
const areSome = (counts: readonly number[]): boolean => counts.every((count) => count > 0);

async function farComments({ regions }: RegionsRig): Promise<readonly JudgedFigure[]> {
  await using opened = await openFarPage(regions);
  const { page } = opened;
  const [near, far] = [firstOf(regions.near).url, firstOf(regions.far).url];
  return commentFigures(await measureFarComments({ stream: regions.stream.id, near, far, page, comments }));
}

async function cut({ regions }: RegionsRig, { seconds }: CaseOptions): Promise<readonly JudgedFigure[]> {
  await using opened = await openFarPage(regions);
  await using watches = watchEdges(regions);
  const { near, far } = regions;
  const edges = near.nodes.flatMap(({ url }, index) => [url, far.nodes[index]?.url ?? url]);
  await using load = await startLoad(
    { stream: regions.stream.id, edges, ...audience, hasAddresses: true },
    clock,
  );
  await using player = new FarPlayer(opened.page);
  await waitUntil('the page plays', () => new Set(player.played.map(({ position }) => position)).size > 8, {
    withinMs,
  });
  const fromMs = performance.now();
  regions.cut();
  await delay(seconds * 1000);
  const toMs = performance.now();
  regions.heal();
  await delay(afterHealMs);
  const report = await load.end();
  return cutFigures({
    near: watches.near.watched,
    far: watches.far.map(({ watched }) => watched),
    own: watches.own.watched,
    cut: { fromMs, toMs },
    comments: report,
    played: player.played,
  });
}

async function gatewayKill(rig: RegionsRig, { runs }: CaseOptions): Promise<readonly JudgedFigure[]> {
  const { regions } = rig;
  await using watches = watchEdges(regions);
  const killed: GatewaySeen['runs'][number][] = [];
  for (let run = 0; run < runs; run += 1) {
    const victim = await relayingNode(regions);
    const other = regions.far.nodes.findIndex(({ node }) => node !== victim.node);
    await using fresh = watchEdges(regions);
    const far = fresh.far[other];
    if (far === undefined) throw new Error('the far region has one node only');
    await waitFor(
      'the other edge shows what comes',
      () => far.count,
      (count) => count >= 2,
      { withinMs },
    );
    const fromMs = performance.now();
    await victim.process.kill('SIGKILL');
    await delay(afterKillMs);
    const after: Span = { fromMs, toMs: performance.now() - 3000 };
    killed.push({ far: far.watched, after });
    victim.process.start();
    await waitUntil('the killed node is ready', async () => (await fetch(`${victim.url}/readyz`)).ok, {
      withinMs,
    });
  }
  const entries = await readIndexLog(regions.far, regions.stream.id);
  return gatewayFigures({ near: watches.near.watched, runs: killed, doubledRecords: doubledPlaces(entries) });
}

/** A browser that plays the stream at the first edge of the far region, with its comments. */
async function openFarPage({
  far,
  stream,
}: RegionsRig['regions']): Promise<AsyncDisposable & { readonly page: Page }> {
  const browser = await launchChromium();
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  await page.goto(`${firstOf(far).url}/watch/${stream.id}`);
  return { page, [Symbol.asyncDispose]: () => browser.close() };
}
