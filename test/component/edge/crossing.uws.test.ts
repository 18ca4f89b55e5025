/** Objects of another region, over real HTTP between two edges in each of two regions (R5). */
import { hash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { passKeyOf, makePass } from '../../../actors/edge-delivery/crossing/object-pass.ts';
import { objectPath } from '../../../actors/edge-delivery/crossing/crossing-paths.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import { pullOnce } from '../../../cluster/region/ask-to-pull.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { MemorySegmentStore } from '../../support/ports/memory-segment-store.ts';
import { PeriodId, RenditionName, Sha256, StreamId } from '../../../cluster/model/ids.ts';
import { shortenTwice } from '../../support/media/shortened.ts';
import { far, startTwoRegions, type TwoRegions } from '../../support/regions/edges-of-two-regions.ts';

const video = 'h264-240p';
const statusOf = async (url: string): Promise<number> => (await fetch(url)).status;
const mediaKeys = (store: MemorySegmentStore): readonly string[] =>
  [...store.objects.keys()].filter((key) => key.includes(`/${video}/`));
const crossings = ({ far: { crossed } }: TwoRegions): readonly number[] => [...crossed.values()];

/** 200 viewers at two far edges ask for five segments and the init segment, and a relayer asks for the same segments at the same time. */
async function watchTogether(regions: TwoRegions) {
  const broadcast = await regions.broadcast(5);
  const paths = [
    ...Array.from({ length: 5 }, (_, index) => broadcast.segmentPath(index)),
    `/live/demo/${broadcast.period}/${video}/init.mp4`,
  ];
  const viewers = Array.from({ length: 200 }, (_, index) =>
    statusOf(`${regions.far.edges[index % 2]?.url}${paths[index % paths.length]}`),
  );
  const relayer = mediaKeys(regions.home.store).flatMap((key) => {
    const { object } = pulledOf(regions, key);
    return object.media.startTime === undefined ? [] : [pullOnce(relayerOf(regions), object, 9000)];
  });
  const statuses = new Set(await Promise.all(viewers));
  const states = new Set((await Promise.all(relayer)).map(({ state }) => state));
  return { statuses, relayer: states, ...(await crossedBy(regions)) };
}

async function crossedBy(regions: TwoRegions) {
  const { crossed, taken, store } = regions.far;
  const asked = crossings(regions).reduce((sum, count) => sum + count, 0);
  return {
    taken: new Set(taken.values()),
    objects: taken.size,
    // A second request needs an edge that has been silent: none is on this machine, unless it is very busy.
    hasNeedlessRequests: asked > crossed.size + (await regions.far.silences()),
    stored: mediaKeys(store).toSorted(),
  };
}

/** What everybody gets, whatever the edges of the home do. */
const allOnce = ({ home }: TwoRegions) => ({
  statuses: new Set([200]),
  relayer: new Set(['stored']),
  taken: new Set([1]),
  objects: 6,
  hasNeedlessRequests: false,
  stored: mediaKeys(home.store).toSorted(),
});

test('with 200 viewers at two edges and the relayer asking, each object crosses once, and lies in the far store', async () => {
  await using regions = await startTwoRegions();
  expect(await watchTogether(regions)).toEqual(allOnce(regions));
});

// Goal: a port that is blocked between two regions fails no viewer. Method: the home tells of a third edge, which takes requests and is mute.
test('with an edge of the home that does not answer, all 200 get everything, and each object crosses once', async () => {
  await using mute = await startMute();
  await using regions = await startTwoRegions({ alsoTold: mute.url });
  expect(await watchTogether(regions)).toEqual(allOnce(regions));
  expect(mute.requests).toBeGreaterThan(0);
});

/** The object of a store key, as a relayer names it. */
function pulledOf({ home }: TwoRegions, key: string) {
  const [stream = '', period, rendition = '', name = ''] = key.split('/');
  const body = home.store.objects.get(key) ?? new Uint8Array();
  const start = name.split('-')[0] ?? '';
  const startTime = start === 'init' ? {} : { startTime: Number(start) };
  const media = { sha256: Sha256.parse(hash('sha256', body)), bytes: body.byteLength, ...startTime };
  return {
    object: {
      streamId: StreamId.parse(stream),
      period: PeriodId.parse(Number(period)),
      rendition: RenditionName.parse(rendition),
      media,
    },
  };
}

const relayerOf = (regions: TwoRegions) => ({
  clock: systemClock,
  edges: () => regions.far.edges.map((_, index) => ({ id: regions.far.nodeAt(index), weight: 1 })),
  askToPull: regions.far.askToPull.bind(regions.far),
  onSilent: () => {},
});

test('the next edge of the region is asked where the first one says nothing', async () => {
  await using regions = await startTwoRegions();
  const broadcast = await regions.broadcast(6);
  regions.far.silent = regions.far.nodeAt(1);
  const url = regions.far.edges[0]?.url;
  for (let index = 0; index < 6; index += 1)
    expect(await statusOf(`${url}${broadcast.segmentPath(index)}`)).toBe(200);
  expect(mediaKeys(regions.far.store)).toHaveLength(6);
});

/** Takes requests, and never answers. */
async function startMute() {
  const mute = { requests: 0 };
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', () => void (mute.requests += 1));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return Object.assign(mute, {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => void server.close(),
  });
}

// Goal: a port that is blocked between two regions costs viewers nothing but the first moment. Method: the home tells of a third edge, which takes
// requests and is mute; twelve segments one after the other, of which it is the first in line for some.
test('an edge of the home that is told as sound and does not answer is asked once by each far edge', async () => {
  await using mute = await startMute();
  await using regions = await startTwoRegions({ alsoTold: mute.url });
  const broadcast = await regions.broadcast(12);
  const statuses: number[] = [];
  for (let index = 0; index < 12; index += 1)
    statuses.push(await statusOf(`${regions.far.edges[0]?.url}${broadcast.segmentPath(index)}`));
  expect({
    statuses: new Set(statuses),
    isAsked: mute.requests > 0,
    isAskedOften: mute.requests > regions.far.edges.length,
  }).toEqual({ statuses: new Set([200]), isAsked: true, isAskedOften: false });
});

// Goal: another region's damage reaches no viewer. Method: the home's store has other bytes of the same length under the name.
test('an object whose hash differs is refused, counted and not stored; the next one is served', async () => {
  await using regions = await startTwoRegions();
  const broadcast = await regions.broadcast(2);
  const [damaged = ''] = mediaKeys(regions.home.store).filter((key) => key.includes('/0-'));
  const body = regions.home.store.objects.get(damaged) ?? new Uint8Array();
  regions.home.store.objects.set(damaged, new Uint8Array(body.byteLength));
  const url = regions.far.edges[0]?.url;
  expect({
    damaged: await statusOf(`${url}${broadcast.segmentPath(0)}`),
    next: await statusOf(`${url}${broadcast.segmentPath(1)}`),
    isStored: regions.far.store.objects.has(damaged),
    taken: regions.far.taken.get(damaged),
  }).toEqual({ damaged: 404, next: 200, isStored: false, taken: 1 });
});

/** Full from the beginning. */
class FullStore extends MemorySegmentStore {
  override async putIfAbsent(): Promise<'stored' | 'present'> {
    throw new TangazaError('STORE_FULL');
  }
}

test('a far store that is full costs no viewer anything: both edges serve what one fetched', async () => {
  await using regions = await startTwoRegions({ farStore: new FullStore() });
  const broadcast = await regions.broadcast(4);
  const urls = regions.far.edges.flatMap(({ url }) =>
    [0, 1, 2, 3].map((index) => `${url}${broadcast.segmentPath(index)}`),
  );
  expect({
    statuses: new Set(await Promise.all(urls.map(statusOf))),
    ...(await crossedBy(regions)),
  }).toEqual({
    statuses: new Set([200]),
    taken: new Set([1]),
    objects: 4,
    hasNeedlessRequests: false,
    stored: [],
  });
});

// Goal: a region that cannot be reached is asked again at once, an object that nobody has is not. Method: a cut; then the home loses the object.
test('that nobody has an object is remembered for a while, that a region is away never', async () => {
  await using regions = await startTwoRegions();
  const broadcast = await regions.broadcast(2);
  const [first, second] = regions.far.edges;
  regions.link.isUp = false;
  expect(await statusOf(`${first?.url}${broadcast.segmentPath(0)}`)).toBe(503);
  regions.link.isUp = true;
  expect(await statusOf(`${first?.url}${broadcast.segmentPath(0)}`)).toBe(200);
  const [lost = ''] = mediaKeys(regions.home.store).filter((key) => key.includes('/180000-'));
  regions.home.store.objects.delete(lost);
  const statuses: number[] = [];
  for (const edge of [first, second, first, second])
    statuses.push(await statusOf(`${edge?.url}${broadcast.segmentPath(1)}`));
  const { hasNeedlessRequests } = await crossedBy(regions);
  expect({ statuses, isAsked: regions.far.crossed.has(lost), hasNeedlessRequests }).toEqual({
    statuses: [404, 404, 404, 404],
    isAsked: true,
    hasNeedlessRequests: false,
  });
});

// Goal: an edge that has begun during a cut does not take a region that it cannot ask for one that has nothing. Method: no word of the home, and a
// cut; then the link is back, and the home loses an object.
test('where nobody told of the home, only the word of all other regions makes a 404', async () => {
  await using regions = await startTwoRegions();
  const broadcast = await regions.broadcast(2);
  const url = regions.far.edges[0]?.url;
  regions.far.isHomeTold = false;
  regions.link.isUp = false;
  const cut = await statusOf(`${url}${broadcast.segmentPath(0)}`);
  regions.link.isUp = true;
  const healed = await statusOf(`${url}${broadcast.segmentPath(0)}`);
  const [lost = ''] = mediaKeys(regions.home.store).filter((key) => key.includes('/180000-'));
  regions.home.store.objects.delete(lost);
  const gone = await statusOf(`${url}${broadcast.segmentPath(1)}`);
  expect({ cut, healed, gone }).toEqual({ cut: 503, healed: 200, gone: 404 });
});

// Method: with no pass, a pass of another secret, one for another path, one that is over, and a good one.
test('objects are served only to edges of the cluster, and nothing but media and archives', async () => {
  await using regions = await startTwoRegions();
  await regions.broadcast(1);
  const [key = ''] = mediaKeys(regions.home.store);
  const good = passKeyOf('a secret that all regions share');
  const nowMs = Date.now();
  const ask = async (path: string, authorization: string): Promise<number> =>
    (await fetch(`${regions.home.edges[0]?.url}${path}`, { headers: { authorization } })).status;
  const path = objectPath(key);
  const secrets = objectPath('secrets/file');
  expect({
    none: await statusOf(`${regions.home.edges[0]?.url}${path}`),
    token: await ask(path, 'Bearer test-token'),
    stranger: await ask(path, makePass(passKeyOf('another secret'), far, path, nowMs)),
    otherPath: await ask(path, makePass(good, far, objectPath(`${key}0`), nowMs)),
    over: await ask(path, makePass(good, far, path, nowMs - 150_000)),
    good: await ask(path, makePass(good, far, path, nowMs)),
    otherClock: await ask(path, makePass(good, far, path, nowMs + 40_000)),
    noMedia: await ask(secrets, makePass(good, far, secrets, nowMs)),
  }).toEqual({
    none: 401,
    token: 401,
    stranger: 401,
    otherPath: 401,
    over: 401,
    good: 200,
    otherClock: 200,
    noMedia: 404,
  });
});

test('regions with different secrets get nothing of each other: viewers are told to ask elsewhere', async () => {
  await using regions = await startTwoRegions({ farSecret: 'another secret' });
  const broadcast = await regions.broadcast(1);
  const reply = await fetch(`${regions.far.edges[0]?.url}${broadcast.segmentPath(0)}`);
  expect(await reply.json()).toMatchObject({ status: 503, code: 'UNAVAILABLE' });
});

const framesAt = (url: string | undefined, offsetSeconds: number): Promise<Response> =>
  fetch(`${url}/v1/videos/demo/frames?deviceType=tv&offsetSeconds=${offsetSeconds}&durationSeconds=4`, {
    headers: { accept: 'application/json' },
  });

// Goal: a far viewer may seek as far back as a near one. Method: a log that was shortened twice; what lies before it is in the home's archives, which
// a far edge reads, and does not store.
test('what has left the log is found by the archives of the home', async () => {
  await using regions = await startTwoRegions();
  const broadcast = await regions.broadcast(10);
  await shortenTwice({ log: regions.log, store: regions.home.store }, broadcast);
  const url = regions.far.edges[0]?.url;
  regions.link.isUp = false;
  expect((await framesAt(url, 10)).status).toBe(503);
  regions.link.isUp = true;
  for (const offsetSeconds of [0, 10, 24]) {
    const view = await (await framesAt(url, offsetSeconds)).json();
    expect(view).toMatchObject({ offsetSeconds, durationSeconds: 4 });
  }
  expect({
    segment: await statusOf(`${url}${broadcast.segmentPath(3)}`),
    never: await statusOf(`${url}/live/demo/2/${video}/1.m4s`),
    archives: [...regions.far.store.objects.keys()].filter((key) => key.startsWith('index/')),
  }).toEqual({ segment: 200, never: 404, archives: [] });
});
