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
import { taskFields } from '../support/transcode-task.ts';

const trailer = resolve(import.meta.dirname, '../../../shared/media/big-buck-bunny-trailer-640x360.mp4');
const maxrateBps = 1_000_000;
const settings = EncodeSettings.parse({
  ...{ preset: 'veryfast', profile: 'high', level: 31, crf: 20 },
  ...{ maxrateBps, bufsizeBits: maxrateBps },
});
const rendition = VideoRendition.parse({
  ...taskFields.renditions[0],
  ...{ name: 'h264-480p', codecs: 'avc1.64001f', width: 854, height: 480, bandwidthBps: 1_100_000 },
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

/** SSIM of every picture of the rung against the source scaled to its size. */
async function ssimOf(folder: string, { clip, segment, rung }: Pair): Promise<readonly number[]> {
  await writeFile(join(folder, 'source.mp4'), Buffer.concat([clip.init, segment.media]));
  await writeFile(join(folder, 'rung.mp4'), rung);
  const scaled = '[1:v]scale=854:480:flags=bicubic,settb=1/25[ref]';
  const graph = `${scaled};[0:v]settb=1/25[made];[made][ref]ssim=stats_file=-`;
  const inputs = ['-r', '25', '-i', 'rung.mp4', '-r', '25', '-i', 'source.mp4'];
  const args = ['-v', 'error', '-nostdin', ...inputs, '-lavfi', graph, '-f', 'null', '/dev/null'];
  const { stdout } = await promisify(execFile)('ffmpeg', args, { cwd: folder, maxBuffer: 1 << 22 });
  return [...stdout.matchAll(/All:([\d.]+)/g)].map((match) => Number(match[1]));
}

const contents = [
  // The same all over, so that any dip is the encoder's.
  ['test picture with grain', ['-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=25'], true],
  // With cuts inside of segments, whose pictures differ by themselves: its dips are reported, not judged.
  ...(existsSync(trailer) ? [['film with grain', ['-ss', '8', '-i', trailer], false] as const] : []),
] as const;

/** Harder than its rate allows, so that the cap decides. */
async function hardClip(file: string, content: readonly string[]): Promise<ClipSource> {
  const filter = 'scale=1280:720:flags=lanczos,noise=alls=4:allf=t:all_seed=1,format=yuv420p';
  const gop = ['-g', '50', '-keyint_min', '50', '-sc_threshold', '0', '-flags', '+cgop'];
  const codec = ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '16', ...gop];
  await runFfmpeg([...content, '-t', '8', '-an', '-vf', filter, ...codec, file]);
  return readClip(file);
}

// Goal: the peak stays under 1.1 x maxrate and nobody sees the border of a segment: SSIM dips by 0.01 at most.
// Method: every segment of a hard clip by itself; its rate, and the SSIM of its ends against its mean.
test.each(contents)(
  'a lone segment of a %s keeps to its rate, and its ends look like the rest',
  async (name, content, isEven) => {
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
        const whole = mean(ssim);
        const kbps = (media.length * 8 * 90) / segment.duration90k;
        figures.push({
          kbps,
          firstDip: whole - mean(ssim.slice(0, 5)),
          lastDip: whole - mean(ssim.slice(-5)),
        });
      }
      const peak = Math.max(...figures.map(({ kbps }) => kbps));
      const dip = Math.max(...figures.flatMap(({ firstDip, lastDip }) => [firstDip, lastDip]));
      const each = figures.map(
        ({ kbps, firstDip, lastDip }) => `${kbps.toFixed(0)} (${firstDip.toFixed(4)}, ${lastDip.toFixed(4)})`,
      );
      process.stdout.write(
        `rate control, ${name}, kb/s of 1,000 (SSIM dip of the first and last 5): ${each.join(', ')}; peak ${peak.toFixed(0)}, dip ${dip.toFixed(4)}\n`,
      );
      expect(figures).toHaveLength(4);
      expect(peak).toBeLessThanOrEqual(1100);
      if (!isEven) return;
      // The cap has to decide, else this proves nothing.
      expect(peak).toBeGreaterThan(850);
      expect(dip).toBeLessThanOrEqual(0.01);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);
