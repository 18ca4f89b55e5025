/**
 * What ffmpeg is told for one task: a pure function of the task, so that two workers with one ffmpeg give equal bytes.
 *
 * E1. Container time is ignored (M6): `-r` before the input numbers the pictures, `passthrough` neither doubles nor
 *     drops one, and the output is a bare H.264 byte stream that has no times at all.
 * E2. Whatever ffmpeg or x264 would guess from the length, the rate or the machine is pinned (M7): threads, keyframes,
 *     references, level, `stitchable`.
 * E3. A lone segment begins with a cold quantiser and no history: capped CRF, one second of buffer, half full. Of 1,000 kb/s
 *     hard content takes 999 so; at M8's 30 % it takes 899, and the first pictures of a film lose 0.02 of SSIM.
 * E4. Decoded once; every rung is scaled from the decoded picture, never from another rung.
 * E5. The input is not probed: the init segment says all, and probing decodes the first pictures a second time. What
 *     it would have found out, the delay of the decoder, comes from the stream's own bound instead of a guess.
 * E6. Fields are made whole pictures once, at the source's size, before any scaling would mix their lines.
 */
import type { EncodeSettings, Ratio } from '../../cluster/contract/renditions.ts';
import { maxPicturesOfSegment } from '../../cluster/model/media-limits.ts';
import { refsOf } from '../media/ladder/plan-renditions.ts';

/** Raised with every change here that changes bytes: part of the fingerprint (C9). */
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
  /** The filter graph, and the pads it ends in: one for each output, in order. */
  readonly graph: { readonly filter: string; readonly pads: readonly string[] };
  readonly outputs: readonly { readonly file: string; readonly options: readonly string[] }[];
}

/** Longer than any segment: the only keyframe is the first picture. */
const keyframeInterval = maxPicturesOfSegment + 1;

/** One picture for each that comes in, and only of those that the decoder finds to be two fields (E6). */
const deinterlacer = 'yadif=mode=send_frame:deint=interlaced';

/** Scaler of every rung; both sides of a benchmark have the same. */
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
    // One thread decodes, at the least CPU. Strict: how far pictures are reordered is what the SPS allows (E5).
    input: ['-threads', '1', '-strict', 'strict', '-r', frameRate.join('/'), '-f', 'mp4'],
    graph: { filter: [split, ...scales].join(';'), pads },
    outputs: outputs.map((output) => ({
      file: `${output.name}.h264`,
      options: outputOptions(output.settings),
    })),
  };
}

/** Global options: quiet, never a question, one thread for the filters, and an end to it if it spins as an orphan. */
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

/** Full range becomes limited, ten bits become eight, pixels become square (P2 of the ladder). */
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

/** M8: a segment over 1.1 x maxrate is tried once more, with CRF + 3. */
export function afterOverrun<R extends RungOutput>(output: R): R {
  return { ...output, settings: { ...output.settings, crf: output.settings.crf + 3 } };
}
