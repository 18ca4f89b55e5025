/** When the flashes and the beeps of `flashAndBeep()` are seen and heard, by decoding with ffmpeg. */
import type { DeliveredRendition } from './delivered-media.ts';
import { runTool } from './run-tool.ts';

const width = 32;
const height = 18;
/** Mean of a white picture is 235 or more, of the test picture about 120. */
const whiteLuma = 190;
const beepLevel = 0.1;
const quietSeconds = 0.3;

async function decode(file: Uint8Array, args: readonly string[]): Promise<Buffer> {
  const { exitCode, stdout, stderr } = await runTool(
    'ffmpeg',
    ['-v', 'error', '-i', 'pipe:0', ...args, 'pipe:1'],
    file,
  );
  if (exitCode !== 0 || stderr !== '') throw new Error(`ffmpeg: ${exitCode} ${stderr}`);
  return stdout;
}

/** Mean luma of each picture, in order of presentation. */
export async function lumaOf(file: Uint8Array): Promise<readonly number[]> {
  const size = width * height;
  const filter = [
    '-map',
    '0:v:0',
    '-fps_mode',
    'passthrough',
    '-vf',
    `scale=${width}:${height}:flags=area,format=gray`,
  ];
  const pictures = await decode(file, [...filter, '-f', 'rawvideo']);
  return Array.from({ length: pictures.length / size }, (_, index) => {
    const picture = pictures.subarray(index * size, (index + 1) * size);
    return picture.reduce((sum, luma) => sum + luma, 0) / size;
  });
}

/** Seconds at which the picture turns white. @param times seconds of each picture, sorted */
export function flashOnsets(luma: readonly number[], times: readonly number[]): readonly number[] {
  const isWhite = (index: number): boolean => (luma[index] ?? 0) > whiteLuma;
  return times.filter((_, index) => isWhite(index) && !isWhite(index - 1));
}

/** Seconds at which a beep begins; the first sound lies at `startSeconds`. */
export async function beepOnsets(
  file: Uint8Array,
  startSeconds: number,
  sampleRate: number,
): Promise<readonly number[]> {
  const bytes = await decode(file, ['-map', '0:a:0', '-ac', '1', '-f', 'f32le']);
  const onsets: number[] = [];
  let lastLoud = -Infinity;
  for (let index = 0; index < bytes.length / 4; index += 1) {
    if (Math.abs(bytes.readFloatLE(index * 4)) < beepLevel) continue;
    if (index - lastLoud > quietSeconds * sampleRate) onsets.push(startSeconds + index / sampleRate);
    lastLoud = index;
  }
  return onsets;
}

export interface SyncFigures {
  /** Flashes that have a beep within half a second. */
  readonly pairs: number;
  /** Seconds by which a beep comes after its flash. */
  readonly offsets: readonly number[];
  readonly flashes: readonly number[];
}

/** Flash against beep, each at its own track's presentation time, as a player that honours both would show them. */
export async function measureSync(
  video: DeliveredRendition,
  audio: DeliveredRendition,
): Promise<SyncFigures> {
  const luma = await lumaOf(video.file);
  if (luma.length !== video.times.length)
    throw new Error(`${video.name}: ${luma.length} pictures decoded of ${video.times.length}`);
  const seconds = video.times.map((time) => time / video.timescale);
  const beeps = await beepOnsets(audio.file, (audio.times[0] ?? 0) / audio.timescale, audio.timescale);
  return pairUp(flashOnsets(luma, seconds), beeps);
}

export function pairUp(flashes: readonly number[], beeps: readonly number[]): SyncFigures {
  const offsets = flashes.flatMap((flash) => {
    const [nearest] = beeps.map((beep) => beep - flash).toSorted((a, b) => Math.abs(a) - Math.abs(b));
    return nearest !== undefined && Math.abs(nearest) < 0.5 ? [nearest] : [];
  });
  return { pairs: offsets.length, offsets, flashes };
}
