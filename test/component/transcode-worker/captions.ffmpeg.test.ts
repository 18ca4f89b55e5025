/** CEA-608 captions through a real ffmpeg. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { avcNal, avcNalType, splitLengthPrefixed } from '../../../actors/media/avc/nal-units.ts';
import { hasCaptionData } from '../../../actors/media/avc/sei.ts';
import { readSegment } from '../../../actors/media/cmaf/reader.ts';
import { initKey, segmentKey } from '../../../actors/segment-store/segment-key.ts';
import { openFfmpegEncoder } from '../../../actors/transcode-worker/encoder.ffmpeg.ts';
import { transcode } from '../../../actors/transcode-worker/transcode.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { clipTask } from '../../support/media/clip-task.ts';
import { temporaryFolder } from '../../support/media/media-feed.ts';
import { MemorySegmentStore } from '../../support/ports/memory-segment-store.ts';
import { h264Sources, sourceClip } from '../../support/media/source-clip.ts';

// Goal: who switches rungs keeps the captions. Method: the source has one before each picture, B-frames among them; every
// picture of every rung must have one too.
test('captions of the source are in every picture of every encoded rung', async () => {
  await using folder = await temporaryFolder();
  const store = new MemorySegmentStore();
  await using encoder = await openFfmpegEncoder({
    ffmpeg: 'ffmpeg',
    tempRoot: join(folder.path, 'attempts'),
    clock: systemClock,
  });
  const clip = await sourceClip(h264Sources['2 B-frames'], { seconds: 1, isCaptioned: true });
  const [segment] = clip.segments;
  if (segment === undefined) throw new Error('no segment');
  const task = await clipTask(clip, segment, store);
  const outputs = await transcode(task, { store, encoder }, new AbortController().signal);
  expect(task.renditions).toHaveLength(2);
  for (const { name } of task.renditions) {
    const output = outputs[name];
    if (output === undefined) throw new Error(`no output of ${name}`);
    const place = { stream: task.streamId, period: task.period, rendition: name };
    const init = await store.get(initKey(place, output.init.sha256));
    const media = await store.get(segmentKey(place, output.startTime, output.sha256));
    const captioned = readSegment(init, media).samples.filter(({ data }) =>
      splitLengthPrefixed(data, 4).some((nal) => avcNalType(nal) === avcNal.sei && hasCaptionData(nal)),
    );
    expect(captioned).toHaveLength(segment.times90k.length);
  }
});
