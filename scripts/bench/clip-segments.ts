/** Makes source segments of a clip, as an ingest would store them: CMAF, cut at keyframes, at least 2 s long. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Sample, VideoTrack } from '../../actors/media/cmaf/cmaf.ts';
import { readInit, readSegment } from '../../actors/media/cmaf/reader.ts';
import { writeInit, writeSegment } from '../../actors/media/cmaf/writer.ts';

export interface ClipSegment {
  readonly start90k: number;
  readonly duration90k: number;
  /** Sorted, and counted from `start90k`. */
  readonly times90k: readonly number[];
  readonly media: Uint8Array;
}

export interface ClipSource {
  readonly track: VideoTrack;
  readonly init: Uint8Array;
  readonly segments: readonly ClipSegment[];
}

const run = promisify(execFile);
const target90k = 180_000;
const runTimeoutMs = 120_000;

/** Runs ffmpeg until it ends. @throws Error with the last lines that it wrote */
export async function runFfmpeg(args: readonly string[]): Promise<void> {
  await run('ffmpeg', ['-hide_banner', '-nostdin', '-v', 'error', '-y', ...args], { timeout: runTimeoutMs });
}

/** @param file any MP4 with one video track of H.264, HEVC or AV1 */
export async function readClip(file: string): Promise<ClipSource> {
  const folder = await mkdtemp(join(tmpdir(), 'tangaza-clip-'));
  try {
    const fragmented = join(folder, 'fragmented.mp4');
    const movflags = 'empty_moov+default_base_moof+frag_keyframe';
    await runFfmpeg([
      '-i',
      file,
      '-an',
      '-c:v',
      'copy',
      '-video_track_timescale',
      '90000',
      '-movflags',
      movflags,
      fragmented,
    ]);
    return cutClip(await readFile(fragmented));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function cutClip(file: Uint8Array): ClipSource {
  const { track } = readInit(file);
  if (track.kind !== 'video') throw new Error('the clip has no video');
  const read = readSegment(file, file);
  const ticks = (time: number): number => Math.round(((time - read.startTime) * 90_000) / read.timescale);
  const samples = read.samples.map(({ data, pts, isKey }) => ({ data, isKey, pts: ticks(pts) }));
  const runs = splitAtKeys(samples);
  const segments = runs.map((run, index) => {
    const end = runs[index + 1]?.[0]?.pts ?? ticks(read.startTime + read.duration);
    return cutSegment(track, run, end);
  });
  return { track, init: writeInit(track), segments };
}

function splitAtKeys(samples: readonly Sample[]): readonly (readonly Sample[])[] {
  const runs: Sample[][] = [];
  for (const sample of samples) {
    const current = runs.at(-1);
    const start = current?.[0]?.pts ?? 0;
    if (current === undefined || (sample.isKey && sample.pts - start >= target90k)) runs.push([sample]);
    else current.push(sample);
  }
  return runs;
}

function cutSegment(track: VideoTrack, samples: readonly Sample[], end: number): ClipSegment {
  const start90k = samples[0]?.pts ?? 0;
  const times90k = samples.map(({ pts }) => pts - start90k).toSorted((a, b) => a - b);
  return { start90k, duration90k: end - start90k, times90k, media: writeSegment(track, samples, end) };
}
