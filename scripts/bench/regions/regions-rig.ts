/**
 * Two regions of the demo's own code with two nodes each, with a proxy in each direction of the link. The demo's stream is published to both
 * nodes of the near region, another one to a node of the far region. Each is watched at an edge of its own region, and the former at all edges of
 * the far one.
 */
import { readdir } from 'node:fs/promises';
import { z } from 'zod';
import { controlClient } from '../../../test/support/cluster/control-client.ts';
import { publishToAll } from '../../../test/support/cluster/dual-publisher.ts';
import { firstOf, startTwoRegions, type TwoRegions } from '../../../test/support/cluster/two-regions.ts';
import { waitFor } from '../../../test/support/wait.ts';
import type { DemoNode } from '../../demo/site.ts';
import type { SupervisedProcess } from '../../demo/supervised-process.system.ts';
import { EdgeWatch } from './edge-watch.http.ts';
import type { Crossed } from './regions-judge.ts';

/** The demo's stream, of which the lowest rung is watched. */
const path = '/live/demo/h264-240p.m3u8';
/** The stream of the far region, of the same pictures. */
const ownId = 'far-own';
const ownPath = `/live/${ownId}/h264-240p.m3u8`;
const withinMs = 90_000;
const settings = { TANGAZA_TRUSTED_PROXIES: '127.0.0.1', TANGAZA_LOG_LEVEL: 'info' };

export interface RegionsRig extends AsyncDisposable {
  readonly regions: TwoRegions;
  /** Of the demo's stream. Once it has stopped it can be started again. */
  readonly publisher: SupervisedProcess;
}

export interface Watches extends AsyncDisposable {
  readonly near: EdgeWatch;
  /** One for each edge of the far region, in the order of its nodes. */
  readonly far: readonly EdgeWatch[];
  /** The far region's own stream, at its first edge. */
  readonly own: EdgeWatch;
}

export async function startRegionsRig(progress: (line: string) => void): Promise<RegionsRig> {
  await using opening = new AsyncDisposableStack();
  progress('two regions with two nodes each start');
  const regions = opening.use(await startTwoRegions({ nodes: 2, env: settings }));
  const { near, far } = regions;
  const publisher = opening.use(publishToAll(regions, near.nodes)).process;
  const farNode = firstOf(far);
  const { streamKey } = await controlClient(farNode.url, regions.token).create({ title: 'Far', id: ownId });
  const ownStream = { id: regions.stream.id, key: streamKey };
  opening.use(publishToAll({ ...regions, stream: ownStream }, [farNode]));
  progress('waiting for both streams at all edges');
  const watches = opening.use(watchEdges(regions));
  const all = [watches.near, ...watches.far, watches.own];
  await waitFor(
    'each edge shows three segments',
    () => all.map(({ count }) => count),
    (counts) => counts.every((count) => count >= 3),
    { withinMs },
  );
  const opened = opening.move();
  return { regions, publisher, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/** Watches from now on. */
export function watchEdges({ near, far }: TwoRegions): Watches {
  const watches = {
    near: new EdgeWatch(`${firstOf(near).url}${path}`),
    far: far.nodes.map(({ url }) => new EdgeWatch(`${url}${path}`)),
    own: new EdgeWatch(`${firstOf(far).url}${ownPath}`),
  };
  const all = [watches.near, ...watches.far, watches.own];
  return {
    ...watches,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(all.map((one) => one[Symbol.asyncDispose]()));
    },
  };
}

/** The sum of a counter or gauge over some nodes. @param name with the labels that it must have: `x_total{region="a"}` */
export async function metricOf(nodes: readonly DemoNode[], name: string): Promise<number> {
  const [metric = '', labels = ''] = name.replace('}', '').split('{');
  const wanted = labels === '' ? [] : labels.split(',');
  const sums = await Promise.all(
    nodes.map(async ({ operator }) => {
      const text = await (await fetch(`${operator}/metrics`)).text();
      const lines = text
        .split('\n')
        .filter((line) => line.startsWith(`${metric}{`) || line.startsWith(`${metric} `))
        .filter((line) => wanted.every((label) => line.includes(label)));
      return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
    }),
  );
  return sums.reduce((sum, one) => sum + one, 0);
}

const Dirents = z.array(z.custom<{ isFile(): boolean; parentPath: string; name: string }>());

/**
 * Requests of the far region that the near one answered since its nodes started, and the demo's objects in the far region's store. To be called when
 * nobody publishes the demo's stream: it waits until nothing is under way.
 */
export async function crossedInAll({ near, far }: TwoRegions): Promise<Crossed> {
  let before: Crossed = { requests: 0, objects: 0 };
  return waitFor(
    'nothing crosses any more',
    async () => {
      const last = before;
      before = {
        requests: await metricOf(near.nodes, `tangaza_crossing_served_total{region="${far.id}"}`),
        objects: await storedObjects(far.dataDir),
      };
      return { ...before, isStill: last.requests === before.requests && last.objects === before.objects };
    },
    ({ isStill }) => isStill,
    { everyMs: 1000 },
  );
}

async function storedObjects(dataDir: string): Promise<number> {
  const entries = Dirents.parse(await readdir(dataDir, { recursive: true, withFileTypes: true }));
  return entries.filter((entry) => entry.isFile() && /\/demo\/[^/]+\/[^/]+$/.test(entry.parentPath)).length;
}

/** The node of the far region that relays the demo's stream. */
export const relayingNode = ({ far }: TwoRegions): Promise<DemoNode> =>
  waitFor(
    'a node of the far region relays',
    async () => {
      for (const node of far.nodes)
        if ((await metricOf([node], 'tangaza_relay_streams').catch(() => 0)) > 0) return node;
      return undefined;
    },
    (node) => node !== undefined,
  ).then((node) => {
    if (node === undefined) throw new Error('nobody relays');
    return node;
  });
