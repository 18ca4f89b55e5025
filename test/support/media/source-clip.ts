/** Source segments as an ingest stores them, made by a real encoder: 320x180, 30 pictures/s, a cut every second. */
import type { ClipSource } from '../../../scripts/bench/clip-segments.ts';
import { writeInit, writeSegment } from '../../../actors/media/cmaf/writer.ts';
import { encodeVideo, splitAtKeys } from './encoded-media.ts';

const gop = ['-g', '30', '-keyint_min', '30', '-sc_threshold', '0'];

/** x264 in the ways encoders use B-frames (M6). */
export const h264Sources = {
  'no B-frames': ['-c:v', 'libx264', '-preset', 'veryfast', ...gop, '-bf', '0'],
  '2 B-frames': [
    '-c:v',
    'libx264',
    '-preset',
    'veryfast',
    ...gop,
    '-bf',
    '2',
    '-x264-params',
    'b-adapt=0:b-pyramid=none',
  ],
  '3 B-frames, pyramid': [
    '-c:v',
    'libx264',
    '-preset',
    'veryfast',
    ...gop,
    '-bf',
    '3',
    '-x264-params',
    'b-adapt=0:b-pyramid=normal',
  ],
  '3 adaptive B-frames, pyramid': [
    '-c:v',
    'libx264',
    '-preset',
    'medium',
    ...gop,
    '-bf',
    '3',
    '-x264-params',
    'b-adapt=2:b-pyramid=normal',
  ],
} as const;

export interface SourceClipOptions {
  readonly seconds?: number;
  /** Pictures a second; 30 when absent. */
  readonly rate?: string;
  /** Puts a caption before each picture, as a caption inserter does. */
  readonly isCaptioned?: boolean;
  /** Moves a picture's time, in 90 kHz ticks; must keep their order, and a segment's first picture in place. */
  readonly move?: (pts: number) => number;
}

/** An SEI of CEA-608 in A/53 (user_data_registered_itu_t_t35), length-prefixed. */
const caption = Buffer.from('0000001206040eb50031474139340341fffc9420ff80', 'hex');

/** Up to 20 ms late, as from a camera that hesitates; the first picture of each second is on time. */
export function jittered(pts: number): number {
  const index = Math.round(pts / 3000);
  return index % 30 === 0 ? pts : pts + ((index * 37) % 10) * 180;
}

/** @param codecArgs for ffmpeg; each keyframe must start a closed GOP */
export async function sourceClip(
  codecArgs: readonly string[],
  options: SourceClipOptions = {},
): Promise<ClipSource> {
  const { seconds = 3, rate = '30', isCaptioned = false, move = (pts) => pts } = options;
  const media = await encodeVideo(codecArgs, { seconds, rate });
  const { track } = media;
  if (track.kind !== 'video') throw new Error('no video');
  const segments = splitAtKeys(media).map(({ samples, end }) => {
    const moved = samples.map((sample) => ({
      ...sample,
      data: isCaptioned ? Buffer.concat([caption, sample.data]) : sample.data,
      pts: move(sample.pts),
    }));
    const times = moved.map(({ pts }) => pts).toSorted((a, b) => a - b);
    const start90k = times[0] ?? 0;
    const times90k = times.map((time) => time - start90k);
    return { start90k, duration90k: end - start90k, times90k, media: writeSegment(track, moved, end) };
  });
  return { track, init: writeInit(track), segments };
}
