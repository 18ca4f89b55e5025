/** Real media over RTMP on clocks that lie: what is offered is what a sound clock gives, or the encoder reads why not. */
import { beforeAll, expect, test } from 'vitest';
import type { SourceOffer } from '../../../cluster/contract/index-records.ts';
import { publish } from '../../support/ingest/ingest-feeds.ts';
import { IngestRig } from '../../support/ingest/ingest-rig.ts';
import { makeFeed, type Feed, type FeedTag } from '../../support/media/media-feed.ts';
import { RtmpPublisher } from '../../support/ingest/rtmp-publisher.ts';

let feed: Feed;
beforeAll(async () => {
  feed = await makeFeed({ seconds: 9, bFrames: 2 });
});

const tenHours = 36_000_000;

/** One tag in fifty of each type is ten hours ahead. */
function oneInFiftyIsWild(): (ms: number, tag: FeedTag) => number {
  const counts = new Map<number, number>();
  return (ms, { type }) => {
    const index = counts.get(type) ?? 0;
    counts.set(type, index + 1);
    return index % 50 === 7 + type ? ms + tenHours : ms;
  };
}

const mediaOf = (offers: readonly SourceOffer[]) =>
  offers.map(({ start90k, duration90k, times90k, video, audio }) => ({
    start90k,
    duration90k,
    times90k,
    video: video?.sha256,
    audio: audio?.sha256,
  }));

test('wild times among pictures and sound leave the bytes of every segment as they are', async () => {
  await using rig = await IngestRig.start();
  const sound = mediaOf(await publish(rig, 'sound', [[feed]]));
  const mended = mediaOf(await publish(rig, 'wild', [[feed, { tell: oneInFiftyIsWild() }]]));
  expect(sound.length).toBeGreaterThan(3);
  expect(mended).toEqual(sound);
  expect(rig.owner.periods).toHaveLength(2);
  expect(rig.lines.map(({ message }) => message)).toContainEqual(
    expect.stringContaining('away from its neighbours'),
  );
});

test('an encoder whose clock stands still reads so within ten seconds', async () => {
  await using rig = await IngestRig.start();
  const { publisher } = await RtmpPublisher.publish({ port: rig.port, key: 'key-still' });
  const sending = publisher.send(feed, { speed: 1, loops: 3, tell: () => 0 });
  expect((await publisher.refused)?.description).toContain('MEDIA_INVALID: The clock of the video crawls');
  await sending;
});
