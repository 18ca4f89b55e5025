/**
 * Benchmark of the map step: the CPU seconds of the map-reduced ladder compared with one continuous ffmpeg that makes the same ladder from
 * the same clip with the same settings. Target, for a ladder that is encoded as a whole: at most 1.10 times as much. Where the top rung
 * passes through, both sides save half of the work, and the start of ffmpeg weighs twice as much. That figure is reported beside it.
 *
 * CPU is user + system of this process and of every child that it has waited for (`/proc/self/stat`). So our own reading, hashing,
 * splitting and muxing counts against us. The two sides run one task at a time and take turns. A ratio compares two neighbouring runs, and
 * the median of the ratios is the figure, so that other work on the machine affects both sides.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { parseLadder } from '../../actors/media/ladder/ladder.ts';
import { planRenditions } from '../../actors/media/ladder/plan-renditions.ts';
import { taskGroups, type TaskPlan } from '../../actors/media/ladder/task-groups.ts';
import {
  encodeArguments,
  globalArguments,
  type EncodePlan,
  type RungOutput,
} from '../../actors/transcode-worker/encode-arguments.ts';
import { openFfmpegEncoder } from '../../actors/transcode-worker/encoder.ffmpeg.ts';
import { packRung } from '../../actors/transcode-worker/rung-segment.ts';
import type { SegmentEncoder } from '../../actors/transcode-worker/segment-encoder.ts';
import type { Ratio, VideoRendition } from '../../cluster/contract/renditions.ts';
import { SourceVideo } from '../../cluster/contract/contribution.ts';
import { systemClock } from '../../cluster/time/clock.system.ts';
import { readClip, runFfmpeg, type ClipSource } from './clip-segments.ts';
import type { Figure } from './kept-runs.ts';

export interface TranscodeBenchOptions {
  readonly ffmpeg?: string;
  /** The length of the clip. By default 20 s. */
  readonly seconds?: number;
  /** Turns of each side. By default 5. */
  readonly repeats?: number;
  readonly progress?: (line: string) => void;
}

export interface TranscodeSide {
  readonly cpuSeconds: number;
  readonly ratio: number;
}

export interface TranscodeCase {
  readonly name: string;
  readonly rungs: readonly string[];
  /** Every rung is encoded, also the top one. The target is for this case. */
  readonly isWhole: boolean;
  /** The median CPU seconds of the continuous ffmpeg. */
  readonly continuousCpuSeconds: number;
  /** With one task for all rungs of a segment, as an owner publishes that keeps up. */
  readonly together: TranscodeSide;
  /** With the lowest rung as a task of its own, as for a segment that is late (M12). */
  readonly lowestApart: TranscodeSide;
  /** The raw CPU seconds of every turn, in order. */
  readonly turns: readonly {
    readonly continuous: number;
    readonly together: number;
    readonly lowestApart: number;
  }[];
}

export interface TranscodeBench {
  readonly clip: string;
  readonly segments: number;
  readonly cases: readonly TranscodeCase[];
  readonly target: number;
  readonly passed: boolean;
}

const target = 1.1;
const frameRate: Ratio = [25, 1];
const keyframeInterval = 50;
const root = resolve(import.meta.dirname, '../..');
const trailer = resolve(root, '../shared/media/big-buck-bunny-trailer-640x360.mp4');
const orphanCpuSeconds = 600;

export function transcodeFigures({ cases, target: most }: TranscodeBench): readonly Figure[] {
  return cases.map(({ name, isWhole, together }) => ({
    what: `${name}: CPU time of one continuous ffmpeg`,
    value: together.ratio,
    unit: 'of it',
    ...(isWhole ? { target: `<= ${most.toFixed(2)}` } : {}),
  }));
}

export async function benchTranscode(options: TranscodeBenchOptions = {}): Promise<TranscodeBench> {
  const { ffmpeg = 'ffmpeg', seconds = 20, repeats = 5, progress = () => {} } = options;
  const folder = await mkdtemp(join(tmpdir(), 'tangaza-bench-'));
  try {
    const file = join(folder, 'clip.mp4');
    progress(`making a clip of ${seconds} s, 1280x720`);
    await makeClip(file, seconds);
    const clip = await readClip(file);
    await using encoder = await openFfmpegEncoder({
      ffmpeg,
      tempRoot: join(folder, 'attempts'),
      clock: systemClock,
    });
    const sides: Sides = { ffmpeg, folder, file, clip, encoder };
    const cases: TranscodeCase[] = [];
    for (const plan of await plans(clip)) cases.push(await measure(sides, plan, { repeats, progress }));
    const passed = cases.some(({ isWhole, together }) => isWhole && together.ratio <= target);
    return { clip: describeClip(seconds), segments: clip.segments.length, cases, target, passed };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The result as Markdown. */
export function transcodeMarkdown(bench: TranscodeBench): string {
  const rows = bench.cases.map(
    ({ name, rungs, continuousCpuSeconds, together, lowestApart }) =>
      `| ${name} (${rungs.join(', ')}) | ${continuousCpuSeconds.toFixed(2)} | ${together.cpuSeconds.toFixed(2)} | ${together.ratio.toFixed(3)} | ${lowestApart.ratio.toFixed(3)} |`,
  );
  return [
    `Clip: ${bench.clip}, ${bench.segments} segments. Target: <= ${bench.target.toFixed(2)}. ${bench.passed ? 'Reached.' : 'Missed.'}`,
    '',
    '| ladder | continuous, CPU s | map-reduced, CPU s | ratio | ratio with the lowest rung apart |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

interface Plan {
  readonly name: string;
  readonly isWhole: boolean;
  readonly renditions: readonly VideoRendition[];
}

interface Sides {
  readonly ffmpeg: string;
  readonly folder: string;
  readonly file: string;
  readonly clip: ClipSource;
  readonly encoder: SegmentEncoder;
}

function describeClip(seconds: number): string {
  return `${existsSync(trailer) ? 'Big Buck Bunny trailer' : 'testsrc2'} with noise, 1280x720, 25 pictures/s, ${seconds} s`;
}

/** Hard content: film grain on a film, scaled up, in GOPs of 2 s with two B-frames, as an encoder sends them. */
async function makeClip(file: string, seconds: number): Promise<void> {
  const input = existsSync(trailer)
    ? ['-stream_loop', '-1', '-ss', '6', '-i', trailer]
    : ['-f', 'lavfi', '-i', `testsrc2=size=1280x720:rate=25`];
  const filter = 'scale=1280:720:flags=lanczos,noise=alls=8:allf=t:all_seed=1,format=yuv420p';
  const codec = [
    '-c:v',
    'libx264',
    '-preset',
    'veryfast',
    '-b:v',
    '4M',
    '-maxrate',
    '4M',
    '-bufsize',
    '8M',
    '-bf',
    '2',
  ];
  const gop = [
    '-g',
    String(keyframeInterval),
    '-keyint_min',
    String(keyframeInterval),
    '-sc_threshold',
    '0',
    '-flags',
    '+cgop',
  ];
  await runFfmpeg([
    ...input,
    '-t',
    String(seconds),
    '-an',
    '-vf',
    filter,
    '-r',
    '25',
    ...codec,
    ...gop,
    file,
  ]);
}

/** The default ladder below a source that passes through, and below one that does not. */
async function plans(clip: ClipSource): Promise<readonly Plan[]> {
  const content: unknown = JSON.parse(await readFile(join(root, 'config/ladders/default.json'), 'utf8'));
  const ladder = parseLadder('default', content);
  const video = SourceVideo.parse({
    codec: 'h264',
    codecs: 'avc1.64001f',
    width: clip.track.width,
    height: clip.track.height,
    sampleAspectRatio: [1, 1],
    frameRate,
    bitDepth: 8,
    bitrateBps: 4_000_000,
    init: { sha256: '0'.repeat(64), bytes: clip.init.length },
  });
  const made = (source: SourceVideo): readonly VideoRendition[] =>
    planRenditions({ video: source, ladder })
      .filter((one) => one.kind === 'video')
      .filter(({ origin }) => origin.kind === 'encode');
  return [
    { name: 'top rung passed through', isWhole: false, renditions: made(video) },
    { name: 'whole ladder', isWhole: true, renditions: made({ ...video, codec: 'hevc' }) },
  ];
}

interface Run {
  readonly repeats: number;
  readonly progress: (line: string) => void;
}

async function measure(sides: Sides, plan: Plan, { repeats, progress }: Run): Promise<TranscodeCase> {
  const { renditions } = plan;
  const together = taskGroups(renditions, false);
  const apart = taskGroups(renditions, true);
  // A worker lives long, so what its first segment costs (compiling our own code) is not what a segment costs.
  const first = { ...sides.clip, segments: sides.clip.segments.slice(0, 2) };
  await encodeSegments({ ...sides, clip: first }, together);
  const turns: { continuous: number; together: number; lowestApart: number }[] = [];
  for (let turn = 1; turn <= repeats; turn += 1) {
    const continuous = await cpuSecondsOf(() => encodeContinuously(sides, renditions));
    const inOne = await cpuSecondsOf(() => encodeSegments(sides, together));
    const lowestApart = await cpuSecondsOf(() => encodeSegments(sides, apart));
    turns.push({ continuous, together: inOne, lowestApart });
    progress(
      `${plan.name}, turn ${turn} of ${repeats}: ${continuous.toFixed(2)}, ${inOne.toFixed(2)}, ${lowestApart.toFixed(2)} CPU s`,
    );
  }
  const side = (of: (turn: (typeof turns)[number]) => number): TranscodeSide => ({
    cpuSeconds: median(turns.map(of)),
    ratio: median(turns.map((turn) => of(turn) / turn.continuous)),
  });
  return {
    name: plan.name,
    isWhole: plan.isWhole,
    rungs: renditions.map(({ name }) => name),
    continuousCpuSeconds: median(turns.map(({ continuous }) => continuous)),
    together: side((turn) => turn.together),
    lowestApart: side((turn) => turn.lowestApart),
    turns,
  };
}

async function encodeSegments({ clip, encoder }: Sides, groups: readonly TaskPlan[]): Promise<void> {
  const { signal } = new AbortController();
  for (const segment of clip.segments) {
    const source = Buffer.concat([clip.init, segment.media]);
    for (const { renditions } of groups) {
      const streams = await encoder.encode(
        { source, frameRate, outputs: outputsOf(renditions), timeoutMs: 60_000 },
        signal,
      );
      renditions.forEach((rendition, index) =>
        packRung(streams[index] ?? new Uint8Array(), rendition, segment),
      );
    }
  }
}

/** The same arguments over the whole clip, with a keyframe where a segment would start. */
async function encodeContinuously(
  { ffmpeg, folder, file }: Sides,
  renditions: readonly VideoRendition[],
): Promise<void> {
  const plan: EncodePlan = { frameRate, outputs: outputsOf(renditions) };
  const { input, graph, outputs } = encodeArguments(plan);
  const made = outputs.flatMap(({ file: name, options }, index) => [
    '-map',
    `[${graph.pads[index]}]`,
    ...every2s(options),
    join(folder, name),
  ]);
  const args = [
    ...globalArguments(orphanCpuSeconds),
    '-y',
    ...input,
    '-i',
    file,
    '-filter_complex',
    graph.filter,
    ...made,
  ];
  await promisify(execFile)(ffmpeg, args, { timeout: orphanCpuSeconds * 1000 });
}

/** The argument behind `-g` and `-keyint_min`. In a task it is longer than any segment. */
function every2s(options: readonly string[]): readonly string[] {
  const isInterval = (index: number): boolean => ['-g', '-keyint_min'].includes(options[index - 1] ?? '');
  return options.map((option, index) => (isInterval(index) ? String(keyframeInterval) : option));
}

function outputsOf(renditions: readonly VideoRendition[]): readonly RungOutput[] {
  return renditions.flatMap(({ name, width, height, origin }) =>
    origin.kind === 'encode' ? [{ name, width, height, settings: origin.settings }] : [],
  );
}

async function cpuSecondsOf(work: () => Promise<void>): Promise<number> {
  const before = await cpuTicks();
  await work();
  return ((await cpuTicks()) - before) / 100;
}

/** utime, stime, cutime, cstime: fields 14 to 17 of proc(5), in 1/100 s. The name before them may contain blanks. */
async function cpuTicks(): Promise<number> {
  const stat = await readFile('/proc/self/stat', 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? NaN)
    : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}
