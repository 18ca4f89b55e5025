/** From a publisher to segments on disk: real ffmpeg, good feeds and bad ones, a store and an owner that fail. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import type { SegmentStore } from '../../actors/segment-store/segment-store.ts';
import type { SourceOffer } from '../../cluster/contract/index-log.ts';
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';
import { StreamId } from '../../cluster/model/ids.ts';
import { IngestRig, type RigOptions } from '../support/ingest-rig.ts';
import { makeFeed, temporaryFolder, type Feed } from '../support/media-feed.ts';
import { RtmpPublisher, type SendOptions } from '../support/rtmp-publisher.ts';

const run = promisify(execFile);
let feed: Feed;
beforeAll(async () => {
  feed = await makeFeed({ seconds: 9, bFrames: 2 });
});

/** ffmpeg publishes test pictures and a tone to the rig. */
function ffmpegPublish(port: number, key: string, args: readonly string[], pace: readonly string[] = []) {
  const inputs = [...pace, '-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25:duration=7', '-f', 'lavfi', '-i', 'sine=sample_rate=48000:duration=7'];
  return run('ffmpeg', ['-hide_banner', '-nostdin', ...inputs, ...args, '-f', 'flv', `rtmp://127.0.0.1:${port}/live/${key}`]).then(
    ({ stderr }) => stderr,
    (error: { stderr: string }) => error.stderr,
  );
}

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
  const { stdout } = await run('ffprobe', ['-v', 'error', '-show_entries', 'packet=pts,duration', '-of', 'json', path]);
  const { packets } = JSON.parse(stdout) as { packets: ProbedPacket[] };
  return packets.toSorted((a, b) => a.pts - b.pts);
}

function expectTiled(packets: readonly ProbedPacket[]): void {
  const ends = packets.map(({ pts, duration }, index) => (duration === undefined ? packets[index + 1]?.pts : pts + duration));
  expect(packets.slice(1).map(({ pts }) => pts)).toEqual(ends.slice(0, -1));
}

function expectOffersTiled(offers: readonly SourceOffer[]): void {
  expect(offers.length).toBeGreaterThan(1);
  expect(offers[0]?.start90k).toBe(0);
  expect(offers.slice(1).map(({ start90k }) => start90k)).toEqual(offers.slice(0, -1).map((one) => one.start90k + one.duration90k));
}

const placeOf = ({ start90k, duration90k }: SourceOffer) => ({ start90k, duration90k });

const framesOf = (offers: readonly SourceOffer[], kind: 'video' | 'audio'): number =>
  offers.reduce((sum, offer) => sum + (offer[kind]?.frames ?? 0), 0);

/** Publishes a feed as fast as it is read, and waits until all of it is offered. */
async function publish(rig: IngestRig, stream: string, feeds: readonly [Feed, SendOptions?][]): Promise<readonly SourceOffer[]> {
  const { publisher } = await RtmpPublisher.publish({ port: rig.port, key: `key-${stream}` });
  for (const [one, options] of feeds) await publisher.send(one, options);
  await publisher.end();
  return rig.finished(stream);
}

/** A publisher in real time that must not notice what others do. */
async function healthyPublisher(rig: IngestRig) {
  const { publisher } = await RtmpPublisher.publish({ port: rig.port, key: 'key-healthy' });
  const stop = new AbortController();
  const sending = publisher.send(feed, { speed: 2, loops: 100, signal: stop.signal });
  return {
    stillOnAir: async () => {
      const wanted = rig.owner.offersOf('healthy').length + 2;
      await rig.owner.until(() => rig.owner.offersOf('healthy').length >= wanted);
      expect(publisher.statuses.map(({ level }) => level)).toEqual(['status']);
      expect(rig.owner.periods.filter(({ params }) => params.streamId === 'healthy')).toHaveLength(1);
      expectOffersTiled(rig.owner.offersOf('healthy'));
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      publisher.destroy();
      await sending;
    },
  };
}

// Goal: nothing is lost or shifted between an encoder and the store. Method: ffmpeg publishes 175 pictures with
// B-frames; ffprobe reads the stored segments as one file, whose times must tile, and ffmpeg decodes it silently.
test('what ffmpeg publishes lies on disk as segments whose times tile', async () => {
  await using rig = await IngestRig.start();
  await ffmpegPublish(rig.port, 'key-a', ['-c:v', 'libx264', '-preset', 'veryfast', '-bf', '2', '-g', '25', '-c:a', 'aac']);
  const offers = await rig.finished('a');
  expectOffersTiled(offers);
  expect(offers.map(({ duration90k }) => duration90k)).toEqual([180_000, 180_000, 180_000, 90_000]);
  expect(offers.every(({ keyFrameHash, audioFrameHash }) => keyFrameHash !== undefined && audioFrameHash !== undefined)).toBe(true);
  const video = await probe(await rig.trackOf('a', 'video'));
  expect(video).toHaveLength(175);
  expectTiled(video);
  const audio = await probe(await rig.trackOf('a', 'audio'));
  expect(audio.map(({ pts }) => pts)).toEqual(audio.map((_, index) => index * 1024 + (audio[0]?.pts ?? 0)));
  expect(Math.abs(audio.length - (7 * 48_000) / 1024)).toBeLessThan(3);
  const [period] = rig.owner.periods;
  expect(period?.params.video).toMatchObject({ codec: 'h264', width: 320, height: 180, frameRate: [25, 1], bitDepth: 8 });
  expect(rig.owner.inputs.length + rig.owner.detached.length).toBeGreaterThan(0);
});

test('the owner is told about the input while it runs', async () => {
  await using rig = await IngestRig.start();
  await using healthy = await healthyPublisher(rig);
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
] satisfies { what: string; options: SendOptions }[])('a feed $what gives the same segments', async ({ options }) => {
  await using rig = await IngestRig.start();
  const plain = await publish(rig, 'plain', [[feed]]);
  const other = await publish(rig, 'other', [[feed, options]]);
  expectOffersTiled(other);
  expect(other.map(placeOf)).toEqual(plain.map(placeOf));
  expect(other.map(({ video }) => video?.sha256)).toEqual(plain.map(({ video }) => video?.sha256));
});

test('timestamps that restart open a second period in the same session', async () => {
  await using rig = await IngestRig.start();
  await using healthy = await healthyPublisher(rig);
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

test('a repeated sequence header with equal bytes changes nothing', async () => {
  await using rig = await IngestRig.start();
  const middle = { fromMs: 4000 };
  await publish(rig, 'a', [[feed, { untilMs: 4000 }], [feed, middle]]);
  expect(rig.owner.periods).toHaveLength(1);
  expect(framesOf(rig.owner.offersOf('a'), 'video')).toBe(225);
});

interface BadInput {
  readonly what: string;
  readonly said: string;
  readonly send: (publisher: RtmpPublisher) => Promise<void>;
  readonly rig?: RigOptions;
}

const speex = Buffer.concat([Buffer.of(0xb2), Buffer.alloc(60, 1)]);
const badInputs: readonly BadInput[] = [
  {
    what: 'a feed without a keyframe',
    said: 'KEYFRAME_INTERVAL: keyframe interval over 10 s',
    send: (publisher) => publisher.send(feed, { loops: 3, filter: ({ type, isKey }) => type !== 9 || !isKey }),
  },
  {
    what: 'a GOP of 30 s',
    said: 'KEYFRAME_INTERVAL: keyframe interval over 10 s',
    send: async (publisher) => publisher.send(await makeFeed({ seconds: 32, size: '160x90', gop: 750 })),
  },
  {
    what: 'Speex',
    said: 'CODEC_REFUSED: ',
    send: async (publisher) => {
      for (let index = 0; index < 50; index += 1) publisher.sendTag({ type: 8, timestampMs: index * 20, body: speex, isKey: false });
    },
  },
  {
    what: 'a publisher that freezes in the middle of a GOP',
    said: 'PUBLISHER_SILENT: nothing came for 500 ms',
    send: (publisher) => publisher.send(feed, { untilMs: 2500 }),
    rig: { limits: { silenceTimeoutMs: 500 } },
  },
];

test.each(badInputs)('$what is refused by name, and nobody else notices', async ({ said, send, rig: options }) => {
  await using rig = await IngestRig.start(options);
  await using healthy = await healthyPublisher(rig);
  const { publisher } = await RtmpPublisher.publish({ port: rig.port, key: 'key-bad' });
  await send(publisher);
  expect((await publisher.refused)?.description).toContain(said);
  await publisher.closed;
  await rig.finished('bad');
  expect(rig.owner.detached.find(({ streamId }) => streamId === 'bad')?.reason).toContain(said);
  await healthy.stillOnAir();
});

test('MP3 from ffmpeg is refused with the name of the codec', async () => {
  await using rig = await IngestRig.start();
  const codecs = ['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'libmp3lame', '-ar', '44100'];
  const stderr = await ffmpegPublish(rig.port, 'key-a', codecs, ['-re']);
  expect(stderr).toMatch(/Server error: CODEC_REFUSED: .*MP3/);
});

test('a second publisher on a key is told that it is busy, and the first stays', async () => {
  await using rig = await IngestRig.start();
  await using healthy = await healthyPublisher(rig);
  const { status } = await RtmpPublisher.publish({ port: rig.port, key: 'key-healthy' });
  expect(status).toEqual({
    level: 'error',
    code: 'NetStream.Publish.BadName',
    description: 'STREAM_BUSY: Another publisher is on air with this key.',
  });
  await healthy.stillOnAir();
});

test('a newcomer that supersedes its ghost is taken at once, and the ghost is closed', async () => {
  await using rig = await IngestRig.start();
  rig.owner.supersedes = true;
  const { publisher: ghost } = await RtmpPublisher.publish({ port: rig.port, key: 'key-a' });
  await ghost.send(feed, { untilMs: 2500 });
  const { status, publisher } = await RtmpPublisher.publish({ port: rig.port, key: 'key-a' });
  expect(status?.code).toBe('NetStream.Publish.Start');
  expect((await ghost.refused)?.description).toBe('STREAM_BUSY: superseded by a new connection with the same key');
  await publisher.send(feed);
  await publisher.end();
  await rig.finished('a', 2);
  expect(rig.owner.attached).toHaveLength(2);
});

test('the publisher of a deleted stream is disconnected with the reason, and only that one', async () => {
  await using rig = await IngestRig.start();
  await using healthy = await healthyPublisher(rig);
  const { publisher } = await RtmpPublisher.publish({ port: rig.port, key: 'key-doomed' });
  await publisher.send(feed, { untilMs: 3000 });
  rig.sessions.close({ streamId: StreamId.parse('doomed'), reason: 'the stream was deleted' });
  expect(await publisher.refused).toMatchObject({ description: 'STREAM_KEY_UNKNOWN: the stream was deleted' });
  await healthy.stillOnAir();
});

/** A store that refuses until it is told to work. */
function brokenStore(): { wrap: (store: SegmentStore) => SegmentStore; isBroken: boolean } {
  const state = {
    isBroken: true,
    wrap: (store: SegmentStore): SegmentStore => ({
      ...storeCalls(store),
      putIfAbsent: (key, body, signal) =>
        state.isBroken ? Promise.reject(new TangazaError('STORE_UNAVAILABLE')) : store.putIfAbsent(key, body, signal),
    }),
  };
  return state;
}

function storeCalls(store: SegmentStore): SegmentStore {
  return {
    putIfAbsent: (...args) => store.putIfAbsent(...args),
    get: (...args) => store.get(...args),
    range: (...args) => store.range(...args),
    list: (...args) => store.list(...args),
    delete: (...args) => store.delete(...args),
    close: () => store.close(),
  };
}

test('a store that is away for a while loses no segment, and their order holds', async () => {
  const broken = brokenStore();
  await using rig = await IngestRig.start({ wrapStore: broken.wrap });
  const { publisher } = await RtmpPublisher.publish({ port: rig.port, key: 'key-a' });
  await publisher.send(feed, { speed: 4 });
  expect(rig.owner.offersOf('a')).toEqual([]);
  broken.isBroken = false;
  await publisher.end();
  const offers = await rig.finished('a');
  expectOffersTiled(offers);
  expect(framesOf(offers, 'video')).toBe(225);
});

test('an owner that is away for a while is offered every segment in order', async () => {
  await using rig = await IngestRig.start();
  let failures = 0;
  rig.owner.fault = (call) => {
    if (call === 'input' || failures === 4) return;
    failures += 1;
    throw new TangazaError('LOG_UNAVAILABLE');
  };
  const offers = await publish(rig, 'a', [[feed]]);
  expect(failures).toBe(4);
  expectOffersTiled(offers);
  expect(framesOf(offers, 'video')).toBe(225);
});

// Goal: C2, a new owner gets what it may not have. Method: after three offers the owner answers STALE_EPOCH to the old
// epoch and gives a new one at the next attach; all offers of the last minute must come again under it.
test('a new owner is offered the last minute again', async () => {
  await using rig = await IngestRig.start();
  const { publisher } = await RtmpPublisher.publish({ port: rig.port, key: 'key-a' });
  await publisher.send(feed, { speed: 10 });
  await rig.owner.until(() => rig.owner.offersOf('a').length >= 3);
  rig.owner.epoch = 2;
  rig.owner.fault = (_call, epoch) => {
    if (epoch === 1) throw new TangazaError('STALE_EPOCH');
  };
  await publisher.send(feed, { offsetMs: feed.durationMs });
  await publisher.end();
  await rig.finished('a');
  const starts = (epoch: number) => rig.owner.offers.filter((one) => one.epoch === epoch).map(({ offer }) => offer.start90k);
  expect(starts(2)).toEqual(expect.arrayContaining(starts(1)));
  expect(new Set(starts(2)).size).toBe(starts(2).length);
});

test('stop offers what is whole, detaches, and tells the publisher', async () => {
  await using rig = await IngestRig.start();
  const { publisher } = await RtmpPublisher.publish({ port: rig.port, key: 'key-a' });
  await publisher.send(feed, { untilMs: 7000 });
  await rig.owner.until(() => rig.owner.offersOf('a').length >= 2);
  await rig.stop();
  expect((await publisher.refused)?.description).toContain('UNAVAILABLE: this node is stopping');
  expectOffersTiled(rig.owner.offersOf('a'));
  expect(framesOf(rig.owner.offersOf('a'), 'video')).toBeGreaterThanOrEqual(150);
  expect(rig.owner.detached).toHaveLength(1);
  expect(rig.sessions.size).toBe(0);
});
