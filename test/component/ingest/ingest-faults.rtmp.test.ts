/** Publishers that send what is not taken, rivals and ghosts, and a store and an owner that fail. */
import { rename, rm, writeFile } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import type { SegmentStore } from '../../../actors/segment-store/segment-store.ts';
import type { ErrorCode } from '../../../cluster/errors/catalogue.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import { StreamId } from '../../../cluster/model/ids.ts';
import {
  expectOffersTiled,
  ffmpegPublish,
  framesOf,
  healthyPublisher,
  publish,
} from '../../support/ingest/ingest-feeds.ts';
import { IngestRig, type RigOptions } from '../../support/ingest/ingest-rig.ts';
import { makeFeed, type Feed } from '../../support/media/media-feed.ts';
import { RtmpPublisher } from '../../support/ingest/rtmp-publisher.ts';

let feed: Feed;
beforeAll(async () => {
  feed = await makeFeed({ seconds: 9, bFrames: 2 });
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
    send: (publisher) =>
      publisher.send(feed, { loops: 3, filter: ({ type, isKey }) => type !== 9 || !isKey }),
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
      for (let index = 0; index < 50; index += 1)
        publisher.sendTag({ type: 8, timestampMs: index * 20, body: speex, isKey: false });
    },
  },
  {
    what: 'a publisher that freezes in the middle of a GOP',
    said: 'PUBLISHER_SILENT: nothing came for 3000 ms',
    send: (publisher) => publisher.send(feed, { untilMs: 2500 }),
    rig: { limits: { silenceTimeoutMs: 3000 } },
  },
];

// Each waits for a publisher in real time, on an ingest of its own: together.
test.concurrent.each(badInputs)(
  '$what is refused by name, and nobody else notices',
  async ({ said, send, rig: options }) => {
    await using rig = await IngestRig.start(options);
    await using healthy = await healthyPublisher(rig, feed);
    const { publisher } = await RtmpPublisher.publish({ port: rig.port, key: 'key-bad' });
    await send(publisher);
    expect((await publisher.refused)?.description).toContain(said);
    await publisher.closed;
    await rig.finished('bad');
    expect(rig.owner.detached.find(({ streamId }) => streamId === 'bad')?.reason).toContain(said);
    await healthy.stillOnAir();
  },
);

test('MP3 from ffmpeg is refused with the name of the codec', async () => {
  await using rig = await IngestRig.start();
  const codecs = ['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'libmp3lame', '-ar', '44100'];
  const stderr = await ffmpegPublish(rig.port, 'key-a', codecs, ['-re']);
  expect(stderr).toMatch(/Server error: CODEC_REFUSED: .*MP3/);
});

test('a second publisher on a key is told that it is busy, and the first stays', async () => {
  await using rig = await IngestRig.start();
  await using healthy = await healthyPublisher(rig, feed);
  const { status } = await RtmpPublisher.publish({ port: rig.port, key: 'key-healthy' });
  expect(status).toEqual({
    level: 'error',
    code: 'NetStream.Publish.BadName',
    description:
      'STREAM_BUSY: Another publisher is on air with this stream key: stop that one, or try again later.',
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
  expect((await ghost.refused)?.description).toBe(
    'STREAM_BUSY: superseded by a new connection with the same key',
  );
  await publisher.send(feed);
  await publisher.end();
  await rig.finished('a', 2);
  expect(rig.owner.attached).toHaveLength(2);
});

test('the publisher of a deleted stream is disconnected with the reason, and only that one', async () => {
  await using rig = await IngestRig.start();
  await using healthy = await healthyPublisher(rig, feed);
  const { publisher } = await RtmpPublisher.publish({ port: rig.port, key: 'key-doomed' });
  await publisher.send(feed, { untilMs: 3000 });
  rig.sessions.close({ streamId: StreamId.parse('doomed'), reason: 'the stream was deleted' });
  expect(await publisher.refused).toMatchObject({
    description: 'STREAM_KEY_UNKNOWN: the stream was deleted',
  });
  await healthy.stillOnAir();
});

/** A store that refuses until it is told to work. */
function brokenStore(): { wrap: (store: SegmentStore) => SegmentStore; isBroken: boolean } {
  const state = {
    isBroken: true,
    wrap: (store: SegmentStore): SegmentStore => ({
      ...storeCalls(store),
      putIfAbsent: (key, body, signal) =>
        state.isBroken
          ? Promise.reject(new TangazaError('STORE_UNAVAILABLE'))
          : store.putIfAbsent(key, body, signal),
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

// Goal: C8 on a real folder: an operator's slip costs nothing. Method: a file takes the folder's place under a running
// ingest, until a put has failed; then the folder is put back.
test('a segment folder that is a file for a while loses no segment, and is said once', async () => {
  await using rig = await IngestRig.start();
  const { publisher } = await RtmpPublisher.publish({ port: rig.port, key: 'key-a' });
  await publisher.send(feed, { untilMs: 3000 });
  await rig.owner.until(() => rig.owner.offersOf('a').length >= 1);
  await rename(rig.folder, `${rig.folder}-away`);
  await writeFile(rig.folder, 'oops');
  await publisher.send(feed, { fromMs: 3000 });
  const said = () => rig.lines.filter(({ message }) => message.startsWith('the segment store'));
  await expect.poll(said).toHaveLength(1);
  await rm(rig.folder);
  await rename(`${rig.folder}-away`, rig.folder);
  await publisher.end();
  const offers = await rig.finished('a');
  expectOffersTiled(offers);
  expect(framesOf(offers, 'video')).toBe(225);
  expect(said().map(({ level }) => level)).toEqual(['error', 'info']);
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
  const starts = (epoch: number) =>
    rig.owner.offers.filter((one) => one.epoch === epoch).map(({ offer }) => offer.start90k);
  expect(starts(2)).toEqual(expect.arrayContaining(starts(1)));
  expect(new Set(starts(2)).size).toBe(starts(2).length);
});

// Goal: a hand-over is not noticed only at the end of a long GOP; until then the new owner would know nothing of the session.
// Method: the publisher stands still on its open connection while the owner changes: no offer, only the report goes out.
test('a report that finds a new owner attaches to it, with no segment to offer', async () => {
  await using rig = await IngestRig.start();
  const { publisher } = await RtmpPublisher.publish({ port: rig.port, key: 'key-a' });
  await publisher.send(feed, { speed: 10 });
  await rig.owner.until(() => rig.owner.inputs.length > 0 && rig.owner.offersOf('a').length >= 3);
  rig.owner.epoch = 2;
  rig.owner.fault = (_call, epoch) => {
    if (epoch === 1) throw new TangazaError('STALE_EPOCH');
  };
  await rig.owner.until(() => rig.owner.inputs.at(-1)?.epoch === 2);
  expect(rig.lines.map(({ message }) => message)).not.toContain('the publisher is gone');
  expect(rig.owner.attached).toMatchObject([{}, { period: 1 }]);
  await publisher.end();
  await rig.finished('a');
});

// Found by review: any other answer than TWIN_PENDING made it forget by what it may be recognised, and it began a second clock.
test('a candidate says by what it may be recognised also to a new owner', async () => {
  await using rig = await IngestRig.start();
  const answers: ErrorCode[] = ['TWIN_PENDING', 'STALE_EPOCH'];
  rig.owner.fault = (call) => {
    const code = call === 'openPeriod' ? answers.shift() : undefined;
    if (code === 'STALE_EPOCH') rig.owner.epoch = 2;
    if (code !== undefined) throw new TangazaError(code);
  };
  const { publisher } = await RtmpPublisher.publish({ port: rig.port, key: 'key-a' });
  await publisher.send(feed, { speed: 10 });
  await rig.owner.until(() => rig.owner.periods.length > 0);
  expect(rig.owner.periods[0]?.params.epoch).toBe(2);
  expect(rig.owner.periods[0]?.params.marks?.pictures.length).toBeGreaterThan(0);
  await publisher.end();
  await rig.finished('a');
});

/**
 * Before the session could say that it ended; the next owner has the epoch 2.
 *
 * @param code what the session is told: nobody answers, and then the verdict comes, or that the owner has given the stream up
 */
function ownerDiesAtDetach({ owner, sessions }: IngestRig, code: 'UNAVAILABLE' | 'STALE_EPOCH'): void {
  const detach = owner.detach.bind(owner);
  owner.detach = () => {
    owner.detach = detach;
    owner.epoch = 2;
    if (code === 'UNAVAILABLE') sessions.ownerGone([StreamId.parse('a')]);
    return Promise.reject(new TangazaError(code));
  };
}

// Goal: C2 also for who has left. Method: the owner dies when it has taken the tail; the next one waits some time for a twin.
test.each(['UNAVAILABLE', 'STALE_EPOCH'] as const)(
  'a publisher that left is not done (%s) before a new owner has taken the end of what it sent',
  async (code) => {
    await using rig = await IngestRig.start();
    const { owner } = rig;
    ownerDiesAtDetach(rig, code);
    let refusals = 0;
    owner.fault = (_call, epoch) => {
      if (epoch === 1 && owner.epoch === 2) throw new TangazaError('STALE_EPOCH');
      const isTail = owner.offers.filter((one) => one.epoch === 2).length === 4;
      if (epoch !== 2 || !isTail || refusals === 5) return;
      refusals += 1;
      throw new TangazaError('TWIN_PENDING');
    };
    await publish(rig, 'a', [[feed]]);
    const under = (epoch: number) =>
      owner.offers.filter((one) => one.epoch === epoch).map(({ offer }) => offer);
    expect(refusals).toBe(5);
    expect(under(2)).toEqual(under(1));
    expectOffersTiled(under(2));
    expect(framesOf(under(2), 'video')).toBe(225);
    expect(rig.lines.filter(({ level }) => level === 'error')).toEqual([]);
  },
);

test('a publisher that left asks no further when the new owner has another in its place', async () => {
  await using rig = await IngestRig.start();
  ownerDiesAtDetach(rig, 'UNAVAILABLE');
  const attach = rig.owner.attach.bind(rig.owner);
  let refusals = 0;
  rig.owner.attach = (params) => {
    if (rig.owner.epoch === 1) return attach(params);
    refusals += 1;
    return Promise.reject(new TangazaError('STREAM_BUSY'));
  };
  await publish(rig, 'a', [[feed]]);
  expect(refusals).toBe(2);
});

test('stop offers what is whole, detaches, and tells the publisher', async () => {
  await using rig = await IngestRig.start();
  const { publisher } = await RtmpPublisher.publish({ port: rig.port, key: 'key-a' });
  await publisher.send(feed, { untilMs: 7000 });
  await rig.owner.until(() => rig.owner.offersOf('a').length >= 3);
  await rig.stop();
  expect((await publisher.refused)?.description).toContain('UNAVAILABLE: this node is stopping');
  expectOffersTiled(rig.owner.offersOf('a'));
  expect(framesOf(rig.owner.offersOf('a'), 'video')).toBeGreaterThanOrEqual(150);
  expect(rig.owner.detached).toHaveLength(1);
  expect(rig.sessions.size).toBe(0);
});
