/** Feeds into an ingest rig, and what must hold of what it offers. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import type { SourceOffer } from '../../../cluster/contract/index-records.ts';
import type { IngestRig } from './ingest-rig.ts';
import type { Feed } from '../media/media-feed.ts';
import { RtmpPublisher, type SendOptions } from './rtmp-publisher.ts';

const run = promisify(execFile);

/** ffmpeg publishes test pictures and a tone to the rig. */
export function ffmpegPublish(
  port: number,
  key: string,
  args: readonly string[],
  pace: readonly string[] = [],
) {
  const inputs = [
    ...pace,
    '-f',
    'lavfi',
    '-i',
    'testsrc2=size=320x180:rate=25:duration=7',
    '-f',
    'lavfi',
    '-i',
    'sine=sample_rate=48000:duration=7',
  ];
  return run('ffmpeg', [
    '-hide_banner',
    '-nostdin',
    ...inputs,
    ...args,
    '-f',
    'flv',
    `rtmp://127.0.0.1:${port}/live/${key}`,
  ]).then(
    ({ stderr }) => stderr,
    (error: { stderr: string }) => error.stderr,
  );
}

/** The first begins at 0, and each next one where the last one ends. */
export function expectOffersTiled(offers: readonly SourceOffer[]): void {
  expect(offers.length).toBeGreaterThan(1);
  expect(offers[0]?.start90k).toBe(0);
  expect(offers.slice(1).map(({ start90k }) => start90k)).toEqual(
    offers.slice(0, -1).map((one) => one.start90k + one.duration90k),
  );
}

export const placeOf = ({ start90k, duration90k }: SourceOffer) => ({ start90k, duration90k });

export const framesOf = (offers: readonly SourceOffer[], kind: 'video' | 'audio'): number =>
  offers.reduce((sum, offer) => sum + (offer[kind]?.frames ?? 0), 0);

/** Publishes a feed as fast as it is read, and waits until all of it is offered. */
export async function publish(
  rig: IngestRig,
  stream: string,
  feeds: readonly [Feed, SendOptions?][],
): Promise<readonly SourceOffer[]> {
  const { publisher } = await RtmpPublisher.publish({ port: rig.port, key: `key-${stream}` });
  for (const [one, options] of feeds) await publisher.send(one, options);
  await publisher.end();
  return rig.finished(stream);
}

/** A publisher in real time that must not notice what others do. */
export async function healthyPublisher(rig: IngestRig, feed: Feed) {
  const { publisher } = await RtmpPublisher.publish({ port: rig.port, key: 'key-healthy' });
  const stop = new AbortController();
  const sending = publisher.send(feed, { speed: 1.25, loops: 100, signal: stop.signal });
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
