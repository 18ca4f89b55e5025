/**
 * The whole pipeline on a real demo cluster: RTMP in, segments out; what comes out is held against what went in.
 *
 * One cluster and three broadcasts for all tests. They run in order: those that want a live stream first, those that
 * want all of it last.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test as plain } from 'vitest';
import { initKey, segmentKey } from '../../actors/segment-store/segment-key.ts';
import type { SegmentStore } from '../../actors/segment-store/segment-store.ts';
import { openDiskStore } from '../../actors/segment-store/segment-store.disk.ts';
import { openFfmpegEncoder, readFingerprint } from '../../actors/transcode-worker/encoder.ffmpeg.ts';
import type { SegmentEncoder } from '../../actors/transcode-worker/segment-encoder.ts';
import { transcode } from '../../actors/transcode-worker/transcode.ts';
import { FrameView } from '../../cluster/contract/api/edge-routes.ts';
import { RenditionName } from '../../cluster/model/ids.ts';
import { noMetrics } from '../../cluster/observe/metrics.ts';
import { systemClock } from '../../cluster/time/clock.system.ts';
import {
  Broadcasts,
  framesPerSecond,
  publishedSeconds,
  rungs,
  targetSeconds,
} from '../support/media/broadcasts.ts';
import { controlClient } from '../support/cluster/control-client.ts';
import { fetchRendition, mpdTimelines, type DeliveredRendition } from '../support/media/delivered-media.ts';
import { readIndexLog } from '../support/cluster/demo.ts';
import {
  beepOnsets,
  flashOnsets,
  lumaOf,
  measureSync,
  pairUp,
  type SyncFigures,
} from '../support/media/flash-and-beep.ts';
import { MemorySegmentStore } from '../support/ports/memory-segment-store.ts';
import { decodeErrors, probe } from '../support/media/run-tool.ts';
import { workOf, type CommittedTask, type LoggedWork } from '../support/ports/tasks-of-log.ts';

const devices = ['phone', 'tablet', 'desktop', 'tv'];

const test = plain
  // oxlint-disable-next-line no-empty-pattern -- vitest reads from the pattern what the fixture needs: nothing
  .extend('scene', { scope: 'file' }, ({}, { onCleanup }) => {
    const resources = new AsyncDisposableStack();
    onCleanup(() => resources.disposeAsync());
    return Broadcasts.start(resources);
  });

const isVideo = ({ name }: DeliveredRendition): boolean => name.startsWith('h264-');

function say(line: string): void {
  process.stdout.write(`pipeline: ${line}\n`);
}

const ms = (seconds: number): string => (seconds * 1000).toFixed(1);

function sayOffsets(what: string, { pairs, offsets }: SyncFigures): void {
  const mean = offsets.reduce((sum, one) => sum + one, 0) / pairs;
  say(
    `${what}: beep after flash ${ms(Math.min(...offsets))} to ${ms(Math.max(...offsets))} ms, mean ${ms(mean)}, ${pairs} pairs`,
  );
}

// Goal: foreign tools see all that there is. Method: ffprobe reads both manifests over HTTP from the edge, live.
test.for(['manifest.mpd', 'main.m3u8'])(
  'ffprobe of %s lists every rendition and the audio',
  async (manifest, { scene }) => {
    await scene.liveUntil(4);
    const { streams } = await probe(`${scene.base}${manifest}`);
    const sizes = streams
      .filter(({ codec_type }) => codec_type === 'video')
      .map(({ width, height }) => `${width}x${height}`);
    expect([...new Set(sizes)].toSorted()).toEqual(['426x240', '640x360']);
    const audio = streams.filter(({ codec_type }) => codec_type === 'audio');
    expect([...new Set(audio.map(({ codec_name, sample_rate }) => `${codec_name} ${sample_rate}`))]).toEqual([
      'aac 48000',
    ]);
    expect(new Set(streams.map(({ codec_name }) => codec_name))).toEqual(new Set(['h264', 'aac']));
  },
);

// Goal: one missing kind is no fault. Method: ffprobe of both manifests and a decode of the HLS one, live.
// @NOTE The DASH demuxer of ffmpeg 5.1 asks for the newest segment again when it reloads a timeline that has not grown,
// and so sees its times twice: a live decode of the MPD says nothing about us; the players in test/browser do.
test.for([
  ['picture', 'video h264'],
  ['sound', 'audio aac'],
] as const)('a publisher of %s alone plays', async ([id, expected], { scene }) => {
  const name = await scene.firstPlayable(id);
  const base = `${scene.cluster.url}/live/${id}/`;
  for (const manifest of ['manifest.mpd', 'main.m3u8']) {
    const url = base + manifest;
    const { streams } = await probe(url);
    expect(new Set(streams.map(({ codec_type, codec_name }) => `${codec_type} ${codec_name}`))).toEqual(
      new Set([expected]),
    );
  }
  expect(await decodeErrors(`${base}main.m3u8`, ['-t', '6'])).toBe('');
  const { segments } = await fetchRendition(base, name);
  expectSeamless(segments);
});

test('ffmpeg decodes 20 s of main.m3u8, live, and prints nothing', async ({ scene }) => {
  await scene.liveUntil(6);
  expect(await decodeErrors(`${scene.base}main.m3u8`, ['-t', '20'])).toBe('');
});

const framesUrl = ({ cluster }: Broadcasts, query: string, stream = 'demo'): string =>
  `${cluster.url}/v1/videos/${stream}/frames?${query}`;

function nextOf(reply: Response): string {
  return /^<(.+)>; rel="next"$/.exec(reply.headers.get('link') ?? '')?.[1] ?? '';
}

// Goal: a frame is a file that any player starts at 0. Method: the JSON says what ffprobe and ffmpeg must find in the MP4.
test.for(devices)(
  'the frames API gives a %s a 10 s MP4 that starts at 0 and decodes clean',
  async (deviceType, { scene }) => {
    await scene.liveUntil(34);
    const url = framesUrl(scene, `deviceType=${deviceType}&offsetSeconds=10`);
    const json = await fetch(url, { headers: { accept: 'application/json' } });
    expect(json.status).toBe(200);
    const view = FrameView.parse(await json.json());
    expect(view).toMatchObject({
      deviceType,
      offsetSeconds: 10,
      durationSeconds: 10,
      rendition: 'h264-360p',
      width: 640,
      height: 360,
    });
    const reply = await fetch(url);
    expect({ status: reply.status, 'content-type': reply.headers.get('content-type') }).toEqual({
      status: 200,
      'content-type': 'video/mp4',
    });
    const bytes = new Uint8Array(await reply.arrayBuffer());
    const file = join(scene.folder, `${deviceType}.mp4`);
    await writeFile(file, bytes);
    expect(await decodeErrors(file)).toBe('');
    const { format, streams } = await probe(file, ['-count_frames']);
    const [video, audio] = ['video', 'audio'].map((kind) =>
      streams.find(({ codec_type }) => codec_type === kind),
    );
    expect(Number(format.start_time)).toBe(0);
    expect(Number(video?.start_time)).toBe(0);
    expect(Number(video?.duration)).toBe(view.durationSeconds);
    expect(Number(video?.nb_read_frames)).toBe(view.durationSeconds * framesPerSecond);
    // Audio is cut at the nearest of its frames.
    expect(Math.abs(Number(audio?.duration) - view.durationSeconds)).toBeLessThan(2048 / 48_000);
    const times = Array.from({ length: 250 }, (_, index) => index / framesPerSecond);
    const figures = pairUp(
      flashOnsets(await lumaOf(bytes), times),
      await beepOnsets(bytes, Number(audio?.start_time), 48_000),
    );
    sayOffsets(`clip for ${deviceType}`, figures);
    expect(figures.pairs).toBe(10);
    expect(Math.max(...figures.offsets.map(Math.abs))).toBeLessThan(0.04);
  },
);

test('frames tile: the next one begins with the segment after the last of this one', async ({ scene }) => {
  await scene.liveUntil(34);
  const accept = { headers: { accept: 'application/json' } };
  const first = await fetch(framesUrl(scene, 'deviceType=phone&offsetSeconds=10'), accept);
  const view = FrameView.parse(await first.json());
  expect(nextOf(first)).toBe(view.next);
  const second = await fetch(view.next, accept);
  const following = FrameView.parse(await second.json());
  expect(following).toMatchObject({ offsetSeconds: 20, durationSeconds: 10 });
  const ofVideo = ({ segments, rendition }: FrameView) =>
    segments.filter((one) => one.rendition === rendition);
  const both = [...ofVideo(view), ...ofVideo(following)];
  expect(both).toHaveLength(10);
  both.forEach(({ startTime }, index) => expect(startTime).toBe(900_000 + index * 180_000));
});

test('a frame beyond the live edge is 425 with Retry-After; streams and devices that are not are refused', async ({
  scene,
}) => {
  await controlClient(scene.cluster.url, scene.cluster.token).create({ id: 'silent', title: 'silent' });
  const early = await fetch(framesUrl(scene, 'deviceType=phone&offsetSeconds=3600'));
  expect(early.status).toBe(425);
  expect(Number(early.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(early.headers.get('content-type')).toContain('application/problem+json');
  const of = async (url: string): Promise<number> => (await fetch(url)).status;
  expect(await of(framesUrl(scene, 'deviceType=phone&offsetSeconds=0', 'nothing'))).toBe(404);
  expect(await of(framesUrl(scene, 'deviceType=phone&offsetSeconds=0', 'silent'))).toBe(404);
  expect(await of(framesUrl(scene, 'deviceType=fridge&offsetSeconds=0'))).toBe(400);
});

/** Each segment is what its URI and its playlist say, and begins where the one before it ends. */
function expectSeamless(segments: DeliveredRendition['segments']): void {
  expect(segments.length).toBeGreaterThan(1);
  segments.forEach(({ startTime, durationSeconds, media, isGap, isDiscontinuity, ...segment }, index) => {
    expect({ isGap, isDiscontinuity }).toEqual({ isGap: false, isDiscontinuity: false });
    expect(media.startTime).toBe(startTime);
    expect(Math.round(durationSeconds * media.timescale)).toBe(media.duration);
    const before = segments[index - 1];
    if (before === undefined) return;
    expect(media.startTime).toBe(before.media.startTime + before.media.duration);
    expect(segment.number).toBe(before.number + 1);
    const wallMs = Date.parse(segment.programDateTime ?? '') - Date.parse(before.programDateTime ?? '');
    expect(Math.abs(wallMs - before.durationSeconds * 1000)).toBeLessThanOrEqual(1);
  });
}

// Goal: nothing is lost, doubled or moved. Method: all segments of all renditions against each other and the source.
test('62 s with B-frames come out without gap or overlap, every picture once and at the same time in each rung', async ({
  scene,
}) => {
  const all = await scene.whole();
  const video = all.filter(isVideo);
  expect(video.map(({ name }) => name)).toEqual(rungs);
  expect(all).toHaveLength(3);
  for (const { segments, name } of all) {
    expectSeamless(segments);
    expect(new Set(segments.map(({ initSha256 }) => initSha256)).size, name).toBe(1);
    expect(segments.map(({ number }) => number)).toEqual(
      Array.from({ length: publishedSeconds / targetSeconds }, (_, n) => n),
    );
  }
  // The source does have B-frames, else the times below prove little.
  const reordered = video[0]?.segments[0]?.media.samples.filter(({ pts, dts }) => pts !== dts) ?? [];
  expect(reordered.length).toBeGreaterThan(0);
  const expected = Array.from({ length: publishedSeconds * framesPerSecond }, (_, index) => index * 3600);
  for (const { times, name } of video) expect(times, name).toEqual(expected);
  const samples = all
    .filter((one) => !isVideo(one))
    .flatMap(({ times }) => times.slice(1).map((time, index) => time - (times[index] ?? 0)));
  expect(new Set(samples)).toEqual(new Set([1024]));
  say(
    `${expected.length} pictures in each of ${video.length} rungs, ${samples.length + 1} audio frames, ${video[0]?.segments.length} segments`,
  );
});

test('the MPD lists the same segments at the same times as the playlists', async ({ scene }) => {
  const all = await scene.whole();
  const timelines = mpdTimelines(await (await fetch(`${scene.base}manifest.mpd`)).text());
  expect(timelines.map(({ contentType }) => contentType)).toEqual(['video', 'audio']);
  for (const rendition of all) {
    const timeline = timelines.find(({ contentType }) => (contentType === 'video') === isVideo(rendition));
    expect(timeline?.segments).toEqual(
      rendition.segments.map(({ media }) => [media.startTime, media.duration]),
    );
  }
});

// Goal: sound and picture stay together. Method: every flash against its beep, decoded, in each rung beside the audio.
test('the beep comes within 40 ms of its flash at each second over 60 s, in each rung', async ({ scene }) => {
  const all = await scene.whole();
  const audio = all.find((one) => !isVideo(one));
  if (audio === undefined) throw new Error('no audio rendition');
  for (const rung of all.filter(isVideo)) {
    const figures = await measureSync(rung, audio);
    sayOffsets(rung.name, figures);
    expect(figures.flashes).toEqual(Array.from({ length: publishedSeconds }, (_, second) => second));
    expect(figures.pairs).toBeGreaterThanOrEqual(60);
    expect(Math.max(...figures.offsets.map(Math.abs))).toBeLessThan(0.04);
  }
});

interface Repeating {
  readonly work: LoggedWork;
  readonly stored: SegmentStore;
  readonly encoder: SegmentEncoder;
}

/** Runs the task into an empty store, and holds what comes out against the log and the cluster's own store. */
async function repeat(
  { task, committed }: CommittedTask,
  { work, stored, encoder }: Repeating,
): Promise<void> {
  const store = new MemorySegmentStore();
  for (const key of [task.source.key, task.source.initKey]) store.objects.set(key, await stored.get(key));
  const outputs = await transcode(task, { store, encoder }, new AbortController().signal);
  const expected = Object.entries(committed).map(([name, media]) => [
    name,
    { ...media, init: work.inits[name] },
  ]);
  expect(outputs).toEqual(Object.fromEntries(expected));
  for (const [name, { init, startTime, sha256 }] of Object.entries(outputs)) {
    const place = { stream: task.streamId, period: task.period, rendition: RenditionName.parse(name) };
    for (const key of [initKey(place, init.sha256), segmentKey(place, startTime, sha256)])
      expect(Buffer.compare(await store.get(key), await stored.get(key)), key).toBe(0);
  }
}

/** The same task at another quality. */
function otherQuality({ task, committed }: CommittedTask): CommittedTask {
  const renditions = task.renditions.map(({ origin, ...rendition }) =>
    origin.kind === 'encode'
      ? {
          ...rendition,
          origin: { ...origin, settings: { ...origin.settings, crf: origin.settings.crf + 1 } },
        }
      : { ...rendition, origin },
  );
  return { task: { ...task, renditions }, committed };
}

// Goal: any worker may repeat any task. Method: every task of the broadcast, from its stored source, on another encoder.
// Control: at another quality a task gives other bytes, and this notices.
test('the same tasks run a second time give byte-identical objects', async ({ scene }) => {
  await scene.whole();
  const { cluster } = scene;
  const [region] = cluster.regions;
  const work = workOf('demo', await readIndexLog(region, cluster.stream.id));
  expect(work.fingerprint).toBe(await readFingerprint('ffmpeg'));
  expect(work.tasks).toHaveLength(publishedSeconds / targetSeconds);
  const disk = { folder: join(region?.dataDir ?? '', 'segments'), reserveBytes: 0 };
  const stored = await openDiskStore({ ...disk, clock: systemClock, metrics: noMetrics });
  const tempRoot = join(scene.folder, 'second');
  await using encoder = await openFfmpegEncoder({ ffmpeg: 'ffmpeg', tempRoot, clock: systemClock });
  const ports = { work, stored, encoder };
  const halves = [0, 1].map((half) => work.tasks.filter((_, index) => index % 2 === half));
  await Promise.all(
    halves.map(async (tasks) => {
      for (const one of tasks) await repeat(one, ports);
    }),
  );
  for (const one of work.tasks.slice(0, 1))
    await expect(repeat(otherQuality(one), ports)).rejects.toThrow(/deeply equal/);
  await stored.close();
  say(`${work.tasks.length} tasks a second time: identical`);
});
