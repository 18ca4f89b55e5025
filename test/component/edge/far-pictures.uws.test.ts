/** Thumbnails of streams whose home is another region, over real HTTP between edges of two regions (R5). */
import { expect, test } from 'vitest';
import { Epoch, StreamId } from '../../../cluster/model/ids.ts';
import type { StreamElsewhere } from '../../../cluster/region/elsewhere.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { home, startTwoRegions } from '../../support/regions/edges-of-two-regions.ts';
import { MemoryNeeds } from '../../support/regions/memory-needs.ts';
import { MemoryRegions } from '../../support/regions/memory-regions.ts';

const demo = StreamId.parse('demo');
const atHome: StreamElsewhere = {
  stream: demo,
  region: home,
  epoch: Epoch.parse(1),
  nextNumber: 0,
  discontinuities: 0,
  availabilityStartMs: 0,
  isOnAir: true,
  sinceMs: 0,
  rtmpUrl: 'rtmp://eu.test/live',
  ageMs: 0,
};

async function startWithNeeds(makeThumbnail: (file: Uint8Array) => Promise<Uint8Array>) {
  const needs = new MemoryNeeds();
  needs.onNeed(() => needs.tell([{ stream: demo, sequence: 0, isAtHead: true }]));
  const others = new MemoryRegions({ regions: ['eu', 'us'] }).of('us');
  const elsewhere = { homeOf: () => atHome, ask: async () => atHome };
  const far = { clock: systemClock, elsewhere, others, needs };
  const regions = await startTwoRegions({ settings: { makeThumbnail }, farSettings: { far } });
  return { regions, needs, url: `${regions.far.edges[0]?.url}/live/demo` };
}

const pictureAt = async (url: string) => {
  const reply = await fetch(`${url}/thumbnail.jpg`);
  return { status: reply.status, bytes: [...new Uint8Array(await reply.arrayBuffer())].slice(0, 3) };
};
const jpeg = Uint8Array.of(0xff, 0xd8, 7);

// Goal: a list of streams makes no region relay them. Method: a picture, twice; then a viewer; the pictures of one who looks on do not keep it needed.
test('a picture of a stream that nobody watches here comes from its home, and nothing is relayed for it', async () => {
  let made = 0;
  const { regions, needs, url } = await startWithNeeds(async () => {
    made += 1;
    return jpeg;
  });
  await using _ = regions;
  await regions.broadcast(2);
  const pictures = [await pictureAt(url), await pictureAt(url)];
  expect({ pictures, made, needed: needs.needed, objects: regions.far.store.objects.size }).toEqual({
    pictures: Array.from({ length: 2 }, () => ({ status: 200, bytes: [0xff, 0xd8, 7] })),
    made: 1,
    needed: [],
    objects: 0,
  });
  await (await fetch(`${url}/main.m3u8`)).arrayBuffer();
  expect(needs.needed).toEqual([demo]);
});

test('without a picture and a home that can be asked, the answer is 503, and nothing is relayed either', async () => {
  const { regions, needs, url } = await startWithNeeds(async () => jpeg);
  await using _ = regions;
  await regions.broadcast(2);
  regions.link.isUp = false;
  expect(await pictureAt(url)).toMatchObject({ status: 503 });
  expect(needs.needed).toEqual([]);
});

test('what an edge of the home sends is served only if it is a picture', async () => {
  const { regions, url } = await startWithNeeds(async () => new TextEncoder().encode('<html>'));
  await using _ = regions;
  await regions.broadcast(2);
  expect(await pictureAt(url)).toMatchObject({ status: 503 });
});

// Goal: an honest 404 of the home is no fault of the link, and no viewer of a list costs a crossing. Method: a stream on air whose segments have no
// rung, or that has no segment yet, for whose first one an edge of the home does not make its neighbour wait; two requests at one edge.
test.each([
  { segments: 2, code: 'NOT_FOUND' },
  { segments: 0, code: 'STREAM_NOT_LIVE' },
])(
  'a stream that has no picture at home ($code) has none here either, and its home is asked once',
  async ({ segments, code }) => {
    const { regions, url } = await startWithNeeds(async () => jpeg);
    await using _ = regions;
    const broadcast = await regions.broadcast(0);
    for (let index = 0; index < segments; index += 1) await broadcast.commitOne(['h264-240p']);
    for (let index = 0; index < 2; index += 1) {
      const reply = await fetch(`${url}/thumbnail.jpg`);
      expect({ status: reply.status, body: await reply.json() }).toMatchObject({
        status: 404,
        body: { code },
      });
    }
    expect({ asked: regions.far.picturesAsked }).toEqual({ asked: 1 });
  },
);
