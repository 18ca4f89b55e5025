/** Interlaced sources through a real ffmpeg. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { openFfmpegEncoder } from '../../../actors/transcode-worker/encoder.ffmpeg.ts';
import { transcode } from '../../../actors/transcode-worker/transcode.ts';
import { initKey, segmentKey } from '../../../actors/segment-store/segment-key.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { clipTask, encodedRungs } from '../../support/media/clip-task.ts';
import { temporaryFolder } from '../../support/media/media-feed.ts';
import { MemorySegmentStore } from '../../support/ports/memory-segment-store.ts';
import { h264Sources, sourceClip } from '../../support/media/source-clip.ts';

const run = promisify(execFile);

/** Pictures of which ffmpeg's detector says that they are two fields, and that they are whole. */
async function countFields(file: string): Promise<{ readonly fields: number; readonly whole: number }> {
  const { stderr } = await run('ffmpeg', ['-nostdin', '-i', file, '-vf', 'idet', '-f', 'null', '-']);
  const [, top, bottom, whole] =
    /Multi frame detection: TFF: *(\d+) BFF: *(\d+) Progressive: *(\d+)/.exec(stderr) ?? [];
  return { fields: Number(top) + Number(bottom), whole: Number(whole) };
}

// Goal: viewers see no combs. Method: x264 codes two fields in each picture, 60 of them a second; ffmpeg's own detector
// finds fields in the source, and whole pictures in what the worker makes of it; none is lost on the way.
test('an interlaced source becomes whole pictures, as many as went in', async () => {
  await using folder = await temporaryFolder();
  const store = new MemorySegmentStore();
  await using encoder = await openFfmpegEncoder({
    ffmpeg: 'ffmpeg',
    tempRoot: join(folder.path, 'attempts'),
    clock: systemClock,
  });
  const interlaced = ['-vf', 'interlace=lowpass=off', '-flags', '+ildct+ilme'];
  const clip = await sourceClip([...h264Sources['2 B-frames'], ...interlaced], { rate: '60' });
  const [segment] = clip.segments;
  // Of the source's own height: scaling would blur the combs that are looked for.
  const [rung] = encodedRungs(clip, { isInterlaced: true }).map((one) => ({
    ...one,
    width: 320,
    height: 180,
  }));
  if (segment === undefined || rung === undefined) throw new Error('nothing to encode');
  const task = await clipTask(clip, segment, store, { renditions: [rung] });
  const output = (await transcode(task, { store, encoder }, new AbortController().signal))[rung.name];
  if (output === undefined) throw new Error('no output');
  expect(output.frames).toBe(segment.times90k.length);
  const place = { stream: task.streamId, period: task.period, rendition: rung.name };
  const init = await store.get(initKey(place, output.init.sha256));
  const media = await store.get(segmentKey(place, output.startTime, output.sha256));
  const [before, after] = [join(folder.path, 'before.mp4'), join(folder.path, 'after.mp4')];
  await writeFile(before, Buffer.concat([clip.init, segment.media]));
  await writeFile(after, Buffer.concat([init, media]));
  expect((await countFields(before)).fields).toBeGreaterThan(20);
  // The detector takes some pictures of a moving pattern for fields whatever they are.
  expect((await countFields(after)).whole).toBeGreaterThan(20);
});
