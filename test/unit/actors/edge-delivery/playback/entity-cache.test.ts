import { expect, test } from 'vitest';
import { mediaEntity } from '../../../../../actors/edge-delivery/playback/entity.ts';
import { EntityCache } from '../../../../../actors/edge-delivery/playback/entity-cache.ts';
import { errorCodeOf, TangazaError } from '../../../../../cluster/errors/tangaza-error.ts';
import { noMetrics } from '../../../../../cluster/observe/metrics.ts';

const kilobyte = 1024;
const object = (bytes: number) => mediaEntity(new Uint8Array(bytes), { contentType: 'video/mp4', tag: 't' });
/** Room for `count` objects of 1 kB with their overhead. */
const cacheOf = (count: number, maxLoads = 100) =>
  new EntityCache({ maxBytes: count * 2 * kilobyte, maxLoads, metrics: noMetrics });
const fill = async (cache: EntityCache, keys: readonly string[]): Promise<void> => {
  for (const key of keys) await cache.load(key, async () => object(kilobyte));
};
const fail = async () => {
  throw new TangazaError('STORE_UNAVAILABLE');
};

test('however many ask at once, an object is loaded once', async () => {
  const cache = cacheOf(10);
  let loads = 0;
  const gate = Promise.withResolvers<void>();
  const load = async () => {
    loads++;
    await gate.promise;
    return object(kilobyte);
  };
  const asked = Array.from({ length: 500 }, () => cache.load('a', load));
  gate.resolve();
  const entities = await Promise.all(asked);
  expect(loads).toBe(1);
  expect(new Set(entities).size).toBe(1);
});

test('an error reaches all that wait and is not kept', async () => {
  const cache = cacheOf(10);
  const outcomes = await Promise.allSettled([cache.load('a', fail), cache.load('a', fail)]);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect((await cache.load('a', async () => object(kilobyte))).body.byteLength).toBe(kilobyte);
});

test('bytes stay within the bound whatever comes', async () => {
  const cache = cacheOf(16);
  await fill(
    cache,
    Array.from({ length: 200 }, (_, index) => `k${index}`),
  );
  expect(cache.bytes).toBeLessThanOrEqual(16 * 2 * kilobyte);
  expect(cache.get('k199')).toBeDefined();
  expect(cache.get('k0')).toBeUndefined();
});

test('an object that is hit outlives newer ones that are not', async () => {
  const cache = cacheOf(16);
  await fill(cache, ['hot']);
  for (let round = 0; round < 60; round++) {
    const hot = cache.get('hot');
    if (hot !== undefined) hot.hits++;
    await fill(cache, [`cold${round}`]);
  }
  expect(cache.get('hot')).toBeDefined();
  expect(cache.get('cold0')).toBeUndefined();
});

test('when all are in use the oldest goes: eviction ends', async () => {
  const cache = cacheOf(16);
  await fill(
    cache,
    Array.from({ length: 16 }, (_, index) => `k${index}`),
  );
  for (let index = 0; index < 16; index++) {
    const entity = cache.get(`k${index}`);
    if (entity !== undefined) entity.hits++;
  }
  await fill(cache, ['new']);
  expect(cache.bytes).toBeLessThanOrEqual(16 * 2 * kilobyte);
  expect(cache.get('k0')).toBeUndefined();
});

test('an object over an eighth of the bound is served and not kept', async () => {
  const cache = cacheOf(16);
  expect((await cache.load('big', async () => object(8 * kilobyte))).body.byteLength).toBe(8 * kilobyte);
  expect(cache.get('big')).toBeUndefined();
  expect(cache.bytes).toBe(0);
});

test('more loads than the bound are refused', async () => {
  const cache = cacheOf(16, 2);
  const gate = Promise.withResolvers<void>();
  const load = async () => gate.promise.then(() => object(kilobyte));
  const running = [cache.load('a', load), cache.load('b', load)];
  expect(await cache.load('c', load).then(() => 'none', errorCodeOf)).toBe('OVERLOADED');
  gate.resolve();
  await Promise.all(running);
});

test('a deleted stream leaves nothing behind', async () => {
  const cache = cacheOf(16);
  await fill(cache, ['/live/a/1', '/live/a/2', '/live/ab/1']);
  cache.dropPrefix('/live/a/');
  expect({
    removed: cache.get('/live/a/1'),
    kept: cache.get('/live/ab/1')?.body.byteLength,
    bytes: cache.bytes,
  }).toEqual({ removed: undefined, kept: kilobyte, bytes: 2 * kilobyte });
});
