/**
 * Benchmark of the ingest: how much of one core each 640x360 publisher costs, from RTMP to stored source segments and a playable playlist,
 * without a ladder. Target: at most 0.8 %, which MediaMTX needs to mux the same to LL-HLS.
 *
 * It runs a real node (ingest, owner, control and edge in one process, disk store) with a real nats-server. The publishers are a process of
 * their own. CPU is user + system of the node's process in the window, from `/proc`. That of nats-server is reported beside it, and so is
 * the sum. The edge follows every stream from before the window on. At the end ffprobe reads a playlist, and the newest segment of every
 * stream must be young; otherwise the figure means nothing.
 */
import { execFile, fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { z } from 'zod';
import { makeClip } from '../../test/support/media/media-feed.ts';
import { startDemoCluster } from '../demo/demo-cluster.ts';
import type { DemoNode } from '../demo/site.ts';
import type { SupervisedProcess } from '../demo/supervised-process.system.ts';
import type { Figure } from './kept-runs.ts';

export interface IngestBenchOptions {
  /** By default 20. */
  readonly publishers?: number;
  /** The length of the window. By default 40 s. */
  readonly seconds?: number;
  readonly progress?: (line: string) => void;
}

export interface IngestBenchResult {
  readonly publishers: number;
  readonly seconds: number;
  readonly clip: string;
  /** In percent of one core, for each publisher: the node's process, and the nats-server beside it. */
  readonly nodePercent: number;
  readonly natsPercent: number;
  /** The node's CPU in each second, in percent of one core, for all publishers together. */
  readonly secondsPercent: readonly number[];
  readonly residentMegabytes: number;
  /** How many segments all streams committed in the window. */
  readonly segments: number;
  /** How many segments were given up since the start; it must be 0. */
  readonly lostSegments: number;
  readonly targetPercent: number;
  readonly isReached: boolean;
}

const targetPercent = 0.8;
/** From the last publisher's start to the window. By then periods are open, code is compiled, and buffers have their final size. */
const warmUpMs = 15_000;
const sampleClip = resolve(import.meta.dirname, '../../../shared/media/big-buck-bunny-trailer-640x360.mp4');
const ticksPerSecond = 100;

/** @throws Error when a publisher is refused, a stream stands still or a segment is lost, as the figure would mean nothing */
export async function benchIngest(options: IngestBenchOptions = {}): Promise<IngestBenchResult> {
  const { publishers = 20, seconds = 40, progress = () => {} } = options;
  const dataDir = await mkdtemp(join(tmpdir(), 'tangaza-bench-ingest-'));
  try {
    const clip = await findClip(dataDir);
    const env = { TANGAZA_ROLES: 'ingest,edge-delivery,control', TANGAZA_LOG_LEVEL: 'warn' };
    const ports = { portBase: 0, rtmpBase: 0 };
    await using cluster = await startDemoCluster({
      regions: 1,
      nodes: 1,
      hasPublisher: false,
      store: 'disk',
      dataDir,
      env,
      ...ports,
    });
    const [node] = cluster.nodes;
    const nats = cluster.regions[0]?.nats;
    if (node === undefined || nats === undefined) throw new Error('the demo cluster has no node');
    const streams = await createStreams(node, cluster.token, publishers);
    progress(`${publishers} publishers of ${clip.name}, ${seconds} s`);
    await using load = startLoad(
      node,
      clip.path,
      streams.map(({ streamKey }) => streamKey),
    );
    await load.onAir;
    await delay(warmUpMs);
    const window = await measure({ node, nats, streams: streams.map(({ id }) => id), seconds, progress });
    await checkPlayable(`${node.url}/live/${streams[0]?.id}/main.m3u8`);
    return { publishers, seconds, clip: clip.name, targetPercent, ...perPublisher(window, publishers) };
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** Writes the report as Markdown, the verdict first. */
export function ingestReport(result: IngestBenchResult): string {
  const { publishers, seconds, clip, nodePercent, natsPercent, isReached } = result;
  const verdict = isReached ? 'reached' : 'NOT reached';
  return [
    '## bench ingest',
    '',
    `**${nodePercent.toFixed(2)} % of one core for each publisher; target <= ${targetPercent} %: ${verdict}.**`,
    '',
    `${publishers} publishers of ${clip} over ${seconds} s, RTMP to stored segments and playlists, no ladder.`,
    '',
    '| what | value |',
    '| --- | --- |',
    `| node, % of a core for each publisher | ${nodePercent.toFixed(3)} |`,
    `| nats-server beside it | ${natsPercent.toFixed(3)} |`,
    `| both | ${(nodePercent + natsPercent).toFixed(3)} |`,
    `| node's resident memory, MB | ${result.residentMegabytes.toFixed(0)} |`,
    `| segments committed, lost | ${result.segments}, ${result.lostSegments} |`,
    '',
  ].join('\n');
}

async function findClip(folder: string): Promise<{ readonly name: string; readonly path: string }> {
  if (existsSync(sampleClip)) return { name: 'big-buck-bunny-trailer-640x360.mp4', path: sampleClip };
  const encode = ['-b:v', '520k', '-maxrate', '700k', '-bufsize', '1M'];
  const path = await makeClip(join(folder, 'clip.mp4'), {
    seconds: 32,
    size: '640x360',
    gop: 50,
    bFrames: 2,
    videoArgs: encode,
  });
  return { name: 'generated 640x360, 25 fps, 520 kb/s', path };
}

const CreatedStream = z.object({ id: z.string(), streamKey: z.string() });
type CreatedStream = z.infer<typeof CreatedStream>;

async function createStreams(
  { url }: DemoNode,
  token: string,
  count: number,
): Promise<readonly CreatedStream[]> {
  const streams: CreatedStream[] = [];
  for (let index = 0; index < count; index += 1) {
    const body = JSON.stringify({ title: `bench ${index}`, id: `bench-${index}`, ladder: 'source' });
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const reply = await fetch(`${url}/v1/streams`, { method: 'POST', headers, body });
    if (!reply.ok) throw new Error(`creating a stream: ${reply.status} ${await reply.text()}`);
    streams.push(CreatedStream.parse(await reply.json()));
  }
  return streams;
}

function startLoad(
  node: DemoNode,
  clip: string,
  keys: readonly string[],
): AsyncDisposable & { readonly onAir: Promise<unknown> } {
  const port = new URL(node.rtmp).port;
  const child: ChildProcess = fork(join(import.meta.dirname, 'ingest-load.ts'), [port, clip, ...keys], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  const failed = exited.then(() => {
    throw new Error('the load generator ended');
  });
  failed.catch(() => {});
  return {
    onAir: Promise.race([once(child, 'message'), failed]),
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

interface Measuring {
  readonly node: DemoNode;
  readonly nats: SupervisedProcess;
  readonly streams: readonly string[];
  readonly seconds: number;
  readonly progress: (line: string) => void;
}

interface Window {
  readonly wallSeconds: number;
  readonly nodeSeconds: number;
  readonly natsSeconds: number;
  readonly secondsPercent: readonly number[];
  readonly residentMegabytes: number;
  readonly segments: number;
  readonly lostSegments: number;
}

async function measure({ node, nats, streams, seconds, progress }: Measuring): Promise<Window> {
  const first = await sequencesOf(node, streams);
  const start = { at: performance.now(), node: await cpuOf(node.process), nats: await cpuOf(nats) };
  const secondsPercent: number[] = [];
  let last = start.node.seconds;
  for (let second = 0; second < seconds; second += 1) {
    await delay(1000);
    const now = (await cpuOf(node.process)).seconds;
    secondsPercent.push(Math.round((now - last) * 1000) / 10);
    last = now;
    if (second % 10 === 9) progress(`${second + 1} s: ${secondsPercent.at(-1)} % of a core`);
  }
  const wallSeconds = (performance.now() - start.at) / 1000;
  const end = { node: await cpuOf(node.process), nats: await cpuOf(nats) };
  const after = await sequencesOf(node, streams);
  const progressOf = after.map((sequence, index) => sequence - (first[index] ?? sequence));
  if (progressOf.some((count) => count < seconds / 4))
    throw new Error(`a stream stood still: ${progressOf.join(', ')} segments`);
  return {
    wallSeconds,
    nodeSeconds: end.node.seconds - start.node.seconds,
    natsSeconds: end.nats.seconds - start.nats.seconds,
    secondsPercent,
    residentMegabytes: end.node.residentMegabytes,
    segments: progressOf.reduce((sum, count) => sum + count, 0),
    lostSegments: await lostSegments(node),
  };
}

function perPublisher(window: Window, publishers: number) {
  const {
    wallSeconds,
    nodeSeconds,
    natsSeconds,
    secondsPercent,
    residentMegabytes,
    segments,
    lostSegments: lost,
  } = window;
  if (lost > 0) throw new Error(`${lost} segments were lost`);
  const percent = (seconds: number): number => (100 * seconds) / wallSeconds / publishers;
  const nodePercent = percent(nodeSeconds);
  const isReached = nodePercent <= targetPercent;
  return {
    nodePercent,
    natsPercent: percent(natsSeconds),
    secondsPercent,
    residentMegabytes,
    segments,
    lostSegments: lost,
    isReached,
  };
}

/** The media sequence number after the last segment in each stream's video playlist. */
async function sequencesOf({ url }: DemoNode, streams: readonly string[]): Promise<readonly number[]> {
  return Promise.all(
    streams.map(async (stream) => {
      const playlist = await text(`${url}/live/${stream}/h264-360p.m3u8`);
      const first = Number(/#EXT-X-MEDIA-SEQUENCE:(\d+)/.exec(playlist)?.[1] ?? NaN);
      return first + (playlist.match(/#EXTINF/g)?.length ?? 0);
    }),
  );
}

async function lostSegments({ operator }: DemoNode): Promise<number> {
  const lines = (await text(`${operator}/metrics`))
    .split('\n')
    .filter((line) => line.startsWith('tangaza_ingest_lost_segments_total'));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

async function text(url: string): Promise<string> {
  const reply = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  if (!reply.ok) throw new Error(`${url}: ${reply.status} ${await reply.text()}`);
  return reply.text();
}

async function checkPlayable(playlist: string): Promise<void> {
  const { stderr } = await promisify(execFile)(
    'ffmpeg',
    ['-v', 'error', '-nostdin', '-i', playlist, '-t', '4', '-f', 'null', '-'],
    { timeout: 60_000 },
  );
  if (stderr !== '') throw new Error(`${playlist} does not play: ${stderr}`);
}

/** CPU seconds and memory of a supervised process, for all of its process group (proc(5)). */
async function cpuOf({
  pid,
  name,
}: SupervisedProcess): Promise<{ readonly seconds: number; readonly residentMegabytes: number }> {
  if (pid === undefined) throw new Error(`${name} does not run`);
  const group = await Promise.all(
    (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry)).map(statOf),
  );
  const own = group.filter((fields) => Number(fields[2]) === pid);
  const sum = (index: number): number => own.reduce((total, fields) => total + Number(fields[index]), 0);
  return { seconds: (sum(11) + sum(12)) / ticksPerSecond, residentMegabytes: (sum(21) * 4096) / 1e6 };
}

/** The fields behind the name; empty for a process that has gone. */
async function statOf(pid: string): Promise<readonly string[]> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

export function ingestFigures({
  nodePercent,
  residentMegabytes,
  publishers,
  targetPercent,
}: IngestBenchResult): readonly Figure[] {
  return [
    {
      what: `one core's time for each of ${publishers} publishers`,
      value: nodePercent,
      unit: '%',
      target: `<= ${targetPercent} %`,
    },
    { what: 'resident memory of the node', value: residentMegabytes, unit: 'MB' },
  ];
}
