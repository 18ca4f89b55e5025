/** The map step of one task on a real ffmpeg: times, bytes, codecs, and what happens when it goes wrong. */
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readInit, readSegment } from '../../../actors/media/cmaf/reader.ts';
import { initKey, segmentKey } from '../../../actors/segment-store/segment-key.ts';
import { openFfmpegEncoder, readFingerprint } from '../../../actors/transcode-worker/encoder.ffmpeg.ts';
import type { SegmentEncoder } from '../../../actors/transcode-worker/segment-encoder.ts';
import { transcode, type Outputs } from '../../../actors/transcode-worker/transcode.ts';
import type { TranscodeTask } from '../../../cluster/contract/transcode-task.ts';
import { RenditionName } from '../../../cluster/model/ids.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { clipTask, encodedRungs } from '../../support/media/clip-task.ts';
import { MemorySegmentStore } from '../../support/ports/memory-segment-store.ts';
import { h264Sources, jittered, sourceClip } from '../../support/media/source-clip.ts';

const never = new AbortController().signal;

interface Bench extends AsyncDisposable {
  readonly folder: string;
  readonly tempRoot: string;
  readonly encoder: SegmentEncoder;
}

/** An encoder with a folder of its own. */
async function openBench(ffmpeg = 'ffmpeg'): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), 'tangaza-encoder-'));
  const tempRoot = join(folder, 'attempts');
  const encoder = await openFfmpegEncoder({ ffmpeg, tempRoot, clock: systemClock });
  const dispose = async (): Promise<void> => {
    await encoder[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  };
  return { folder, tempRoot, encoder, [Symbol.asyncDispose]: dispose };
}

/** A program in ffmpeg's place, written for the Node that runs this test. */
async function fakeFfmpeg(folder: string, body: string): Promise<string> {
  const path = join(folder, 'fake-ffmpeg.mjs');
  await writeFile(path, `#!${process.execPath}\n${body}`);
  await chmod(path, 0o755);
  return path;
}

/** The stored init and media of every rung. */
function stored(store: MemorySegmentStore, task: TranscodeTask, outputs: Outputs) {
  return Object.entries(outputs).map(([name, output]) => {
    const rendition = RenditionName.parse(name);
    const place = { stream: task.streamId, period: task.period, rendition };
    const init = store.objects.get(initKey(place, output.init.sha256));
    const media = store.objects.get(segmentKey(place, output.startTime, output.sha256));
    if (init === undefined || media === undefined) throw new Error(`${name} is not stored`);
    return { rendition, output, init, media };
  });
}

const sorted = (times: readonly number[]): readonly number[] => times.toSorted((a, b) => a - b);

test.each(Object.entries(h264Sources))(
  'the presentation times of every rung and of a source with %s are equal sets (M6)',
  async (_, codecArgs) => {
    await using bench = await openBench();
    const store = new MemorySegmentStore();
    const clip = await sourceClip(codecArgs, { move: jittered });
    expect(clip.segments).toHaveLength(3);
    for (const segment of clip.segments) {
      const task = await clipTask(clip, segment, store);
      const rungs = stored(store, task, await transcode(task, { store, encoder: bench.encoder }, never));
      expect(rungs).toHaveLength(2);
      const source = sorted(readSegment(clip.init, segment.media).samples.map(({ pts }) => pts));
      for (const { init, media, output } of rungs) {
        const read = readSegment(init, media);
        expect(sorted(read.samples.map(({ pts }) => pts))).toEqual(source);
        expect(read).toMatchObject({
          timescale: 90_000,
          startTime: segment.start90k,
          duration: segment.duration90k,
        });
        expect(read.samples.map(({ isKey }) => isKey)).toEqual(source.map((_, index) => index === 0));
        expect(output).toMatchObject({
          startTime: segment.start90k,
          duration: segment.duration90k,
          frames: source.length,
        });
      }
    }
  },
);

// Goal: M7. Method: two workers make all segments of a clip, also one of uneven times and one of half a second; all
// bytes are equal between them, and each rung has one init segment.
test('two workers give equal bytes, and every segment of a rung has the same init segment', async () => {
  await using one = await openBench();
  await using other = await openBench();
  const store = new MemorySegmentStore();
  const clip = await sourceClip(h264Sources['3 adaptive B-frames, pyramid'], {
    seconds: 3.5,
    move: jittered,
  });
  const inits = new Map<string, Set<string>>();
  for (const segment of clip.segments) {
    const task = await clipTask(clip, segment, store);
    const first = await transcode(task, { store, encoder: one.encoder }, never);
    const second = await transcode(task, { store, encoder: other.encoder }, never);
    expect(second).toEqual(first);
    for (const [name, { init }] of Object.entries(first)) {
      inits.set(name, (inits.get(name) ?? new Set()).add(init.sha256));
    }
  }
  expect(clip.segments.map(({ times90k }) => times90k.length)).toEqual([30, 30, 30, 15]);
  expect([...inits.values()].map((hashes) => hashes.size)).toEqual([1, 1]);
});

test('what is stored says what the plan promised: size, profile, level', async () => {
  await using bench = await openBench();
  const store = new MemorySegmentStore();
  const clip = await sourceClip(h264Sources['no B-frames'], { seconds: 1 });
  const [segment] = clip.segments;
  if (segment === undefined) throw new Error('no segment');
  const task = await clipTask(clip, segment, store);
  const rungs = stored(store, task, await transcode(task, { store, encoder: bench.encoder }, never));
  const promised = encodedRungs(clip);
  expect(rungs.map(({ rendition }) => rendition)).toEqual(promised.map(({ name }) => name));
  rungs.forEach(({ init }, index) => {
    const { track } = readInit(init);
    const { width, height, codecs } = promised[index] ?? { width: 0, height: 0, codecs: '' };
    expect(track).toMatchObject({ codec: 'h264', width, height });
    const profileAndLevel = Buffer.from(track.configuration.subarray(1, 4)).toString('hex');
    expect(codecs).toBe(`avc1.${profileAndLevel}`);
  });
});

test.each([
  [
    'HEVC',
    [
      '-c:v',
      'libx265',
      '-preset',
      'ultrafast',
      '-x265-params',
      'keyint=30:min-keyint=30:open-gop=0:bframes=2:log-level=0',
      '-tag:v',
      'hvc1',
    ],
  ],
  ['AV1', ['-c:v', 'libsvtav1', '-preset', '12', '-g', '30']],
])('a source of %s is decoded and comes out as H.264 with its times', async (_, codecArgs) => {
  await using bench = await openBench();
  const store = new MemorySegmentStore();
  const clip = await sourceClip(codecArgs, { seconds: 2 });
  for (const segment of clip.segments) {
    const task = await clipTask(clip, segment, store);
    const rungs = stored(store, task, await transcode(task, { store, encoder: bench.encoder }, never));
    expect(rungs.map(({ rendition }) => rendition)).toEqual(['h264-144p', 'h264-96p']);
    for (const { init, media } of rungs) {
      expect(readInit(init).track).toMatchObject({ codec: 'h264' });
      expect(readSegment(init, media).samples.map(({ pts }) => pts - segment.start90k)).toEqual(
        segment.times90k,
      );
    }
  }
});

// Goal: what is accepted can be made. Method: the longest keyframe interval at the fastest rate, and captions that
// ffmpeg passes on before each picture; the limits of a byte stream once refused both.
test.each([
  { name: '120 pictures a second, a keyframe each 9.5 s', rate: '120', gop: 1140, isCaptioned: false },
  { name: '60 captioned pictures a second, a keyframe each 10 s', rate: '60', gop: 600, isCaptioned: true },
])('rungs are made of $name', async ({ rate, gop, isCaptioned }) => {
  await using bench = await openBench();
  const store = new MemorySegmentStore();
  const codec = [
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-g',
    `${gop}`,
    '-keyint_min',
    `${gop}`,
    '-bf',
    '0',
  ];
  const clip = await sourceClip([...codec, '-sc_threshold', '0'], {
    seconds: gop / Number(rate),
    rate,
    isCaptioned,
  });
  const [segment] = clip.segments;
  if (segment === undefined) throw new Error('no segment');
  const sourceFrameRate = [Number(rate), 1] as const;
  const task = await clipTask(clip, segment, store, { sourceFrameRate, budgetMs: 20_000 });
  const outputs = await transcode(task, { store, encoder: bench.encoder }, never);
  expect(Object.values(outputs).map(({ frames }) => frames)).toEqual([gop, gop]);
});

test('a segment that loses a picture fails the attempt, and nothing is stored', async () => {
  await using bench = await openBench();
  const store = new MemorySegmentStore();
  const clip = await sourceClip(h264Sources['no B-frames'], { seconds: 1 });
  const [segment] = clip.segments;
  if (segment === undefined) throw new Error('no segment');
  const task = await clipTask(
    clip,
    { ...segment, times90k: [...segment.times90k, segment.duration90k - 1] },
    store,
  );
  const before = store.objects.size;
  await expect(transcode(task, { store, encoder: bench.encoder }, never)).rejects.toMatchObject({
    code: 'TRANSCODE_FAILED',
    message: expect.stringContaining('31 pictures went in, 30 came out'),
  });
  expect(store.objects.size).toBe(before);
});

test('a corrupt source fails the attempt with the last words of ffmpeg, and nothing is stored or left behind', async () => {
  await using bench = await openBench();
  const store = new MemorySegmentStore();
  const clip = await sourceClip(h264Sources['no B-frames'], { seconds: 1 });
  const [segment] = clip.segments;
  if (segment === undefined) throw new Error('no segment');
  const torn = Uint8Array.from(segment.media, (byte, index) =>
    index > 700 ? (byte * 31 + index) & 0xff : byte,
  );
  const task = await clipTask(clip, { ...segment, media: torn }, store);
  const before = store.objects.size;
  await expect(transcode(task, { store, encoder: bench.encoder }, never)).rejects.toMatchObject({
    code: 'TRANSCODE_FAILED',
  });
  expect(store.objects.size).toBe(before);
  expect(await readdir(bench.tempRoot)).toEqual([]);
});

test('a source that is not the one the task means is not encoded', async () => {
  await using bench = await openBench();
  const store = new MemorySegmentStore();
  const clip = await sourceClip(h264Sources['no B-frames'], { seconds: 1 });
  const [segment] = clip.segments;
  if (segment === undefined) throw new Error('no segment');
  const task = await clipTask(clip, segment, store);
  store.objects.set(
    task.source.key,
    segment.media.map((byte) => byte ^ 1),
  );
  await expect(transcode(task, { store, encoder: bench.encoder }, never)).rejects.toMatchObject({
    code: 'MEDIA_INVALID',
  });
  store.objects.delete(task.source.key);
  await expect(transcode(task, { store, encoder: bench.encoder }, never)).rejects.toMatchObject({
    code: 'SEGMENT_NOT_FOUND',
  });
});

test('an init segment that is not the period’s is refused, and nothing is stored', async () => {
  await using bench = await openBench();
  const store = new MemorySegmentStore();
  const clip = await sourceClip(h264Sources['no B-frames'], { seconds: 1 });
  const [segment] = clip.segments;
  if (segment === undefined) throw new Error('no segment');
  const inits = { 'h264-96p': { sha256: 'f'.repeat(64), bytes: 700 } };
  const task = await clipTask(clip, segment, store, { inits });
  const before = store.objects.size;
  await expect(transcode(task, { store, encoder: bench.encoder }, never)).rejects.toMatchObject({
    code: 'FINGERPRINT_DIFFERS',
  });
  expect(store.objects.size).toBe(before);
});

const settings = {
  preset: 'veryfast',
  profile: 'main',
  level: 21,
  crf: 26,
  maxrateBps: 100_000,
  bufsizeBits: 100_000,
} as const;
const request = {
  source: new Uint8Array(10),
  frameRate: [30, 1] as [number, number],
  outputs: [{ name: 'h264-96p', width: 170, height: 96, settings }],
};
const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`);

// Goal: an ffmpeg that ignores SIGTERM ends all the same. Method: a program that writes its pid, ignores SIGTERM and never ends.
test('a hung encoder that ignores SIGTERM is killed, and its folder removed', async () => {
  await using bench = await openBench();
  const pidFile = join(bench.folder, 'pid');
  const hung = `import { writeFileSync } from 'node:fs';
    process.on('SIGTERM', () => {});
    writeFileSync(${JSON.stringify(pidFile)}, String(process.pid));
    setInterval(() => {}, 1000);`;
  await using other = await openBench(await fakeFfmpeg(bench.folder, hung));
  await expect(other.encoder.encode({ ...request, timeoutMs: 10_000 }, never)).rejects.toMatchObject({
    code: 'TRANSCODE_FAILED',
    message: expect.stringContaining('not done after 10000 ms'),
  });
  expect(isAlive(Number(await readFile(pidFile, 'utf8')))).toBe(false);
  expect(await readdir(other.tempRoot)).toEqual([]);
});

test('an encoder that stops ends what runs, and removes its folder', async () => {
  await using bench = await openBench();
  const hung = 'process.stderr.write("begun\\n"); setInterval(() => {}, 1000);';
  const other = await openBench(await fakeFfmpeg(bench.folder, hung));
  const encode = other.encoder
    .encode({ ...request, timeoutMs: 60_000 }, never)
    .catch((error: unknown) => error);
  await other[Symbol.asyncDispose]();
  expect(await encode).toMatchObject({ code: 'UNAVAILABLE' });
  expect(existsSync(other.tempRoot)).toBe(false);
});

test('an aborted attempt ends with the reason of its signal', async () => {
  await using bench = await openBench();
  await using other = await openBench(await fakeFfmpeg(bench.folder, 'setInterval(() => {}, 1000);'));
  const abort = new AbortController();
  const encode = other.encoder
    .encode({ ...request, timeoutMs: 60_000 }, abort.signal)
    .catch((error: unknown) => error);
  abort.abort(new Error('no longer wanted'));
  expect(await encode).toMatchObject({ message: 'no longer wanted' });
  expect(await readdir(other.tempRoot)).toEqual([]);
});

test('the last words of an encoder are bounded, however much it says', async () => {
  await using bench = await openBench();
  const noisy = `for (let i = 0; i < 2000; i += 1) process.stderr.write('noise '.repeat(50) + i + '\\n');
    process.stderr.write('the end\\n'); process.exitCode = 3;`;
  await using other = await openBench(await fakeFfmpeg(bench.folder, noisy));
  const error: unknown = await other.encoder
    .encode({ ...request, timeoutMs: 20_000 }, never)
    .catch((caught: unknown) => caught);
  expect(error).toMatchObject({
    code: 'TRANSCODE_FAILED',
    message: expect.stringMatching(/code 3.*the end$/s),
  });
  expect(String(error).length).toBeLessThan(800);
});

test('an ffmpeg that is not there fails the attempt, not the process', async () => {
  await using bench = await openBench('/no/such/ffmpeg');
  await expect(bench.encoder.encode({ ...request, timeoutMs: 2000 }, never)).rejects.toMatchObject({
    code: 'TRANSCODE_FAILED',
  });
  await expect(readFingerprint('/no/such/ffmpeg')).rejects.toMatchObject({ code: 'TRANSCODE_FAILED' });
});

test('what a crashed process of this node left is removed when the next one starts', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tangaza-encoder-'));
  const tempRoot = join(folder, 'attempts');
  await mkdir(join(tempRoot, 'attempt-old'), { recursive: true });
  await writeFile(join(tempRoot, 'attempt-old', 'source.mp4'), 'old');
  await using opened = await openFfmpegEncoder({ ffmpeg: 'ffmpeg', tempRoot, clock: systemClock });
  expect(opened).toBeDefined();
  expect(await readdir(tempRoot)).toEqual([]);
  await rm(folder, { recursive: true, force: true });
});

test('the fingerprint of the ffmpeg here is stable and names its version', async () => {
  const fingerprint = await readFingerprint('ffmpeg');
  expect(fingerprint).toMatch(/^ffmpeg-\S+\/args-5\/[0-9a-f]{12}$/);
  expect(await readFingerprint('ffmpeg')).toBe(fingerprint);
});
