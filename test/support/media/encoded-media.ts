/** Real coded media for tests: a short film from ffmpeg's test sources, taken apart into tracks and samples. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Sample, Track } from '../../../actors/media/cmaf/cmaf.ts';
import { readInit, readSegment } from '../../../actors/media/cmaf/reader.ts';

const run = promisify(execFile);
const timeoutMs = 60_000;

export interface EncodedMedia {
  readonly track: Track;
  /** In decode order, the first presentation at 0. */
  readonly samples: readonly Sample[];
  /** End of the last sample. */
  readonly end: number;
}

const fragmented = ['-f', 'mp4', '-movflags', 'empty_moov+default_base_moof+frag_keyframe'];

/** @param codecArgs e.g. `['-c:v', 'libx264', '-bf', '2']`; 320x180, 90 kHz, one thread */
export function encodeVideo(
  codecArgs: readonly string[],
  options: { rate?: string; seconds?: number } = {},
): Promise<EncodedMedia> {
  const { rate = '30', seconds = 4 } = options;
  const source = `testsrc2=size=320x180:rate=${rate}:duration=${seconds}`;
  const output = ['-threads', '1', '-pix_fmt', 'yuv420p', '-video_track_timescale', '90000', ...fragmented];
  return encode(['-f', 'lavfi', '-i', source, ...codecArgs, ...output]);
}

/** Stereo AAC of a 440 Hz tone, without the encoder's priming frame. */
export function encodeAudio(options: { sampleRate?: number; seconds?: number } = {}): Promise<EncodedMedia> {
  const { sampleRate = 48_000, seconds = 4 } = options;
  const source = `sine=frequency=440:sample_rate=${sampleRate}:duration=${seconds}`;
  const output = ['-frag_duration', '1000000', '-f', 'mp4', '-movflags', 'empty_moov+default_base_moof'];
  return encode(['-f', 'lavfi', '-i', source, '-c:a', 'aac', '-b:a', '96k', '-ac', '2', ...output]);
}

async function encode(args: readonly string[]): Promise<EncodedMedia> {
  const folder = await mkdtemp(join(tmpdir(), 'tangaza-media-'));
  try {
    const file = join(folder, 'out.mp4');
    await run('ffmpeg', ['-v', 'error', '-nostdin', ...args, file], { timeout: timeoutMs });
    return takeApart(await readFile(file));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function takeApart(file: Uint8Array): EncodedMedia {
  const { track } = readInit(file);
  const read = readSegment(file, file);
  const scale = (time: number): number =>
    Math.round(((time - read.startTime) * track.timescale) / read.timescale);
  const samples = read.samples.map(({ data, pts, isKey }) => ({ data, isKey, pts: scale(pts) }));
  return { track, samples, end: scale(read.startTime + read.duration) };
}

/** Splits at key samples into runs of `[samples, end]`, each the content of one segment. */
export function splitAtKeys({
  samples,
  end,
}: EncodedMedia): readonly { readonly samples: readonly Sample[]; readonly end: number }[] {
  const starts = samples.flatMap((sample, index) => (sample.isKey ? [index] : []));
  return starts.map((start, index) => {
    const next = starts[index + 1];
    return {
      samples: samples.slice(start, next),
      end: next === undefined ? end : (samples[next]?.pts ?? end),
    };
  });
}

/** Splits audio into runs of `count` frames. */
export function splitEvery(
  { samples, end }: EncodedMedia,
  count: number,
): readonly { readonly samples: readonly Sample[]; readonly end: number }[] {
  const runs = Array.from({ length: Math.ceil(samples.length / count) }, (_, index) =>
    samples.slice(index * count, (index + 1) * count),
  );
  return runs.map((run, index) => ({ samples: run, end: runs[index + 1]?.[0]?.pts ?? end }));
}
