/** Feeds as they come from the field, from real encoders over real RTMP: they play, or the encoder is told why not. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { asAnnexB, unitByUnit, withoutAudioHeader } from '../../support/ingest/feed-shapes.ts';
import { expectOffersTiled, framesOf, publish } from '../../support/ingest/ingest-feeds.ts';
import { IngestRig } from '../../support/ingest/ingest-rig.ts';
import { ffmpeg, makeFeed, temporaryFolder, type Feed } from '../../support/media/media-feed.ts';
import { RtmpPublisher } from '../../support/ingest/rtmp-publisher.ts';

const run = promisify(execFile);
const pictures = 225;
/** As an encoder for low delay makes them: four slices, a delimiter and parameter sets in each keyframe. */
const slices = 'slices=4:aud=1:repeat-headers=1';

let sliced: Feed;
beforeAll(async () => {
  sliced = await makeFeed({ seconds: 9, bFrames: 2, videoArgs: ['-x264-params', slices] });
});

/** Both inputs are what ffmpeg writes: it sends `AF 00` without a body first, and the good header after it. */
test.each([
  { name: 'MPEG-TS', file: 'a.ts', maps: [], video: pictures },
  { name: 'ADTS', file: 'a.aac', maps: ['-vn'], video: 0 },
])('ffmpeg -c copy of $name plays', async ({ file, maps, video }) => {
  await using folder = await temporaryFolder();
  await using rig = await IngestRig.start();
  const path = join(folder.path, file);
  await ffmpeg([
    ...['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25:duration=9'],
    ...['-f', 'lavfi', '-i', 'sine=sample_rate=48000:duration=9', ...maps],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '50', '-c:a', 'aac', path],
  ]);
  const url = `rtmp://127.0.0.1:${rig.port}/live/key-a`;
  await run('ffmpeg', ['-nostdin', '-v', 'error', '-i', path, '-c', 'copy', '-f', 'flv', url]);
  const offers = await rig.finished('a');
  expectOffersTiled(offers);
  expect(framesOf(offers, 'video')).toBe(video);
  expect(framesOf(offers, 'audio')).toBeGreaterThan(415);
  const said = rig.lines.filter(({ level }) => level === 'warn' || level === 'error');
  // It comes faster than real time, and that alone is worth a word.
  expect(said.filter(({ fields }) => fields['code'] !== 'clockDrift')).toEqual([]);
});

// Found with x264 slices=4 and one RTMP message for each NAL unit: four times the samples at 100 fps, and health was well.
test('a message for each NAL unit gives the very segments that a message for each picture gives', async () => {
  await using rig = await IngestRig.start();
  const whole = await publish(rig, 'whole', [[sliced]]);
  const single = await publish(rig, 'single', [[unitByUnit(sliced)]]);
  const mediaOf = (offers: typeof whole) => offers.map(({ video, audio }) => [video?.sha256, audio?.sha256]);
  expect(unitByUnit(sliced).tags.length).toBeGreaterThan(4 * pictures);
  expect(framesOf(whole, 'video')).toBe(pictures);
  expect(mediaOf(single)).toEqual(mediaOf(whole));
});

test('Annex B in FLV, beside good sound, gives the very segments too, and the log says it once', async () => {
  await using rig = await IngestRig.start();
  const whole = await publish(rig, 'whole', [[sliced]]);
  const annexB = await publish(rig, 'annexb', [[asAnnexB(sliced)]]);
  expect(annexB.map(({ video }) => video?.sha256)).toEqual(whole.map(({ video }) => video?.sha256));
  expect(rig.lines.filter(({ message }) => message.includes('Annex B'))).toHaveLength(1);
});

test('AAC whose header never comes is told in health, then to the encoder by its name', async () => {
  await using rig = await IngestRig.start();
  const { publisher } = await RtmpPublisher.publish({ port: rig.port, key: 'key-a' });
  const sending = publisher.send(withoutAudioHeader(sliced), { speed: 1, loops: 3 });
  await rig.owner.until(() => rig.owner.inputs.some(({ warnings }) => warnings.length > 0));
  expect(rig.owner.inputs.at(-1)?.warnings).toEqual([expect.stringContaining('the sound is dropped')]);
  expect((await publisher.refused)?.description).toMatch(
    /^MEDIA_INVALID: no usable sequence header of AAC in 10 s .*send the AudioSpecificConfig/,
  );
  await sending;
  await rig.finished('a');
  expect(rig.lines.filter(({ message }) => message.includes('the sound is dropped'))).toHaveLength(1);
});

test.each([
  { name: 'an open GOP', params: 'open-gop=1:keyint=25:bframes=2', says: /open GOP; send closed GOPs/ },
  { name: 'intra refresh', params: 'intra-refresh=1:keyint=50', says: /turn intra refresh off/ },
])('x264 with $name is refused for just that', async ({ params, says }) => {
  const options = { seconds: 14, size: '160x90', gop: 1000, bFrames: 2 };
  const feed = await makeFeed({ ...options, videoArgs: ['-tune', 'film', '-x264-params', params] });
  await using rig = await IngestRig.start();
  const { publisher } = await RtmpPublisher.publish({ port: rig.port, key: 'key-a' });
  await publisher.send(feed);
  expect((await publisher.refused)?.description).toMatch(says);
});
