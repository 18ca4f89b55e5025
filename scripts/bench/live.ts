/**
 * Benchmark of a live broadcast: how far Chromium plays behind live on the watch page with segments of 2 s (aim: <= 7 s, reported and not
 * judged), and how much memory one node takes with one 720p stream and 100 viewers (target: < 300 MB).
 *
 * One node does everything: ingest, owner, workers, edge. The delay behind live is what the page itself shows twice a second: the wall
 * clock less the time of the shown picture. Memory is the node's resident set, once a second, while 100 viewers request playlists and every
 * segment. Its ffmpeg children are separate processes and are not included.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { z } from 'zod';
import { startDemoCluster, type DemoCluster } from '../demo/demo-cluster.ts';
import type { DemoNode } from '../demo/site.ts';
import { launchChromium } from './chromium.ts';
import { mustBeWatched, watch, type ViewingResult } from './live-viewers.ts';
import type { Figure } from './kept-runs.ts';

export interface LiveBenchOptions {
  /** How long the viewers watch. By default 120 s. */
  readonly seconds?: number;
  readonly viewers?: number;
  /** How long Chromium plays. By default 60 s. */
  readonly playSeconds?: number;
  readonly progress?: (line: string) => void;
}

export interface LiveBenchResult {
  readonly behindLive: {
    readonly p50Seconds: number;
    readonly p95Seconds: number;
    /** Twice a second. */
    readonly samples: readonly number[];
  };
  readonly memory: {
    readonly seconds: number;
    readonly viewers: number;
    /** The node's resident memory in MB, once a second. The first value is from before the viewers come. */
    readonly samples: readonly number[];
    readonly peakMegabytes: number;
    readonly viewing: ViewingResult;
  };
  /** The load of the machine in the minute before the browser, and in the last minute. Other work makes the figures worse. */
  readonly load: { readonly before: number; readonly after: number };
  readonly targetMegabytes: number;
  readonly isReached: boolean;
}

const aimSeconds = 7;
const targetMegabytes = 300;
const startTimeoutMs = 60_000;
/** A player first settles at its distance from live. What comes before that is not counted. */
const settleMs = 5000;
const State = z.object({ behindLiveSeconds: z.number().optional() });

/**
 * @throws Error when the page does not play, or the viewers got too little for the figures to mean anything
 */
export async function benchLive(options: LiveBenchOptions = {}): Promise<LiveBenchResult> {
  const { seconds = 120, viewers = 100, playSeconds = 60, progress = () => {} } = options;
  const before = currentLoad();
  const dataDir = await mkdtemp(join(tmpdir(), 'tangaza-bench-live-'));
  try {
    await using cluster = await startCluster(dataDir, progress);
    const samples = await play(cluster, playSeconds, progress);
    const behindLive = {
      p50Seconds: percentile(samples, 0.5),
      p95Seconds: percentile(samples, 0.95),
      samples,
    };
    progress(
      `behind live: p50 ${behindLive.p50Seconds.toFixed(1)} s, p95 ${behindLive.p95Seconds.toFixed(1)} s`,
    );
    const memory = await measureMemory(cluster, { seconds, viewers, progress });
    mustBeWatched(memory.viewing, { viewers, seconds });
    const isReached = memory.peakMegabytes < targetMegabytes && memory.viewing.faults === 0;
    const load = { before, after: currentLoad() };
    const result = { behindLive, memory, load, targetMegabytes, isReached };
    return result;
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** Writes the report as Markdown, the verdict first. */
export function liveReport({ behindLive, memory, load, isReached }: LiveBenchResult): string {
  const { p50Seconds, p95Seconds, samples } = behindLive;
  const { peakMegabytes, viewers, seconds, viewing } = memory;
  const isNear = p95Seconds <= aimSeconds ? 'within' : 'beyond';
  return [
    '## bench live',
    '',
    `**One node with one 720p stream and ${viewers} viewers peaks at ${peakMegabytes.toFixed(0)} MB; target < ${targetMegabytes} MB: ${isReached ? 'reached' : 'NOT reached'}.**`,
    '',
    `Chromium plays ${p50Seconds.toFixed(1)} s behind live (p50), ${p95Seconds.toFixed(1)} s (p95); ${isNear} the ${aimSeconds} s aimed at; ${samples.length} samples.`,
    '',
    `In ${seconds} s the viewers pulled ${viewing.segments} objects, ${(viewing.bytes / 1e6).toFixed(0)} MB, with ${viewing.faults} faults and ${viewing.gaps} gaps.`,
    `Load of the machine: ${load.before.toFixed(1)} before, ${load.after.toFixed(1)} after; well above its cores, behind live says little.`,
    '',
    '| s | resident MB |',
    '| --- | --- |',
    ...curve(memory.samples).map(([second, megabytes]) => `| ${second} | ${megabytes.toFixed(0)} |`),
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

async function play(
  cluster: DemoCluster,
  seconds: number,
  progress: (line: string) => void,
): Promise<readonly number[]> {
  const browser = await launchChromium();
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    await page.goto(`${firstNode(cluster).url}/watch/${cluster.stream.id}`);
    await untilPlaying(page);
    await delay(settleMs);
    progress(`Chromium plays; measuring for ${seconds} s`);
    const samples: number[] = [];
    for (const endMs = performance.now() + seconds * 1000; performance.now() < endMs; await delay(500)) {
      const behind = await behindLiveOf(page);
      if (behind !== undefined) samples.push(behind);
    }
    if (samples.length < seconds)
      throw new Error(`the page told where it plays ${samples.length} times only`);
    return samples;
  } finally {
    await browser.close();
  }
}

async function untilPlaying(page: Page): Promise<void> {
  for (const endMs = performance.now() + startTimeoutMs; performance.now() < endMs; await delay(200)) {
    if ((await behindLiveOf(page)) !== undefined) return;
  }
  throw new Error(`the watch page does not play after ${startTimeoutMs / 1000} s`);
}

async function behindLiveOf(page: Page): Promise<number | undefined> {
  const state = await page.evaluate('window.tangaza?.state()');
  return State.safeParse(state).data?.behindLiveSeconds;
}

interface MemoryOptions {
  readonly seconds: number;
  readonly viewers: number;
  readonly progress: (line: string) => void;
}

async function measureMemory(
  cluster: DemoCluster,
  { seconds, viewers, progress }: MemoryOptions,
): Promise<LiveBenchResult['memory']> {
  const node = firstNode(cluster);
  const samples = [await residentMegabytes(node)];
  const stop = new AbortController();
  progress(`${viewers} viewers come for ${seconds} s`);
  const watching = watch(`${node.url}/live/${cluster.stream.id}/main.m3u8`, viewers, stop.signal);
  watching.catch(() => {}); // awaited below
  for (let second = 1; second <= seconds; second += 1) {
    await delay(1000);
    const megabytes = await residentMegabytes(node);
    samples.push(megabytes);
    if (second % 15 === 0) progress(`after ${second} s: ${megabytes.toFixed(0)} MB`);
  }
  stop.abort();
  const { segments, gaps, bytes, faults } = await watching;
  const viewing = { segments, gaps, bytes, faults };
  return { seconds, viewers, samples, peakMegabytes: Math.max(...samples), viewing };
}

function firstNode({ nodes }: DemoCluster): DemoNode {
  const [node] = nodes;
  if (node === undefined) throw new Error('the cluster has no node');
  return node;
}

async function residentMegabytes({ process, node }: DemoNode): Promise<number> {
  const status = await readFile(`/proc/${process.pid}/status`, 'utf8');
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kilobytes === undefined) throw new Error(`the memory of ${node} cannot be read`);
  return (Number(kilobytes) * 1024) / 1e6;
}

const currentLoad = (): number => loadavg()[0] ?? 0;

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** At most 13 points, with the first and the last among them. */
function curve(samples: readonly number[]): readonly (readonly [number, number])[] {
  const step = Math.max(1, Math.ceil((samples.length - 1) / 12));
  return samples.flatMap((value, second) =>
    second % step === 0 || second === samples.length - 1 ? [[second, value] as const] : [],
  );
}

export function liveFigures({ behindLive, memory, targetMegabytes }: LiveBenchResult): readonly Figure[] {
  return [
    {
      what: `peak memory of one node with ${memory.viewers} viewers in ${memory.seconds} s`,
      value: memory.peakMegabytes,
      unit: 'MB',
      target: `< ${targetMegabytes} MB`,
    },
    { what: 'Chromium behind live, p50', value: behindLive.p50Seconds, unit: 's' },
    { what: 'Chromium behind live, p95 (aimed at: 7 s)', value: behindLive.p95Seconds, unit: 's' },
  ];
}
