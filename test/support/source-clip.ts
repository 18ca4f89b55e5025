/** Source segments as an ingest stores them, made by a real encoder: 320x180, 30 pictures/s, a cut every second. */
import type { ClipSource } from '../../scripts/bench/clip-segments.ts';
import { writeInit, writeSegment } from '../../actors/media/cmaf/writer.ts';
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

/** @param codecArgs for ffmpeg; each keyframe must start a closed GOP */
export async function sourceClip(codecArgs: readonly string[], seconds = 3): Promise<ClipSource> {
  const media = await encodeVideo(codecArgs, { seconds });
  const { track } = media;
  if (track.kind !== 'video') throw new Error('no video');
  const segments = splitAtKeys(media).map(({ samples, end }) => {
    const times = samples.map(({ pts }) => pts).toSorted((a, b) => a - b);
    const start90k = times[0] ?? 0;
    const times90k = times.map((time) => time - start90k);
    return { start90k, duration90k: end - start90k, times90k, media: writeSegment(track, samples, end) };
  });
  return { track, init: writeInit(track), segments };
}
