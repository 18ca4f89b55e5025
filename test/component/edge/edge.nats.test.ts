/** The edge on the real log, the real disk store and real media: clips, thumbnails, and an outage of nats-server. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { connect } from '@nats-io/transport-node';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { ffmpegThumbnail } from '../../../actors/edge-delivery/playback/thumbnail.ffmpeg.ts';
import { writeInit, writeSegment } from '../../../actors/media/cmaf/writer.ts';
import { openDiskStore } from '../../../actors/segment-store/segment-store.disk.ts';
import type { Rendition } from '../../../cluster/contract/renditions.ts';
import { errorCodeOf } from '../../../cluster/errors/tangaza-error.ts';
import { RenditionName } from '../../../cluster/model/ids.ts';
import { silentLogger } from '../../../cluster/observe/logger.ts';
import { noMetrics } from '../../../cluster/observe/metrics.ts';
import { openNatsIndexLog } from '../../../cluster/log/index-log.nats.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { Broadcast } from '../../support/media/broadcast.ts';
import {
  encodeAudio,
  encodeVideo,
  splitAtKeys,
  type EncodedMedia,
} from '../../support/media/encoded-media.ts';
import { temporaryFolder } from '../../support/media/media-feed.ts';
import { passThroughOnly, region } from '../../support/ports/records.ts';
import { startNats } from '../../support/cluster/start-nats.ts';
import { startTestEdge } from '../../support/ports/test-edge.ts';

const run = promisify(execFile);

/** Cuts audio at the frames nearest to the pictures' cuts, 2 s apart (M9). */
function splitAudio({ track, samples, end }: EncodedMedia) {
  const cuts = [0, 1, 2, 3].map((index) => Math.round((index * 2 * track.timescale) / 1024) * 1024);
  return cuts.slice(0, -1).map((from, index) => {
    const until = Math.min(cuts[index + 1] ?? end, end);
    return { samples: samples.filter(({ pts }) => pts >= from && pts < until), end: until };
  });
}

/** Six seconds of a test picture and a tone as three segments of each. */
async function realMedia() {
  const gop = ['-g', '60', '-keyint_min', '60', '-sc_threshold', '0', '-bf', '0'];
  const [video, audio] = await Promise.all([
    encodeVideo(['-c:v', 'libx264', '-preset', 'ultrafast', ...gop], { seconds: 6 }),
    encodeAudio({ seconds: 7 }),
  ]);
  const segmentsOf = ({ track }: EncodedMedia, runs: ReturnType<typeof splitAtKeys>) =>
    runs.map(({ samples, end }) => writeSegment(track, samples, end));
  const [picture, sound] = passThroughOnly;
  if (picture === undefined || sound === undefined) throw new Error('a ladder of two');
  const named = (rendition: Rendition, name: string) => ({ ...rendition, name: RenditionName.parse(name) });
  return {
    'h264-180p': {
      rendition: named(picture, 'h264-180p'),
      init: writeInit(video.track),
      segments: segmentsOf(video, splitAtKeys(video)),
    },
    'aac-128k': {
      rendition: sound,
      init: writeInit(audio.track),
      segments: segmentsOf(audio, splitAudio(audio)),
    },
  };
}

async function startReal() {
  const nats = await startNats({ jetstream: true });
  const folder = await temporaryFolder();
  const connection = await connect({ servers: nats.url, reconnectTimeWait: 50, maxReconnectAttempts: -1 });
  const log = await openNatsIndexLog({ connection, region, metrics: noMetrics, logger: silentLogger });
  const store = await openDiskStore({
    folder: join(folder.path, 'segments'),
    reserveBytes: 1,
    clock: systemClock,
    metrics: noMetrics,
  });
  const edge = await startTestEdge({ log, store, makeThumbnail: ffmpegThumbnail({ ffmpeg: 'ffmpeg' }) });
  const broadcast = await new Broadcast({ log, store, media: await realMedia() }).open();
  return {
    nats,
    edge,
    broadcast,
    folder: folder.path,
    [Symbol.asyncDispose]: async () => {
      await edge.close(0);
      await connection.close();
      await store.close();
      await nats[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

test('a frame is one MP4 from time 0 that decodes clean, ranges of it are parts of it, and its successor is linked', async () => {
  await using real = await startReal();
  const { edge, broadcast, folder } = real;
  await broadcast.commit(3);
  const url = `${edge.url}/v1/videos/demo/frames?deviceType=phone&offsetSeconds=2&durationSeconds=4`;
  const reply = await fetch(url);
  expect({ status: reply.status, 'content-type': reply.headers.get('content-type') }).toEqual({
    status: 200,
    'content-type': 'video/mp4',
  });
  expect(reply.headers.get('link')).toBe(
    `<${edge.url}/v1/videos/demo/frames?deviceType=phone&offsetSeconds=6&durationSeconds=4>; rel="next"`,
  );
  expect(reply.headers.get('tangaza-starts-at')).toBe('2023-11-14T22:13:22.000Z');
  const clip = Buffer.from(await reply.arrayBuffer());
  const file = join(folder, 'clip.mp4');
  await writeFile(file, clip);
  const decoded = await run('ffmpeg', ['-v', 'error', '-i', file, '-f', 'null', '-']);
  expect(decoded.stderr).toBe('');
  const probed = await run('ffprobe', [
    '-v',
    'error',
    '-count_frames',
    '-of',
    'json',
    '-show_entries',
    'stream=codec_type,start_time,nb_read_frames',
    file,
  ]);
  const { streams } = z
    .object({
      streams: z.array(
        z.object({ codec_type: z.string(), start_time: z.string(), nb_read_frames: z.string() }),
      ),
    })
    .parse(JSON.parse(probed.stdout));
  expect(streams.find((one) => one.codec_type === 'video')).toMatchObject({
    start_time: '0.000000',
    nb_read_frames: '120',
  });
  expect(streams.some((one) => one.codec_type === 'audio')).toBe(true);
  const part = await fetch(url, { headers: { range: 'bytes=100-199' } });
  expect(Buffer.from(await part.arrayBuffer()).equals(clip.subarray(100, 200))).toBe(true);
  expect((await fetch(url, { headers: { 'if-none-match': reply.headers.get('etag') ?? '' } })).status).toBe(
    304,
  );
});

test('a frame is described in JSON on request, and what is not there is told apart: 425 with a time, 404', async () => {
  await using real = await startReal();
  const { edge, broadcast } = real;
  await broadcast.commit(2);
  const ask = (query: string) =>
    fetch(`${edge.url}/v1/videos/demo/frames?deviceType=tv&${query}`, {
      headers: { accept: 'application/json' },
    });
  const view = z
    .object({
      rendition: z.string(),
      offsetSeconds: z.number(),
      segments: z.array(z.object({ url: z.string(), init: z.string() })),
    })
    .parse(await (await ask('offsetSeconds=1&durationSeconds=1')).json());
  expect(view).toMatchObject({ rendition: 'h264-180p', offsetSeconds: 0 });
  expect(view.segments).toHaveLength(2);
  for (const { url, init } of view.segments)
    expect({ urlStatus: (await fetch(url)).status, initStatus: (await fetch(init)).status }).toEqual({
      urlStatus: 200,
      initStatus: 200,
    });
  const early = await ask('offsetSeconds=2&durationSeconds=10');
  expect({ status: early.status, 'retry-after': Number(early.headers.get('retry-after')) }).toEqual({
    status: 425,
    'retry-after': 8,
  });
  await broadcast.end();
  await expect.poll(async () => (await ask('offsetSeconds=20')).status).toBe(404);
});

test('the thumbnail is a JPEG of the newest picture, made once for many who ask', async () => {
  await using real = await startReal();
  await real.broadcast.commit(2);
  const replies = await Promise.all(
    Array.from({ length: 20 }, () => fetch(`${real.edge.url}/live/demo/thumbnail.jpg`)),
  );
  const [first] = replies;
  expect({ status: first?.status, 'content-type': first?.headers.get('content-type') }).toEqual({
    status: 200,
    'content-type': 'image/jpeg',
  });
  expect(new Set(replies.map(({ headers }) => headers.get('etag'))).size).toBe(1);
  const jpeg = Buffer.from((await first?.arrayBuffer()) ?? new ArrayBuffer(0));
  expect(jpeg.subarray(0, 3).toString('hex')).toBe('ffd8ff');
});

test('an ffmpeg that cannot read, hangs or is missing is an error of the catalogue', async () => {
  const codeOf = (ffmpeg: string, timeoutMs = 5000) =>
    ffmpegThumbnail({ ffmpeg, timeoutMs })(new Uint8Array(1000)).then(() => 'none', errorCodeOf);
  expect(await codeOf('ffmpeg')).toBe('MEDIA_INVALID');
  expect(await codeOf('no-such-ffmpeg')).toBe('UNAVAILABLE');
  await using folder = await temporaryFolder();
  const hanging = join(folder.path, 'hanging');
  await writeFile(hanging, '#!/bin/sh\ntrap "" TERM\nexec sleep 60\n', { mode: 0o755 });
  expect(await codeOf(hanging, 200)).toBe('MEDIA_INVALID');
});

// Goal: nats-server gone and back; viewers keep what there is and go on by themselves (C8). Method: kill, ask, restart, commit.
test('nats-server dies and comes back: manifests and cached media stay, then the stream goes on', async () => {
  await using real = await startReal();
  const { edge, broadcast, nats } = real;
  await broadcast.commit(2);
  const playlist = async (): Promise<Response> => fetch(`${edge.url}/live/demo/h264-180p.m3u8`);
  const before = await (await playlist()).text();
  await nats.kill();
  expect(await (await playlist()).text()).toBe(before);
  expect((await fetch(edge.url + broadcast.segmentPath(0, 'h264-180p'))).status).toBe(200);
  await nats.restart();
  await expect.poll(() => broadcast.commit().then(() => 'committed', errorCodeOf)).toBe('committed');
  await expect.poll(async () => (await playlist()).text()).toContain('360000.m4s');
});
