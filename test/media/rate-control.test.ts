/**
 * Rate control of lone segments (M8): each starts with a cold quantiser, and yet keeps to its rate, and its ends look
 * like its middle.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { openFfmpegEncoder } from '../../actors/transcode-worker/encoder.ffmpeg.ts';
import { packRung } from '../../actors/transcode-worker/rung-segment.ts';
import { EncodeSettings, VideoRendition, type Ratio } from '../../cluster/contract/renditions.ts';
import { systemClock } from '../../cluster/time/clock.system.ts';
import { readClip, runFfmpeg, type ClipSegment, type ClipSource } from '../../scripts/bench/clip-segments.ts';
import { taskFields } from '../support/ports/transcode-task.ts';

const trailer = resolve(import.meta.dirname, '../../../shared/media/big-buck-bunny-trailer-640x360.mp4');
const maxrateBps = 1_000_000;
const settings = EncodeSettings.parse({
  preset: 'veryfast',
  profile: 'high',
  level: 31,
  crf: 20,
  maxrateBps,
  bufsizeBits: maxrateBps,
});
const rendition = VideoRendition.parse({
  ...taskFields.renditions[0],
  name: 'h264-480p',
  codecs: 'avc1.64001f',
  width: 854,
  height: 480,
  bandwidthBps: 1_100_000,
  origin: { kind: 'encode', settings },
});

const never = new AbortController().signal;
const frameRate: Ratio = [25, 1];
const output = { name: rendition.name, width: 854, height: 480, settings };

interface Figures {
  readonly kbps: number;
  /** Mean SSIM of the segment, less that of its first and last five pictures: positive where they look worse. */
  readonly firstDip: number;
  readonly lastDip: number;
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

interface Pair {
  readonly clip: ClipSource;
  readonly segment: ClipSegment;
  /** Init and media. */
  readonly rung: Uint8Array;
}

async function ssimOf(folder: string, { clip, segment, rung }: Pair): Promise<readonly number[]> {
  await writeFile(join(folder, 'source.mp4'), Buffer.concat([clip.init, segment.media]));
  await writeFile(join(folder, 'rung.mp4'), rung);
  return compared(folder, 'rung.mp4', 'source.mp4');
}

/** SSIM of every picture of an encode against the source scaled to its size. */
async function compared(folder: string, made: string, source: string): Promise<readonly number[]> {
  const scaled = '[1:v]scale=854:480:flags=bicubic,settb=1/25[ref]';
  const graph = `${scaled};[0:v]settb=1/25[made];[made][ref]ssim=stats_file=-`;
  const inputs = ['-r', '25', '-i', made, '-r', '25', '-i', source];
  const args = ['-v', 'error', '-nostdin', ...inputs, '-lavfi', graph, '-f', 'null', '/dev/null'];
  const { stdout } = await promisify(execFile)('ffmpeg', args, { cwd: folder, maxBuffer: 1 << 22 });
  return [...stdout.matchAll(/All:([\d.]+)/g)].map((match) => Number(match[1]));
}

const contents = [
  ['test picture with grain', ['-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=25']],
  ...(existsSync(trailer) ? [['film with grain', ['-ss', '8', '-i', trailer]] as const] : []),
] as const;

/** Harder than its rate allows, so that the cap decides. */
async function hardClip(file: string, content: readonly string[]): Promise<ClipSource> {
  const filter = 'scale=1280:720:flags=lanczos,noise=alls=4:allf=t:all_seed=1,format=yuv420p';
  const gop = ['-g', '50', '-keyint_min', '50', '-sc_threshold', '0', '-flags', '+cgop'];
  const codec = ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '16', ...gop];
  await runFfmpeg([...content, '-t', '8', '-an', '-vf', filter, ...codec, file]);
  return readClip(file);
}

/** The same ladder rung by one ffmpeg over the whole clip: how the ends of its segments look, one after the other. */
async function continuousSsim(folder: string, clip: ClipSource): Promise<readonly (readonly number[])[]> {
  const gop = ['-g', '50', '-keyint_min', '50', '-sc_threshold', '0', '-flags', '+cgop'];
  const rate = ['-crf', '20', '-maxrate', String(maxrateBps), '-bufsize', String(maxrateBps)];
  const codec = ['-c:v', 'libx264', '-preset', 'veryfast', '-profile:v', 'high', ...rate, ...gop];
  const clipFile = join(folder, 'clip.mp4');
  await runFfmpeg([
    '-i',
    clipFile,
    '-vf',
    'scale=854:480:flags=bicubic',
    ...codec,
    join(folder, 'whole.mp4'),
  ]);
  const ssim = [...(await compared(folder, 'whole.mp4', 'clip.mp4'))];
  return clip.segments.map(({ times90k }) => ssim.splice(0, times90k.length));
}

const dipsOf = (ssim: readonly number[]) => ({
  firstDip: mean(ssim) - mean(ssim.slice(0, 5)),
  lastDip: mean(ssim) - mean(ssim.slice(-5)),
});

// Goal: the peak stays under 1.1 x maxrate and nobody sees the border of a segment: SSIM dips by 0.01 at most.
// Method: every segment of a hard clip by itself; its rate, the SSIM of its ends against its mean, and how much further it dips
// there than one encoder that has run since the clip's beginning.
test.each(contents)(
  'a lone segment of a %s keeps to its rate, and its ends look like the rest',
  async (name, content) => {
    const folder = await mkdtemp(join(tmpdir(), 'tangaza-rate-'));
    try {
      const clip = await hardClip(join(folder, 'clip.mp4'), content);
      const tempRoot = join(folder, 'attempts');
      await using encoder = await openFfmpegEncoder({ ffmpeg: 'ffmpeg', tempRoot, clock: systemClock });
      const figures: Figures[] = [];
      for (const segment of clip.segments) {
        const source = Buffer.concat([clip.init, segment.media]);
        const request = { source, frameRate, outputs: [output], timeoutMs: 60_000 };
        const [stream] = await encoder.encode(request, never);
        const { init, media } = packRung(stream ?? new Uint8Array(), rendition, segment);
        const ssim = await ssimOf(folder, { clip, segment, rung: Buffer.concat([init, media]) });
        expect(ssim).toHaveLength(segment.times90k.length);
        const kbps = (media.length * 8 * 90) / segment.duration90k;
        figures.push({ kbps, ...dipsOf(ssim) });
      }
      const continuous = (await continuousSsim(folder, clip)).map(dipsOf);
      const peak = Math.max(...figures.map(({ kbps }) => kbps));
      const dip = Math.max(...figures.flatMap(({ firstDip, lastDip }) => [firstDip, lastDip]));
      const each = figures.map(
        ({ kbps, firstDip, lastDip }) => `${kbps.toFixed(0)} (${firstDip.toFixed(4)}, ${lastDip.toFixed(4)})`,
      );
      process.stdout.write(
        `rate control, ${name}, kb/s of 1,000 (SSIM dip of the first and last 5): ${each.join(', ')}; peak ${peak.toFixed(0)}, dip ${dip.toFixed(4)}\n`,
      );
      const more = figures.flatMap(({ firstDip, lastDip }, index) => [
        firstDip - (continuous[index]?.firstDip ?? 0),
        lastDip - (continuous[index]?.lastDip ?? 0),
      ]);
      process.stdout.write(
        `rate control, ${name}: one encoder over the whole clip dips by ${continuous.map(({ firstDip, lastDip }) => `(${firstDip.toFixed(4)}, ${lastDip.toFixed(4)})`).join(', ')}; a lone segment by ${Math.max(...more).toFixed(4)} more at most\n`,
      );
      expect(figures).toHaveLength(4);
      expect(peak).toBeLessThanOrEqual(1100);
      // The cap has to decide, else this proves nothing.
      expect(peak).toBeGreaterThan(850);
      expect(dip).toBeLessThanOrEqual(0.01);
      expect(Math.max(...more)).toBeLessThanOrEqual(0.01);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);
