/**
 * Benchmark of the watch page's first paint, in Chromium with an empty cache over a slow line: when the page appears (first contentful
 * paint), and when the first picture moves. Target at 1,500 kbit/s: the page in 1 s, the picture in 6 s.
 *
 * One node has a live 720p stream. Each run uses a new browser context, slowed down by the developer tools' protocol, which limits the
 * bytes a second and delays each request. Both figures count from the start of the navigation, by the page's own clock. A picture moves
 * once the video has data and its time advances. The median of the runs is reported.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { z } from 'zod';
import { startDemoCluster, type DemoCluster } from '../demo/demo-cluster.ts';
import { launchChromium } from './chromium.ts';
import type { Figure } from './kept-runs.ts';

export interface PageBenchOptions {
  /** Runs for each line. By default 3. */
  readonly runs?: number;
  readonly progress?: (line: string) => void;
}

interface Line {
  readonly kilobits: number;
  readonly roundTripMs: number;
}

interface FirstPaint {
  readonly shellMs: number;
  readonly pictureMs: number;
  /** How much was loaded until then, and in how many requests. */
  readonly kilobytes: number;
  readonly requests: number;
}

interface LineResult extends Line, FirstPaint {
  readonly runs: readonly FirstPaint[];
}

export interface PageBenchResult {
  readonly lines: readonly LineResult[];
  readonly target: { readonly shellMs: number; readonly pictureMs: number };
  /** The load of the machine. Other work makes the figures worse. */
  readonly load: { readonly before: number; readonly after: number };
  readonly isReached: boolean;
}

const lines: readonly Line[] = [
  { kilobits: 1500, roundTripMs: 40 },
  { kilobits: 300, roundTripMs: 100 },
];
const target = { shellMs: 1000, pictureMs: 6000 };
const judged = 1500;
const pictureWithinMs = 120_000;

const Paint = z.object({
  shellMs: z.number(),
  pictureMs: z.number(),
  kilobytes: z.number(),
  requests: z.number(),
});

/** @throws Error when the page does not play within two minutes */
export async function benchPage({
  runs = 3,
  progress = () => {},
}: PageBenchOptions): Promise<PageBenchResult> {
  const before = currentLoad();
  const dataDir = await mkdtemp(join(tmpdir(), 'tangaza-bench-page-'));
  try {
    await using cluster = await startCluster(dataDir, progress);
    await using browser = await launchChromium();
    const url = `${cluster.nodes[0]?.url}/watch/${cluster.stream.id}`;
    await (await fetch(url)).text(); // the site is built by this
    const measured: LineResult[] = [];
    for (const line of lines) measured.push(await measureLine({ browser, url, line, runs, progress }));
    const { shellMs = Infinity, pictureMs = Infinity } =
      measured.find(({ kilobits }) => kilobits === judged) ?? {};
    const isReached = shellMs <= target.shellMs && pictureMs <= target.pictureMs;
    const result = { lines: measured, target, load: { before, after: currentLoad() }, isReached };
    return result;
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

export function pageReport({
  lines: measured,
  target: { shellMs, pictureMs },
  load,
  isReached,
}: PageBenchResult): string {
  const seconds = (ms: number): string => (ms / 1000).toFixed(2);
  return [
    '## bench page',
    '',
    `**First paint at ${judged} kbit/s; target: shell <= ${seconds(shellMs)} s, picture <= ${seconds(pictureMs)} s: ${isReached ? 'reached' : 'NOT reached'}.**`,
    '',
    '| kbit/s | round trip | shell | picture | until then | requests |',
    '| --- | --- | --- | --- | --- | --- |',
    ...measured.map(
      (one) =>
        `| ${one.kilobits} | ${one.roundTripMs} ms | ${seconds(one.shellMs)} s | ${seconds(one.pictureMs)} s | ${Math.round(one.kilobytes)} kB | ${one.requests} |`,
    ),
    '',
    `Load of the machine: ${load.before.toFixed(1)} before, ${load.after.toFixed(1)} after; well above its cores, the figures say little.`,
    '',
  ].join('\n');
}

function startCluster(dataDir: string, onProgress: (line: string) => void): Promise<DemoCluster> {
  return startDemoCluster({
    regions: 1,
    nodes: 1,
    hasPublisher: true,
    store: 'disk',
    portBase: 0,
    rtmpBase: 0,
    dataDir,
    onProgress,
  });
}

interface LineRuns {
  readonly browser: Browser;
  readonly url: string;
  readonly line: Line;
  readonly runs: number;
  readonly progress: (line: string) => void;
}

async function measureLine({ browser, url, line, runs, progress }: LineRuns): Promise<LineResult> {
  const paints: FirstPaint[] = [];
  for (let run = 1; run <= runs; run += 1) {
    const paint = await firstPaint(browser, url, line);
    paints.push(paint);
    progress(
      `${line.kilobits} kbit/s, run ${run}: shell ${Math.round(paint.shellMs)} ms, picture ${Math.round(paint.pictureMs)} ms, ${Math.round(paint.kilobytes)} kB`,
    );
  }
  const middle = (of: (paint: FirstPaint) => number): number =>
    paints.map(of).toSorted((left, right) => left - right)[Math.floor(paints.length / 2)] ?? Number.NaN;
  return {
    ...line,
    shellMs: middle(({ shellMs }) => shellMs),
    pictureMs: middle(({ pictureMs }) => pictureMs),
    kilobytes: middle(({ kilobytes }) => kilobytes),
    requests: middle(({ requests }) => requests),
    runs: paints,
  };
}

/** Runs in the page and looks at each frame, for the first one in which the video moves. */
const untilPicture = `new Promise((resolve) => {
  const look = () => {
    const video = document.querySelector('video');
    if (!(video?.readyState >= 2 && video.currentTime > 0 && !video.seeking && video.played.length > 0)) {
      requestAnimationFrame(look);
      return;
    }
    const pictureMs = performance.now();
    const [paint] = performance.getEntriesByName('first-contentful-paint');
    const loads = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
    resolve({
      shellMs: paint?.startTime ?? pictureMs,
      pictureMs,
      kilobytes: loads.reduce((sum, { transferSize }) => sum + transferSize, 0) / 1000,
      requests: loads.length,
    });
  };
  look();
})`;

async function firstPaint(
  browser: Browser,
  url: string,
  { kilobits, roundTripMs }: Line,
): Promise<FirstPaint> {
  await using context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  const tools = await context.newCDPSession(page);
  const bytesASecond = (kilobits * 1000) / 8;
  await tools.send('Network.enable');
  await tools.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: roundTripMs,
    downloadThroughput: bytesASecond,
    uploadThroughput: bytesASecond,
  });
  page.setDefaultTimeout(pictureWithinMs);
  await page.goto(url, { waitUntil: 'commit' });
  return Paint.parse(await page.evaluate(untilPicture));
}

const currentLoad = (): number => loadavg()[0] ?? 0;

export function pageFigures({ lines: measured, target: most }: PageBenchResult): readonly Figure[] {
  return measured.flatMap(({ kilobits, shellMs, pictureMs }) => {
    const aim = (ms: number): object => (kilobits === judged ? { target: `<= ${ms / 1000} s` } : {});
    return [
      { what: `shell at ${kilobits} kbit/s`, value: shellMs / 1000, unit: 's', ...aim(most.shellMs) },
      { what: `picture at ${kilobits} kbit/s`, value: pictureMs / 1000, unit: 's', ...aim(most.pictureMs) },
    ];
  });
}
