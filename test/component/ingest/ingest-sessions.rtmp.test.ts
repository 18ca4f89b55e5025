/** From a publisher to segments on disk: real ffmpeg, and feeds of every kind that is taken. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import {
  expectOffersTiled,
  ffmpegPublish,
  framesOf,
  healthyPublisher,
  placeOf,
  publish,
} from '../../support/ingest/ingest-feeds.ts';
import { Epoch, StreamId } from '../../../cluster/model/ids.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { IngestRig, otherIngest } from '../../support/ingest/ingest-rig.ts';
import { makeFeed, temporaryFolder, type Feed } from '../../support/media/media-feed.ts';
import { RtmpPublisher, type SendOptions } from '../../support/ingest/rtmp-publisher.ts';
import { waitUntil } from '../../support/wait.ts';

const run = promisify(execFile);
let feed: Feed;
beforeAll(async () => {
  feed = await makeFeed({ seconds: 9, bFrames: 2 });
});

interface ProbedPacket {
  readonly pts: number;
  /** ffprobe leaves it out for the first AAC packet, and for AV1's temporal units of several frames. */
  readonly duration?: number;
}

/** Packets as ffprobe reads them; fails when ffmpeg finds anything wrong with the track. */
async function probe(track: Buffer): Promise<readonly ProbedPacket[]> {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'track.mp4');
  await writeFile(path, track);
  const decoded = await run('ffmpeg', ['-v', 'error', '-nostdin', '-i', path, '-f', 'null', '-']);
  expect(decoded.stderr).toBe('');
  const { stdout } = await run('ffprobe', [
    '-v',
    'error',
    '-show_entries',
    'packet=pts,duration',
    '-of',
    'json',
    path,
  ]);
  const { packets } = JSON.parse(stdout) as { packets: ProbedPacket[] };
  return packets.toSorted((a, b) => a.pts - b.pts);
}

function expectTiled(packets: readonly ProbedPacket[]): void {
  const ends = packets.map(({ pts, duration }, index) =>
    duration === undefined ? packets[index + 1]?.pts : pts + duration,
  );
  expect(packets.slice(1).map(({ pts }) => pts)).toEqual(ends.slice(0, -1));
}

// Goal: nothing is lost or shifted between an encoder and the store. Method: ffmpeg publishes 175 pictures with
// B-frames; ffprobe reads the stored segments as one file, whose times must tile, and ffmpeg decodes it silently.
test('what ffmpeg publishes lies on disk as segments whose times tile', async () => {
  await using rig = await IngestRig.start();
  await ffmpegPublish(rig.port, 'key-a', [
    '-c:v',
    'libx264',
    '-preset',
    'veryfast',
    '-bf',
    '2',
    '-g',
    '25',
    '-c:a',
    'aac',
  ]);
  const offers = await rig.finished('a');
  expectOffersTiled(offers);
  expect(offers.map(({ duration90k }) => duration90k)).toEqual([180_000, 180_000, 180_000, 90_000]);
  expect(
    offers.every(
      ({ keyFrameHash, audioFrameHash }) => keyFrameHash !== undefined && audioFrameHash !== undefined,
    ),
  ).toBe(true);
  const video = await probe(await rig.trackOf('a', 'video'));
  expect(video).toHaveLength(175);
  expectTiled(video);
  const audio = await probe(await rig.trackOf('a', 'audio'));
  expect(audio.map(({ pts }) => pts)).toEqual(audio.map((_, index) => index * 1024 + (audio[0]?.pts ?? 0)));
  expect(Math.abs(audio.length - (7 * 48_000) / 1024)).toBeLessThan(3);
  const [period] = rig.owner.periods;
  expect(period?.params.video).toMatchObject({
    codec: 'h264',
    width: 320,
    height: 180,
    frameRate: [25, 1],
    bitDepth: 8,
  });
  expect(rig.owner.inputs.length + rig.owner.detached.length).toBeGreaterThan(0);
});

test('the owner is told about the input while it runs', async () => {
  await using rig = await IngestRig.start();
  await using healthy = await healthyPublisher(rig, feed);
  await healthy.stillOnAir();
  await rig.owner.until(() => rig.owner.inputs.length > 2);
  expect(rig.owner.inputs.at(-1)).toMatchObject({ streamId: 'healthy', width: 320, height: 180 });
});

test.each(['hevc', 'av1'] as const)('Enhanced RTMP %s is stored and decodes', async (codec) => {
  await using rig = await IngestRig.start();
  const offers = await publish(rig, 'a', [[await makeFeed({ seconds: 5, codec })]]);
  expectOffersTiled(offers);
  expect(rig.owner.periods[0]?.params.video).toMatchObject({ codec, width: 320, height: 180 });
  const video = await probe(await rig.trackOf('a', 'video'));
  expect(video.map(({ pts }) => pts)).toEqual(Array.from({ length: 125 }, (_, index) => index * 3600));
  expectTiled(video);
});

test.each([
  { what: 'video alone', feed: { audio: false } },
  { what: 'audio alone', feed: { video: false } },
])('$what is taken', async ({ feed: options }) => {
  await using rig = await IngestRig.start();
  const offers = await publish(rig, 'a', [[await makeFeed({ seconds: 5, ...options })]]);
  expectOffersTiled(offers);
  expectTiled(await probe(await rig.trackOf('a', options.audio === false ? 'video' : 'audio')));
});

test.each([
  { what: 'across the wrap of 32 bit milliseconds', options: { offsetMs: 2 ** 32 - 4000 } },
  { what: 'across 24 bits, where the extended timestamp begins', options: { offsetMs: 2 ** 24 - 4000 } },
  { what: 'with clocks that OBS sets to zero for each track', options: { zeroBased: 'separately' } },
] satisfies { what: string; options: SendOptions }[])(
  'a feed $what gives the same segments',
  async ({ options }) => {
    await using rig = await IngestRig.start();
    const plain = await publish(rig, 'plain', [[feed]]);
    const other = await publish(rig, 'other', [[feed, options]]);
    expectOffersTiled(other);
    expect(other.map(placeOf)).toEqual(plain.map(placeOf));
    expect(other.map(({ video }) => video?.sha256)).toEqual(plain.map(({ video }) => video?.sha256));
  },
);

test('timestamps that restart open a second period in the same session', async () => {
  await using rig = await IngestRig.start();
  await using healthy = await healthyPublisher(rig, feed);
  const offers = await publish(rig, 'a', [[feed], [feed]]);
  const periods = [...new Set(offers.map(({ period }) => period))];
  expect(periods).toHaveLength(2);
  for (const period of periods) {
    const own = offers.filter((offer) => offer.period === period);
    expectOffersTiled(own);
    expect(framesOf(own, 'video')).toBe(225);
  }
  await healthy.stillOnAir();
});

test('a change of resolution opens a second period, and no picture is lost', async () => {
  await using rig = await IngestRig.start();
  const wide = await makeFeed({ seconds: 5, size: '640x360' });
  const offers = await publish(rig, 'a', [[feed], [wide, { offsetMs: feed.durationMs }]]);
  const sizes = rig.owner.periods.map(({ params }) => params.video?.width);
  expect(sizes).toEqual([320, 640]);
  expect(framesOf(offers, 'video')).toBe(225 + 125);
  expectTiled(await probe(await rig.trackOf('a', 'video', 1)));
  expectTiled(await probe(await rig.trackOf('a', 'video', 2)));
});

// Goal: a burst loses nothing, as the owner takes no segment behind a later period. Method: both periods have come before the owner opens the first.
test('a period is asked for behind all segments of the one before, also where both came at once', async () => {
  await using rig = await IngestRig.start();
  const wide = await makeFeed({ seconds: 5, size: '640x360' });
  const { publisher } = await RtmpPublisher.publish({ port: rig.port, key: 'key-a' });
  let isSent = false;
  const calls: string[] = [];
  rig.owner.fault = (call) => {
    if (call === 'openPeriod' && !isSent) throw new TangazaError('LOG_UNAVAILABLE');
    if (call !== 'input') calls.push(call);
  };
  await publisher.send(feed);
  await publisher.send(wide, { offsetMs: feed.durationMs });
  await publisher.end();
  isSent = true;
  const offers = await rig.finished('a');
  const first = offers.filter(({ period }) => period === 1).map(() => 'offer');
  const second = offers.filter(({ period }) => period === 2).map(() => 'offer');
  expect(calls).toEqual(['openPeriod', ...first, 'openPeriod', ...second]);
  expect({ first: first.length, second: second.length }).toEqual({ first: 5, second: 3 });
});

test('a repeated sequence header with equal bytes changes nothing', async () => {
  await using rig = await IngestRig.start();
  const middle = { fromMs: 4000 };
  await publish(rig, 'a', [
    [feed, { untilMs: 4000 }],
    [feed, middle],
  ]);
  expect(rig.owner.periods).toHaveLength(1);
  expect(framesOf(rig.owner.offersOf('a'), 'video')).toBe(225);
});

// Goal: an owner that was frozen and succeeded closes no session of its successor (C1). Method: the session attached under epoch 5.
test('a session is closed at the word of its owner, and of an operator, not of a former owner', async () => {
  await using rig = await IngestRig.start();
  rig.owner.epoch = 5;
  await using healthy = await healthyPublisher(rig, feed);
  await healthy.stillOnAir();
  const streamId = StreamId.parse('healthy');
  const close = (epoch?: number): void =>
    rig.sessions.close({
      streamId,
      reason: 'test',
      ...(epoch === undefined ? {} : { epoch: Epoch.parse(epoch) }),
    });
  close(4);
  await healthy.stillOnAir();
  expect(rig.owner.inputs.at(-1)?.epoch).toBe(5);
  close(5);
  await rig.finished('healthy');
  expect(rig.owner.detached.map(({ epoch }) => epoch)).toEqual([5]);

  await using another = await healthyPublisher(rig, feed);
  await rig.owner.until(() => rig.owner.attached.length === 2);
  close();
  await rig.finished('healthy', 2);
  void another;
});

// Goal: a drain sends publishers on without cutting them off (C2). Method: of two encoders one understands Enhanced RTMP's
// reconnect request; both go on sending. Then the owner says that twins feed the streams elsewhere: each ends at a keyframe.
test('a node that drains asks those who understand it to connect elsewhere, and lets go of those that have', async () => {
  await using rig = await IngestRig.start();
  const open = async (key: string, capsEx?: number) => {
    const options = { port: rig.port, key, ...(capsEx === undefined ? {} : { capsEx }) };
    const { publisher } = await RtmpPublisher.publish(options);
    void publisher.send(feed, { speed: 1, loops: 10 });
    return publisher;
  };
  await using able = await open('key-able', 1);
  await using unable = await open('key-unable');
  await rig.owner.until(() => rig.owner.offers.length >= 2);
  for (let times = 0; times < 3; times += 1) await rig.sessions.askToLeave();
  const before = rig.owner.offers.length;
  await rig.owner.until(() => rig.owner.offers.length >= before + 2);
  const requests = ({ statuses }: RtmpPublisher) =>
    statuses.filter(({ code }) => code === 'NetConnection.Connect.ReconnectRequest');
  expect(requests(able)).toMatchObject([{ level: 'status', tcUrl: otherIngest }]);
  expect(requests(unable)).toEqual([]);

  rig.owner.feedsElsewhere = true;
  const asks = systemClock.every(100, () => rig.sessions.askToLeave());
  await Promise.all([able.closed, unable.closed]);
  asks();
  await rig.owner.until(() => rig.owner.detached.length === 2);
  expect(rig.owner.offers.every(({ offer }) => offer.duration90k === 180_000)).toBe(true);
});

// Found by stopping a whole cluster: what lay behind the last cut was left to a connection that never came.
test('a publisher that is to leave at its next keyframe, and sends none, is offered whole', async () => {
  await using rig = await IngestRig.start();
  const { publisher } = await RtmpPublisher.publish({ port: rig.port, key: 'key-one' });
  await publisher.send(feed, { speed: 4, untilMs: 3000 });
  await rig.owner.until(() => rig.owner.offers.length >= 1);
  rig.sessions.closeAtKeyframe();
  await publisher[Symbol.asyncDispose]();
  await rig.owner.until(() => rig.owner.detached.length === 1);
  expect(rig.owner.offers.map(({ offer }) => offer.duration90k)).toEqual([180_000, 90_000]);
});

// Found by reading: with the period not open yet, all comes at the end, and what follows the first whole segment was taken for cut off.
test('a publisher that is to leave, and goes while the owner does not answer, is offered whole', async () => {
  await using rig = await IngestRig.start();
  let isSilent = true;
  rig.owner.fault = (call) => {
    if (call === 'openPeriod' && isSilent) throw new TangazaError('LOG_UNAVAILABLE');
  };
  const { publisher } = await RtmpPublisher.publish({ port: rig.port, key: 'key-one' });
  await publisher.send(feed, { speed: 4, untilMs: 5000 });
  rig.sessions.closeAtKeyframe();
  await publisher[Symbol.asyncDispose]();
  const isGone = (): boolean =>
    rig.sessions.size === 0 || rig.lines.some(({ message }) => message === 'the publisher is gone');
  await waitUntil('the publisher is gone', isGone, { everyMs: 20 });
  isSilent = false;
  const offers = await rig.finished('one');
  expect(offers.map(({ duration90k }) => duration90k)).toEqual([180_000, 180_000, 90_000]);
});
