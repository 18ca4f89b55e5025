/** CMAF segments and clips of really coded media, as ffmpeg and ffprobe read them. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { writeClip } from '../../../actors/media/cmaf/clip.ts';
import { readSegment } from '../../../actors/media/cmaf/reader.ts';
import { writeInit, writeSegment } from '../../../actors/media/cmaf/writer.ts';
import {
  encodeAudio,
  encodeVideo,
  splitAtKeys,
  splitEvery,
  type EncodedMedia,
} from '../../support/media/encoded-media.ts';

const run = promisify(execFile);
const x264 = (...more: readonly string[]): readonly string[] => [
  '-c:v',
  'libx264',
  '-preset',
  'veryfast',
  '-g',
  '60',
  '-flags',
  '+cgop',
  ...more,
];
const offset90k = 5_400_000;

// Goal: the bytes say what we mean to readers that we did not write. Method: real encoders, B-frames of every kind (M6);
// each segment alone, behind its init segment, through ffprobe. Its demuxer adds the largest negative composition offset
// to every time, so times are compared from the first on; without B-frames they are equal as they stand.
test.each([
  ['H.264 without B-frames', x264('-bf', '0'), '30'],
  ['H.264 with 2 B-frames', x264('-bf', '2', '-b_strategy', '0'), '30'],
  [
    'H.264 with a pyramid of 3, at 29.97',
    x264('-bf', '3', '-b_strategy', '0', '-x264-params', 'b-pyramid=normal'),
    '30000/1001',
  ],
  ['H.264 with adaptive B-frames, at 23.976', x264('-bf', '3', '-b_strategy', '2'), '24000/1001'],
  [
    'HEVC',
    [
      '-c:v',
      'libx265',
      '-preset',
      'ultrafast',
      '-x265-params',
      'keyint=60:no-open-gop=1:log-level=none',
      '-tag:v',
      'hvc1',
    ],
    '30',
  ],
  ['AV1', ['-c:v', 'libsvtav1', '-preset', '12', '-g', '60'], '30'],
] satisfies [string, readonly string[], string][])(
  '%s: ffprobe reads the times that were written, ffmpeg decodes every picture',
  async (name, codec, rate) => {
    const media = await encodeVideo(codec, { rate });
    const init = writeInit(media.track);
    let frames = 0;
    for (const { samples, end } of splitAtKeys(media)) {
      const moved = samples.map((sample) => ({ ...sample, pts: sample.pts + offset90k }));
      const segment = writeSegment(media.track, moved, end + offset90k);
      const probed = await probe(Buffer.concat([init, segment]));
      const times = readSegment(init, segment).samples.map((sample) => sample.pts);
      expect(fromFirst(probed.times)).toEqual(fromFirst(times));
      if (name.endsWith('without B-frames')) expect(probed.times).toEqual(times);
      expect(await decode(Buffer.concat([init, segment]))).toEqual({
        complaints: '',
        frames: samples.length,
      });
      frames += samples.length;
    }
    expect(frames).toBe(media.samples.length);
  },
);

test('AAC: ffprobe reads the times that were written', async () => {
  const media = await encodeAudio();
  const init = writeInit(media.track);
  for (const { samples, end } of splitEvery(media, 94)) {
    const probed = await probe(Buffer.concat([init, writeSegment(media.track, samples, end)]));
    expect(probed.times).toEqual(samples.map((sample) => sample.pts));
  }
});

test.each([
  ['in time', 0],
  ['10 ms late', 480],
  ['10 ms early', -480],
])(
  'a clip with B-frames and audio %s starts at 0, keeps the offset, has every frame and decodes clean',
  async (_, audioLate) => {
    const video = await encodeVideo(x264('-bf', '3'));
    const audio = await encodeAudio();
    const clip = writeClip({
      video: { init: writeInit(video.track), segments: segmentsAt(splitAtKeys(video), video, offset90k) },
      audio: {
        init: writeInit(audio.track),
        segments: segmentsAt(splitEvery(audio, 94), audio, 2_880_000 + audioLate),
      },
    });
    expect(await decode(clip)).toEqual({ complaints: '', frames: video.samples.length });
    const { streams } = await probe(clip);
    expect(streams).toMatchObject([
      {
        codec_type: 'video',
        start_pts: 0,
        nb_read_packets: String(video.samples.length),
        duration_ts: video.end,
      },
      { codec_type: 'audio', nb_read_packets: String(audio.samples.length) },
    ]);
    // ffprobe names an early start by what a player leaves out: it presents from 0.
    expect(Number(streams[1]?.start_time)).toBeCloseTo(Math.max(0, audioLate) / 48_000, 4);
  },
);

function segmentsAt(
  runs: ReturnType<typeof splitAtKeys>,
  { track }: EncodedMedia,
  base: number,
): readonly Uint8Array[] {
  return runs.map(({ samples, end }) =>
    writeSegment(
      track,
      samples.map((sample) => ({ ...sample, pts: sample.pts + base })),
      end + base,
    ),
  );
}

interface Probed {
  /** In presentation order. */
  readonly times: readonly number[];
  readonly streams: readonly { readonly start_time?: string }[];
}

async function probe(file: Uint8Array): Promise<Probed> {
  await using media = await temporaryFile(file);
  const { stdout } = await run('ffprobe', [
    ...['-v', 'error', '-count_packets', '-of', 'json'],
    ...['-show_streams', '-show_packets', media.path],
  ]);
  const { packets, streams } = JSON.parse(stdout);
  return { times: packets.map((packet: { pts: number }) => packet.pts), streams };
}

/** What ffmpeg says at level `error`, and how many pictures (or, without video, frames) it decoded. */
async function decode(file: Uint8Array): Promise<{ complaints: string; frames: number }> {
  await using media = await temporaryFile(file);
  const passthrough = ['-map', '0:v', '-fps_mode', 'passthrough', '-f', 'framehash', '-hash', 'crc32', '-'];
  const [{ stderr: complaints }, { stdout }] = await Promise.all([
    run('ffmpeg', ['-v', 'error', '-nostdin', '-i', media.path, '-f', 'null', '-']),
    run('ffmpeg', ['-v', 'fatal', '-nostdin', '-i', media.path, ...passthrough], { maxBuffer: 2 ** 24 }),
  ]);
  return { complaints, frames: stdout.split('\n').filter((line) => /^\d/.test(line)).length };
}

async function temporaryFile(content: Uint8Array): Promise<{ readonly path: string } & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'tangaza-cmaf-'));
  const path = join(folder, 'media.mp4');
  await writeFile(path, content);
  return { path, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

function fromFirst(times: readonly number[]): readonly number[] {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted.map((time) => time - (sorted[0] ?? 0));
}
