/**
 * Makes the arguments of ffmpeg for one task: a pure function of the task, so that two workers with one ffmpeg give
 * equal bytes.
 *
 * - The container's time is ignored (M6): `-r` before the input numbers the pictures, `passthrough` neither doubles nor
 *   drops one, and the output is a bare H.264 byte stream without times.
 * - Everything is pinned that ffmpeg or x264 would guess from the length, the rate or the machine (M7): threads,
 *   keyframes, references, level, `stitchable`.
 * - A lone segment begins with a cold quantiser and no history, so it gets capped CRF and one second of buffer, half
 *   full. Hard content then takes 999 of 1,000 kbit/s. With the buffer at 30 % it takes 899, and the first pictures of
 *   a film lose 0.02 of SSIM (M8).
 * - The source is decoded once. Every rung is scaled from the decoded picture, never from another rung.
 *
 * E1. The input is not probed. The init segment says all, and a probe decodes the first pictures a second time. A probe
 *     would only have found out the delay of the decoder; that comes from the stream's own bound instead of a guess.
 * E2. Fields are made whole pictures once, at the source's size, before scaling mixes their lines.
 */
import type { EncodeSettings, Ratio } from '../../cluster/contract/renditions.ts';
import { maxPicturesOfSegment } from '../../cluster/model/media-limits.ts';
import { refsOf } from '../media/ladder/plan-renditions.ts';

/** Part of the fingerprint (C9). Raise it with every change here that changes bytes. */
export const argumentsVersion = 5;

export interface RungOutput {
  /** Names the output's file. */
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly settings: EncodeSettings;
}

export interface EncodePlan {
  readonly frameRate: Ratio;
  readonly outputs: readonly RungOutput[];
}

export interface EncodeArguments {
  readonly input: readonly string[];
  /** The filter graph and the pads it ends in: one for each output, in order. */
  readonly graph: { readonly filter: string; readonly pads: readonly string[] };
  readonly outputs: readonly { readonly file: string; readonly options: readonly string[] }[];
}

/** Longer than any segment, so that only the first picture is a keyframe. */
const keyframeInterval = maxPicturesOfSegment + 1;

/** Gives one picture for each that comes in, and changes only those that the decoder finds to be two fields (E2). */
const deinterlacer = 'yadif=mode=send_frame:deint=interlaced';

/** The scaler of every rung. Both sides of a benchmark use it. */
const scaler = 'bicubic';

export function encodeArguments({ frameRate, outputs }: EncodePlan): EncodeArguments {
  const pads = outputs.map((_, index) => `rung${index}`);
  const splits = outputs.map((_, index) => `copy${index}`);
  const isDeinterlaced = outputs.some(({ settings }) => settings.isDeinterlaced === true);
  const split = `[0:v:0]${isDeinterlaced ? `${deinterlacer},` : ''}split=${outputs.length}${splits.map((pad) => `[${pad}]`).join('')}`;
  const scales = outputs.map(
    ({ width, height }, index) => `[${splits[index]}]${scaleFilter(width, height)}[${pads[index]}]`,
  );
  return {
    // One thread decodes, with the least CPU. Strict: the SPS says how far pictures are reordered (E1).
    input: ['-threads', '1', '-strict', 'strict', '-r', frameRate.join('/'), '-f', 'mp4'],
    graph: { filter: [split, ...scales].join(';'), pads },
    outputs: outputs.map((output) => ({
      file: `${output.name}.h264`,
      options: outputOptions(output.settings),
    })),
  };
}

/**
 * Global options: quiet, no questions, one filter thread, and a CPU limit for an ffmpeg that spins after its node is
 * gone.
 */
export function globalArguments(cpuSeconds: number): readonly string[] {
  return [
    '-nostdin',
    '-nofind_stream_info',
    '-hide_banner',
    '-v',
    'error',
    '-filter_complex_threads',
    '1',
    '-timelimit',
    String(cpuSeconds),
  ];
}

/** Makes full range limited, ten bits eight, and pixels square (plan-renditions.ts P2). */
function scaleFilter(width: number, height: number): string {
  return `scale=${width}:${height}:flags=${scaler}:out_range=tv,setsar=1,format=yuv420p`;
}

function outputOptions(settings: EncodeSettings): readonly string[] {
  const { preset, profile, level, crf, maxrateBps, bufsizeBits } = settings;
  return [
    ...['-c:v', 'libx264', '-preset', preset, '-profile:v', profile, '-level:v', (level / 10).toFixed(1)],
    ...['-crf', String(crf), '-maxrate', String(maxrateBps), '-bufsize', String(bufsizeBits)],
    ...[
      '-g',
      String(keyframeInterval),
      '-keyint_min',
      String(keyframeInterval),
      '-sc_threshold',
      '0',
      '-bf',
      '0',
    ],
    ...['-a53cc', '1', '-refs', String(refsOf(preset)), '-threads', '1'],
    ...['-x264-params', 'threads=1:lookahead-threads=1:stitchable=1:vbv-init=0.5:open-gop=0'],
    ...['-flags', '+bitexact+cgop', '-fflags', '+bitexact', '-fps_mode', 'passthrough'],
    ...['-map_metadata', '-1', '-an', '-sn', '-dn', '-f', 'h264'],
  ];
}

/** A segment over 1.1 x maxrate is encoded once more, with CRF + 3 (M8). */
export function afterOverrun<R extends RungOutput>(output: R): R {
  return { ...output, settings: { ...output.settings, crf: output.settings.crf + 3 } };
}
