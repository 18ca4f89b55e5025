/** Pictures of every shape that encoders send: published over RTMP, described, and made into rungs by a real ffmpeg. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { planRenditions } from '../../../actors/media/ladder/plan-renditions.ts';
import { initKey, segmentKey } from '../../../actors/segment-store/segment-key.ts';
import { openFfmpegEncoder } from '../../../actors/transcode-worker/encoder.ffmpeg.ts';
import { transcode } from '../../../actors/transcode-worker/transcode.ts';
import type { TranscodeTask } from '../../../cluster/contract/transcode-task.ts';
import { StreamId } from '../../../cluster/model/ids.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { smallLadder } from '../../support/media/clip-task.ts';
import { expectOffersTiled, publish } from '../../support/ingest/ingest-feeds.ts';
import { IngestRig } from '../../support/ingest/ingest-rig.ts';
import { makeFeed, type ClipOptions } from '../../support/media/media-feed.ts';
import { sampleTask } from '../../support/ports/transcode-task.ts';

const as = (...videoArgs: readonly string[]): ClipOptions => ({ videoArgs });

/** Of a published stream: the task of its first segment, as the owner emits it. */
function firstTask(rig: IngestRig, stream: string): TranscodeTask {
  const period = rig.owner.periods.find(({ params }) => params.streamId === stream);
  const [offer] = rig.owner.offersOf(stream);
  const source = period?.params.video;
  if (period === undefined || source === undefined || offer?.video === undefined) throw new Error('no video');
  const place = { stream: StreamId.parse(stream), period: period.id, rendition: offer.video.rendition };
  const renditions = planRenditions({ video: source, ladder: { rungs: [...smallLadder.rungs] } });
  const { startTime, sha256, bytes } = offer.video;
  return sampleTask({
    start90k: offer.start90k,
    duration90k: offer.duration90k,
    times90k: offer.times90k,
    streamId: stream,
    period: period.id,
    sourceFrameRate: source.frameRate,
    budgetMs: 10_000,
    renditions: renditions.filter((one) => one.kind === 'video' && one.origin.kind === 'encode'),
    source: {
      key: segmentKey(place, startTime, sha256),
      initKey: initKey(place, source.init.sha256),
      sha256,
      bytes,
    },
  });
}

// Goal: what works goes on working. Method: each shape goes the way of a broadcast up to its rungs: as many pictures as
// came in, of the source's shape with square pixels.
test.each([
  { name: '1366x768', clip: { size: '1366x768' }, says: { width: 1366, height: 768 }, rung: [256, 144] },
  { name: 'portrait', clip: { size: '360x640' }, says: { width: 360, height: 640 }, rung: [82, 144] },
  {
    name: 'pixels that are not square',
    clip: { size: '360x288', ...as('-vf', 'setsar=16/15') },
    says: { width: 360, height: 288, sampleAspectRatio: [16, 15] },
    rung: [192, 144],
  },
  { name: '4:2:2', clip: as('-pix_fmt', 'yuv422p'), says: { bitDepth: 8 }, rung: [256, 144] },
  { name: '10 bit', clip: as('-pix_fmt', 'yuv420p10le'), says: { bitDepth: 10 }, rung: [256, 144] },
  { name: 'full range', clip: as('-pix_fmt', 'yuvj420p'), says: { bitDepth: 8 }, rung: [256, 144] },
  { name: '120 pictures a second', clip: { fps: 120 }, says: { frameRate: [120, 1] }, rung: [256, 144] },
  { name: 'one picture a second', clip: { fps: 1, gop: 2 }, says: { frameRate: [1, 1] }, rung: [256, 144] },
  {
    name: 'pictures at uneven times',
    clip: { fps: 60, ...as('-vf', "select='not(mod(n,3))+lt(mod(n,60),20)'", '-vsync', 'vfr') },
    says: { width: 320, height: 180 },
    rung: [256, 144],
  },
])('$name goes on air and into every rung', async ({ clip, says, rung }) => {
  await using rig = await IngestRig.start();
  const feed = await makeFeed({ seconds: 7, bFrames: 2, ...clip });
  const offers = await publish(rig, 'shape', [[feed]]);
  expectOffersTiled(offers);
  expect(rig.owner.periods.map(({ params }) => params.video)).toMatchObject([says]);
  const tempRoot = await mkdtemp(join(tmpdir(), 'tangaza-encoder-'));
  await using encoder = await openFfmpegEncoder({ ffmpeg: 'ffmpeg', tempRoot, clock: systemClock });
  const task = firstTask(rig, 'shape');
  const outputs = await transcode(task, { store: rig.store, encoder }, new AbortController().signal);
  await rm(tempRoot, { recursive: true, force: true });
  const [first] = task.renditions.filter(({ height }) => height === 144);
  expect([first?.width, first?.height]).toEqual(rung);
  const pictures = offers[0]?.times90k.length;
  expect(Object.values(outputs).map(({ frames }) => frames)).toEqual(task.renditions.map(() => pictures));
});
